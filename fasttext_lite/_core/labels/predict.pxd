from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.labels.line cimport LineReader
from fasttext_lite._core.labels.losses cimport LabelScore, Loss
from fasttext_lite._core.labels.tokens cimport Status


cdef class Predictor:
    cdef readonly LineReader reader
    cdef readonly Loss loss
    cdef object answer_type
    cdef readonly tuple names
    cdef Py_ssize_t name_start

    cdef Status _best(
        self, Span text, Py_ssize_t k, float threshold, bint biased, void* work, Py_ssize_t* found,
        bint* empty,
    ) noexcept nogil
    cdef Py_ssize_t _work_size(self, Py_ssize_t k) noexcept nogil
    cdef str _name(self, Py_ssize_t label)
    cdef object _answer(self, const LabelScore* best, Py_ssize_t found)
    cdef Py_ssize_t _max_labels(self, object k) except -1
