/* The features of this CPU by which kernels are chosen. */

#ifndef FASTTEXT_LITE_CPU_FEATURES_H
#define FASTTEXT_LITE_CPU_FEATURES_H

#include <stdint.h>

enum {
    FTL_SSE2,
    FTL_AVX,
    FTL_F16C,
    FTL_FMA,
    FTL_AVX2,
    FTL_AVX512F,
    FTL_AVX512BW,
    FTL_AVX512VL,
    FTL_AVX512_VNNI,
    FTL_AVX_VNNI,
    FTL_NEON,
    FTL_FEATURES
};

/* Names of the features, in the spelling of Linux. */
extern const char *const ftl_feature_names[FTL_FEATURES];

/* Return a set of bits: bit i is set if the CPU has feature i and the operating system saves the
   registers that it uses. */
uint32_t ftl_features(void);

#endif
