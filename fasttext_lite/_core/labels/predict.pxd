from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.labels.choice cimport Request
from fasttext_lite._core.labels.line cimport LineReader
from fasttext_lite._core.labels.losses cimport LabelScore, Loss
from fasttext_lite._core.labels.tokens cimport Status


cdef class Predictor:
    cdef readonly LineReader reader
    cdef readonly Loss loss
    cdef object answer_type
    cdef readonly tuple names
    cdef Py_ssize_t name_start

    cdef Request _request(self, const int32_t[::1] labels, bint renormalize) except *
    cdef Status _best(
        self, LineReader reader, Span text, const Request* ask, void* memory, Py_ssize_t* found,
        int64_t* rows,
    ) noexcept nogil
    cdef str _name(self, Py_ssize_t label)
    cdef object _answer(self, const LabelScore* best, Py_ssize_t found)
    cdef Py_ssize_t _max_labels(self, object k, Py_ssize_t labels) except -1
