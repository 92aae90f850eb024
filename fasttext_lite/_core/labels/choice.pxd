from libc.stdint cimport int32_t

from fasttext_lite._core.labels.losses cimport LabelScore, Loss


cdef struct Request:
    Py_ssize_t k
    float threshold
    bint biased             # whether to return probabilities with the official bias
    bint spaces             # whether newlines are spaces
    bint renormalize
    const int32_t* labels   # the labels among which to choose; NULL for all
    Py_ssize_t count


cdef struct Work:
    # The work memory of a block of texts: of the first one, and after it the hidden vectors and the
    # scores of the others. `items`, `chances` and `row` are for a choice among labels.
    LabelScore* heap        # one more than there may be labels
    LabelScore* items
    double* chances
    void* scratch
    float* hidden
    float* scores
    float* row


cdef Py_ssize_t work_size(Loss loss, const Request* ask, Py_ssize_t block) noexcept nogil
cdef Work divide(Loss loss, const Request* ask, Py_ssize_t block, void* memory) noexcept nogil
cdef Py_ssize_t search(Loss loss, const Work* work, const Request* ask) noexcept nogil
cdef bint score(Loss loss, const Work* work, const Request* ask) noexcept nogil
cdef bint fill_row(Loss loss, const Work* work, float* out) noexcept nogil
