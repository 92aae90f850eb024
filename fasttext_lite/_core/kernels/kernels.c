#include "kernels.h"

#include "cpu_features.h"
#include "simd.h"

#include <string.h>

/* Rows are random reads, and most of what one costs is finding its page and its first line. So the
   first and the last line of a row are fetched this many rows ahead; the lines between them are
   left to the hardware, which does better alone (fetching them too costs a fifth). */
enum { ROWS_AHEAD = 8 };

INLINE void fetch_row(const uint8_t *base, size_t bytes, int64_t id)
{
    const uint8_t *row = base + (size_t)id * bytes;
    ftl_prefetch(row);
    ftl_prefetch(row + bytes - 1);
}

/* Scalar: the reference, and what is left of a row behind the last vector. */

static inline float read_f32(const uint8_t *row, size_t j)
{
    float value;
    memcpy(&value, row + j * sizeof value, sizeof value);
    return value;
}

/* IEEE 754 binary16 to binary32. Multiplying by 2^112 moves the exponent and makes subnormal
   numbers normal; what was infinite or no number gets the largest exponent back. */
static inline float read_f16(const uint8_t *row, size_t j)
{
    uint16_t half;
    uint32_t bits, sign;
    float value;
    memcpy(&half, row + j * sizeof half, sizeof half);
    sign = (uint32_t)(half & 0x8000) << 16;
    bits = (uint32_t)(half & 0x7FFF) << 13;
    memcpy(&value, &bits, sizeof value);
    value *= 5192296858534827628530496329220096.0f;
    memcpy(&bits, &value, sizeof bits);
    if ((half & 0x7C00) == 0x7C00)
        bits |= 0x7F800000;
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float read_i8(const uint8_t *row, size_t j)
{
    return (float)(int8_t)row[j];
}

#define PLAIN(value, scale) (value)
#define SCALED(value, scale) ((scale) * (value))

#define ADD_ROWS_SCALAR(NAME, SIZE, READ, TERM)                                                   \
    static void NAME(const uint8_t *base, const float *scales, size_t dim, const int64_t *ids,    \
                     size_t count, size_t ahead, float *out)                                      \
    {                                                                                             \
        for (size_t i = 0; i < count; i++) {                                                      \
            const uint8_t *row = base + (size_t)ids[i] * dim * SIZE;                              \
            for (size_t j = 0; j < dim; j++)                                                      \
                out[j] += TERM(READ(row, j), scales[ids[i]]);                                     \
        }                                                                                         \
        (void)scales, (void)ahead;                                                                \
    }

ADD_ROWS_SCALAR(add_f32_scalar, 4, read_f32, PLAIN)
ADD_ROWS_SCALAR(add_f16_scalar, 2, read_f16, PLAIN)
ADD_ROWS_SCALAR(add_i8_scalar, 1, read_i8, SCALED)

#define COPY_ROW_SCALAR(NAME, READ, TERM)                                                         \
    static void NAME(const uint8_t *row, float scale, size_t dim, float *out)                     \
    {                                                                                             \
        for (size_t j = 0; j < dim; j++)                                                          \
            out[j] = TERM(READ(row, j), scale);                                                   \
        (void)scale;                                                                              \
    }

COPY_ROW_SCALAR(copy_f16_scalar, read_f16, PLAIN)
COPY_ROW_SCALAR(copy_i8_scalar, read_i8, SCALED)

static void copy_f32(const uint8_t *row, float scale, size_t dim, float *out)
{
    (void)scale;
    memcpy(out, row, dim * sizeof *out);
}

static void add_scaled_f32_scalar(const float *row, size_t dim, float scale, float *out)
{
    for (size_t j = 0; j < dim; j++)
        out[j] += scale * row[j];
}

static void scale_f32_scalar(float *out, size_t dim, float scale)
{
    for (size_t j = 0; j < dim; j++)
        out[j] *= scale;
}

/* A dot product has one partial sum for each column modulo 16, whatever the width of a register;
   at its end the upper half of them is added to the lower one until one is left. */
enum { DOT_LANES = 16 };

#define DOT_SCALAR(NAME, READ)                                                                    \
    INLINE float NAME##_finish(float *sums, const uint8_t *row, size_t at, size_t dim,            \
                               const float *vector)                                               \
    {                                                                                             \
        for (size_t k = 0; at + k < dim; k++)                                                     \
            sums[k] += READ(row, at + k) * vector[at + k];                                        \
        for (int half = DOT_LANES / 2; half; half /= 2)                                           \
            for (int k = 0; k < half; k++)                                                        \
                sums[k] += sums[k + half];                                                        \
        return sums[0];                                                                           \
    }                                                                                             \
                                                                                                  \
    static float NAME(const uint8_t *row, size_t dim, const float *vector)                        \
    {                                                                                             \
        float sums[DOT_LANES] = {0};                                                              \
        size_t at = 0;                                                                            \
        for (; at + DOT_LANES <= dim; at += DOT_LANES)                                            \
            for (size_t k = 0; k < DOT_LANES; k++)                                                \
                sums[k] += READ(row, at + k) * vector[at + k];                                    \
        return NAME##_finish(sums, row, at, dim, vector);                                         \
    }

