from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef enum:
    # What follows the text of an entry in a dictionary: NUL, int64 count, int8 type.
    TAIL = 10


cdef class Entries:
    cdef readonly int32_t word_count
    cdef readonly int32_t label_count
    cdef const uint8_t[::1] text
    cdef const uint8_t* base
    cdef uint64_t text_size
    cdef const uint64_t* offsets
    cdef uint32_t gap           # bytes between an entry and the next
    cdef const int64_t[::1] stored_counts
    cdef object owners          # of the arrays above that are not our own
    cdef void* own_offsets

    cdef const uint8_t* entry(self, int32_t i, size_t* length) noexcept nogil
    cdef int64_t count(self, int32_t i) noexcept
