from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.labels.losses cimport Loss, Scored


cdef struct Node:
    int32_t left            # -1 in a leaf
    int32_t right
    int32_t place           # how many leaves a search from left to right meets before it
    int32_t depth


cdef struct Branch:
    int32_t node
    float score
    double probability


cdef class HierarchicalSoftmax(Loss):
    cdef Node* nodes
    cdef int32_t* parents

    cdef int32_t _build(self, const int64_t* counts, int64_t* sums) noexcept nogil
    cdef bint _split(
        self, const float* hidden, const Branch* branch, Branch* left, Branch* right
    ) noexcept nogil
    cdef Py_ssize_t _first(
        self, const float* hidden, float least, Branch branch, Scored* heap, Branch* stack
    ) noexcept nogil
