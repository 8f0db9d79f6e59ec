/* 32 bytes at a time, where the processor can (AVX2, NEON): the few operations that looking through bytes is made of. WIDE is
 * defined where there are such processors at all; code behind it runs only where wide_is_there() says so. */
#ifndef JWTSHIM_HTTP_WIDE_H
#define JWTSHIM_HTTP_WIDE_H

#if defined(__x86_64__)
#include "wide_avx2.h"
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include "wide_neon.h"
#endif

#ifdef WIDE
#include <stdatomic.h>

/* 0: not asked yet; 1: there; -1: not. Tests set it, to see both kinds of processors. */
extern _Atomic(signed char) wide_answer;
bool wide_ask(void);

/* Whether this processor and system have it. Asked once, of the processor itself, by the first who wants to know. */
static inline bool wide_is_there(void)
{
    signed char answer = atomic_load_explicit(&wide_answer, memory_order_relaxed);
    return __builtin_expect(answer != 0, 1) ? answer > 0 : wide_ask();
}

WIDE wide wide_any_of(wide bytes, char one, char other)
{
    return wide_or(wide_equal(bytes, one), wide_equal(bytes, other));
}

/* A bit for each of 32 bytes at `at` where a name begins that may be `jwt`, plain or encoded: "jw", "j%", "%". Reads one more. */
WIDE unsigned wide_jwt_begins(const char *at)
{
    wide first = wide_load(at);
    wide plain = wide_and(wide_equal(first, 'j'), wide_any_of(wide_load(at + 1), 'w', '%'));
    return wide_bits(wide_or(wide_equal(first, '%'), plain));
}

/* Where the lowest bit of a mask is that is not 0, and the mask without it. */
WIDE unsigned wide_lowest(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask);
}

WIDE uint64_t wide_without_lowest(uint64_t mask)
{
    return mask & (mask - 1);
}
#endif
#endif
