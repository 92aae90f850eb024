#include "scan_kernels.h"

#include "cpu_features.h"
#include "simd.h"

#include <string.h>

static void exact_dots(const float *a, const float *b, size_t dim, double sums[2])
{
    enum { LANES = 8 };
    double products[LANES] = {0}, squares[LANES] = {0};
    size_t at = 0;
    for (; at + LANES <= dim; at += LANES)
        for (int k = 0; k < LANES; k++) {
            products[k] += (double)a[at + k] * (double)b[at + k];
            squares[k] += (double)b[at + k] * (double)b[at + k];
        }
    for (int k = 0; at < dim; at++, k++) {
        products[k] += (double)a[at] * (double)b[at];
        squares[k] += (double)b[at] * (double)b[at];
    }
    for (int k = 0; k < LANES; k++) {
        sums[0] += products[k];
        sums[1] += squares[k];
    }
}

enum { ENCODE_LANES = 16 };

INLINE float missed(float number, float inverse, float step, float centre, uint8_t code)
{
    const float difference = number * inverse - ((float)code - centre) * step;
    return difference * difference;
}

/* The codes of the columns from `at` on; what they miss is added to `sum`. */
static float encode_rest(const float *row, size_t at, size_t dim, float inverse, float step,
                         int levels, uint8_t *codes, float sum)
{
    const float steps = inverse / step, most = (float)levels - 1.0f;
    const float middle = 0.5f * (float)levels, centre = middle - 0.5f;
    float sums[ENCODE_LANES] = {0};
    for (size_t j = at; j < dim; j++) {
        float place = row[j] * steps + middle;
        place = place > 0.0f ? place : 0.0f; /* NaN too */
        place = place < most ? place : most;
        codes[j] = (uint8_t)(int32_t)place;
    }
    for (; at + ENCODE_LANES <= dim; at += ENCODE_LANES)
        for (int k = 0; k < ENCODE_LANES; k++)
            sums[k] += missed(row[at + k], inverse, step, centre, codes[at + k]);
    for (int k = 0; at < dim; at++, k++)
        sums[k] += missed(row[at], inverse, step, centre, codes[at]);
    for (int k = 0; k < ENCODE_LANES; k++)
        sum += sums[k];
    return sum;
}

static float encode_scalar(const float *row, size_t dim, float inverse, float step, int levels,
                           uint8_t *codes)
{
    return encode_rest(row, 0, dim, inverse, step, levels, codes, 0);
}

/* Left to the compiler, which makes it anew for each kind of CPU. */
INLINE size_t score_codes(const int32_t *dots, size_t count, const float *scales,
                          const float *errors, const ftl_code_query *query, float least,
                          float *scores, float *uppers)
{
    const float half = 0.5f * query->scale, length = query->length, slack = query->slack;
    const int32_t offset = query->offset;
    int32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        scores[i] = (float)(2 * dots[i] - offset) * (scales[i] * half);
        uppers[i] = scores[i] + (errors[i] * length + slack);
        found += !(uppers[i] < least);
    }
    return (size_t)found;
}

#define SCORES(NAME, TARGET)                                                                      \
    TARGET static size_t NAME(const int32_t *dots, size_t count, const float *scales,             \
                              const float *errors, const ftl_code_query *query, float least,      \
                              float *scores, float *uppers)                                       \
    {                                                                                             \
        return score_codes(dots, count, scales, errors, query, least, scores, uppers);            \
    }

/* Scalar: the reference. */

#define DOTS_SCALAR(NAME, PACKED)                                                                 \
    static void NAME(const uint8_t *rows, size_t stride, size_t count, size_t width,              \
                     const int8_t *queries, size_t query_count, int32_t *out)                     \
    {                                                                                             \
        for (size_t q = 0; q < query_count; q++, queries += PACKED ? 2 * width : width)           \
            for (size_t r = 0; r < count; r++) {                                                  \
                const uint8_t *row = rows + r * stride;                                           \
                int32_t sum = 0;                                                                  \
                for (size_t j = 0; j < width; j++)                                                \
                    sum += PACKED ? (row[j] & 15) * queries[j]                                    \
                                        + (row[j] >> 4) * queries[width + j]                      \
                                  : row[j] * queries[j];                                          \
                *out++ = sum;                                                                     \
            }                                                                                     \
    }

