/* The table of the row kernels of one instruction set: one function for each type of numbers.

   The including file defines add_rows, copy_row, dot and panel_dots, and the macros TARGET and ROWS. */

TARGET static void add_f32(const uint8_t *base, const float *scales, size_t dim,
                           const int64_t *ids, size_t count, size_t ahead, float *out)
{
    add_rows(FTL_F32, base, scales, dim, ids, count, ahead, out);
}

TARGET static void add_f16(const uint8_t *base, const float *scales, size_t dim,
                           const int64_t *ids, size_t count, size_t ahead, float *out)
{
    add_rows(FTL_F16, base, scales, dim, ids, count, ahead, out);
}

TARGET static void add_i8(const uint8_t *base, const float *scales, size_t dim,
                          const int64_t *ids, size_t count, size_t ahead, float *out)
{
    add_rows(FTL_I8, base, scales, dim, ids, count, ahead, out);
}

static void copy_f32(const uint8_t *row, float scale, size_t dim, float *out)
{
    (void)scale;
    memcpy(out, row, dim * sizeof *out);
}

TARGET static void copy_f16(const uint8_t *row, float scale, size_t dim, float *out)
{
    copy_row(FTL_F16, row, scale, dim, out);
}

TARGET static void copy_i8(const uint8_t *row, float scale, size_t dim, float *out)
{
    copy_row(FTL_I8, row, scale, dim, out);
}

#ifndef OWN_DOT_F32
TARGET static float dot_f32(const uint8_t *row, size_t dim, const float *other)
{
    return dot(FTL_F32, row, dim, other);
}
#endif

TARGET static float dot_f16(const uint8_t *row, size_t dim, const float *other)
{
    return dot(FTL_F16, row, dim, other);
}

TARGET static float dot_i8(const uint8_t *row, size_t dim, const float *other)
{
    return dot(FTL_I8, row, dim, other);
}

TARGET static float exponentials(float *numbers, size_t count, float most)
{
    return sum_exponentials(numbers, count, most);
}

const ftl_row_kernels ROWS = {
    {add_f32, add_f16, add_i8},
    {copy_f32, copy_f16, copy_i8},
    {dot_f32, dot_f16, dot_i8},
    panel_dots,
    exponentials,
};
