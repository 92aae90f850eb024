/* Compare the kernels of every level that this CPU can run with the scalar ones: each length up to
   LONGEST, each alignment of rows, and rows that end where memory ends.

   Row kernels must return the same bits, as must sums, codes and scores of the scan kernels; other
   results of scan kernels, whose rounding depends on the level, must be as close to the exact value
   as kernels.h promises. Memory around an output must not change.

       sweep STEP SKIP

   STEP is the distance between two alignments of one length; all lengths together cover every
   alignment. From LONG on, only each SKIPth length is tried.

   Prints the names of the levels, best first. tests/unit/test_kernels.py compiles it for this
   machine, and for those that QEMU emulates. */

#include "kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    LONGEST = 1030,
    LONG = 400,
    LINE = 64,
    ROWS = 5,
    SCAN_ROWS = 2 * FTL_SCAN_ROWS,
    QUERIES = 5, /* one more than a tile of any level */
    WIDEST = LONGEST / FTL_CODE_STEP * FTL_CODE_STEP + FTL_CODE_STEP,
    GUARD = 16,    /* numbers around an output that must stay the same */
    PAGE = 1 << 16 /* at least the page size of any system */
};

static const size_t sizes[FTL_ELEMENTS] = {4, 2, 1};
static const char *const types[FTL_ELEMENTS] = {"float32", "float16", "int8"};

static uint32_t state = 1;

