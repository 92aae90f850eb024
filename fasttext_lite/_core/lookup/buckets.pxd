from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t


cdef class PruneIndex:
    cdef readonly Py_ssize_t size
    cdef int64_t limit
    cdef const int32_t[::1] buckets
    cdef const int32_t[::1] rows
    cdef const uint32_t* starts # starts[b >> shift]: start of the run that may hold bucket b
    cdef object owner
    cdef void* own_starts
    cdef int shift

    cdef int64_t find(self, uint32_t bucket) noexcept nogil


cdef class Buckets:
    cdef readonly int64_t count
    cdef readonly int64_t first_row
    cdef readonly PruneIndex prune
    cdef uint64_t reciprocal
    cdef uint64_t* filter       # one bit per group of neighbouring buckets: whether any was kept
    cdef uint32_t* before       # number of bits that are set before each block of 64
    cdef int shift

    cdef Buckets with_filter(self)
    cdef int64_t row(self, uint64_t h) noexcept nogil
    cdef size_t rows(self, const uint32_t* hashes, size_t count, int64_t* rows) noexcept nogil
    cdef size_t place(
        self, const uint32_t* hashes, size_t start, size_t stop, size_t first, size_t sizes,
        int64_t* rows, size_t passed,
    ) noexcept nogil
    cdef size_t in_order(self, int64_t* rows, size_t places, size_t passed) noexcept nogil
    cdef int64_t _kept(self, uint32_t bucket) noexcept nogil
