from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef inline uint32_t hash_basis() noexcept nogil:
    return <uint32_t>2166136261


cdef inline uint32_t hash_step(uint32_t h, uint8_t byte) noexcept nogil:
    # The official program reads bytes as signed, so those above 127 set the upper 24 bits too:
    # every trained model depends on it.
    return (h ^ <uint32_t><int32_t><int8_t>byte) * <uint32_t>16777619


cdef inline uint32_t hash_bytes(const uint8_t* text, size_t length) noexcept nogil:
    cdef uint32_t h = hash_basis()
    cdef size_t i
    for i in range(length):
        h = hash_step(h, text[i])
    return h


cdef struct Walk:
    # An n-gram walk over the bytes of "<word>"; text[start:stop] is the n-gram under way.
    const uint8_t* text
    size_t length
    size_t start
    size_t stop
    int32_t size        # code points in it
    uint32_t hash


cdef class PruneIndex:
    cdef readonly Py_ssize_t size
    cdef const int32_t[::1] buckets
    cdef const int32_t[::1] rows
    cdef const uint32_t* starts # starts[b >> shift]: where buckets from b on may stand
    cdef object owner
    cdef void* own_starts
    cdef int shift

    cdef int64_t find(self, uint32_t bucket) noexcept nogil


cdef class Subwords:
    cdef readonly int32_t minn
    cdef readonly int32_t maxn
    cdef readonly int64_t bucket
    cdef readonly int64_t first_row
    cdef readonly PruneIndex prune
    cdef bint pruned
    cdef uint64_t reciprocal

    cdef void begin(self, Walk* walk, const uint8_t* text, size_t length) noexcept nogil
    cdef bint advance(self, Walk* walk) noexcept nogil
    cdef int64_t row(self, uint32_t h) noexcept nogil
    cdef size_t take_rows(self, Walk* walk, int64_t* rows, size_t capacity) noexcept nogil


cdef uint8_t* bracket(
    const uint8_t* word, size_t length, uint8_t* buffer, size_t capacity
) noexcept nogil
