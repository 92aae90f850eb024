/* SSE2, which every x86-64 CPU has. */

#include "elements.h"
#include "loops.h"

#ifdef FTL_X86
#include "sse2.h"

#define TARGET
#define ROWS ftl_rows_sse2
#define SCAN ftl_scan_sse2
#define NARROWER ftl_rows_scalar
#define MOST_SUMS 12
#define PANEL_SUMS 8

typedef __m128 vector;
typedef __m128i integers;
typedef __m128i codes;
typedef __m128i code_sums;
enum { LANES = 4, CODES = 16, QUERIES = 2 };

INLINE vector load(const float *numbers)
{
    return _mm_loadu_ps(numbers);
}

INLINE void store(float *numbers, vector a)
{
    _mm_storeu_ps(numbers, a);
}

INLINE vector broadcast(float number)
{
    return _mm_set1_ps(number);
}

INLINE vector add(vector a, vector b)
{
    return _mm_add_ps(a, b);
}

INLINE vector subtract(vector a, vector b)
{
    return _mm_sub_ps(a, b);
}

INLINE vector multiply(vector a, vector b)
{
    return _mm_mul_ps(a, b);
}

INLINE vector multiply_add(vector sum, vector a, vector b)
{
    return _mm_add_ps(sum, _mm_mul_ps(a, b));
}

INLINE vector least_of(vector a, vector b)
{
    return _mm_min_ps(a, b);
}

INLINE vector most_of(vector a, vector b)
{
    return _mm_max_ps(a, b);
}

INLINE integers truncate(vector a)
{
    return _mm_cvttps_epi32(a);
}

INLINE vector convert(integers a)
{
    return _mm_cvtepi32_ps(a);
}

INLINE void store_bytes(uint8_t *out, integers a)
{
    const __m128i shorts = _mm_packs_epi32(a, a);
    const int four = _mm_cvtsi128_si32(_mm_packus_epi16(shorts, shorts));
    memcpy(out, &four, sizeof four);
}

/* As widen_f16 does. */
INLINE vector read_f16(const void *numbers)
{
    const __m128i halves = _mm_unpacklo_epi16(_mm_loadl_epi64(numbers), _mm_setzero_si128());
    const __m128i magnitude = _mm_and_si128(halves, _mm_set1_epi32(0x7FFF));
    const __m128i sign = _mm_slli_epi32(_mm_xor_si128(halves, magnitude), 16);
    const __m128i special = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7BFF));
    const __m128 value = _mm_mul_ps(_mm_castsi128_ps(_mm_slli_epi32(magnitude, 13)),
                                    _mm_set1_ps(FTL_TWO_TO_112));
    const __m128i ends = _mm_or_si128(sign, _mm_and_si128(special, _mm_set1_epi32(0x7F800000)));
    return _mm_or_ps(value, _mm_castsi128_ps(ends));
}

INLINE vector read_i8(const void *numbers)
{
    int four;
    memcpy(&four, numbers, sizeof four);
    __m128i bytes = _mm_cvtsi32_si128(four);
    /* Each byte goes to the top of an int32; shifting it back extends its sign. */
    bytes = _mm_unpacklo_epi8(bytes, bytes);
    bytes = _mm_unpacklo_epi16(bytes, bytes);
    return _mm_cvtepi32_ps(_mm_srai_epi32(bytes, 24));
}

INLINE vector read(int type, const void *numbers)
{
    if (type == FTL_F32)
        return _mm_castsi128_ps(_mm_loadu_si128(numbers));
    return type == FTL_F16 ? read_f16(numbers) : read_i8(numbers);
}

INLINE void store_totals(float *out, vector a, vector b, vector c, vector d)
{
    store_totals_sse2(out, a, b, c, d);
}

INLINE code_sums no_sums(void)
{
    return _mm_setzero_si128();
}

INLINE codes load_codes(const void *bytes)
{
    return _mm_loadu_si128(bytes);
}

INLINE codes low_codes(codes row)
{
    return _mm_and_si128(row, _mm_set1_epi8(15));
}

INLINE codes high_codes(codes row)
{
    return _mm_and_si128(_mm_srli_epi16(row, 4), _mm_set1_epi8(15));
}

INLINE code_sums add_products(code_sums sum, codes row, codes query)
{
    const __m128i zero = _mm_setzero_si128();
    /* A byte in the upper half of 16 bits, shifted back, extends its sign. */
    const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(zero, query), 8);
    const __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(zero, query), 8);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_unpacklo_epi8(row, zero), low));
    return _mm_add_epi32(sum, _mm_madd_epi16(_mm_unpackhi_epi8(row, zero), high));
}

INLINE void store_sums(int32_t *out, code_sums a, code_sums b, code_sums c, code_sums d)
{
    store_sums_sse2(out, a, b, c, d);
}

#include "rows_template.h"
#include "scan_template.h"
#endif
