/* The table of the scan kernels of one instruction set: one function for each type of numbers.

   The including file defines code_dots, encode and products, and the macros TARGET and SCAN. */

TARGET static void dots(const uint8_t *rows, size_t stride, size_t count, size_t width,
                        const int8_t *queries, size_t query_count, int32_t *out)
{
    code_dots(0, rows, stride, count, width, queries, query_count, out);
}

TARGET static void packed_dots(const uint8_t *rows, size_t stride, size_t count, size_t width,
                               const int8_t *queries, size_t query_count, int32_t *out)
{
    code_dots(1, rows, stride, count, width, queries, query_count, out);
}

TARGET static size_t scores(const int32_t *code_dots, size_t count, const float *scales,
                            const float *errors, const ftl_code_query *query, float least,
                            float *found, float *uppers)
{
    return score_codes(code_dots, count, scales, errors, query, least, found, uppers);
}

TARGET static void products_f32(const uint8_t *rows, size_t stride, size_t count, size_t columns,
                                const float *query, float *out)
{
    products(FTL_F32, rows, stride, count, columns, query, out);
}

TARGET static void products_f16(const uint8_t *rows, size_t stride, size_t count, size_t columns,
                                const float *query, float *out)
{
    products(FTL_F16, rows, stride, count, columns, query, out);
}

TARGET static void products_i8(const uint8_t *rows, size_t stride, size_t count, size_t columns,
                               const float *query, float *out)
{
    products(FTL_I8, rows, stride, count, columns, query, out);
}

const ftl_scan_kernels SCAN = {
    dots, packed_dots, encode, scores, {products_f32, products_f16, products_i8},
};
