from libc.stdint cimport int8_t, int32_t, int64_t

from fasttext_lite._core.kernels.cpu cimport CodeQuery


cdef class Queries:
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t dim
    cdef readonly bint packed
    cdef Py_ssize_t width
    cdef const float[:, ::1] vectors
    cdef const float[:, ::1] units
    cdef const double[::1] divisors
    cdef const double[::1] cosine_factors
    cdef const int8_t[:, ::1] codes
    cdef CodeQuery* coded
    cdef const int32_t[::1] banned
    cdef const int64_t[::1] starts

    cdef bint bans(self, Py_ssize_t query, int32_t i) noexcept nogil