static uint32_t next(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static float next_number(void)
{
    return (float)((int32_t)next() - (1 << 23)) * 1e-7f;
}

/* Memory whose last page may not be touched. */
static uint8_t *memory;
static const size_t most = ((SCAN_ROWS + 1) * LONGEST * 4 + LINE + PAGE) / PAGE * PAGE;

/* Places for rows: first the end of the memory, then the alignments of a length. */
typedef struct {
    size_t step, next;
} places;

static uint8_t *next_place(places *all, size_t dim, size_t bytes)
{
    uint8_t *found;
    if (!all->next) {
        all->next = dim % all->step + 1;
        return memory + most - bytes;
    }
    if (all->next > LINE)
        return NULL;
    found = memory + all->next - 1;
    all->next += all->step;
    return found;
}

/* Fill rows with any bits except NaN, whose payload may differ. */
static void fill(uint8_t *rows, size_t bytes, int type)
{
    for (size_t i = 0; i < bytes; i++)
        rows[i] = (uint8_t)next();
    for (size_t i = 0; type == FTL_F32 && i + 4 <= bytes; i += 4) {
        float number = (float)((int32_t)next() - (1 << 23)) * (next() % 8 ? 1e-6f : 1e30f);
        memcpy(rows + i, &number, sizeof number);
    }
    for (size_t i = 1; type == FTL_F16 && i < bytes; i += 2)
        if ((rows[i] & 0x7C) == 0x7C)
            rows[i] ^= 0x40;
}

static _Noreturn void fail(const ftl_level *level, const char *kernel, const char *type, size_t dim,
                           const uint8_t *row)
{
    printf("%s of %s differs: %s, dim %zu, row at %zu\n", kernel, level->name, type, dim,
           (size_t)(row - memory) % LINE);
    exit(1);
}

/* Two outputs at unaligned places, with equal contents before. */
static float out[2][LONGEST + 2 * GUARD + LINE];

static float *prepare(int which, size_t at)
{
    static float before[sizeof out[0] / sizeof out[0][0]];
    for (size_t i = 0; !before[0] && i < sizeof before / sizeof before[0]; i++)
        before[i] = 0.1f * (float)i - 30;
    memcpy(out[which], before, sizeof before);
    return out[which] + GUARD + at % 16;
}

#define SAME(kernel, type, call)                                                                  \
    for (int which = 0; which < 2; which++) {                                                     \
        const ftl_level *level = which ? scalar : tested;                                         \
        float *sums = prepare(which, (size_t)row);                                                \
        call;                                                                                     \
    }                                                                                             \
    if (memcmp(out[0], out[1], sizeof out[0]))                                                    \
        fail(tested, kernel, type, dim, row);

static float vector[LONGEST];

static void compare_rows(const ftl_level *tested, const ftl_level *scalar, int type,
                         const uint8_t *base, size_t dim)
{
    static const int64_t ids[ROWS + 3] = {4, 0, 2, 2, 1, 3, 0, 1};
    static const float scales[ROWS] = {0.5f, -1.25f, 3e-5f, 1, 0.1f};
    const uint8_t *row = base + 4 * dim * sizes[type];
    SAME("sum of rows", types[type],
         level->rows->add_rows[type](base, scales, dim, ids, ROWS, 3, sums))
    SAME("copy", types[type], level->rows->copy_row[type](row, -0.3f, dim, sums))
    SAME("dot product", types[type], *sums = level->rows->dot[type](row, dim, vector))
}

/* Compare the products of a panel with more vectors than any level has registers for. */
static void compare_panels(const ftl_level *tested, const ftl_level *scalar, size_t dim)
{
    enum { MOST = 19, STRIDE = FTL_PANEL + 3 };
    static float panel[LONGEST * FTL_PANEL], vectors[LONGEST * MOST];
    static float products[2][MOST * STRIDE + FTL_PANEL];
    const uint8_t *row = memory;
    for (size_t i = 0; i < dim * FTL_PANEL; i++)
        panel[i] = next_number();
    for (size_t i = 0; i < dim * MOST; i++)
        vectors[i] = next_number();
    for (size_t count = 1; count <= MOST; count += 1 + dim % 3) {
        memset(products, 1, sizeof products);
        for (int which = 0; which < 2; which++)
            (which ? scalar : tested)->rows->panel_dots(panel, dim, vectors, count,
                                                        products[which], STRIDE);
        if (memcmp(products[0], products[1], sizeof products[0]))
            fail(tested, "product of a panel", "float32", dim, row);
        for (size_t r = 0; r < FTL_PANEL; r++) {
            float sum = 0;
            for (size_t j = 0; j < dim; j++)
                sum += panel[j * FTL_PANEL + r] * vectors[(count - 1) * dim + j];
            if (sum != products[0][(count - 1) * STRIDE + r])
                fail(tested, "product of a panel", "float32", dim, row);
        }
    }
}

/* Compare exponentials with those of the C library, which are rounded from double precision. */
static void compare_exponentials(const ftl_level *tested, size_t count)
{
    static float numbers[LONGEST + 2 * GUARD], wanted[LONGEST + 2 * GUARD];
    static const float scales[] = {1e-3f, 1, 15, 120, INFINITY};
    for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
        float most = -INFINITY, total = 0;
        for (size_t i = 0; i < count + 2 * GUARD; i++) {
            numbers[i] = wanted[i] = i % 7 == 3 && k == 4 ? -INFINITY
                                     : next_number() * (k == 4 ? 1 : scales[k]);
            if (i >= GUARD && i < count + GUARD && numbers[i] > most)
                most = numbers[i];
        }
        if (k == 4 && count % 3 == 0)
            most = numbers[GUARD] = wanted[GUARD] = INFINITY; /* exp(infinity - infinity) is NaN */
        for (size_t i = GUARD; i < count + GUARD; i++) {
            wanted[i] = (float)exp((double)(wanted[i] - most));
            total += wanted[i];
        }
        const float found = tested->rows->exponentials(numbers + GUARD, count, most);
        for (size_t i = 0; i < count + 2 * GUARD; i++)
            if (isnan(wanted[i]) ? !isnan(numbers[i]) : numbers[i] != wanted[i])
                fail(tested, "exponential", "float32", count, memory);
        if (isnan(total) ? !isnan(found) : found != total)
            fail(tested, "sum of exponentials", "float32", count, memory);
    }
}

/* Compare products of rows of codes as a file holds them: without gaps, and with the last row read
   up to a multiple of FTL_CODE_STEP. */
static void compare_dots(const ftl_level *tested, const ftl_level *scalar, int packed,
                         const uint8_t *row, size_t dim, size_t width)
{
    static int8_t queries[QUERIES * 2 * WIDEST];
    static int32_t found[2][QUERIES * SCAN_ROWS + 1];
    const size_t size = packed ? 2 * width : width;
    for (size_t i = 0; i < QUERIES * size; i++)
        queries[i] = i % width < dim ? (int8_t)(next() % 255 - 127) : 0;
    memset(found, 1, sizeof found);
    for (int which = 0; which < 2; which++) {
        const ftl_scan_kernels *scan = (which ? scalar : tested)->scan;
        (packed ? scan->packed_dots : scan->dots)(row, dim, SCAN_ROWS, width, queries, QUERIES,
                                                  found[which]);
    }
    if (memcmp(found[0], found[1], sizeof found[0]))
        fail(tested, packed ? "product of packed codes" : "product of codes", "codes", dim, row);
}

