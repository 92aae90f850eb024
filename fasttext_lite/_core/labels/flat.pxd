from fasttext_lite._core.labels.losses cimport Loss


cdef class FlatLoss(Loss):
    # All panels of the output layer, or NULL if they take too much memory.
    cdef float* panels
    # Factors of the dot products, or NULL if all are 1.
    cdef float* factors

    cdef void _pack(self, Py_ssize_t start, float* panel, float* row) noexcept nogil
    cdef bint probabilities(self, float* scores, float* total) noexcept nogil


cdef class Softmax(FlatLoss):
    pass


cdef class Sigmoid(FlatLoss):
    pass
