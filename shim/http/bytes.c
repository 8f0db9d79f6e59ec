#include "bytes.h"

#include "wide.h"

/* clang-format off */
const struct byte_set token_characters = {{
    0xa8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf0, 0x50, 0x50, 0x54, 0x50, 0x70}};
const struct byte_set name_characters = {{
    0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70}};
const struct byte_set host_characters = {{
    0xa8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf0, 0x50, 0x50, 0x54, 0x54, 0x70}};
const struct byte_set space_and_controls = {{
    0x07, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x83}};
const struct byte_set line_controls = {{
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00}};
/* clang-format on */

/* One by one. */
static inline size_t run_narrow(const struct byte_set *set, struct span s, size_t at, bool in)
{
    while (at < s.len && byte_is_in(set, s.at[at]) == in)
        at++;
    return at;
}

/* Whether the parameter at `at` begins so that it may be named `jwt`: "jw", "j%" or "%". */
static inline bool begins_jwt(struct span s, size_t at)
{
    char next = at + 1 < s.len ? s.at[at + 1] : '\0';
    return s.at[at] == '%' || (s.at[at] == 'j' && (next == 'w' || next == '%'));
}

static size_t jwt_name_narrow(struct span s, size_t from)
{
    while (from < s.len && !begins_jwt(s, from)) {
        const char *amp = memchr(s.at + from, '&', s.len - from);
        if (!amp)
            return s.len;
        from = (size_t)(amp - s.at) + 1;
    }
    return from;
}

#ifdef WIDE
/* `flip` is 0 for a run in the set, and all ones for one outside of it. What is left at the end is looked at together with
 * bytes before it, which are known to go on. */
WIDE size_t run_wide(const struct byte_set *set, struct span s, unsigned flip)
{
    const wide rows = wide_rows(set);
    size_t at = 0;
    unsigned ends;
    if (s.len < WIDE_BYTES / 2)
        return run_narrow(set, s, 0, flip == 0);
    if (s.len < WIDE_BYTES) {
        ends = wide_not_in(wide_load_halves(s.at, s.at + s.len - WIDE_BYTES / 2), rows) ^ flip;
        at = ends ? wide_lowest(ends) : s.len;
        return at < WIDE_BYTES / 2 || !ends ? at : at - WIDE_BYTES + s.len;
    }
    for (; s.len - at >= WIDE_BYTES; at += WIDE_BYTES) {
        ends = wide_not_in(wide_load(s.at + at), rows) ^ flip;
        if (ends)
            return at + wide_lowest(ends);
    }
    at = s.len - WIDE_BYTES;
    ends = wide_not_in(wide_load(s.at + at), rows) ^ flip;
    return ends ? at + wide_lowest(ends) : s.len;
}

static WIDE_FUNCTION size_t in_wide(const struct byte_set *set, struct span s)
{
    return run_wide(set, s, 0);
}

static WIDE_FUNCTION size_t before_wide(const struct byte_set *set, struct span s)
{
    return run_wide(set, s, ~0u);
}

static WIDE_FUNCTION size_t jwt_name_wide(struct span s, size_t from)
{
    if (s.len < WIDE_BYTES + 2 || (from < s.len && begins_jwt(s, from)))
        return jwt_name_narrow(s, from);
    while (from + 2 < s.len) {
        /* The last bytes are looked at with those before them; what was looked at already does not count. */
        size_t at = s.len - from >= WIDE_BYTES + 2 ? from : s.len - WIDE_BYTES - 2;
        unsigned amps = wide_bits(wide_equal(wide_load(s.at + at), '&'));
        unsigned found = amps & wide_jwt_begins(s.at + at + 1) & ~0u << (from - at);
        if (found)
            return at + wide_lowest(found) + 1;
        from = at + WIDE_BYTES;
    }
    return s.len; /* a parameter of less than two bytes is none that is meant */
}
#endif

size_t bytes_in(const struct byte_set *set, struct span s)
{
#ifdef WIDE
    if (wide_is_there())
        return in_wide(set, s);
#endif
    return run_narrow(set, s, 0, true);
}

size_t bytes_before(const struct byte_set *set, struct span s)
{
#ifdef WIDE
    if (wide_is_there())
        return before_wide(set, s);
#endif
    return run_narrow(set, s, 0, false);
}

size_t bytes_jwt_name(struct span s, size_t from)
{
#ifdef WIDE
    if (wide_is_there())
        return jwt_name_wide(s, from);
#endif
    return jwt_name_narrow(s, from);
}
