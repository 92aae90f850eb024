/* Single numbers of rows as float32, for scalar kernels and for the ends of rows in others. */

#ifndef FASTTEXT_LITE_ELEMENTS_H
#define FASTTEXT_LITE_ELEMENTS_H

#include "kernels.h"
#include "simd.h"

#include <string.h>

INLINE size_t element_size(int type)
{
    return type == FTL_F32 ? 4 : type == FTL_F16 ? 2 : 1;
}

/* The exponents of binary16 and binary32 differ by 112 = 127 - 15. */
#define FTL_TWO_TO_112 5192296858534827628530496329220096.0f

/* IEEE 754 binary16 to binary32. Multiplying by 2^112 moves the exponent and makes subnormal
   numbers normal; infinities and NaN get the largest exponent back. */
INLINE float widen_f16(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= FTL_TWO_TO_112;
    memcpy(&bits, &value, sizeof bits);
    if ((half & 0x7C00) == 0x7C00)
        bits |= 0x7F800000;
    bits |= (uint32_t)(half & 0x8000) << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE float element(int type, const uint8_t *row, size_t j)
{
    float value;
    uint16_t half;
    if (type == FTL_I8)
        return (float)(int8_t)row[j];
    if (type == FTL_F16) {
        memcpy(&half, row + j * sizeof half, sizeof half);
        return widen_f16(half);
    }
    memcpy(&value, row + j * sizeof value, sizeof value);
    return value;
}

/* Finish a dot product: add the columns from `at` on to the partial sums, and sum these. */
INLINE float finish_dot(int type, float *sums, const uint8_t *row, size_t at, size_t dim,
                        const float *vector)
{
    for (size_t k = 0; at + k < dim; k++)
        sums[k] += element(type, row, at + k) * vector[at + k];
    for (int half = FTL_DOT_LANES / 2; half; half /= 2)
        for (int k = 0; k < half; k++)
            sums[k] += sums[k + half];
    return sums[0];
}

/* The body of every ftl_code_scores; the compiler vectorises it for each instruction set. */
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

#endif