/* Check the error of a sum of float32 products with four partial sums or more. */
static void compare_products(const ftl_level *tested, int type, const uint8_t *row, size_t dim,
                             size_t columns)
{
    static float query[LONGEST + FTL_PRODUCT_STEP], wide[LONGEST + FTL_PRODUCT_STEP];
    float found[SCAN_ROWS + 1] = {0};
    memset(query, 0, sizeof query);
    for (size_t j = 0; j < dim; j++)
        query[j] = next_number();
    found[SCAN_ROWS] = 1;
    tested->scan->products[type](row, dim * sizes[type], SCAN_ROWS, columns, query, found);
    for (size_t r = 0; r < SCAN_ROWS; r++) {
        double exact = 0, size = 0;
        ftl_rows_scalar.copy_row[type](row + r * dim * sizes[type], 1, dim, wide);
        for (size_t j = 0; j < dim; j++) {
            exact += (double)wide[j] * query[j];
            size += fabs((double)wide[j] * query[j]);
        }
        if (!(fabs(found[r] - exact) <= size * ((double)dim / 4 + 4) / (1 << 23)))
            fail(tested, "product", types[type], dim, row);
    }
    if (found[SCAN_ROWS] != 1)
        fail(tested, "product", types[type], dim, row);
}

static void compare_encode(const ftl_level *tested, const ftl_level *scalar, size_t dim,
                           const uint8_t *bytes)
{
    static uint8_t codes[2][LONGEST + 2 * GUARD];
    const float *numbers = (const float *)(const void *)bytes;
    const float step = 0.25f / (float)dim;
    float missed[2];
    for (int levels = 16; levels <= 128; levels *= 8) {
        for (int which = 0; which < 2; which++) {
            memset(codes[which], 255, sizeof codes[which]);
            missed[which] = (which ? scalar : tested)->scan->encode(numbers, dim, 0.7f, step,
                                                                    levels, codes[which] + GUARD);
        }
        /* A vector register may cover some columns twice. */
        if (memcmp(codes[0], codes[1], sizeof codes[0]) || isnan(missed[0]) != isnan(missed[1])
            || missed[0] < missed[1] * 0.9999f || missed[0] > missed[1] * 2.0001f)
            fail(tested, "code", "float32", dim, bytes);
    }
}

static void compare_scores(const ftl_level *tested, size_t dim)
{
    static int32_t dots[LONGEST];
    static float scales[LONGEST], errors[LONGEST], found[2][2 * (LONGEST + GUARD)];
    const ftl_code_query query = {12345, 0.01f, 1.001f, 1e-5f};
    const float least = 500;
    float *scores = found[0] + dim % GUARD, *uppers = scores + LONGEST + GUARD;
    size_t reached = 0;
    memset(found, 1, sizeof found);
    for (size_t i = 0; i < dim; i++) {
        dots[i] = (int32_t)next() - (1 << 23);
        scales[i] = next_number();
        errors[i] = next() % 50 ? 100 * fabsf(next_number()) : next() % 2 ? INFINITY : NAN;
    }
    const size_t count = tested->scan->scores(dots, dim, scales, errors, &query, least, scores,
                                              uppers);
    scores += found[1] - found[0];
    uppers += found[1] - found[0];
    for (size_t i = 0; i < dim; i++) {
        scores[i] = (float)(2 * dots[i] - query.offset) * (scales[i] * (0.5f * query.scale));
        uppers[i] = scores[i] + (errors[i] * query.length + query.slack);
        reached += !(uppers[i] < least);
    }
    if (memcmp(found[0], found[1], sizeof found[0]) || count != reached)
        fail(tested, "score", "codes", dim, memory);
}

static const ftl_level *found[FTL_MOST_LEVELS];
static size_t levels;

/* Loop over the levels; the last one is the scalar. */
#define EACH_LEVEL(tested)                                                                        \
    for (const ftl_level **each = found, *tested; each < found + levels && (tested = *each); each++)

static uint8_t numbers[(SCAN_ROWS + 1) * LONGEST * 4];

static void sweep_rows(int type, size_t dim, size_t step)
{
    const size_t bytes = ROWS * dim * sizes[type];
    places all = {step, 0};
    fill(numbers, bytes, type);
    for (uint8_t *at; (at = next_place(&all, dim, bytes));) {
        memcpy(at, numbers, bytes);
        EACH_LEVEL(tested)
            compare_rows(tested, found[levels - 1], type, at, dim);
    }
}

