/* Scalar kernels: the reference for all others, and the kernels for rows shorter than a vector. */

#include "elements.h"

#define TARGET
#define ROWS ftl_rows_scalar
#define SCAN ftl_scan_scalar

INLINE void add_rows(int type, const uint8_t *base, const float *scales, size_t dim,
                     const int64_t *ids, size_t count, size_t ahead, float *out)
{
    (void)ahead;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = base + (size_t)ids[i] * dim * element_size(type);
        const float scale = type == FTL_I8 ? scales[ids[i]] : 1;
        for (size_t j = 0; j < dim; j++)
            out[j] += scale * element(type, row, j);
    }
}

INLINE void copy_row(int type, const uint8_t *row, float scale, size_t dim, float *out)
{
    for (size_t j = 0; j < dim; j++)
        out[j] = (type == FTL_I8 ? scale : 1) * element(type, row, j);
}

INLINE float dot(int type, const uint8_t *row, size_t dim, const float *vector)
{
    float sums[FTL_DOT_LANES] = {0};
    size_t at = 0;
    for (; at + FTL_DOT_LANES <= dim; at += FTL_DOT_LANES)
        for (size_t k = 0; k < FTL_DOT_LANES; k++)
            sums[k] += element(type, row, at + k) * vector[at + k];
    return finish_dot(type, sums, row, at, dim, vector);
}

static void panel_dots(const float *panel, size_t dim, const float *vectors, size_t count,
                       float *out, size_t stride)
{
    for (size_t i = 0; i < count; i++, vectors += dim, out += stride) {
        float sums[FTL_PANEL] = {0};
        for (size_t j = 0; j < dim; j++)
            for (size_t r = 0; r < FTL_PANEL; r++)
                sums[r] += panel[j * FTL_PANEL + r] * vectors[j];
        memcpy(out, sums, sizeof sums);
    }
}

INLINE void code_dots(int packed, const uint8_t *rows, size_t stride, size_t count, size_t width,
                      const int8_t *queries, size_t query_count, int32_t *out)
{
    for (size_t q = 0; q < query_count; q++, queries += packed ? 2 * width : width)
        for (size_t r = 0; r < count; r++) {
            const uint8_t *row = rows + r * stride;
            int32_t sum = 0;
            for (size_t j = 0; j < width; j++)
                sum += packed ? (row[j] & 15) * queries[j] + (row[j] >> 4) * queries[width + j]
                              : row[j] * queries[j];
            *out++ = sum;
        }
}

INLINE float missed(float number, float inverse, float step, float centre, uint8_t code)
{
    const float difference = number * inverse - ((float)code - centre) * step;
    return difference * difference;
}

static float encode(const float *row, size_t dim, float inverse, float step, int levels,
                    uint8_t *codes)
{
    enum { SUMS = 16 };
    const float steps = inverse / step, most = (float)levels - 1.0f;
    const float middle = 0.5f * (float)levels, centre = middle - 0.5f;
    float sums[SUMS] = {0}, sum = 0;
    size_t at = 0;
    for (size_t j = 0; j < dim; j++) {
        float place = row[j] * steps + middle;
        place = place > 0.0f ? place : 0.0f; /* NaN too */
        place = place < most ? place : most;
        codes[j] = (uint8_t)(int32_t)place;
    }
    for (; at + SUMS <= dim; at += SUMS)
        for (int k = 0; k < SUMS; k++)
            sums[k] += missed(row[at + k], inverse, step, centre, codes[at + k]);
    for (int k = 0; at < dim; at++, k++)
        sums[k] += missed(row[at], inverse, step, centre, codes[at]);
    for (int k = 0; k < SUMS; k++)
        sum += sums[k];
    return sum;
}

INLINE void products(int type, const uint8_t *rows, size_t stride, size_t count, size_t columns,
                     const float *query, float *out)
{
    for (size_t r = 0; r < count; r++, rows += stride) {
        float sums[4] = {0};
        for (size_t at = 0; at < columns; at += 4)
            for (size_t k = 0; k < 4; k++)
                sums[k] += element(type, rows, at + k) * query[at + k];
        out[r] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
}

#include "rows_table.h"
#include "scan_table.h"