DOT_SCALAR(dot_f32_scalar, read_f32)
DOT_SCALAR(dot_f16_scalar, read_f16)
DOT_SCALAR(dot_i8_scalar, read_i8)

static const ftl_kernels scalar = {
    "scalar",
    {add_f32_scalar, add_f16_scalar, add_i8_scalar},
    {copy_f32, copy_f16_scalar, copy_i8_scalar},
    add_scaled_f32_scalar,
    scale_f32_scalar,
    {dot_f32_scalar, dot_f16_scalar, dot_i8_scalar},
};

/* Vectors: a block of columns is summed over all rows in registers, so that the reads of many rows
   are under way at once. The last vector of a block ends where the block does, over columns of the
   one before it: both begin and end with the same sums there. A row shorter than a vector is left
   to NARROWER kernels.

   LOAD and STORE are those of the sums, READ widens numbers of a row to a vector of float32, TERM
   multiplies it by the scale of the row if it has one; MOST is how many sums a block has at
   most: as registers allow, but for AVX-512, where a second pass over the rows of a word costs less
   than waiting for the whole of each (a fifth of the time for 300 columns). */

#define CASE(NAME, n)                                                                             \
    case n:                                                                                       \
        NAME##_block(base, scales, bytes, ids, count, fetched, at, end, out, n);                  \
        break;
#define CASES_4(NAME) CASE(NAME, 1) CASE(NAME, 2) CASE(NAME, 3) CASE(NAME, 4)
#define CASES_8(NAME) CASES_4(NAME) CASE(NAME, 5) CASE(NAME, 6) CASE(NAME, 7) CASE(NAME, 8)
#define CASES_12(NAME) CASES_8(NAME) CASE(NAME, 9) CASE(NAME, 10) CASE(NAME, 11) CASE(NAME, 12)
#define CASES_16(NAME) CASES_12(NAME) CASE(NAME, 13) CASE(NAME, 14) CASE(NAME, 15) CASE(NAME, 16)

#define ADD_ROWS(NAME, TARGET, SIZE, VECTOR, LANES, MOST, LOAD, STORE, ADD, READ, TERM, NARROWER) \
    TARGET INLINE void NAME##_block(const uint8_t *base, const float *scales, size_t bytes,       \
                                    const int64_t *ids, size_t count, size_t fetched, size_t at,  \
                                    size_t end, float *out, int vectors)                          \
    {                                                                                             \
        VECTOR sums[MOST];                                                                        \
        const int full = vectors - 1;                                                             \
        const size_t last = end - LANES;                                                          \
        for (int k = 0; k < full; k++)                                                            \
            sums[k] = LOAD(out + at + k * LANES);                                                 \
        sums[full] = LOAD(out + last);                                                            \
        for (size_t i = 0; i < count; i++) {                                                      \
            const uint8_t *row = base + (size_t)ids[i] * bytes;                                   \
            if (i + ROWS_AHEAD < fetched)                                                         \
                fetch_row(base, bytes, ids[i + ROWS_AHEAD]);                                      \
            for (int k = 0; k < full; k++)                                                        \
                sums[k] = ADD(sums[k], TERM(READ(row + (at + k * LANES) * SIZE), scales[ids[i]])); \
            sums[full] = ADD(sums[full], TERM(READ(row + last * SIZE), scales[ids[i]]));          \
        }                                                                                         \
        for (int k = 0; k < full; k++)                                                            \
            STORE(out + at + k * LANES, sums[k]);                                                 \
        STORE(out + last, sums[full]);                                                            \
        (void)scales;                                                                             \
    }                                                                                             \
                                                                                                  \
    TARGET static void NAME(const uint8_t *base, const float *scales, size_t dim,                 \
                            const int64_t *ids, size_t count, size_t ahead, float *out)           \
    {                                                                                             \
        const size_t bytes = dim * SIZE;                                                          \
        size_t fetched = count + ahead;                                                           \
        size_t end;                                                                               \
        if (dim < LANES) {                                                                        \
            NARROWER(base, scales, dim, ids, count, ahead, out);                                  \
            return;                                                                               \
        }                                                                                         \
        for (size_t at = 0; at < dim; at = end, fetched = 0) {                                    \
            end = dim - at > MOST * LANES ? at + MOST * LANES : dim;                              \
            if (dim - end < LANES && end < dim)                                                   \
                end -= LANES; /* what is left must fill a vector */                               \
            switch ((end - at + LANES - 1) / LANES) {                                             \
                CASES_##MOST(NAME)                                                             \
            }                                                                                     \
        }                                                                                         \
    }

