from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.lookup.rows cimport Rows
from fasttext_lite._core.lookup.subwords cimport Subwords
from fasttext_lite._core.lookup.vocabulary cimport Vocabulary


cdef class Embedder:
    cdef readonly Vocabulary vocabulary
    cdef readonly Subwords subwords
    cdef readonly Rows rows
    cdef readonly Rows vectors
    cdef readonly bint closed
    cdef size_t dim

    cpdef object vector(self, word)
    cdef int32_t _id(self, Span word) noexcept nogil
    cdef bint _has_vector(self, int32_t i) noexcept nogil
    cdef int64_t _row(self, int32_t i) noexcept nogil
    cdef bint _lacks(self, int32_t i) noexcept nogil
    cdef bint _embed_word(self, Span word, int32_t i, float* out) noexcept nogil
    cdef Py_ssize_t _fill(
        self, const Span* words, Py_ssize_t start, Py_ssize_t stop, float* out, bint* unknown
    ) noexcept nogil
    cdef Py_ssize_t embed(
        self, const Span* words, Py_ssize_t count, float* out, bint* unknown
    ) noexcept nogil


cdef object unknown_word(word)
