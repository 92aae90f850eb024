/* AVX2, with conversions of float16 and fused sums. */

#include "elements.h"
#include "loops.h"

#ifdef FTL_X86
#include "sse2.h"

#define TARGET FTL_TARGET("avx2,f16c,fma")
#define ROWS ftl_rows_avx2
#define SCAN ftl_scan_avx2
#define NARROWER ftl_rows_sse2
#define MOST_SUMS 12
#define PANEL_SUMS 8

typedef __m256 vector;
typedef __m256i integers;
typedef __m256i codes;
typedef __m256i code_sums;
enum { LANES = 8, CODES = 32, QUERIES = 2 };

TARGET INLINE vector load(const float *numbers)
{
    return _mm256_loadu_ps(numbers);
}

TARGET INLINE void store(float *numbers, vector a)
{
    _mm256_storeu_ps(numbers, a);
}

TARGET INLINE vector broadcast(float number)
{
    return _mm256_set1_ps(number);
}

TARGET INLINE vector add(vector a, vector b)
{
    return _mm256_add_ps(a, b);
}

TARGET INLINE vector subtract(vector a, vector b)
{
    return _mm256_sub_ps(a, b);
}

TARGET INLINE vector multiply(vector a, vector b)
{
    return _mm256_mul_ps(a, b);
}

TARGET INLINE vector multiply_add(vector sum, vector a, vector b)
{
    return _mm256_fmadd_ps(a, b, sum);
}

TARGET INLINE vector least_of(vector a, vector b)
{
    return _mm256_min_ps(a, b);
}

TARGET INLINE vector most_of(vector a, vector b)
{
    return _mm256_max_ps(a, b);
}

TARGET INLINE integers truncate(vector a)
{
    return _mm256_cvttps_epi32(a);
}

TARGET INLINE vector convert(integers a)
{
    return _mm256_cvtepi32_ps(a);
}

TARGET INLINE void store_bytes(uint8_t *out, integers a)
{
    const __m128i shorts = _mm_packs_epi32(_mm256_castsi256_si128(a),
                                           _mm256_extracti128_si256(a, 1));
    _mm_storel_epi64((__m128i *)(void *)out, _mm_packus_epi16(shorts, shorts));
}

TARGET INLINE vector read(int type, const void *numbers)
{
    if (type == FTL_F32)
        return _mm256_castsi256_ps(_mm256_loadu_si256(numbers));
    if (type == FTL_F16)
        return _mm256_cvtph_ps(_mm_loadu_si128(numbers));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(numbers)));
}

TARGET INLINE __m128 halved(vector a)
{
    return _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
}

TARGET INLINE void store_totals(float *out, vector a, vector b, vector c, vector d)
{
    store_totals_sse2(out, halved(a), halved(b), halved(c), halved(d));
}

TARGET INLINE code_sums no_sums(void)
{
    return _mm256_setzero_si256();
}

TARGET INLINE codes load_codes(const void *bytes)
{
    return _mm256_loadu_si256(bytes);
}

TARGET INLINE codes low_codes(codes row)
{
    return _mm256_and_si256(row, _mm256_set1_epi8(15));
}

TARGET INLINE codes high_codes(codes row)
{
    return _mm256_and_si256(_mm256_srli_epi16(row, 4), _mm256_set1_epi8(15));
}

TARGET INLINE code_sums add_products(code_sums sum, codes row, codes query)
{
    const __m256i pairs = _mm256_maddubs_epi16(row, query);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

TARGET INLINE __m128i halved_sums(code_sums a)
{
    return _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

TARGET INLINE void store_sums(int32_t *out, code_sums a, code_sums b, code_sums c, code_sums d)
{
    store_sums_sse2(out, halved_sums(a), halved_sums(b), halved_sums(c), halved_sums(d));
}

#include "rows_template.h"
#include "scan_template.h"
#endif
