/* What kernels for several kinds of CPU need of a compiler. */

#ifndef FASTTEXT_LITE_SIMD_H
#define FASTTEXT_LITE_SIMD_H

#if defined(__x86_64__) || defined(_M_X64)
#define FTL_X86
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define FTL_NEON
#include <arm_neon.h>
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define TARGET(features)
#define INLINE static __forceinline
#else
#define TARGET(features) __attribute__((target(features)))
#define INLINE static inline __attribute__((always_inline))
#endif

#endif
