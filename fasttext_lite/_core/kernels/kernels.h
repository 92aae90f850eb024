/* The kernels: loops over the numbers of rows, in versions for several instruction sets.

   A level is a set of kernels, named after the instruction set that it requires; levels.c holds the
   table of levels. Rows may begin at any byte of a file. */

#ifndef FASTTEXT_LITE_KERNELS_H
#define FASTTEXT_LITE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* The types of the numbers of a row. */
enum { FTL_F32, FTL_F16, FTL_I8, FTL_ELEMENTS };

/* Row kernels: sums, copies and dot products of rows. All versions compute the same bits. */

/* Add `count` rows of `dim` numbers each to `out`, in the order of `ids`. Row i begins at
   base + ids[i] * dim * size of a number; int8 rows are multiplied by scales[ids[i]], and other
   types have no scales. `ids` holds `ahead` more ids, whose rows are used next and may be
   prefetched. */
typedef void ftl_add_rows(const uint8_t *base, const float *scales, size_t dim,
                          const int64_t *ids, size_t count, size_t ahead, float *out);

/* Write a row as float32 to `out`; the numbers of an int8 row are multiplied by `scale`. */
typedef void ftl_copy_row(const uint8_t *row, float scale, size_t dim, float *out);

/* Return the dot product of a row, without its scale, with a vector. There is one partial sum for
   each column modulo FTL_DOT_LANES, whatever the width of a register; at the end the upper half of
   the sums is added to the lower half until one is left. */
typedef float ftl_dot(const uint8_t *row, size_t dim, const float *vector);

enum { FTL_DOT_LANES = 16 };

/* Dot products of `count` vectors of `dim` numbers, one after another, with the FTL_PANEL rows of a
   panel: out[i * stride + r] is that of vector i and row r, summed column by column. A panel holds
   the first numbers of all its rows, then the second ones, and so on. */
typedef void ftl_panel_dots(const float *panel, size_t dim, const float *vectors, size_t count,
                            float *out, size_t stride);

enum { FTL_PANEL = 16 };

/* Replace each number x by (float)exp(x - most), the exponential being that of the C library in
   double precision, and return their sum, in their order. No number is greater than `most`. */
typedef float ftl_exponentials(float *numbers, size_t count, float most);

typedef struct {
    ftl_add_rows *add_rows[FTL_ELEMENTS];
    ftl_copy_row *copy_row[FTL_ELEMENTS];
    ftl_dot *dot[FTL_ELEMENTS];
    ftl_panel_dots *panel_dots;
    ftl_exponentials *exponentials;
} ftl_row_kernels;

/* Scan kernels: approximate products of many rows with queries of length 1. Rows are rows of a
   matrix, or codes: small unsigned numbers that represent vectors of length 1.

   Column j of a row with codes u, a scale and `levels` possible codes is about
   scale * (u[j] - (levels - 1) / 2). Codes of 16 levels are packed: byte j of a row of `half` bytes
   holds column j in its lower four bits and column half + j in its upper ones. */

/* Kernels read FTL_CODE_STEP bytes of a code row at a time, FTL_PRODUCT_STEP numbers of a matrix
   row, and FTL_SCAN_ROWS rows together. Bytes that they read past the end of a row are multiplied
   by the zeros past the end of a query. */
enum { FTL_CODE_STEP = 64, FTL_PRODUCT_STEP = 16, FTL_SCAN_ROWS = 4 };

/* out[q * count + r] = the exact dot product of row r and query q. `count` is a multiple of
   FTL_SCAN_ROWS; `width`, the number of bytes to read of a row, is a multiple of FTL_CODE_STEP.
   Each query takes `width` bytes, or twice that if rows are packed: first the numbers for the lower
   halves of bytes, then those for the upper halves. No code is above 127, so the sum of two
   products fits in 16 bits. */
typedef void ftl_code_dots(const uint8_t *rows, size_t stride, size_t count, size_t width,
                           const int8_t *queries, size_t query_count, int32_t *out);

/* Write the codes, one per byte, of row * inverse; neighbouring codes represent numbers that are
   `step` apart. Return the squared length of the difference. The codes are the same at every
   level, but the rounding of the squared length differs. */
typedef float ftl_encode(const float *row, size_t dim, float inverse, float step, int levels,
                         uint8_t *codes);

/* A query as codes: approximately `scale` times its codes. */
typedef struct {
    int32_t offset; /* (levels - 1) times the sum of its codes */
    float scale;
    float length; /* an upper bound on the length of this approximation */
    float slack;  /* added to each upper bound */
} ftl_code_query;

/* Compute approximate scores from dot products of codes, and upper bounds from the errors of the
   rows. Return the number of bounds that are at least `least`, or NaN. */
typedef size_t ftl_code_scores(const int32_t *dots, size_t count, const float *scales,
                               const float *errors, const ftl_code_query *query, float least,
                               float *scores, float *uppers);

/* out[r] = the dot product of row r, without its scale, and a query, in float32 with at least four
   partial sums, whose number depends on the level. `columns` is a multiple of FTL_PRODUCT_STEP,
   `count` of FTL_SCAN_ROWS. */
typedef void ftl_products(const uint8_t *rows, size_t stride, size_t count, size_t columns,
                          const float *query, float *out);

typedef struct {
    ftl_code_dots *dots, *packed_dots;
    ftl_encode *encode;
    ftl_code_scores *scores;
    ftl_products *products[FTL_ELEMENTS];
} ftl_scan_kernels;

/* The versions, each in a file of the same name; levels.c chooses among them. */
extern const ftl_row_kernels ftl_rows_scalar, ftl_rows_sse2, ftl_rows_avx2, ftl_rows_avx512,
    ftl_rows_neon;
extern const ftl_scan_kernels ftl_scan_scalar, ftl_scan_sse2, ftl_scan_avx2, ftl_scan_avx512vnni,
    ftl_scan_neon;

typedef struct {
    const char *name;
    uint32_t features; /* the required features, as bits of cpu_features.h */
    const ftl_row_kernels *rows;
    const ftl_scan_kernels *scan;
} ftl_level;

enum { FTL_MOST_LEVELS = 5 };

/* Write the levels that this CPU can run, best first, and return their number. */
size_t ftl_runnable_levels(const ftl_level *found[FTL_MOST_LEVELS]);

#endif
