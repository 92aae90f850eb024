"""The kernels of the level that this process runs, and loops without levels."""
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t


cdef extern from "kernels.h" nogil:
    enum:
        FTL_F32
        FTL_F16
        FTL_I8
        FTL_CODE_STEP
        FTL_PRODUCT_STEP
        FTL_SCAN_ROWS
        FTL_PANEL
        FTL_MOST_LEVELS
    ctypedef void AddRows "ftl_add_rows"(
        const uint8_t* base, const float* scales, size_t dim, const int64_t* ids, size_t count,
        size_t ahead, float* out
    ) noexcept nogil
    ctypedef void CopyRow "ftl_copy_row"(
        const uint8_t* row, float scale, size_t dim, float* out
    ) noexcept nogil
    ctypedef float Dot "ftl_dot"(
        const uint8_t* row, size_t dim, const float* vector
    ) noexcept nogil
    ctypedef void PanelDots "ftl_panel_dots"(
        const float* panel, size_t dim, const float* vectors, size_t count, float* out,
        size_t stride
    ) noexcept nogil
    ctypedef float Exponentials "ftl_exponentials"(
        float* numbers, size_t count, float most
    ) noexcept nogil
    ctypedef struct RowKernels "ftl_row_kernels":
        AddRows* add_rows[3]
        CopyRow* copy_row[3]
        Dot* dot[3]
        PanelDots* panel_dots
        Exponentials* exponentials
    ctypedef struct CodeQuery "ftl_code_query":
        int32_t offset
        float scale
        float length
        float slack
    ctypedef void CodeDots "ftl_code_dots"(
        const uint8_t* rows, size_t stride, size_t count, size_t width,
        const int8_t* queries, size_t query_count, int32_t* out
    ) noexcept nogil
    ctypedef float Encode "ftl_encode"(
        const float* row, size_t dim, float inverse, float step, int levels, uint8_t* codes
    ) noexcept nogil
    ctypedef size_t CodeScores "ftl_code_scores"(
        const int32_t* dots, size_t count, const float* scales, const float* errors,
        const CodeQuery* query, float least, float* scores, float* uppers
    ) noexcept nogil
    ctypedef void Products "ftl_products"(
        const uint8_t* rows, size_t stride, size_t count, size_t columns, const float* query,
        float* out
    ) noexcept nogil
    ctypedef struct ScanKernels "ftl_scan_kernels":
        CodeDots* dots
        CodeDots* packed_dots
        Encode* encode
        CodeScores* scores
        Products* products[3]
    ctypedef struct Level "ftl_level":
        const char* name
        const RowKernels* rows
        const ScanKernels* scan
    size_t runnable_levels "ftl_runnable_levels"(const Level** found)

cdef extern from "loops.h" nogil:
    void prefetch "ftl_prefetch"(const void* address)
    void scale_f32 "ftl_scale_f32"(float* out, size_t dim, float scale)
    void add_scaled_f32 "ftl_add_scaled_f32"(
        const float* row, size_t dim, float scale, float* out
    )
    void add_quantized "ftl_add_quantized"(
        const uint8_t* codes, const float* centroids, size_t dim, size_t dsub, float norm,
        float* out
    )
    void exact_dots "ftl_exact_dots"(const float* a, const float* b, size_t dim, double* sums)

cdef extern from "cpu_features.h" nogil:
    enum:
        FTL_FEATURES
    const char* feature_names "ftl_feature_names"[]
    uint32_t cpu_features "ftl_features"()


# The kernels of the level that was chosen when this module was imported.
cdef const RowKernels* row_kernels
cdef const ScanKernels* scan_kernels