static float read_f32(const uint8_t *row)
{
    float value;
    memcpy(&value, row, sizeof value);
    return value;
}

/* As in kernels.c. */
static float read_f16(const uint8_t *row)
{
    uint16_t half;
    uint32_t bits, sign;
    float value;
    memcpy(&half, row, sizeof half);
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

static float read_i8(const uint8_t *row)
{
    return (float)(int8_t)*row;
}

#define PRODUCTS_SCALAR(NAME, SIZE, READ)                                                         \
    static void NAME(const uint8_t *rows, size_t stride, size_t count, size_t columns,            \
                     const float *query, float *out)                                              \
    {                                                                                             \
        for (size_t r = 0; r < count; r++, rows += stride) {                                      \
            float sums[4] = {0};                                                                  \
            for (size_t at = 0; at < columns; at += 4)                                            \
                for (int k = 0; k < 4; k++)                                                       \
                    sums[k] += READ(rows + (at + k) * SIZE) * query[at + k];                      \
            out[r] = (sums[0] + sums[1]) + (sums[2] + sums[3]);                                   \
        }                                                                                         \
    }
PRODUCTS_SCALAR(products_f32_scalar, 4, read_f32)
PRODUCTS_SCALAR(products_f16_scalar, 2, read_f16)
PRODUCTS_SCALAR(products_i8_scalar, 1, read_i8)

DOTS_SCALAR(dots_scalar, 0)
DOTS_SCALAR(packed_dots_scalar, 1)
SCORES(scores_scalar, )
static const ftl_scan_kernels scalar = {
    "scalar", dots_scalar, packed_dots_scalar, encode_scalar, scores_scalar, exact_dots,
    {products_f32_scalar, products_f16_scalar, products_i8_scalar},
};

/* Vectors: four rows times one query, or times as many as the registers have room for, so that
   each row is read and unpacked once for them. STORE4 writes the sums of four vectors. */

#define DOTS(NAME, TARGET, VECTOR, SUM, BYTES, ZERO, LOAD, LOW, HIGH, DOT, STORE4, QUERIES,        \
             PACKED)                                                                              \
    TARGET INLINE void NAME##_tile(const uint8_t *rows, size_t stride, size_t width,              \
                                   const int8_t *queries, size_t query_size, int32_t *out,        \
                                   size_t count, int many)                                        \
    {                                                                                             \
        SUM sums[FTL_CODE_ROWS][QUERIES];                                                         \
        for (int r = 0; r < FTL_CODE_ROWS; r++)                                                   \
            for (int q = 0; q < many; q++)                                                        \
                sums[r][q] = ZERO;                                                                \
        for (size_t at = 0; at < width; at += BYTES)                                              \
            for (int r = 0; r < FTL_CODE_ROWS; r++) {                                             \
                const VECTOR row = LOAD(rows + (size_t)r * stride + at);                          \
                for (int q = 0; q < many; q++) {                                                  \
                    const int8_t *query = queries + (size_t)q * query_size + at;                  \
                    if (PACKED) {                                                                 \
                        sums[r][q] = DOT(sums[r][q], LOW(row), LOAD(query));                      \
                        sums[r][q] = DOT(sums[r][q], HIGH(row), LOAD(query + width));             \
                    } else {                                                                      \
                        sums[r][q] = DOT(sums[r][q], row, LOAD(query));                           \
                    }                                                                             \
                }                                                                                 \
            }                                                                                     \
        for (int q = 0; q < many; q++)                                                            \
            STORE4(out + (size_t)q * count, sums[0][q], sums[1][q], sums[2][q], sums[3][q]);      \
    }                                                                                             \
                                                                                                  \
    TARGET static void NAME(const uint8_t *rows, size_t stride, size_t count, size_t width,       \
                            const int8_t *queries, size_t query_count, int32_t *out)              \
    {                                                                                             \
        const size_t query_size = PACKED ? 2 * width : width;                                     \
        size_t q = 0;                                                                             \
        for (; q + QUERIES <= query_count; q += QUERIES)                                          \
            for (size_t r = 0; r < count; r += FTL_CODE_ROWS)                                     \
                NAME##_tile(rows + r * stride, stride, width, queries + q * query_size,           \
                            query_size, out + q * count + r, count, QUERIES);                     \
        for (; q < query_count; q++)                                                              \
            for (size_t r = 0; r < count; r += FTL_CODE_ROWS)                                     \
                NAME##_tile(rows + r * stride, stride, width, queries + q * query_size,           \
                            query_size, out + q * count + r, count, 1);                           \
    }

