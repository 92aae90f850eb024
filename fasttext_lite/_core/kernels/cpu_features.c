#include "cpu_features.h"

#include "simd.h"

#include <stddef.h>

#ifdef FTL_X86
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

const char *const ftl_feature_names[FTL_FEATURES] = {
    "sse2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx_vnni", "neon",
};

#ifdef FTL_X86
/* Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 for CPUID, and volume 1,
   chapter 13 for XCR0. */

enum { EAX, EBX, ECX, EDX };

/* Write the registers for a leaf, or zeros if the CPU does not have it. */
static void cpuid(unsigned leaf, unsigned subleaf, unsigned found[4])
{
#ifdef _MSC_VER
    int numbers[4];
    __cpuid(numbers, 0);
    const int known = (unsigned)numbers[EAX] >= leaf;
    __cpuidex(numbers, (int)leaf, (int)subleaf);
    for (int i = 0; i < 4; i++)
        found[i] = known ? (unsigned)numbers[i] : 0;
#else
    if (!__get_cpuid_count(leaf, subleaf, &found[EAX], &found[EBX], &found[ECX], &found[EDX]))
        found[EAX] = found[EBX] = found[ECX] = found[EDX] = 0;
#endif
}

/* Return the set of registers that the operating system saves when it switches threads. */
static uint32_t saved_registers(void)
{
#ifdef _MSC_VER
    return (uint32_t)_xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

static uint32_t bit(unsigned number, int at, int feature)
{
    return (uint32_t)(number >> at & 1) << feature;
}

uint32_t ftl_features(void)
{
    /* The upper halves of YMM; the masks, the upper halves of ZMM, and ZMM 16 to 31. */
    enum { OSXSAVE = 27, YMM = 0x6, ZMM = 0xE6 };
    uint32_t found = 1u << FTL_SSE2;
    unsigned one[4], seven[4], seven_one[4];
    cpuid(1, 0, one);
    cpuid(7, 0, seven);
    cpuid(7, 1, seven_one);
    const uint32_t saved = one[ECX] >> OSXSAVE & 1 ? saved_registers() : 0;
    if ((saved & YMM) == YMM)
        found |= bit(one[ECX], 28, FTL_AVX) | bit(one[ECX], 29, FTL_F16C) |
                 bit(one[ECX], 12, FTL_FMA) | bit(seven[EBX], 5, FTL_AVX2) |
                 bit(seven_one[EAX], 4, FTL_AVX_VNNI);
    if ((saved & ZMM) == ZMM)
        found |= bit(seven[EBX], 16, FTL_AVX512F) | bit(seven[EBX], 30, FTL_AVX512BW) |
                 bit(seven[EBX], 31, FTL_AVX512VL) | bit(seven[ECX], 11, FTL_AVX512_VNNI);
    return found;
}
#elif defined(FTL_ARM64)
uint32_t ftl_features(void)
{
    return 1u << FTL_NEON;
}
#else
uint32_t ftl_features(void)
{
    return 0;
}
#endif