/* Compare all float16 numbers, also infinities; NaN must stay NaN. */
static void sweep_halves(void)
{
    static uint16_t halves[1 << 16];
    static float wide[2][1 << 16];
    const uint8_t *row = (const uint8_t *)halves;
    for (size_t i = 0; i < 1 << 16; i++)
        halves[i] = (uint16_t)i;
    ftl_rows_scalar.copy_row[FTL_F16](row, 1, 1 << 16, wide[1]);
    EACH_LEVEL(tested) {
        tested->rows->copy_row[FTL_F16](row, 1, 1 << 16, wide[0]);
        for (size_t i = 0; i < 1 << 16; i++)
            if (isnan(wide[1][i]) ? !isnan(wide[0][i]) : memcmp(&wide[0][i], &wide[1][i], 4))
                fail(tested, "copy", "float16", i, memory);
    }
}

static void sweep_codes(int packed, size_t dim, size_t step)
{
    const size_t width = (dim + FTL_CODE_STEP - 1) / FTL_CODE_STEP * FTL_CODE_STEP;
    const size_t bytes = (SCAN_ROWS - 1) * dim + width;
    places all = {step, 0};
    fill(numbers, bytes, FTL_I8);
    for (size_t i = 0; !packed && i < bytes; i++)
        numbers[i] &= 127;
    for (uint8_t *at; (at = next_place(&all, dim, bytes));) {
        memcpy(at, numbers, bytes);
        EACH_LEVEL(tested)
            compare_dots(tested, found[levels - 1], packed, at, dim, width);
    }
}

static void sweep_products(int type, size_t dim, size_t step)
{
    const size_t columns = (dim + FTL_PRODUCT_STEP - 1) / FTL_PRODUCT_STEP * FTL_PRODUCT_STEP;
    const size_t bytes = ((SCAN_ROWS - 1) * dim + columns) * sizes[type];
    places all = {step, 0};
    fill(numbers, bytes, type);
    /* Numbers of similar magnitude, since the bound is on their sum. */
    for (size_t i = 0; type == FTL_F32 && i < bytes; i += 4) {
        const float number = next_number();
        memcpy(numbers + i, &number, sizeof number);
    }
    for (uint8_t *at; (at = next_place(&all, dim, bytes));) {
        memcpy(at, numbers, bytes);
        EACH_LEVEL(tested)
            compare_products(tested, type, at, dim, columns);
    }
}

static void sweep_encode(size_t dim, size_t step)
{
    const size_t bytes = dim * sizeof(float);
    places all = {step, 0};
    for (size_t j = 0; j < dim; j++) {
        const float number = next() % 2000 ? next_number() / (float)dim : NAN;
        memcpy(numbers + j * sizeof number, &number, sizeof number);
    }
    for (uint8_t *at; (at = next_place(&all, dim * sizeof(float), bytes));) {
        if ((size_t)at % sizeof(float))
            continue;
        memcpy(at, numbers, bytes);
        EACH_LEVEL(tested)
            compare_encode(tested, found[levels - 1], dim, at);
    }
}

int main(int count, char **arguments)
{
    const size_t step = count > 2 ? (size_t)atoi(arguments[1]) : 1;
    const size_t skip = count > 2 ? (size_t)atoi(arguments[2]) : 1;
    levels = ftl_runnable_levels(found);
    memory = mmap(NULL, most + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + most, PAGE, PROT_NONE)) {
        perror("mmap");
        return 2;
    }
    for (size_t i = 0; i < LONGEST; i++)
        vector[i] = next_number();
    sweep_halves();
    for (size_t dim = 1; dim <= LONGEST; dim += dim < LONG ? 1 : skip) {
        for (int type = 0; type < FTL_ELEMENTS; type++) {
            sweep_rows(type, dim, step);
            sweep_products(type, dim, step);
        }
        for (int packed = 0; packed < 2; packed++)
            sweep_codes(packed, dim, step);
        sweep_encode(dim, step);
        EACH_LEVEL(tested) {
            compare_scores(tested, dim);
            compare_panels(tested, found[levels - 1], dim);
            compare_exponentials(tested, dim);
        }
    }
    for (size_t k = 0; k < levels; k++)
        printf("%s%c", found[k]->name, k + 1 < levels ? ' ' : '\n');
    return 0;
}