/* Four rows as they stand times one query. READ widens numbers of a row to a vector of float32. */

#define PRODUCTS(NAME, TARGET, VECTOR, LANES, SIZE, ZERO, READ, LOAD, MULTIPLY_ADD, STORE4)       \
    TARGET static void NAME(const uint8_t *rows, size_t stride, size_t count, size_t columns,     \
                            const float *query, float *out)                                       \
    {                                                                                             \
        for (size_t r = 0; r < count; r += FTL_CODE_ROWS, rows += FTL_CODE_ROWS * stride) {       \
            VECTOR a = ZERO, b = ZERO, c = ZERO, d = ZERO;                                        \
            for (size_t at = 0; at < columns; at += LANES) {                                      \
                const uint8_t *row = rows + at * SIZE;                                            \
                const VECTOR number = LOAD(query + at);                                           \
                a = MULTIPLY_ADD(a, READ(row), number);                                           \
                b = MULTIPLY_ADD(b, READ(row + stride), number);                                  \
                c = MULTIPLY_ADD(c, READ(row + 2 * stride), number);                              \
                d = MULTIPLY_ADD(d, READ(row + 3 * stride), number);                              \
            }                                                                                     \
            STORE4(out + r, a, b, c, d);                                                          \
        }                                                                                         \
    }

#ifdef FTL_NEON
#define LOAD_NEON(address) vld1q_s8((const int8_t *)(address))
#define LOW_NEON(row) vandq_s8(row, vdupq_n_s8(15))
#define HIGH_NEON(row) vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(row), 4))
INLINE int32x4_t dot_neon(int32x4_t sum, int8x16_t row, int8x16_t query)
{
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(row), vget_low_s8(query)));
    return vpadalq_s16(sum, vmull_high_s8(row, query));
}
#define STORE4_NEON(out, a, b, c, d) vst1q_s32(out, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)))
/* Rows are read as signed numbers: no code is above 127. */
DOTS(dots_neon, , int8x16_t, int32x4_t, 16, vdupq_n_s32(0), LOAD_NEON, LOW_NEON, HIGH_NEON,
     dot_neon, STORE4_NEON, 4, 0)
DOTS(packed_dots_neon, , int8x16_t, int32x4_t, 16, vdupq_n_s32(0), LOAD_NEON, LOW_NEON, HIGH_NEON,
     dot_neon, STORE4_NEON, 4, 1)
#define READ_F32_NEON(row) vreinterpretq_f32_u8(vld1q_u8(row))
#define READ_F16_NEON(row) vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(row)))
INLINE float32x4_t read_i8_neon(const uint8_t *row)
{
    uint32_t four;
    memcpy(&four, row, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
}
#define STORE4_F32_NEON(out, a, b, c, d)                                                          \
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)))
#define NEON_PRODUCTS(NAME, SIZE, READ)                                                           \
    PRODUCTS(NAME, , float32x4_t, 4, SIZE, vdupq_n_f32(0), READ, vld1q_f32, vfmaq_f32,            \
             STORE4_F32_NEON)
NEON_PRODUCTS(products_f32_neon, 4, READ_F32_NEON)
NEON_PRODUCTS(products_f16_neon, 2, READ_F16_NEON)
NEON_PRODUCTS(products_i8_neon, 1, read_i8_neon)
static const ftl_scan_kernels neon = {
    "neon", dots_neon, packed_dots_neon, encode_scalar, scores_scalar, exact_dots,
    {products_f32_neon, products_f16_neon, products_i8_neon},
};
#endif

#ifdef FTL_X86
/* Lane by lane the sums of four vectors of int32: a, b, c, d. */
#define SUM4(PREFIX, a, b, c, d)                                                                  \
    PREFIX##_add_epi32(                                                                           \
        PREFIX##_unpacklo_epi64(                                                                  \
            PREFIX##_add_epi32(PREFIX##_unpacklo_epi32(a, b), PREFIX##_unpackhi_epi32(a, b)),     \
            PREFIX##_add_epi32(PREFIX##_unpacklo_epi32(c, d), PREFIX##_unpackhi_epi32(c, d))),    \
        PREFIX##_unpackhi_epi64(                                                                  \
            PREFIX##_add_epi32(PREFIX##_unpacklo_epi32(a, b), PREFIX##_unpackhi_epi32(a, b)),     \
            PREFIX##_add_epi32(PREFIX##_unpacklo_epi32(c, d), PREFIX##_unpackhi_epi32(c, d))))