#define COPY_ROW(NAME, TARGET, SIZE, LANES, STORE, READ, TERM, NARROWER)                          \
    TARGET static void NAME(const uint8_t *row, float scale, size_t dim, float *out)              \
    {                                                                                             \
        if (dim < LANES) {                                                                        \
            NARROWER(row, scale, dim, out);                                                       \
            return;                                                                               \
        }                                                                                         \
        for (size_t at = 0; at + LANES < dim; at += LANES)                                        \
            STORE(out + at, TERM(READ(row + at * SIZE), scale));                                  \
        STORE(out + dim - LANES, TERM(READ(row + (dim - LANES) * SIZE), scale));                  \
        (void)scale;                                                                              \
    }

#define DOT(NAME, TARGET, SIZE, VECTOR, LANES, LOAD, STORE, ADD, MULTIPLY, READ, REST)            \
    TARGET static float NAME(const uint8_t *row, size_t dim, const float *vector)                 \
    {                                                                                             \
        float lanes[DOT_LANES] = {0};                                                             \
        VECTOR sums[DOT_LANES / LANES];                                                           \
        size_t at = 0;                                                                            \
        for (int k = 0; k < DOT_LANES / LANES; k++)                                               \
            sums[k] = LOAD(lanes);                                                                \
        for (; at + DOT_LANES <= dim; at += DOT_LANES)                                            \
            for (size_t k = 0; k < DOT_LANES / LANES; k++)                                        \
                sums[k] = ADD(sums[k], MULTIPLY(READ(row + (at + k * LANES) * SIZE),              \
                                                LOAD(vector + at + k * LANES)));                  \
        for (int k = 0; k < DOT_LANES / LANES; k++)                                               \
            STORE(lanes + k * LANES, sums[k]);                                                    \
        return REST##_finish(lanes, row, at, dim, vector);                                        \
    }

