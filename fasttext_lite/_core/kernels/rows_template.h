/* Row kernels for one instruction set, which the including file describes:

   TARGET, ROWS     the features that functions are compiled for, and the name of the table
   NARROWER         the table for rows shorter than a vector
   MOST_SUMS        number of vectors of sums in registers, 12 or 16
   PANEL_SUMS       the same for the products of a panel: at least two rows of it
   vector, LANES    a register of float32, and how many numbers it holds
   load, store, add, multiply, broadcast, read     on such vectors; `read` widens numbers of a type

   A block of columns is summed over all rows in registers, so that the reads of many rows overlap.
   The last vector of a block ends at the end of the block, and may overlap the previous one: both
   then hold the same sums in the common columns. */

/* Rows are random reads, whose main costs are the page and the first cache line. So the first and
   the last line of a row are prefetched this many rows ahead. The lines between them are left to
   the hardware, which is faster (prefetching them too takes a fifth more time). */
enum { ROWS_AHEAD = 8 };

TARGET INLINE vector scaled(int type, const uint8_t *numbers, vector scale)
{
    const vector values = read(type, numbers);
    return type == FTL_I8 ? multiply(scale, values) : values;
}

TARGET INLINE void add_block(int type, const uint8_t *base, const float *scales, size_t bytes,
                             const int64_t *ids, size_t count, size_t fetched, size_t at,
                             size_t end, float *out, int vectors)
{
    vector sums[MOST_SUMS];
    const int full = vectors - 1;
    const size_t size = element_size(type), last = end - LANES;
    for (int k = 0; k < full; k++)
        sums[k] = load(out + at + k * LANES);
    sums[full] = load(out + last);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = base + (size_t)ids[i] * bytes;
        const vector scale = broadcast(type == FTL_I8 ? scales[ids[i]] : 1);
        if (i + ROWS_AHEAD < fetched) {
            const uint8_t *later = base + (size_t)ids[i + ROWS_AHEAD] * bytes;
            ftl_prefetch(later);
            ftl_prefetch(later + bytes - 1);
        }
        for (int k = 0; k < full; k++)
            sums[k] = add(sums[k], scaled(type, row + (at + k * LANES) * size, scale));
        sums[full] = add(sums[full], scaled(type, row + last * size, scale));
    }
    for (int k = 0; k < full; k++)
        store(out + at + k * LANES, sums[k]);
    store(out + last, sums[full]);
}

#define CASE(n)                                                                                   \
    case n:                                                                                       \
        add_block(type, base, scales, bytes, ids, count, fetched, at, end, out, n);               \
        break;

TARGET INLINE void add_rows(int type, const uint8_t *base, const float *scales, size_t dim,
                            const int64_t *ids, size_t count, size_t ahead, float *out)
{
    const size_t bytes = dim * element_size(type);
    size_t fetched = count + ahead;
    size_t end;
    if (dim < LANES) {
        NARROWER.add_rows[type](base, scales, dim, ids, count, ahead, out);
        return;
    }
    for (size_t at = 0; at < dim; at = end, fetched = 0) {
        end = dim - at > MOST_SUMS * LANES ? at + MOST_SUMS * LANES : dim;
        if (dim - end < LANES && end < dim)
            end -= LANES; /* the last block must fill a vector */
        /* The number of vectors is a constant in each call, so that the sums stay in registers. */
        switch ((end - at + LANES - 1) / LANES) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#if MOST_SUMS > 12
            CASE(13) CASE(14) CASE(15) CASE(16)
#endif
        }
    }
}

TARGET INLINE void copy_row(int type, const uint8_t *row, float scale, size_t dim, float *out)
{
    const size_t size = element_size(type);
    const vector factor = broadcast(scale);
    if (dim < LANES) {
        NARROWER.copy_row[type](row, scale, dim, out);
        return;
    }
    for (size_t at = 0; at + LANES < dim; at += LANES)
        store(out + at, scaled(type, row + at * size, factor));
    store(out + dim - LANES, scaled(type, row + (dim - LANES) * size, factor));
}

TARGET INLINE float dot(int type, const uint8_t *row, size_t dim, const float *other)
{
    enum { VECTORS = FTL_DOT_LANES / LANES };
    const size_t size = element_size(type);
    float lanes[FTL_DOT_LANES];
    vector sums[VECTORS];
    size_t at = 0;
    for (int k = 0; k < VECTORS; k++)
        sums[k] = broadcast(0);
    for (; at + FTL_DOT_LANES <= dim; at += FTL_DOT_LANES)
        for (size_t k = 0; k < VECTORS; k++)
            sums[k] = add(sums[k], multiply(read(type, row + (at + k * LANES) * size),
                                            load(other + at + k * LANES)));
    for (int k = 0; k < VECTORS; k++)
        store(lanes + k * LANES, sums[k]);
    return finish_dot(type, lanes, row, at, dim, other);
}

TARGET INLINE void add_products_of(const float *panel, size_t dim, const float *vectors,
                                   float *out, size_t stride, int count)
{
    enum { PARTS = FTL_PANEL / LANES };
    vector sums[PANEL_SUMS];
    for (int k = 0; k < count * PARTS; k++)
        sums[k] = broadcast(0);
    for (size_t j = 0; j < dim; j++, panel += FTL_PANEL)
        for (int i = 0; i < count; i++) {
            const vector factor = broadcast(vectors[(size_t)i * dim + j]);
            for (int k = 0; k < PARTS; k++)
                sums[i * PARTS + k] = add(sums[i * PARTS + k],
                                          multiply(load(panel + k * LANES), factor));
        }
    for (int i = 0; i < count; i++)
        for (int k = 0; k < PARTS; k++)
            store(out + (size_t)i * stride + k * LANES, sums[i * PARTS + k]);
}

TARGET static void panel_dots(const float *panel, size_t dim, const float *vectors, size_t count,
                              float *out, size_t stride)
{
    /* As many vectors at a time as there are registers for. */
    enum { TILE = PANEL_SUMS * LANES / FTL_PANEL };
    for (; count >= TILE; count -= TILE, vectors += TILE * dim, out += TILE * stride)
        add_products_of(panel, dim, vectors, out, stride, TILE);
    for (; count >= 2; count -= 2, vectors += 2 * dim, out += 2 * stride)
        add_products_of(panel, dim, vectors, out, stride, 2);
    if (count)
        add_products_of(panel, dim, vectors, out, stride, 1);
}

#include "rows_table.h"