#define LOAD_SSE2(address) _mm_loadu_si128((const __m128i *)(address))
#define LOW_SSE2(row) _mm_and_si128(row, _mm_set1_epi8(15))
#define HIGH_SSE2(row) _mm_and_si128(_mm_srli_epi16(row, 4), _mm_set1_epi8(15))
INLINE __m128i dot_sse2(__m128i sum, __m128i row, __m128i query)
{
    const __m128i zero = _mm_setzero_si128();
    /* A byte in the upper half of 16 bits, shifted back, extends its sign. */
    const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(zero, query), 8);
    const __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(zero, query), 8);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_unpacklo_epi8(row, zero), low));
    return _mm_add_epi32(sum, _mm_madd_epi16(_mm_unpackhi_epi8(row, zero), high));
}
INLINE void store4_sse2(int32_t *out, __m128i a, __m128i b, __m128i c, __m128i d)
{
    _mm_storeu_si128((__m128i *)out, SUM4(_mm, a, b, c, d));
}
DOTS(dots_sse2, , __m128i, __m128i, 16, _mm_setzero_si128(), LOAD_SSE2, LOW_SSE2, HIGH_SSE2,
     dot_sse2, store4_sse2, 2, 0)
DOTS(packed_dots_sse2, , __m128i, __m128i, 16, _mm_setzero_si128(), LOAD_SSE2, LOW_SSE2, HIGH_SSE2,
     dot_sse2, store4_sse2, 2, 1)
#define READ_F32_SSE2(row) _mm_loadu_ps((const float *)(row))
#define MULTIPLY_ADD_SSE2(sum, row, query) _mm_add_ps(sum, _mm_mul_ps(row, query))
INLINE __m128 read_i8_sse2(const uint8_t *row)
{
    int four;
    memcpy(&four, row, sizeof four);
    __m128i bytes = _mm_cvtsi32_si128(four);
    bytes = _mm_unpacklo_epi8(bytes, bytes);
    bytes = _mm_unpacklo_epi16(bytes, bytes);
    return _mm_cvtepi32_ps(_mm_srai_epi32(bytes, 24));
}
INLINE void store4_f32_sse2(float *out, __m128 a, __m128 b, __m128 c, __m128 d)
{
    const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
    const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    _mm_storeu_ps(out, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
}
#define SSE2_PRODUCTS(NAME, SIZE, READ)                                                           \
    PRODUCTS(NAME, , __m128, 4, SIZE, _mm_setzero_ps(), READ, _mm_loadu_ps, MULTIPLY_ADD_SSE2,    \
             store4_f32_sse2)
SSE2_PRODUCTS(products_f32_sse2, 4, READ_F32_SSE2)
SSE2_PRODUCTS(products_i8_sse2, 1, read_i8_sse2)
static const ftl_scan_kernels sse2 = {
    "sse2", dots_sse2, packed_dots_sse2, encode_scalar, scores_scalar, exact_dots,
    {products_f32_sse2, products_f16_scalar, products_i8_sse2},
};

/* The last vector takes the last columns, some of them again: what they miss counts twice then,
   which makes the error no less. */

#define ENCODE(NAME, TARGET, VECTOR, INTEGERS, LANES, PREFIX, STORE_CODES)                         \
    TARGET static float NAME(const float *row, size_t dim, float inverse, float step, int levels, \
                             uint8_t *codes)                                                      \
    {                                                                                             \
        const VECTOR zero = PREFIX##_setzero_ps(), most = PREFIX##_set1_ps((float)levels - 1.0f); \
        const VECTOR middle = PREFIX##_set1_ps(0.5f * (float)levels);                             \
        const VECTOR centre = PREFIX##_set1_ps(0.5f * (float)levels - 0.5f);                      \
        const VECTOR inverses = PREFIX##_set1_ps(inverse), wide = PREFIX##_set1_ps(step);         \
        const VECTOR steps = PREFIX##_set1_ps(inverse / step);                                    \
        VECTOR sums = zero;                                                                       \
        size_t at = 0;                                                                            \
        while (dim >= LANES && at < dim) {                                                        \
            if (at + LANES > dim)                                                                 \
                at = dim - LANES;                                                                 \
            const VECTOR numbers = PREFIX##_loadu_ps(row + at);                                   \
            VECTOR places = PREFIX##_add_ps(PREFIX##_mul_ps(numbers, steps), middle);             \
            places = PREFIX##_min_ps(PREFIX##_max_ps(places, zero), most);                        \
            const INTEGERS whole = PREFIX##_cvttps_epi32(places);                                 \
            STORE_CODES(codes + at, whole);                                                       \
            const VECTOR missed = PREFIX##_sub_ps(                                                \
                PREFIX##_mul_ps(numbers, inverses),                                               \
                PREFIX##_mul_ps(PREFIX##_sub_ps(PREFIX##_cvtepi32_ps(whole), centre), wide));     \
            sums = PREFIX##_add_ps(sums, PREFIX##_mul_ps(missed, missed));                        \
            at += LANES;                                                                          \
        }                                                                                         \
        float lanes[LANES], sum = 0;                                                              \
        PREFIX##_storeu_ps(lanes, sums);                                                          \
        for (int k = 0; k < LANES; k++)                                                           \
            sum += lanes[k];                                                                      \
        return encode_rest(row, at, dim, inverse, step, levels, codes, sum);                      \
    }

#define LOAD_AVX2(address) _mm256_loadu_si256((const __m256i *)(address))
#define LOW_AVX2(row) _mm256_and_si256(row, _mm256_set1_epi8(15))
#define HIGH_AVX2(row) _mm256_and_si256(_mm256_srli_epi16(row, 4), _mm256_set1_epi8(15))
TARGET("avx2")
INLINE __m256i dot_avx2(__m256i sum, __m256i row, __m256i query)
{
    const __m256i pairs = _mm256_maddubs_epi16(row, query);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
TARGET("avx2")
INLINE void store4_avx2(int32_t *out, __m256i a, __m256i b, __m256i c, __m256i d)
{
    const __m256i sums = SUM4(_mm256, a, b, c, d);
    _mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(sums),
                                                   _mm256_extracti128_si256(sums, 1)));
}
DOTS(dots_avx2, TARGET("avx2"), __m256i, __m256i, 32, _mm256_setzero_si256(), LOAD_AVX2, LOW_AVX2,
     HIGH_AVX2, dot_avx2, store4_avx2, 2, 0)
