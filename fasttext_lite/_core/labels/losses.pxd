from libc.stdint cimport int32_t

from fasttext_lite._core.lookup.rows cimport Rows


cdef enum:
    # Instead of a number of labels.
    NO_NUMBER = -1
    ON_A_STEP = -2


cdef struct Scored:
    float score             # by which labels are ordered: log(probability + 1e-5) or a sum of such
    float probability       # without that bias
    int32_t label


cdef float biased_log(float x) noexcept nogil
cdef Py_ssize_t keep_best(
    Scored* heap, Py_ssize_t size, Py_ssize_t k, Scored item
) noexcept nogil
cdef void sort_best(Scored* heap, Py_ssize_t size) noexcept nogil


cdef class Loss:
    cdef readonly Rows output
    cdef readonly int32_t label_count
    # Bytes that `best` needs for itself.
    cdef readonly Py_ssize_t scratch_size

    cdef Py_ssize_t best(
        self,
        const float* hidden,
        Py_ssize_t k,
        float threshold,
        bint ordered,
        Scored* heap,
        void* scratch,
    ) noexcept nogil
    cdef Py_ssize_t _probabilities(
        self, const float* hidden, bint ordered, float* out
    ) noexcept nogil


cdef class Softmax(Loss):
    pass


cdef class Sigmoid(Loss):
    cdef bint dense

    cdef float _score(
        self, int32_t label, const float* hidden, bint ordered, float* row
    ) noexcept nogil
