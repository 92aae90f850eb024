/* Single numbers of rows as float32, for scalar kernels and for the ends of rows in others. */

#ifndef FASTTEXT_LITE_ELEMENTS_H
#define FASTTEXT_LITE_ELEMENTS_H

#include "kernels.h"
#include "simd.h"

#include <math.h>
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

enum { EXPONENTIALS = 32 };

/* Replace `size` numbers x, at most EXPONENTIALS, by (float)exp(x - most).

   exp(x) = 2^n exp(r), where |r| is at most log(2) / 2, and exp(r) is the sum of the first terms of
   its series: the rest is below 4e-13 of it. Where numbers within 1e-12 of that are not rounded to one
   float, the exponential of the C library decides, whose error is a thousandth of this. Integers
   are compared in place of floats, since compilers do not vectorise comparisons that may trap. */
INLINE void exponentials_of(float *numbers, size_t size, float most)
{
    /* Adding this to a number rounds it to an integer, which the lower bits then hold. */
    const double shift = 6755399441055744.0;
    const int32_t infinite = 0x7F800000, zero = 0x42DC0000; /* exp(-110) is rounded to 0 */
    float falls[EXPONENTIALS] = {0}, clamped[EXPONENTIALS];
    float low[EXPONENTIALS], high[EXPONENTIALS];
    int32_t places[EXPONENTIALS], least[EXPONENTIALS], most_bits[EXPONENTIALS], doubt = 0;
    double powers[EXPONENTIALS], shifted[EXPONENTIALS];
    uint64_t bits[EXPONENTIALS], exponents[EXPONENTIALS];
    for (size_t k = 0; k < size; k++)
        falls[k] = most - numbers[k];
    memcpy(places, falls, sizeof places);
    for (int k = 0; k < EXPONENTIALS; k++) {
        places[k] &= 0x7FFFFFFF;
        doubt |= infinite - places[k];
        least[k] = places[k] < zero ? places[k] : zero;
    }
    doubt &= INT32_MIN; /* NaN, where two numbers are infinite */
    memcpy(clamped, least, sizeof clamped);
    for (int k = 0; k < EXPONENTIALS; k++) {
        const double x = (double)clamped[k];
        const double place = x * -1.4426950408889634 + shift, n = place - shift;
        const double r = (-x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
        double power = 1 / 3628800.0;
        power = power * r + 1 / 362880.0;
        power = power * r + 1 / 40320.0;
        power = power * r + 1 / 5040.0;
        power = power * r + 1 / 720.0;
        power = power * r + 1 / 120.0;
        power = power * r + 1 / 24.0;
        power = power * r + 1 / 6.0;
        power = power * r + 1 / 2.0;
        power = power * r + 1;
        powers[k] = power * r + 1;
        shifted[k] = place;
    }
    memcpy(bits, powers, sizeof bits);
    memcpy(exponents, shifted, sizeof exponents);
    for (int k = 0; k < EXPONENTIALS; k++)
        bits[k] += exponents[k] << 52;
    memcpy(powers, bits, sizeof powers);
    for (int k = 0; k < EXPONENTIALS; k++) {
        low[k] = (float)(powers[k] * (1 - 1e-12));
        high[k] = (float)(powers[k] * (1 + 1e-12));
    }
    memcpy(least, low, sizeof least);
    memcpy(most_bits, high, sizeof most_bits);
    for (int k = 0; k < EXPONENTIALS; k++)
        doubt |= least[k] ^ most_bits[k];
    if (doubt)
        for (size_t k = 0; k < size; k++)
            if (least[k] != most_bits[k] || places[k] > infinite)
                low[k] = (float)exp(-(double)falls[k]);
    memcpy(numbers, low, size * sizeof *low);
}

/* The body of every ftl_exponentials; the compiler vectorises it for each instruction set. */
INLINE float sum_exponentials(float *numbers, size_t count, float most)
{
    float total = 0;
    size_t at = 0;
    for (; at + EXPONENTIALS <= count; at += EXPONENTIALS)
        exponentials_of(numbers + at, EXPONENTIALS, most);
    if (at < count)
        exponentials_of(numbers + at, count - at, most);
    for (at = 0; at < count; at++)
        total += numbers[at];
    return total;
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
