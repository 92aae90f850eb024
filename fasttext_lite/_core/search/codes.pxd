from libc.stdint cimport uint8_t


# The rounding error of a cosine in float32, in addition to that of each column.
cdef double ROUNDING


cdef inline bint is_safe(double norm) noexcept nogil:
    """Return whether the squares of a vector of this norm stay in the range of float32."""
    return 1e-30 < norm < 1e30

cdef double norm_of(const float* vector, size_t dim) noexcept nogil
cdef void encode_row(
    const float* row, size_t dim, double norm, int levels, uint8_t* codes, uint8_t* trial,
    float* scale, float* error
) noexcept nogil


cdef class Codes:
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t dim
    cdef readonly bint packed
    cdef readonly int levels
    cdef readonly Py_ssize_t width
    cdef const uint8_t[::1] data
    cdef const float[::1] scales
    cdef const float[::1] errors
