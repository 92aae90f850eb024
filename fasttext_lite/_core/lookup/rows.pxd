from libc.stdint cimport int64_t, uint8_t


cdef class Rows:
    cdef readonly int64_t count
    cdef readonly Py_ssize_t dim

    cdef void add(
        self, const int64_t* ids, size_t count, size_t ahead, float* out
    ) noexcept nogil
    cdef void copy(self, int64_t row, float* out) noexcept nogil
    cdef float unscaled(self, int64_t row, float* out) noexcept nogil
    cdef void fetch(self, int64_t row) noexcept nogil
    cdef float dot(self, int64_t row, const float* vector) noexcept nogil


cdef class DenseRows(Rows):
    cdef readonly const uint8_t[::1] data
    cdef const float[::1] scale
    cdef const uint8_t* base
    cdef const float* scales
    cdef int element
    cdef Py_ssize_t bytes


cdef class QuantizedRows(Rows):
    cdef const uint8_t[::1] codes
    cdef const uint8_t[::1] norm_codes
    cdef const float[::1] centroids
    cdef const float[::1] norms
    cdef Py_ssize_t dsub
    cdef Py_ssize_t parts
