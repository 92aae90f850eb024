from libc.stdint cimport int8_t, int32_t, uint8_t


cdef extern from "scan_kernels.h" nogil:
    enum:
        FTL_CODE_STEP
        FTL_CODE_ROWS
        FTL_PRODUCT_STEP
        FTL_MOST_SCAN_KERNELS
    ctypedef struct CodeQuery "ftl_code_query":
        int32_t offset
        float scale
        float length
        float slack
    ctypedef struct ScanKernels "ftl_scan_kernels":
        const char* name
        void (*dots)(
            const uint8_t* rows, size_t stride, size_t count, size_t width,
            const int8_t* queries, size_t query_count, int32_t* out
        ) noexcept nogil
        void (*packed_dots)(
            const uint8_t* rows, size_t stride, size_t count, size_t width,
            const int8_t* queries, size_t query_count, int32_t* out
        ) noexcept nogil
        float (*encode)(
            const float* row, size_t dim, float inverse, float step, int levels, uint8_t* codes
        ) noexcept nogil
        size_t (*scores)(
            const int32_t* dots, size_t count, const float* scales, const float* errors,
            const CodeQuery* query, float least, float* scores, float* uppers
        ) noexcept nogil
        void (*exact_dots)(
            const float* a, const float* b, size_t dim, double* sums
        ) noexcept nogil
        void (*products[3])(
            const uint8_t* rows, size_t stride, size_t count, size_t columns, const float* query,
            float* out
        ) noexcept nogil
    size_t runnable_scan_kernels "ftl_runnable_scan_kernels"(const ScanKernels** found)


# What arithmetic in float32 may add to the error of a cosine, besides a share for each column.
cdef double ROUNDING

# Chosen once, when this module is imported.
cdef const ScanKernels* kernels

cdef double length(const float* vector, size_t dim) noexcept nogil
cdef void encode_row(
    const float* row, size_t dim, double norm, int levels, uint8_t* codes, uint8_t* trial,
    float* scale, float* error
) noexcept nogil


cdef class Codes:
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t dim
    cdef readonly bint packed
    cdef readonly int levels
    cdef readonly Py_ssize_t width
    cdef const uint8_t[::1] data
    cdef const float[::1] scales
    cdef const float[::1] errors
