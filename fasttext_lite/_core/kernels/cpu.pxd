from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "kernels.h" nogil:
    enum:
        FTL_F32
        FTL_F16
        FTL_I8
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
    ctypedef struct Kernels "ftl_kernels":
        const char* name
        AddRows* add_rows[3]
        CopyRow* copy_row[3]
        void (*add_scaled_f32)(
            const float* row, size_t dim, float scale, float* out
        ) noexcept nogil
        void (*scale_f32)(float* out, size_t dim, float scale) noexcept nogil
        Dot* dot[3]

    void prefetch "ftl_prefetch"(const void* address) noexcept nogil
    enum:
        FTL_MOST_KERNELS
    size_t runnable_kernels "ftl_runnable_kernels"(const Kernels** found)

cdef extern from "cpu_features.h" nogil:
    enum:
        FTL_FEATURES
    const char* feature_names "ftl_feature_names"[]
    uint32_t cpu_features "ftl_features"()


# Chosen once, when this module is imported.
cdef const Kernels* kernels
