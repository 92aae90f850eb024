from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.labels.choice cimport Request, Work
from fasttext_lite._core.labels.line cimport LineReader
from fasttext_lite._core.labels.losses cimport BLOCK, LabelScore, Loss
from fasttext_lite._core.labels.tokens cimport Status


cdef struct Block:
    # A block of texts that are read together, and the place in it.
    void* memory
    Work first              # of its first text
    Work work               # of the current text
    int64_t every[BLOCK]    # the number of rows of each text
    int64_t rows            # that of the current text
    Py_ssize_t count
    Py_ssize_t at           # the texts up to the current one
    Status status           # of the text after the block


cdef class Predictor:
    cdef readonly LineReader reader
    cdef readonly Loss loss
    cdef object answer_type
    cdef readonly tuple names
    cdef Py_ssize_t name_start

    cdef Request _request(self, const int32_t[::1] labels, bint renormalize) except *
    cdef Status _read(
        self,
        LineReader reader,
        const Span* texts,
        Py_ssize_t* count,
        const Request* ask,
        const Work* work,
        int64_t* rows,
    ) noexcept nogil
    cdef Status _begin(self, const Request* ask, Block* block) noexcept nogil
    cdef Status _next(
        self,
        LineReader reader,
        const Span* texts,
        Py_ssize_t count,
        const Request* ask,
        Block* block,
    ) noexcept nogil
    cdef Py_ssize_t _best(self, const Request* ask, const Work* work, int64_t rows) noexcept nogil
    cdef Status _predict(
        self, LineReader reader, Span text, const Request* ask, void* memory, Py_ssize_t* found,
        int64_t* rows,
    ) noexcept nogil
    cdef str _name(self, Py_ssize_t label)
    cdef object _answer(self, const LabelScore* best, Py_ssize_t found)
    cdef Py_ssize_t _max_labels(self, object k, Py_ssize_t labels) except -1
