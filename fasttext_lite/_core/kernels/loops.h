/* Loops without versions per instruction set: compiled code is as fast, or their order matters. */

#ifndef FASTTEXT_LITE_LOOPS_H
#define FASTTEXT_LITE_LOOPS_H

#include "simd.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define FTL_PREFETCH(address) __builtin_prefetch((address), 0, 3)
#elif defined(_M_X64)
#include <xmmintrin.h>
#define FTL_PREFETCH(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
#else
#define FTL_PREFETCH(address) ((void)(address))
#endif

/* Prefetch the cache line at this address. */
INLINE void ftl_prefetch(const void *address)
{
    FTL_PREFETCH(address);
}

/* out[j] *= scale */
INLINE void ftl_scale_f32(float *out, size_t dim, float scale)
{
    for (size_t j = 0; j < dim; j++)
        out[j] *= scale;
}

/* out[j] += scale * row[j] */
INLINE void ftl_add_scaled_f32(const float *row, size_t dim, float scale, float *out)
{
    for (size_t j = 0; j < dim; j++)
        out[j] += scale * row[j];
}

/* Add a product-quantised row to `out`: the centroid of each part, times a norm. The centroids of
   a part are 256 vectors of its width, which is `dsub`, or less for the last part. */
INLINE void ftl_add_parts(const uint8_t *codes, const float *centroids, size_t dim, size_t dsub,
                          float norm, float *out)
{
    size_t at = 0;
    for (; at + dsub <= dim; at += dsub)
        ftl_add_scaled_f32(centroids + at * 256 + *codes++ * dsub, dsub, norm, out + at);
    if (at < dim)
        ftl_add_scaled_f32(centroids + at * 256 + *codes * (dim - at), dim - at, norm, out + at);
}

/* The same, unrolled for the usual widths of a part, for which a loop costs more than its work. */
INLINE void ftl_add_quantized(const uint8_t *codes, const float *centroids, size_t dim,
                              size_t dsub, float norm, float *out)
{
    switch (dsub) {
    case 1: ftl_add_parts(codes, centroids, dim, 1, norm, out); break;
    case 2: ftl_add_parts(codes, centroids, dim, 2, norm, out); break;
    case 4: ftl_add_parts(codes, centroids, dim, 4, norm, out); break;
    default: ftl_add_parts(codes, centroids, dim, dsub, norm, out);
    }
}

/* Add the dot product of two vectors to sums[0], and the squared length of the second to sums[1].
   There are eight partial sums in float64, so that the bits are the same on every CPU. */
INLINE void ftl_exact_dots(const float *a, const float *b, size_t dim, double sums[2])
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

#endif
