/* The kernels: loops over the numbers of rows, in versions for several instruction sets.

   A level is one choice of kernels, named after what it asks of the CPU; levels.c holds the table
   of them. Rows begin at any byte of a file. */

#ifndef FASTTEXT_LITE_KERNELS_H
#define FASTTEXT_LITE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* The types of the numbers of a row. */
enum { FTL_F32, FTL_F16, FTL_I8, FTL_ELEMENTS };

/* Row kernels: sums, copies and dot products of rows. Every version gives the same bits. */

/* Add `count` rows of `dim` numbers each to `out`, in the order of `ids`. Row i begins at
   base + ids[i] * dim * size of a number; int8 rows are multiplied by scales[ids[i]], and other
   types have no scales. `ids` holds `ahead` more ids, whose rows follow soon and may be fetched. */
typedef void ftl_add_rows(const uint8_t *base, const float *scales, size_t dim,
                          const int64_t *ids, size_t count, size_t ahead, float *out);

/* Write a row as float32 to `out`; the numbers of an int8 row are multiplied by `scale`. */
typedef void ftl_copy_row(const uint8_t *row, float scale, size_t dim, float *out);

/* Return the dot product of a row, without its scale, with a vector. It has one partial sum for
   each column modulo FTL_DOT_LANES, whatever the width of a register; at the end the upper half of
   them is added to the lower one until one is left. */
typedef float ftl_dot(const uint8_t *row, size_t dim, const float *vector);

enum { FTL_DOT_LANES = 16 };

typedef struct {
    ftl_add_rows *add_rows[FTL_ELEMENTS];
    ftl_copy_row *copy_row[FTL_ELEMENTS];
    ftl_dot *dot[FTL_ELEMENTS];
} ftl_row_kernels;

/* Scan kernels: approximate products of many rows with queries of length 1. Rows are those of a
   matrix, or codes: small unsigned numbers that stand for vectors of length 1.

   Column j of a row with codes u, a scale and `levels` possible codes is about
   scale * (u[j] - (levels - 1) / 2). Codes of 16 levels are packed: byte j of a row of `half` bytes
   holds column j in its lower four bits and column half + j in its upper ones. */

/* Kernels read FTL_CODE_STEP bytes of a code row at a time, FTL_PRODUCT_STEP numbers of another
   one, and FTL_SCAN_ROWS rows together. What they read behind the end of a row is multiplied by
   the zeros behind the end of a query. */
enum { FTL_CODE_STEP = 64, FTL_PRODUCT_STEP = 16, FTL_SCAN_ROWS = 4 };

/* out[q * count + r] = the dot product of row r and query q, exactly. `count` is a multiple of
   FTL_SCAN_ROWS; `width`, the number of bytes to read of a row, is one of FTL_CODE_STEP. Queries
   follow one another at `width` bytes, or twice that where rows are packed: first the numbers for
   the lower halves of bytes, then those for the upper ones. No code is above 127, so that the sum
   of two products fits 16 bits. */
typedef void ftl_code_dots(const uint8_t *rows, size_t stride, size_t count, size_t width,
                           const int8_t *queries, size_t query_count, int32_t *out);

/* Write the codes, one a byte, of row * inverse; neighbouring codes stand for numbers that are
   `step` apart. Return the squared length of the difference. The codes are the same at every
   level, the rounding of the squared length is not. */
typedef float ftl_encode(const float *row, size_t dim, float inverse, float step, int levels,
                         uint8_t *codes);

/* A query as codes: it is about `scale` times these. */
typedef struct {
    int32_t offset; /* (levels - 1) times the sum of its codes */
    float scale;
    float length; /* an upper bound on the length of that approximation */
    float slack;  /* added to each upper bound */
} ftl_code_query;

/* Turn dot products of codes into approximate scores, and into upper bounds by the errors of the
   rows. Return how many of the bounds are `least` or more, or NaN. */
typedef size_t ftl_code_scores(const int32_t *dots, size_t count, const float *scales,
                               const float *errors, const ftl_code_query *query, float least,
                               float *scores, float *uppers);

/* out[r] = the dot product of row r, without its scale, and a query, in float32 with four or more
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
    uint32_t features; /* bits of cpu_features.h, all of which it needs */
    const ftl_row_kernels *rows;
    const ftl_scan_kernels *scan;
} ftl_level;

enum { FTL_MOST_LEVELS = 5 };

/* Write the levels that this CPU can run, best first, and return their number. */
size_t ftl_runnable_levels(const ftl_level *found[FTL_MOST_LEVELS]);

#endif
