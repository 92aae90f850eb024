/* The table of levels. */

#include "cpu_features.h"
#include "kernels.h"
#include "simd.h"

enum {
    AVX2 = 1 << FTL_AVX2 | 1 << FTL_F16C | 1 << FTL_FMA,
    AVX512 = AVX2 | 1 << FTL_AVX512F,
    AVX512VNNI = AVX512 | 1 << FTL_AVX512BW | 1 << FTL_AVX512VL | 1 << FTL_AVX512_VNNI
};

/* Best first, each with the features that it requires. A level whose instruction set does not
   speed up scans has the scan kernels of the level below. */
static const ftl_level levels[] = {
#ifdef FTL_X86
    {"avx512vnni", AVX512VNNI, &ftl_rows_avx512, &ftl_scan_avx512vnni},
    {"avx512", AVX512, &ftl_rows_avx512, &ftl_scan_avx2},
    {"avx2", AVX2, &ftl_rows_avx2, &ftl_scan_avx2},
    {"sse2", 1 << FTL_SSE2, &ftl_rows_sse2, &ftl_scan_sse2},
#endif
#ifdef FTL_ARM64
    {"neon", 1 << FTL_NEON, &ftl_rows_neon, &ftl_scan_neon},
#endif
    {"scalar", 0, &ftl_rows_scalar, &ftl_scan_scalar},
};

size_t ftl_runnable_levels(const ftl_level *found[FTL_MOST_LEVELS])
{
    const uint32_t features = ftl_features();
    size_t count = 0;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if ((features & levels[i].features) == levels[i].features)
            found[count++] = &levels[i];
    return count;
}