DOTS(packed_dots_avx2, TARGET("avx2"), __m256i, __m256i, 32, _mm256_setzero_si256(), LOAD_AVX2,
     LOW_AVX2, HIGH_AVX2, dot_avx2, store4_avx2, 2, 1)
TARGET("avx2")
INLINE void store_codes_avx2(uint8_t *codes, __m256i whole)
{
    const __m128i shorts = _mm_packs_epi32(_mm256_castsi256_si128(whole),
                                           _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)codes, _mm_packus_epi16(shorts, shorts));
}
ENCODE(encode_avx2, TARGET("avx2"), __m256, __m256i, 8, _mm256, store_codes_avx2)
SCORES(scores_avx2, TARGET("avx2"))
#define FMA_AVX2 TARGET("avx2,f16c,fma")
#define READ_F32_AVX2(row) _mm256_loadu_ps((const float *)(row))
#define READ_F16_AVX2(row) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row)))
#define READ_I8_AVX2(row)                                                                         \
    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(row))))
#define MULTIPLY_ADD_AVX2(sum, row, query) _mm256_fmadd_ps(row, query, sum)
FMA_AVX2 INLINE __m128 half_avx2(__m256 sums)
{
    return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}
FMA_AVX2 INLINE void store4_f32_avx2(float *out, __m256 a, __m256 b, __m256 c, __m256 d)
{
    store4_f32_sse2(out, half_avx2(a), half_avx2(b), half_avx2(c), half_avx2(d));
}
#define AVX2_PRODUCTS(NAME, SIZE, READ)                                                           \
    PRODUCTS(NAME, FMA_AVX2, __m256, 8, SIZE, _mm256_setzero_ps(), READ, _mm256_loadu_ps,         \
             MULTIPLY_ADD_AVX2, store4_f32_avx2)
