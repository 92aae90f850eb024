from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.lookup.rows cimport Rows


cdef enum:
    # Instead of a number of labels.
    NO_NUMBER = -1
    IN_DOUBT = -2


cdef struct LabelScore:
    float score             # by which labels are ordered: log(probability + 1e-5) or a sum of such
    float probability       # without that bias
    float error             # how far the official score may be from this one
    int32_t label


cdef struct Precision:
    # How far a computed score may be from that of the official program.
    bint official           # not at all: all is computed as the official program does it
    double error            # of the dot product of the hidden vector with a row of the output


cdef float biased_log(float x) noexcept nogil
cdef bint keep_best(
    LabelScore* heap, Py_ssize_t* size, Py_ssize_t k, LabelScore item
) noexcept nogil
cdef bint sort_best(LabelScore* heap, Py_ssize_t size) noexcept nogil
cdef bint below(const LabelScore* low, const LabelScore* high) noexcept nogil


cdef class Loss:
    cdef readonly Rows output
    cdef readonly int32_t label_count
    # Bytes that `best` needs for itself.
    cdef Py_ssize_t scratch_size
    # Of more labels than this two are often too near to one another for a fast answer.
    cdef Py_ssize_t few
    cdef bint dense
    cdef double largest_norm

    cdef Precision fast_precision(self, const float* hidden) noexcept nogil
    cdef float raw_score(
        self, int64_t row, const float* hidden, bint official, float* buffer
    ) noexcept nogil
    cdef Py_ssize_t best(
        self,
        const float* hidden,
        Precision precision,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil
    cdef Py_ssize_t _probabilities(
        self, const float* hidden, const Precision* precision, float* out, double* error
    ) noexcept nogil


cdef class Softmax(Loss):
    pass


cdef class Sigmoid(Loss):
    pass
