from libc.stdint cimport int32_t, int64_t

from fasttext_lite._core.lookup.rows cimport Rows


cdef enum:
    # Returned instead of a number of labels.
    NO_NUMBER = -1
    IN_DOUBT = -2
    # The largest number of texts of a block.
    BLOCK = 16


cdef struct LabelScore:
    float score             # the key of the order: log(probability + 1e-5), or a sum of those
    float probability       # without this bias
    float error             # bound on the difference from the official score
    int32_t label


cdef float biased_log(float x) noexcept nogil
cdef bint keep_best(
    LabelScore* heap, Py_ssize_t* size, Py_ssize_t k, LabelScore item
) noexcept nogil
cdef bint sort_best(LabelScore* heap, Py_ssize_t size) noexcept nogil
cdef bint below(const LabelScore* low, const LabelScore* high) noexcept nogil


cdef class Loss:
    cdef readonly Rows output
    cdef readonly int32_t label_count
    # The number of hidden vectors for which `score` is called at once, and of its results for each.
    cdef Py_ssize_t block
    cdef Py_ssize_t width
    # Bytes of scratch memory that methods need.
    cdef Py_ssize_t scratch_size

    cdef void score(
        self, const float* hidden, Py_ssize_t count, float* out, void* scratch
    ) noexcept nogil
    cdef Py_ssize_t best(
        self,
        const float* hidden,
        float* scores,
        Py_ssize_t k,
        float threshold,
        LabelScore* heap,
        void* scratch,
    ) noexcept nogil
    cdef bint fill(
        self, const float* hidden, float* scores, float* out, LabelScore* heap, void* scratch
    ) noexcept nogil
    cdef bint some(
        self,
        const float* hidden,
        const float* scores,
        LabelScore* items,
        Py_ssize_t count,
        float* row,
        void* scratch,
    ) noexcept nogil
    cdef double log_chance(
        self, const float* hidden, const float* scores, int32_t label, bint tail, void* scratch
    ) noexcept nogil
    cdef bint renormalize(
        self,
        const float* hidden,
        const float* scores,
        LabelScore* items,
        double* chances,
        Py_ssize_t count,
        void* scratch,
    ) noexcept nogil
