/* MurmurHash3_x64_128 by Austin Appleby, who placed it in the public domain: the hash of floret. */

#ifndef FASTTEXT_LITE_MURMUR_H
#define FASTTEXT_LITE_MURMUR_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t ftl_rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* Up to eight bytes as a little-endian number. */
static inline uint64_t ftl_little_endian(const uint8_t *text, size_t length)
{
    uint64_t number = 0;
    size_t i;
    for (i = 0; i < length; i++)
        number |= (uint64_t)text[i] << (8 * i);
    return number;
}

static inline uint64_t ftl_mix_first(uint64_t k)
{
    return ftl_rotate(k * 0x87c37b91114253d5u, 31) * 0x4cf5ad432745937fu;
}

static inline uint64_t ftl_mix_second(uint64_t k)
{
    return ftl_rotate(k * 0x4cf5ad432745937fu, 33) * 0x87c37b91114253d5u;
}

static inline uint64_t ftl_mix_last(uint64_t k)
{
    k = (k ^ (k >> 33)) * 0xff51afd7ed558ccdu;
    k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53u;
    return k ^ (k >> 33);
}

/* Write the 128 bits of the hash as four numbers, the lowest bits first. */
static inline void ftl_murmur(const uint8_t *text, size_t length, uint32_t seed, uint32_t *hashes)
{
    uint64_t first = seed, second = seed;
    size_t at, rest;
    for (at = 0; at + 16 <= length; at += 16) {
        first ^= ftl_mix_first(ftl_little_endian(text + at, 8));
        first = (ftl_rotate(first, 27) + second) * 5 + 0x52dce729;
        second ^= ftl_mix_second(ftl_little_endian(text + at + 8, 8));
        second = (ftl_rotate(second, 31) + first) * 5 + 0x38495ab5;
    }
    rest = length - at;
    if (rest > 8)
        second ^= ftl_mix_second(ftl_little_endian(text + at + 8, rest - 8));
    first ^= ftl_mix_first(ftl_little_endian(text + at, rest < 8 ? rest : 8));
    first ^= length;
    second ^= length;
    first += second;
    second += first;
    first = ftl_mix_last(first);
    second = ftl_mix_last(second);
    first += second;
    second += first;
    hashes[0] = (uint32_t)first;
    hashes[1] = (uint32_t)(first >> 32);
    hashes[2] = (uint32_t)second;
    hashes[3] = (uint32_t)(second >> 32);
}

#endif