AVX2_PRODUCTS(products_f32_avx2, 4, READ_F32_AVX2)
AVX2_PRODUCTS(products_f16_avx2, 2, READ_F16_AVX2)
AVX2_PRODUCTS(products_i8_avx2, 1, READ_I8_AVX2)
static const ftl_scan_kernels avx2 = {
    "avx2", dots_avx2, packed_dots_avx2, encode_avx2, scores_avx2, exact_dots,
    {products_f32_avx2, products_f16_avx2, products_i8_avx2},
};

#define VNNI TARGET("avx512f,avx512bw,avx512vl,avx512vnni")
#define LOAD_VNNI(address) _mm512_loadu_si512((const void *)(address))
#define LOW_VNNI(row) _mm512_and_si512(row, _mm512_set1_epi8(15))
#define HIGH_VNNI(row) _mm512_and_si512(_mm512_srli_epi16(row, 4), _mm512_set1_epi8(15))
VNNI INLINE void store4_vnni(int32_t *out, __m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i sums = SUM4(_mm512, a, b, c, d);
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sums),
                                          _mm512_extracti64x4_epi64(sums, 1));
    _mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(half),
                                                   _mm256_extracti128_si256(half, 1)));
}
DOTS(dots_vnni, VNNI, __m512i, __m512i, 64, _mm512_setzero_si512(), LOAD_VNNI, LOW_VNNI, HIGH_VNNI,
     _mm512_dpbusd_epi32, store4_vnni, 4, 0)
DOTS(packed_dots_vnni, VNNI, __m512i, __m512i, 64, _mm512_setzero_si512(), LOAD_VNNI, LOW_VNNI,
     HIGH_VNNI, _mm512_dpbusd_epi32, store4_vnni, 4, 1)
#define STORE_CODES_VNNI(codes, whole)                                                            \
    _mm_storeu_si128((__m128i *)(codes), _mm512_cvtepi32_epi8(whole))
ENCODE(encode_vnni, VNNI, __m512, __m512i, 16, _mm512, STORE_CODES_VNNI)
SCORES(scores_vnni, VNNI)
#define READ_F32_VNNI(row) _mm512_loadu_ps((const void *)(row))
#define READ_F16_VNNI(row) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(row)))
#define READ_I8_VNNI(row)                                                                         \
    _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(row))))
#define MULTIPLY_ADD_VNNI(sum, row, query) _mm512_fmadd_ps(row, query, sum)
VNNI INLINE __m128 quarter_vnni(__m512 sums)
{
    const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(sums), 1));
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sums), upper);
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
VNNI INLINE void store4_f32_vnni(float *out, __m512 a, __m512 b, __m512 c, __m512 d)
{
    store4_f32_sse2(out, quarter_vnni(a), quarter_vnni(b), quarter_vnni(c), quarter_vnni(d));
}
#define VNNI_PRODUCTS(NAME, SIZE, READ)                                                           \
    PRODUCTS(NAME, VNNI, __m512, 16, SIZE, _mm512_setzero_ps(), READ, _mm512_loadu_ps,            \
             MULTIPLY_ADD_VNNI, store4_f32_vnni)
VNNI_PRODUCTS(products_f32_vnni, 4, READ_F32_VNNI)
VNNI_PRODUCTS(products_f16_vnni, 2, READ_F16_VNNI)
VNNI_PRODUCTS(products_i8_vnni, 1, READ_I8_VNNI)
/* Its name is that of the level of kernels.h that it belongs to. */
static const ftl_scan_kernels avx512 = {
    "avx512", dots_vnni, packed_dots_vnni, encode_vnni, scores_vnni, exact_dots,
    {products_f32_vnni, products_f16_vnni, products_i8_vnni},
};
#endif

size_t ftl_runnable_scan_kernels(const ftl_scan_kernels *found[FTL_MOST_SCAN_KERNELS])
{
    size_t count = 0;
#ifdef FTL_X86
    const uint32_t features = ftl_features();
    const uint32_t narrow = 1u << FTL_AVX2 | 1u << FTL_F16C | 1u << FTL_FMA;
    const uint32_t wide = 1u << FTL_AVX512F | 1u << FTL_AVX512BW | 1u << FTL_AVX512VL
                          | 1u << FTL_AVX512_VNNI;
    if ((features & wide) == wide)
        found[count++] = &avx512;
    if ((features & narrow) == narrow)
        found[count++] = &avx2;
    found[count++] = &sse2;
#endif
#ifdef FTL_NEON
    found[count++] = &neon;
#endif
    found[count++] = &scalar;
    return count;
}
