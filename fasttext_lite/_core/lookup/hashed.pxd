from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from fasttext_lite._core.lookup.subwords cimport PruneIndex, Subwords

cdef enum:
    # The most bytes of "<word>" that `HashedRows.take` can have.
    LONGEST = 256


cdef class HashedRows:
    cdef readonly Subwords subwords
    cdef PruneIndex prune
    cdef uint64_t* filter       # one bit for some neighbouring buckets: whether any was kept
    cdef uint32_t* before       # how many buckets were kept before those of 64 bits
    cdef int shift

    cdef int64_t row(self, uint64_t h) noexcept nogil
    cdef size_t most(self, size_t length) noexcept nogil
    cdef size_t take(self, const uint8_t* text, size_t length, int64_t* rows) noexcept nogil
    cdef size_t _emit(
        self, const uint32_t* hashes, size_t start, size_t stop, size_t place, size_t sizes,
        int64_t* rows, size_t passed,
    ) noexcept nogil
    cdef int64_t _kept(self, uint32_t bucket) noexcept nogil