#ifdef FTL_NEON
#define READ_F32_NEON(row) vreinterpretq_f32_u8(vld1q_u8(row))
/* MSVC has no float16x4_t. */
#if !defined(_MSC_VER) || defined(__clang__)
#define READ_F16_NEON(row) vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(row)))
#endif
#define SCALED_NEON(value, scale) vmulq_n_f32(value, scale)
INLINE float32x4_t read_i8_neon(const uint8_t *row)
{
    uint32_t four;
    memcpy(&four, row, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
}
#define NEON(NAME, SIZE, READ, TERM)                                                              \
    ADD_ROWS(add_##NAME##_neon, , SIZE, float32x4_t, 4, 16, vld1q_f32, vst1q_f32, vaddq_f32,      \
             READ, TERM, add_##NAME##_scalar)
NEON(f32, 4, READ_F32_NEON, PLAIN)
#ifdef READ_F16_NEON
NEON(f16, 2, READ_F16_NEON, PLAIN)
COPY_ROW(copy_f16_neon, , 2, 4, vst1q_f32, READ_F16_NEON, PLAIN, copy_f16_scalar)
#else
#define add_f16_neon add_f16_scalar
#define copy_f16_neon copy_f16_scalar
#endif
NEON(i8, 1, read_i8_neon, SCALED_NEON)
COPY_ROW(copy_i8_neon, , 1, 4, vst1q_f32, read_i8_neon, SCALED_NEON, copy_i8_scalar)
#define NEON_DOT(NAME, SIZE, READ, REST)                                                          \
    DOT(NAME, , SIZE, float32x4_t, 4, vld1q_f32, vst1q_f32, vaddq_f32, vmulq_f32, READ, REST)
NEON_DOT(dot_f32_neon, 4, READ_F32_NEON, dot_f32_scalar)
#ifdef READ_F16_NEON
NEON_DOT(dot_f16_neon, 2, READ_F16_NEON, dot_f16_scalar)
#else
#define dot_f16_neon dot_f16_scalar
#endif
NEON_DOT(dot_i8_neon, 1, read_i8_neon, dot_i8_scalar)
static const ftl_kernels neon = {
    "neon",
    {add_f32_neon, add_f16_neon, add_i8_neon},
    {copy_f32, copy_f16_neon, copy_i8_neon},
    add_scaled_f32_scalar,
    scale_f32_scalar,
    {dot_f32_neon, dot_f16_neon, dot_i8_neon},
};
#endif

#ifdef FTL_X86
#define READ_F32_SSE2(row) _mm_loadu_ps((const float *)(row))
#define SCALED_SSE2(value, scale) _mm_mul_ps(_mm_set1_ps(scale), value)
INLINE __m128 read_i8_sse2(const uint8_t *row)
{
    int four;
    memcpy(&four, row, sizeof four);
    __m128i bytes = _mm_cvtsi32_si128(four);
    /* Each byte goes to the top of an int32, whose shift back extends its sign. */
    bytes = _mm_unpacklo_epi8(bytes, bytes);
    bytes = _mm_unpacklo_epi16(bytes, bytes);
    return _mm_cvtepi32_ps(_mm_srai_epi32(bytes, 24));
}
#define SSE2(NAME, SIZE, READ, TERM)                                                              \
    ADD_ROWS(add_##NAME##_sse2, , SIZE, __m128, 4, 12, _mm_loadu_ps, _mm_storeu_ps, _mm_add_ps,   \
             READ, TERM, add_##NAME##_scalar)
SSE2(f32, 4, READ_F32_SSE2, PLAIN)
SSE2(i8, 1, read_i8_sse2, SCALED_SSE2)
COPY_ROW(copy_i8_sse2, , 1, 4, _mm_storeu_ps, read_i8_sse2, SCALED_SSE2, copy_i8_scalar)
#define SSE2_DOT(NAME, SIZE, READ, REST)                                                          \
    DOT(NAME, , SIZE, __m128, 4, _mm_loadu_ps, _mm_storeu_ps, _mm_add_ps, _mm_mul_ps,             \
        READ, REST)
SSE2_DOT(dot_f32_sse2, 4, READ_F32_SSE2, dot_f32_scalar)
SSE2_DOT(dot_i8_sse2, 1, read_i8_sse2, dot_i8_scalar)
static const ftl_kernels sse2 = {
    "sse2",
    {add_f32_sse2, add_f16_scalar, add_i8_sse2},
    {copy_f32, copy_f16_scalar, copy_i8_sse2},
    add_scaled_f32_scalar,
    scale_f32_scalar,
    {dot_f32_sse2, dot_f16_scalar, dot_i8_sse2},
};

#define READ_F32_AVX2(row) _mm256_loadu_ps((const float *)(row))
#define READ_F16_AVX2(row) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row)))
#define READ_I8_AVX2(row)                                                                         \
    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(row))))
#define SCALED_AVX2(value, scale) _mm256_mul_ps(_mm256_set1_ps(scale), value)
#define AVX2(NAME, SIZE, READ, TERM, NARROWER)                                                    \
    ADD_ROWS(add_##NAME##_avx2, TARGET("avx2,f16c"), SIZE, __m256, 8, 12, _mm256_loadu_ps,        \
             _mm256_storeu_ps, _mm256_add_ps, READ, TERM, add_##NAME##_##NARROWER)
AVX2(f32, 4, READ_F32_AVX2, PLAIN, sse2)
AVX2(f16, 2, READ_F16_AVX2, PLAIN, scalar)
AVX2(i8, 1, READ_I8_AVX2, SCALED_AVX2, sse2)
#define AVX2_COPY(NAME, SIZE, READ, TERM, NARROWER)                                               \
    COPY_ROW(copy_##NAME##_avx2, TARGET("avx2,f16c"), SIZE, 8, _mm256_storeu_ps, READ, TERM,      \
             copy_##NAME##_##NARROWER)
AVX2_COPY(f16, 2, READ_F16_AVX2, PLAIN, scalar)
AVX2_COPY(i8, 1, READ_I8_AVX2, SCALED_AVX2, sse2)
#define AVX2_DOT(NAME, SIZE, READ, REST)                                                          \
    DOT(NAME, TARGET("avx2,f16c"), SIZE, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps,            \
        _mm256_add_ps, _mm256_mul_ps, READ, REST)
AVX2_DOT(dot_f32_avx2, 4, READ_F32_AVX2, dot_f32_scalar)
AVX2_DOT(dot_f16_avx2, 2, READ_F16_AVX2, dot_f16_scalar)
AVX2_DOT(dot_i8_avx2, 1, READ_I8_AVX2, dot_i8_scalar)
static const ftl_kernels avx2 = {
    "avx2",
    {add_f32_avx2, add_f16_avx2, add_i8_avx2},
    {copy_f32, copy_f16_avx2, copy_i8_avx2},
    add_scaled_f32_scalar,
    scale_f32_scalar,
    {dot_f32_avx2, dot_f16_avx2, dot_i8_avx2},
};

#define READ_F32_AVX512(row) _mm512_loadu_ps((const float *)(row))
#define READ_F16_AVX512(row) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(row)))
#define READ_I8_AVX512(row)                                                                       \
    _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(row))))
