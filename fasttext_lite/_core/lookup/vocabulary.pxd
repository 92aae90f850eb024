from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fasttext_lite._core.text.batch cimport Span

cdef extern from "memory.h" nogil:
    void* table_alloc "ftl_table_alloc"(size_t size)

cdef enum:
    # Bytes after the text of an entry in a dictionary: NUL, int64 count, int8 type.
    TAIL = 10


cdef class Vocabulary:
    cdef readonly int32_t word_count
    cdef readonly int32_t label_count
    cdef readonly Py_ssize_t end
    cdef const uint8_t[::1] text
    cdef const uint8_t* base
    cdef uint64_t text_size
    cdef const uint64_t* offsets
    cdef uint32_t gap           # bytes between an entry and the next
    cdef const int64_t[::1] stored_counts
    cdef object owners          # the owners of the stored arrays
    cdef void* own_offsets
    cdef const uint32_t* slots
    cdef uint32_t mask
    cdef uint32_t id_mask       # the bits of a slot that hold id + 1; the others hold the hash
    cdef void* own_slots
    cdef int8_t repeated        # -1 until it is known

    cdef const uint8_t* entry(self, int32_t i, size_t* length) noexcept nogil
    cdef int64_t count(self, int32_t i) noexcept
    cdef int check(self, int32_t i) except -1
    cdef int32_t find(self, const uint8_t* word, size_t length, uint32_t h) noexcept nogil
    cdef void prepare(self, uint32_t h) noexcept nogil
    cdef int32_t candidate(self, uint32_t h) noexcept nogil
    cdef void find_many(self, const Span* words, Py_ssize_t count, int32_t* ids) noexcept nogil
    cdef int32_t probe(
        self, const uint8_t* word, size_t length, uint32_t h, uint32_t* place
    ) noexcept nogil
    cdef int32_t put_block(
        self, const uint8_t** words, const size_t* lengths, int32_t count, int32_t start
    ) noexcept nogil
    cdef bint put(self, const uint8_t* word, size_t length, uint32_t h, int32_t i) noexcept nogil
    cdef int32_t index_entries(self, int32_t size) noexcept nogil
    cdef void take_slots(self, const uint32_t* slots, uint64_t capacity, int64_t size) noexcept
    cdef void reserve(self, int64_t size) except *


cdef object crowded_entry(entry, offset)
