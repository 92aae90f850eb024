/* AVX-512: rows require only its foundation, scans also byte instructions and VNNI. */

#include "elements.h"
#include "loops.h"

#ifdef FTL_X86
#include "sse2.h"

#define TARGET FTL_TARGET("avx512f")
#define ROWS ftl_rows_avx512
#define NARROWER ftl_rows_avx2
/* Fewer than the registers allow: a second pass over the rows of a word costs less than waiting for
   each complete row (a fifth of the time for 300 columns). */
#define MOST_SUMS 12
#define PANEL_SUMS 16

typedef __m512 vector;
typedef __m512i integers;
typedef __m512i codes;
typedef __m512i code_sums;
enum { LANES = 16, CODES = 64, QUERIES = 4 };

TARGET INLINE vector load(const float *numbers)
{
    return _mm512_loadu_ps(numbers);
}

TARGET INLINE void store(float *numbers, vector a)
{
    _mm512_storeu_ps(numbers, a);
}

TARGET INLINE vector broadcast(float number)
{
    return _mm512_set1_ps(number);
}

TARGET INLINE vector add(vector a, vector b)
{
    return _mm512_add_ps(a, b);
}

TARGET INLINE vector subtract(vector a, vector b)
{
    return _mm512_sub_ps(a, b);
}

TARGET INLINE vector multiply(vector a, vector b)
{
    return _mm512_mul_ps(a, b);
}

TARGET INLINE vector multiply_add(vector sum, vector a, vector b)
{
    return _mm512_fmadd_ps(a, b, sum);
}

TARGET INLINE vector least_of(vector a, vector b)
{
    return _mm512_min_ps(a, b);
}

TARGET INLINE vector most_of(vector a, vector b)
{
    return _mm512_max_ps(a, b);
}

TARGET INLINE integers truncate(vector a)
{
    return _mm512_cvttps_epi32(a);
}

TARGET INLINE vector convert(integers a)
{
    return _mm512_cvtepi32_ps(a);
}

TARGET INLINE void store_bytes(uint8_t *out, integers a)
{
    _mm_storeu_si128((__m128i *)(void *)out, _mm512_cvtepi32_epi8(a));
}

TARGET INLINE vector read(int type, const void *numbers)
{
    if (type == FTL_F32)
        return _mm512_loadu_ps(numbers);
    if (type == FTL_F16)
        return _mm512_cvtph_ps(_mm256_loadu_si256(numbers));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(numbers)));
}

TARGET INLINE __m256 halved(vector a)
{
    const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
    return _mm256_add_ps(_mm512_castps512_ps256(a), upper);
}

TARGET INLINE __m128 quartered(vector a)
{
    const __m256 half = halved(a);
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

TARGET INLINE void store_totals(float *out, vector a, vector b, vector c, vector d)
{
    store_totals_sse2(out, quartered(a), quartered(b), quartered(c), quartered(d));
}

/* The dot product of float32 rows without storing partial sums to memory, for the many short rows
   of an output layer. */
#define OWN_DOT_F32
TARGET static float dot_f32(const uint8_t *row, size_t dim, const float *other)
{
    vector sums = _mm512_setzero_ps();
    size_t at = 0;
    for (; at + LANES <= dim; at += LANES)
        sums = add(sums, multiply(_mm512_loadu_ps(row + 4 * at), load(other + at)));
    if (at < dim) {
        const __mmask16 last = (__mmask16)(0xFFFF >> (at + LANES - dim));
        sums = add(sums, multiply(_mm512_maskz_loadu_ps(last, row + 4 * at),
                                  _mm512_maskz_loadu_ps(last, other + at)));
    }
    const __m128 four = quartered(sums);
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

#include "rows_template.h"

#undef TARGET
#define TARGET FTL_TARGET("avx512f,avx512bw,avx512vl,avx512vnni")
#define SCAN ftl_scan_avx512vnni

TARGET INLINE code_sums no_sums(void)
{
    return _mm512_setzero_si512();
}

TARGET INLINE codes load_codes(const void *bytes)
{
    return _mm512_loadu_si512(bytes);
}

TARGET INLINE codes low_codes(codes row)
{
    return _mm512_and_si512(row, _mm512_set1_epi8(15));
}

TARGET INLINE codes high_codes(codes row)
{
    return _mm512_and_si512(_mm512_srli_epi16(row, 4), _mm512_set1_epi8(15));
}

TARGET INLINE code_sums add_products(code_sums sum, codes row, codes query)
{
    return _mm512_dpbusd_epi32(sum, row, query);
}

TARGET INLINE __m128i quartered_sums(code_sums a)
{
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(a),
                                          _mm512_extracti64x4_epi64(a, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

TARGET INLINE void store_sums(int32_t *out, code_sums a, code_sums b, code_sums c, code_sums d)
{
    store_sums_sse2(out, quartered_sums(a), quartered_sums(b), quartered_sums(c),
                    quartered_sums(d));
}

#include "scan_template.h"
#endif
