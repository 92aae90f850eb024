/* Searches by codes: rows of small unsigned numbers that stand for vectors of length 1.

   Column j of a row with codes u, a scale and `levels` possible codes is about
   scale * (u[j] - (levels - 1) / 2). Codes of 16 levels are packed: byte j of a row of `half` bytes
   holds column j in its lower four bits and column half + j in its upper ones. */

#ifndef FASTTEXT_LITE_SCAN_KERNELS_H
#define FASTTEXT_LITE_SCAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Kernels read rows and queries in steps of so many bytes, and so many rows at a time. What they
   read behind the end of a row is multiplied by the zeros behind the end of a query. */
enum { FTL_CODE_STEP = 64, FTL_CODE_ROWS = 4 };

/* out[q * rows + r] = the dot product of row r and query q. `rows` is a multiple of FTL_CODE_ROWS,
   `width`, the bytes to read of a row, one of FTL_CODE_STEP; queries follow one another at `width`
   bytes, or twice that where rows are packed: lower halves of bytes, then upper ones. No code is
   above 127, so that two products fit 16 bits. */
typedef void ftl_code_dots(const uint8_t *rows, size_t stride, size_t count, size_t width,
                           const int8_t *queries, size_t query_count, int32_t *out);

/* Write the codes, one a byte, of row * inverse, whose columns are `step` apart for each code.
   Returns the square of the length of what the codes miss of it. */
typedef float ftl_encode(const float *row, size_t dim, float inverse, float step, int levels,
                         uint8_t *codes);

/* What is known of one query: it is about `scale` times its codes. */
typedef struct {
    int32_t offset; /* (levels - 1) times the sum of its codes */
    float scale;
    float length; /* of that approximation, at least */
    float slack;  /* what is to be added to any upper bound */
} ftl_code_query;

/* From the dot products of a query with rows: the scores that they stand for, and how many of them
   may be `least` or more, once the errors of the rows are added. */
typedef size_t ftl_code_scores(const int32_t *dots, size_t count, const float *scales,
                               const float *errors, const ftl_code_query *query, float least,
                               float *scores, float *uppers);

/* Add to `sums` the dot product of two vectors and the square of the length of the second, in
   eight partial sums whatever the CPU, so that equal rows get equal bits. */
typedef void ftl_exact_dots(const float *a, const float *b, size_t dim, double sums[2]);

/* What the numbers of a row are, as in kernels.h, and how many columns are read at a time. */
enum { FTL_SCAN_ELEMENTS = 3, FTL_PRODUCT_STEP = 16 };

/* out[r] = the dot product of row r and a query, in float32 with four or more partial sums. `rows`
   begin at any byte, `columns` is a multiple of FTL_PRODUCT_STEP, `count` of FTL_CODE_ROWS. */
typedef void ftl_products(const uint8_t *rows, size_t stride, size_t count, size_t columns,
                          const float *query, float *out);

typedef struct {
    const char *name;
    ftl_code_dots *dots, *packed_dots;
    ftl_encode *encode;
    ftl_code_scores *scores;
    ftl_exact_dots *exact_dots;
    ftl_products *products[FTL_SCAN_ELEMENTS];
} ftl_scan_kernels;

enum { FTL_MOST_SCAN_KERNELS = 4 };

/* The versions that this CPU can run, best first, and how many they are. */
size_t ftl_runnable_scan_kernels(const ftl_scan_kernels *found[FTL_MOST_SCAN_KERNELS]);

#endif
