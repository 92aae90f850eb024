/* Arithmetic for which C has no operator. */

#ifndef FASTTEXT_LITE_ARITHMETIC_H
#define FASTTEXT_LITE_ARITHMETIC_H

#include <stdint.h>

#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

/* The upper half of a product. */
static inline uint64_t ftl_multiply_high(uint64_t a, uint64_t b)
{
#if defined(__SIZEOF_INT128__)
    return (uint64_t)((unsigned __int128)a * b >> 64);
#elif defined(_MSC_VER) && defined(_M_X64)
    return __umulh(a, b);
#else
    const uint64_t low = (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
    const uint64_t middle = (a >> 32) * (b & 0xFFFFFFFF) + (low >> 32);
    const uint64_t other = (a & 0xFFFFFFFF) * (b >> 32) + (middle & 0xFFFFFFFF);
    return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
#endif
}

/* The number of set bits, without the instruction for it, which not every x86-64 CPU has. */
static inline uint32_t ftl_count_bits(uint64_t bits)
{
    bits -= (bits >> 1) & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + ((bits >> 2) & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (uint32_t)(bits * 0x0101010101010101u >> 56);
}

#endif
