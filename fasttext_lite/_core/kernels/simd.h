/* Compiler support for kernels of several instruction sets. */

#ifndef FASTTEXT_LITE_SIMD_H
#define FASTTEXT_LITE_SIMD_H

#if defined(__x86_64__) || defined(_M_X64)
#define FTL_X86
#elif defined(__aarch64__) || defined(_M_ARM64)
#define FTL_ARM64
#endif

/* MSVC compiles all intrinsics in every function, and has no float16x4_t. */
#if defined(_MSC_VER) && !defined(__clang__)
#define FTL_TARGET(features)
#define FTL_NO_FLOAT16
#define INLINE static __forceinline
#else
#define FTL_TARGET(features) __attribute__((target(features)))
#define INLINE static inline __attribute__((always_inline))
#endif

#endif
