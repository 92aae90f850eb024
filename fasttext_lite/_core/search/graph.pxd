from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t

from fasttext_lite._core.kernels.cpu cimport CodeQuery
from fasttext_lite._core.lookup.rows cimport DenseRows
from fasttext_lite._core.search.codes cimport Codes
from fasttext_lite._core.search.nearest cimport Nearest


cdef struct Seen:
    float score
    uint32_t id


cdef class Graph:
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t dim
    cdef readonly Py_ssize_t degree
    cdef readonly DenseRows rows
    cdef readonly Codes codes
    cdef const float[::1] norms
    cdef const uint32_t[:, ::1] neighbors
    cdef const uint32_t[::1] entries
