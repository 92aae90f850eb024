from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.entries cimport Entries


cdef class Vocabulary(Entries):
    cdef readonly Py_ssize_t end
    cdef const uint32_t* slots
    cdef uint32_t mask
    cdef uint32_t id_mask       # the bits of a slot that hold id + 1; the others are of the hash
    cdef void* own_slots

    cdef int32_t find(self, const uint8_t* word, size_t length, uint32_t h) noexcept nogil
    cdef void fetch(self, uint32_t h) noexcept nogil
    cdef int32_t guess(self, uint32_t h) noexcept nogil
    cdef void find_many(self, const Span* words, Py_ssize_t count, int32_t* ids) noexcept nogil
    cdef const uint32_t* slot(self, const uint8_t* word, size_t length, uint32_t h) noexcept nogil
    cdef int32_t scan_entries(
        self, uint64_t* offsets, uint64_t stop, int32_t size, bint* crowded
    ) noexcept nogil
    cdef bint put(self, const uint8_t* word, size_t length, uint32_t h, int32_t i) noexcept nogil
    cdef int32_t index_entries(self, int32_t size) noexcept nogil
    cdef void take_slots(self, const uint32_t* slots, uint64_t capacity, int64_t size) noexcept
    cdef void reserve(self, int64_t size) except *
