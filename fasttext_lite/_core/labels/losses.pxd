from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.lookup.rows cimport Rows


cdef enum:
    # Returned instead of a number of labels.
    NO_NUMBER = -1
    IN_DOUBT = -2


cdef struct LabelScore:
    float score             # the key of the order: log(probability + 1e-5), or a sum of those
    float probability       # without this bias
    float error             # bound on the difference from the official score
    int32_t label


cdef struct Precision:
    # The precision of computed scores.
    bint official           # whether scores are computed exactly as in the official program
    double error            # error bound of the dot product of the hidden vector and an output row


cdef float biased_log(float x) noexcept nogil
cdef bint keep_best(
    LabelScore* heap, Py_ssize_t* size, Py_ssize_t k, LabelScore item
) noexcept nogil
cdef bint sort_best(LabelScore* heap, Py_ssize_t size) noexcept nogil
cdef bint below(const LabelScore* low, const LabelScore* high) noexcept nogil


cdef class Loss:
    cdef readonly Rows output
    cdef readonly int32_t label_count
    # Bytes of scratch memory that `best` needs.
    cdef Py_ssize_t scratch_size
    # For larger k two labels are often too close for the fast way.
    cdef Py_ssize_t few
    cdef bint dense
    # Whether the score of each label is one dot product.
    cdef bint flat
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

    cdef bint path_score(
        self, const float* hidden, int32_t label, LabelScore* item, void* scratch
    ) noexcept nogil
    cdef double log_chance(
        self, const float* hidden, int32_t label, bint tail, void* scratch
    ) noexcept nogil
    cdef bint renormalize(
        self,
        const float* hidden,
        LabelScore* items,
        double* chances,
        Py_ssize_t count,
        void* scratch,
    ) noexcept nogil


cdef class Softmax(Loss):
    pass


cdef class Sigmoid(Loss):
    pass
