/* Loops over the numbers of rows, in versions for several kinds of CPU.

   Rows begin at any byte of a file. Each dimension is summed on its own in the order of the rows,
   so that every version gives the same bits. */

#ifndef FASTTEXT_LITE_KERNELS_H
#define FASTTEXT_LITE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers of a row are. */
enum { FTL_F32, FTL_F16, FTL_I8, FTL_ELEMENTS };

/* Add `count` rows of `dim` numbers each to `out`. Row i begins at base + ids[i] * dim * size of a
   number; int8 rows are multiplied by scales[ids[i]], which the others do not have. `ids` goes on
   for `ahead` more, whose rows will be asked for next and may be fetched. */
typedef void ftl_add_rows(const uint8_t *base, const float *scales, size_t dim,
                          const int64_t *ids, size_t count, size_t ahead, float *out);

/* Write a row as float32 to `out`; the numbers of an int8 row are multiplied by `scale`. */
typedef void ftl_copy_row(const uint8_t *row, float scale, size_t dim, float *out);

typedef float ftl_dot(const uint8_t *row, size_t dim, const float *vector);

typedef struct {
    const char *name;
    ftl_add_rows *add_rows[FTL_ELEMENTS];
    ftl_copy_row *copy_row[FTL_ELEMENTS];

    /* out[j] += scale * row[j] */
    void (*add_scaled_f32)(const float *row, size_t dim, float scale, float *out);

    /* out[j] *= scale */
    void (*scale_f32)(float *out, size_t dim, float scale);

    /* The dot product of a row, without its scale, with a vector. */
    ftl_dot *dot[FTL_ELEMENTS];
} ftl_kernels;

enum { FTL_MOST_KERNELS = 4 };

/* The versions that this CPU can run, best first, and how many they are. */
size_t ftl_runnable_kernels(const ftl_kernels *found[FTL_MOST_KERNELS]);

#if defined(__GNUC__) || defined(__clang__)
#define FTL_PREFETCH(address) __builtin_prefetch((address), 0, 3)
#elif defined(_M_X64)
#include <xmmintrin.h>
#define FTL_PREFETCH(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
#else
#define FTL_PREFETCH(address) ((void)(address))
#endif

/* Begin to read the cache line at this address. */
static inline void ftl_prefetch(const void *address)
{
    FTL_PREFETCH(address);
}

#endif
