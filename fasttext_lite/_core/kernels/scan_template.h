/* Scan kernels for one instruction set, which the including file describes:

   TARGET, SCAN         the features that functions are compiled for, and the name of the table
   CODES                size of a register of codes in bytes
   QUERIES              number of queries that share the reading and unpacking of a row
   codes, code_sums     a register of codes, and a register of their int32 sums
   no_sums, load_codes, low_codes, high_codes, add_products, store_sums     on these
   vector, LANES        a register of float32, and how many numbers it holds
   load, add, subtract, multiply, least_of, most_of, broadcast, read, multiply_add, store,
   store_totals         on such vectors; most_of(NaN, x) is x
   integers, truncate, convert, store_bytes    on the register of as many int32

   store_sums and store_totals write the sum of the numbers of each of four registers. */

TARGET INLINE void code_tile(int packed, const uint8_t *rows, size_t stride, size_t width,
                             const int8_t *queries, size_t query_size, int32_t *out,
                             size_t count, int many)
{
    code_sums sums[FTL_SCAN_ROWS][QUERIES];
    for (int r = 0; r < FTL_SCAN_ROWS; r++)
        for (int q = 0; q < many; q++)
            sums[r][q] = no_sums();
    for (size_t at = 0; at < width; at += CODES)
        for (int r = 0; r < FTL_SCAN_ROWS; r++) {
            const codes row = load_codes(rows + (size_t)r * stride + at);
            for (int q = 0; q < many; q++) {
                const int8_t *query = queries + (size_t)q * query_size + at;
                if (packed) {
                    sums[r][q] = add_products(sums[r][q], low_codes(row), load_codes(query));
                    sums[r][q] = add_products(sums[r][q], high_codes(row),
                                              load_codes(query + width));
                } else {
                    sums[r][q] = add_products(sums[r][q], row, load_codes(query));
                }
            }
        }
    for (int q = 0; q < many; q++)
        store_sums(out + (size_t)q * count, sums[0][q], sums[1][q], sums[2][q], sums[3][q]);
}

TARGET INLINE void code_dots(int packed, const uint8_t *rows, size_t stride, size_t count,
                             size_t width, const int8_t *queries, size_t query_count, int32_t *out)
{
    const size_t query_size = packed ? 2 * width : width;
    size_t q = 0;
    for (; q + QUERIES <= query_count; q += QUERIES)
        for (size_t r = 0; r < count; r += FTL_SCAN_ROWS)
            code_tile(packed, rows + r * stride, stride, width, queries + q * query_size,
                      query_size, out + q * count + r, count, QUERIES);
    for (; q < query_count; q++)
        for (size_t r = 0; r < count; r += FTL_SCAN_ROWS)
            code_tile(packed, rows + r * stride, stride, width, queries + q * query_size,
                      query_size, out + q * count + r, count, 1);
}

/* The last vector may overlap the previous one. The differences of common columns then count twice,
   and the error is still an upper bound. */
TARGET static float encode(const float *row, size_t dim, float inverse, float step, int levels,
                           uint8_t *out)
{
    const vector zero = broadcast(0), most = broadcast((float)levels - 1.0f);
    const vector middle = broadcast(0.5f * (float)levels);
    const vector centre = broadcast(0.5f * (float)levels - 0.5f);
    const vector inverses = broadcast(inverse), width = broadcast(step);
    const vector steps = broadcast(inverse / step);
    vector sums = zero;
    float lanes[LANES], sum = 0;
    if (dim < LANES)
        return ftl_scan_scalar.encode(row, dim, inverse, step, levels, out);
    for (size_t at = 0; at < dim; at += LANES) {
        if (at + LANES > dim)
            at = dim - LANES;
        const vector numbers = load(row + at);
        const vector places = add(multiply(numbers, steps), middle);
        const integers whole = truncate(least_of(most_of(places, zero), most));
        store_bytes(out + at, whole);
        const vector coded = multiply(subtract(convert(whole), centre), width);
        const vector missed = subtract(multiply(numbers, inverses), coded);
        sums = add(sums, multiply(missed, missed));
    }
    store(lanes, sums);
    for (int k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

/* Rows are read in their order, each to its end, as the hardware expects it; four rows side by side
   take up to twice the time. It stops at the end of a page, so lines are also prefetched this many
   bytes ahead. */
enum { BYTES_AHEAD = 8192, LINE = 64 };

TARGET INLINE vector row_product(int type, const uint8_t *row, size_t columns, const float *query)
{
    const size_t size = element_size(type);
    vector even = broadcast(0), odd = even;
    size_t at = 0;
    for (; at + 2 * LANES <= columns; at += 2 * LANES) {
        const uint8_t *numbers = row + at * size;
        for (size_t line = 0; line < 2 * LANES * size; line += LINE)
            ftl_prefetch(numbers + BYTES_AHEAD + line);
        even = multiply_add(even, read(type, numbers), load(query + at));
        odd = multiply_add(odd, read(type, numbers + LANES * size), load(query + at + LANES));
    }
    if (at < columns)
        even = multiply_add(even, read(type, row + at * size), load(query + at));
    return add(even, odd);
}

TARGET INLINE void products(int type, const uint8_t *rows, size_t stride, size_t count,
                            size_t columns, const float *query, float *out)
{
    for (size_t r = 0; r < count; r += FTL_SCAN_ROWS, rows += FTL_SCAN_ROWS * stride)
        store_totals(out + r, row_product(type, rows, columns, query),
                     row_product(type, rows + stride, columns, query),
                     row_product(type, rows + 2 * stride, columns, query),
                     row_product(type, rows + 3 * stride, columns, query));
}

#include "scan_table.h"
