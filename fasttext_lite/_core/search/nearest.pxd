from libc.stdint cimport int32_t


cdef struct WordScore:
    double score
    int32_t id


cdef class Nearest:
    cdef readonly Py_ssize_t queries
    cdef readonly Py_ssize_t k
    cdef WordScore* heaps
    cdef Py_ssize_t* sizes

    cdef double least(self, Py_ssize_t query) noexcept nogil
    cdef void add(self, Py_ssize_t query, double score, int32_t i) noexcept nogil
