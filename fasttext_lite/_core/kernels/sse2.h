/* Sums of the numbers of each of four registers; wider registers are first added to this width. */

#ifndef FASTTEXT_LITE_SSE2_H
#define FASTTEXT_LITE_SSE2_H

#include "simd.h"

#include <immintrin.h>
#include <stdint.h>

INLINE void store_totals_sse2(float *out, __m128 a, __m128 b, __m128 c, __m128 d)
{
    const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
    const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    _mm_storeu_ps(out, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
}

INLINE void store_sums_sse2(int32_t *out, __m128i a, __m128i b, __m128i c, __m128i d)
{
    const __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
    const __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
    const __m128i sums = _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
    _mm_storeu_si128((__m128i *)(void *)out, sums);
}

#endif
