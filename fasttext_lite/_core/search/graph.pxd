from libc.stdint cimport uint32_t

from fasttext_lite._core.lookup.rows cimport DenseRows
from fasttext_lite._core.search.codes cimport Codes


cdef class Graph:
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t dim
    cdef readonly Py_ssize_t degree
    cdef readonly DenseRows rows
    cdef readonly Codes codes
    cdef const float[::1] norms
    cdef const uint32_t[:, ::1] neighbors
    cdef const uint32_t[::1] entries
