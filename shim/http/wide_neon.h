/* wide.h for arm64, whose processors all have NEON: two registers of 16 bytes. */
#ifndef JWTSHIM_HTTP_WIDE_NEON_H
#define JWTSHIM_HTTP_WIDE_NEON_H

#include "bytes.h"

#include <arm_neon.h>

#define WIDE_FUNCTION
#define WIDE static inline __attribute__((always_inline))

enum { WIDE_BYTES = 32 };
typedef struct {
    uint8x16_t low, high;
} wide;

/* 16 bytes from each of two places. */
WIDE wide wide_load_halves(const char *low, const char *high)
{
    return (wide){vld1q_u8((const uint8_t *)low), vld1q_u8((const uint8_t *)high)};
}

WIDE wide wide_load(const char *at)
{
    return wide_load_halves(at, at + WIDE_BYTES / 2);
}

/* All ones in each byte that is `c`. */
WIDE wide wide_equal(wide bytes, char c)
{
    uint8x16_t all = vdupq_n_u8((uint8_t)c);
    return (wide){vceqq_u8(bytes.low, all), vceqq_u8(bytes.high, all)};
}

/* All ones in each byte, 0 to 255, that is not above `c`. */
WIDE wide wide_up_to(wide bytes, char c)
{
    uint8x16_t all = vdupq_n_u8((uint8_t)c);
    return (wide){vcleq_u8(bytes.low, all), vcleq_u8(bytes.high, all)};
}

WIDE wide wide_or(wide one, wide other)
{
    return (wide){vorrq_u8(one.low, other.low), vorrq_u8(one.high, other.high)};
}

WIDE wide wide_and(wide one, wide other)
{
    return (wide){vandq_u8(one.low, other.low), vandq_u8(one.high, other.high)};
}

/* A bit for each byte of a mask: the first byte's is the lowest. Each byte keeps the bit that its place in eight has, and three
 * sums of neighbours bring eight of them together. */
WIDE unsigned wide_bits(wide mask)
{
    const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    uint8x16_t sums = vpaddq_u8(vandq_u8(mask.low, places), vandq_u8(mask.high, places));
    sums = vpaddq_u8(sums, sums);
    sums = vpaddq_u8(sums, sums);
    return vgetq_lane_u32(vreinterpretq_u32_u8(sums), 0);
}

WIDE wide wide_rows(const struct byte_set *set)
{
    return wide_load_halves((const char *)set->row, (const char *)set->row);
}

/* All ones in each byte that is not in the set of these rows. A byte with its top bit set has no column, and is in none. */
WIDE uint8x16_t half_not_in(uint8x16_t bytes, uint8x16_t rows)
{
    const uint8x16_t columns = vcombine_u8(vcreate_u8(0x8040201008040201), vcreate_u8(0));
    uint8x16_t row = vqtbl1q_u8(rows, vandq_u8(bytes, vdupq_n_u8(0x0f)));
    return vceqzq_u8(vandq_u8(row, vqtbl1q_u8(columns, vshrq_n_u8(bytes, 4))));
}

/* A bit for each such byte. */
WIDE unsigned wide_not_in(wide bytes, wide rows)
{
    return wide_bits((wide){half_not_in(bytes.low, rows.low), half_not_in(bytes.high, rows.high)});
}

/* Whether the bit of `set` is 1 that the low five bits of `c` name. */
WIDE bool wide_names_bit(unsigned set, char c)
{
    return set >> (c & 31) & 1;
}

#endif
