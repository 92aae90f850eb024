from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.labels.losses cimport Loss, Precision


cdef struct Node:
    int32_t left            # -1 in a leaf
    int32_t right
    int32_t depth


cdef struct Branch:
    int32_t node
    float score
    float error             # bound on the difference from the official score, and on its growth
    double probability


cdef class HierarchicalSoftmax(Loss):
    cdef Node* nodes
    cdef int32_t* parents
    cdef int32_t depth

    cdef int32_t _build(self, const int64_t* counts, int64_t* sums) noexcept nogil
    cdef bint _split(
        self, const float* hidden, const Precision* precision, float* buffer, Branch* branch,
        Branch* right,
    ) noexcept nogil
