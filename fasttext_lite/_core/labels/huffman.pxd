from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.labels.losses cimport LabelScore, Loss


cdef struct Node:
    int32_t left            # -1 in a leaf
    int32_t right
    int32_t depth


cdef struct Branch:
    int32_t node
    float score
    float error             # bound on the difference from the official score, and on its growth
    double probability


cdef struct Precision:
    # The precision of computed scores.
    bint official           # whether scores are computed exactly as in the official program
    double error            # error bound of the dot product of the hidden vector and an output row


cdef class HierarchicalSoftmax(Loss):
    cdef Node* nodes
    cdef int32_t* parents
    cdef int32_t depth
    cdef bint dense
    cdef double largest_norm

    cdef Precision _fast_precision(self, const float* hidden) noexcept nogil
    cdef float _raw_score(
        self, int64_t row, const float* hidden, bint official, float* buffer
    ) noexcept nogil
    cdef Py_ssize_t _search(
        self,
        const float* hidden,
        Precision precision,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil
    cdef bint _walk(self, const float* hidden, LabelScore* item, void* scratch) noexcept nogil
    cdef int32_t _build(self, const int64_t* counts, int64_t* sums) noexcept nogil
    cdef bint _split(
        self, const float* hidden, const Precision* precision, float* buffer, Branch* branch,
        Branch* right,
    ) noexcept nogil
