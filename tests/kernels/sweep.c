/* Every version of the kernels that this CPU can run against the scalar one: each length, each
   alignment, bit for bit.

   Rows end where memory ends, or begin at a given byte of a cache line; what stands around an
   output must stay. Compiled by test_kernels.py for this machine and for those that QEMU plays.
   Prints the names of the versions, best first. */

#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    LONGEST = 1030,
    LINE = 64,
    ROWS = 5,
    GUARD = 16, /* numbers around an output */
    PAGE = 1 << 16 /* at least that of any system */
};

static const size_t sizes[FTL_ELEMENTS] = {4, 2, 1};
static const char *const types[FTL_ELEMENTS] = {"float32", "float16", "int8"};

static uint32_t state = 1;

static uint32_t next(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* Any bits but those that are no number: their payload is not part of the promise. */
static void fill(uint8_t *memory, size_t bytes, int type)
{
    for (size_t i = 0; i < bytes; i++)
        memory[i] = (uint8_t)next();
    for (size_t i = 0; type == FTL_F32 && i + 4 <= bytes; i += 4) {
        float number = (float)((int32_t)next() - (1 << 23)) * (next() % 8 ? 1e-6f : 1e30f);
        memcpy(memory + i, &number, sizeof number);
    }
    for (size_t i = 1; type == FTL_F16 && i < bytes; i += 2)
        if ((memory[i] & 0x7C) == 0x7C)
            memory[i] ^= 0x40;
}

static _Noreturn void fail(const char *kernel, const char *name, int type, size_t dim, size_t at)
{
    printf("%s of %s differs: %s, dim %zu, row at %zu\n", name, kernel, types[type], dim, at);
    exit(1);
}

/* Outputs at an odd place, the same before. */
static float out[2][LONGEST + 2 * GUARD + LINE];

static float *prepare(int which, size_t at)
{
    static float before[sizeof out[0] / sizeof out[0][0]];
    for (size_t i = 0; !before[0] && i < sizeof before / sizeof before[0]; i++)
        before[i] = 0.1f * (float)i - 30;
    memcpy(out[which], before, sizeof before);
    return out[which] + GUARD + at % 16;
}

static void compare(const ftl_kernels *tested, const ftl_kernels *scalar, int type,
                    const uint8_t *base, size_t dim, size_t at)
{
    static const int64_t ids[ROWS + 3] = {4, 0, 2, 2, 1, 3, 0, 1};
    static const float scales[ROWS] = {0.5f, -1.25f, 3e-5f, 1, 0.1f};
    static float vector[LONGEST];
    const uint8_t *row = base + 4 * dim * sizes[type];
    float dots[2];
    for (size_t i = 0; !vector[0] && i < LONGEST; i++)
        vector[i] = (float)((int32_t)next() - (1 << 23)) * 1e-7f;

#define SAME(what, call)                                                                          \
    for (int which = 0; which < 2; which++) {                                                     \
        const ftl_kernels *kernels = which ? scalar : tested;                                     \
        float *sums = prepare(which, at);                                                         \
        call;                                                                                     \
    }                                                                                             \
    if (memcmp(out[0], out[1], sizeof out[0]))                                                    \
        fail(tested->name, what, type, dim, at);

    SAME("sum of rows", kernels->add_rows[type](base, scales, dim, ids, ROWS, 3, sums))
    SAME("copy", kernels->copy_row[type](row, -0.3f, dim, sums))
    SAME("dot product", (void)sums; dots[which] = kernels->dot[type](row, dim, vector))
    if (memcmp(&dots[0], &dots[1], sizeof(float)))
        fail(tested->name, "dot product", type, dim, at);
    if (type == FTL_F32) {
        SAME("scaled sum", kernels->add_scaled_f32(vector, dim, 0.7f, sums))
        SAME("scaling", kernels->scale_f32(sums, dim, 1.0f / 3))
    }
}

static uint8_t numbers[ROWS * LONGEST * 4];

int main(int count, char **arguments)
{
    const size_t step = count > 1 ? (size_t)atoi(arguments[1]) : 1;
    const ftl_kernels *found[FTL_MOST_KERNELS];
    const size_t runnable = ftl_runnable_kernels(found);
    const ftl_kernels *scalar = found[runnable - 1];
    const size_t most = (ROWS * LONGEST * 4 + LINE + PAGE) / PAGE * PAGE;
    /* The last page may not be touched. */
    uint8_t *memory = mmap(NULL, most + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                           -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + most, PAGE, PROT_NONE)) {
        perror("mmap");
        return 2;
    }
    for (int type = 0; type < FTL_ELEMENTS; type++) {
        for (size_t dim = 1; dim <= LONGEST; dim++) {
            const size_t bytes = ROWS * dim * sizes[type];
            uint8_t *tail = memory + most - bytes;
            fill(numbers, bytes, type);
            memcpy(tail, numbers, bytes);
            for (size_t k = 0; k + 1 < runnable; k++)
                compare(found[k], scalar, type, tail, dim, (size_t)tail % LINE);
            for (size_t at = dim % step; at < LINE; at += step) {
                memcpy(memory + at, numbers, bytes);
                for (size_t k = 0; k + 1 < runnable; k++)
                    compare(found[k], scalar, type, memory + at, dim, at);
            }
        }
    }
    for (size_t k = 0; k < runnable; k++)
        printf("%s%c", found[k]->name, k + 1 < runnable ? ' ' : '\n');
    return 0;
}
