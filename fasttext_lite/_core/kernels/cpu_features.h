/* What this CPU has, of what kernels are chosen by. */

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

/* Their names, as Linux spells them. */
extern const char *const ftl_feature_names[FTL_FEATURES];

/* Bit i: whether the CPU has feature i, and the system saves the registers that it takes. */
uint32_t ftl_features(void);

#endif
