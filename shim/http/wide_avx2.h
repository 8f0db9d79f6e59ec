/* wide.h for processors with AVX2. */
#ifndef JWTSHIM_HTTP_WIDE_AVX2_H
#define JWTSHIM_HTTP_WIDE_AVX2_H

#include "bytes.h"

#include <immintrin.h>

/* A function that the next kind is called from, and what is inlined into it. */
#define WIDE_FUNCTION __attribute__((target("avx2,bmi")))
#define WIDE static inline __attribute__((target("avx2,bmi"), always_inline))

enum { WIDE_BYTES = 32 };
typedef __m256i wide;

WIDE wide wide_load(const char *at)
{
    return _mm256_loadu_si256((const wide *)at);
}

/* 16 bytes from each of two places. */
WIDE wide wide_load_halves(const char *low, const char *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

/* All ones in each byte that is `c`. */
WIDE wide wide_equal(wide bytes, char c)
{
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
}

/* All ones in each byte, 0 to 255, that is not above `c`. */
WIDE wide wide_up_to(wide bytes, char c)
{
    return _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(c)), bytes);
}

WIDE wide wide_or(wide one, wide other)
{
    return _mm256_or_si256(one, other);
}

WIDE wide wide_and(wide one, wide other)
{
    return _mm256_and_si256(one, other);
}

/* A bit for each byte of a mask: the first byte's is the lowest. */
WIDE unsigned wide_bits(wide mask)
{
    return (unsigned)_mm256_movemask_epi8(mask);
}

WIDE wide wide_rows(const struct byte_set *set)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->row));
}

/* A bit for each byte that is not in the set of these rows. A shuffle takes a byte with its top bit set for 0, as it should. */
WIDE unsigned wide_not_in(wide bytes, wide rows)
{
    const wide columns = _mm256_broadcastsi128_si256(_mm_set_epi8(0, 0, 0, 0, 0, 0, 0, 0, -128, 64, 32, 16, 8, 4, 2, 1));
    wide high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
    wide found = _mm256_and_si256(_mm256_shuffle_epi8(rows, bytes), _mm256_shuffle_epi8(columns, high));
    return wide_bits(_mm256_cmpeq_epi8(found, _mm256_setzero_si256()));
}

/* Whether the bit of `set` is 1 that the low five bits of `c` name: the only ones that BT looks at. */
WIDE bool wide_names_bit(unsigned set, char c)
{
    bool is;
    __asm__("btl %2, %1" : "=@ccc"(is) : "r"(set), "r"((unsigned)(unsigned char)c));
    return is;
}

#endif
