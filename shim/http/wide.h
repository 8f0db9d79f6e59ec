/* 32 bytes at a time, where the processor has AVX2: the few operations that looking through bytes is made of. WIDE is defined
 * where there are such processors at all; code behind it runs only where wide_is_there() says so. */
#ifndef JWTSHIM_HTTP_WIDE_H
#define JWTSHIM_HTTP_WIDE_H

#if defined(__x86_64__)

#include "bytes.h"

#include <immintrin.h>
#include <stdatomic.h>

/* A function that the next two kinds are called from, and what is inlined into it. */
#define WIDE_FUNCTION __attribute__((target("avx2,bmi")))
#define WIDE static inline __attribute__((target("avx2,bmi"), always_inline))

enum { WIDE_BYTES = 32 };
typedef __m256i wide;

/* 0: not asked yet; 1: there; -1: not. Tests set it, to see both kinds of processors. */
extern _Atomic(signed char) wide_answer;
bool wide_ask(void);

/* Whether this processor and system have it. Asked once, of the processor itself, by the first who wants to know. */
static inline bool wide_is_there(void)
{
    signed char answer = atomic_load_explicit(&wide_answer, memory_order_relaxed);
    return __builtin_expect(answer != 0, 1) ? answer > 0 : wide_ask();
}

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

/* A bit for each byte that has its top bit set. */
WIDE unsigned wide_bits(wide bytes)
{
    return (unsigned)_mm256_movemask_epi8(bytes);
}

/* A bit for each of 32 bytes at `at` where a name begins that may be `jwt`, plain or encoded: "jw", "j%", "%". Reads one more. */
WIDE unsigned wide_jwt_begins(const char *at)
{
    wide first = wide_load(at);
    wide second = wide_load(at + 1);
    wide plain =
        _mm256_and_si256(wide_equal(first, 'j'), _mm256_or_si256(wide_equal(second, 'w'), wide_equal(second, '%')));
    return wide_bits(_mm256_or_si256(wide_equal(first, '%'), plain));
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

#endif
#endif