#define SCALED_AVX512(value, scale) _mm512_mul_ps(_mm512_set1_ps(scale), value)
#define AVX512(NAME, SIZE, READ, TERM)                                                            \
    ADD_ROWS(add_##NAME##_avx512, TARGET("avx512f"), SIZE, __m512, 16, 12, _mm512_loadu_ps,       \
             _mm512_storeu_ps, _mm512_add_ps, READ, TERM, add_##NAME##_avx2)
AVX512(f32, 4, READ_F32_AVX512, PLAIN)
AVX512(f16, 2, READ_F16_AVX512, PLAIN)
AVX512(i8, 1, READ_I8_AVX512, SCALED_AVX512)
#define AVX512_COPY(NAME, SIZE, READ, TERM)                                                       \
    COPY_ROW(copy_##NAME##_avx512, TARGET("avx512f"), SIZE, 16, _mm512_storeu_ps, READ, TERM,     \
             copy_##NAME##_avx2)
AVX512_COPY(f16, 2, READ_F16_AVX512, PLAIN)
AVX512_COPY(i8, 1, READ_I8_AVX512, SCALED_AVX512)
#define AVX512_DOT(NAME, SIZE, READ, REST)                                                        \
    DOT(NAME, TARGET("avx512f"), SIZE, __m512, 16, _mm512_loadu_ps, _mm512_storeu_ps,             \
        _mm512_add_ps, _mm512_mul_ps, READ, REST)
AVX512_DOT(dot_f16_avx512, 2, READ_F16_AVX512, dot_f16_scalar)
AVX512_DOT(dot_i8_avx512, 1, READ_I8_AVX512, dot_i8_scalar)

/* Without a way through the memory, for the many short rows of an output layer. */
TARGET("avx512f")
static float dot_f32_avx512(const uint8_t *row, size_t dim, const float *vector)
{
    const float *numbers = (const float *)row;
    __m512 sums = _mm512_setzero_ps();
    size_t at = 0;
    for (; at + DOT_LANES <= dim; at += DOT_LANES)
        sums = _mm512_add_ps(sums, _mm512_mul_ps(_mm512_loadu_ps(numbers + at),
                                                 _mm512_loadu_ps(vector + at)));
    if (at < dim) {
        const __mmask16 last = (__mmask16)(0xFFFF >> (at + DOT_LANES - dim));
        sums = _mm512_add_ps(sums, _mm512_mul_ps(_mm512_maskz_loadu_ps(last, numbers + at),
                                                 _mm512_maskz_loadu_ps(last, vector + at)));
    }
    const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(sums), 1));
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sums), upper);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static const ftl_kernels avx512 = {
    "avx512",
    {add_f32_avx512, add_f16_avx512, add_i8_avx512},
    {copy_f32, copy_f16_avx512, copy_i8_avx512},
    add_scaled_f32_scalar,
    scale_f32_scalar,
    {dot_f32_avx512, dot_f16_avx512, dot_i8_avx512},
};
#endif

size_t ftl_runnable_kernels(const ftl_kernels *found[FTL_MOST_KERNELS])
{
    size_t count = 0;
#ifdef FTL_X86
    const uint32_t features = ftl_features();
    if (features & 1u << FTL_AVX512F)
        found[count++] = &avx512;
    if (features & 1u << FTL_AVX2 && features & 1u << FTL_F16C)
        found[count++] = &avx2;
    found[count++] = &sse2;
#endif
#ifdef FTL_NEON
    found[count++] = &neon;
#endif
    found[count++] = &scalar;
    return count;
}
