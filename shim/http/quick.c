#include "quick.h"

#include "wide.h"

#ifdef WIDE
enum { WIDTH = 2 * WIDE_BYTES };

/* A bit for each of 32 bytes that ends a request target: a space, a control character, DEL. */
WIDE unsigned target_ends(wide bytes)
{
    return wide_bits(wide_or(wide_up_to(bytes, ' '), wide_equal(bytes, 0x7f)));
}

/* And one for each '?' or '&' behind which a name begins that may be `jwt`. */
WIDE unsigned jwt_marks(const char *at, wide bytes)
{
    return wide_bits(wide_any_of(bytes, '&', '?')) & wide_jwt_begins(at + 1);
}

/* The end of a target at `at` that has no such name; NULL if it has one, or does not end well before `end`. */
WIDE const char *plain_target_end(const char *at, const char *end)
{
    for (; end - at >= WIDE_BYTES + 2; at += WIDE_BYTES) {
        wide bytes = wide_load(at);
        unsigned ends = target_ends(bytes);
        unsigned marks = jwt_marks(at, bytes);
        if (ends)
            return marks & (ends ^ (ends - 1)) ? NULL : at + wide_lowest(ends);
        if (marks)
            return NULL;
    }
    return NULL;
}

WIDE uint64_t newlines(const char *at)
{
    return wide_bits(wide_equal(wide_load(at), '\n')) | (uint64_t)wide_bits(wide_equal(wide_load(at + WIDE_BYTES), '\n'))
                                                            << 32;
}

/* The first characters of lines that may matter, by their low five bits, where a letter's two cases fall together. */
#define FIRST(c) (1u << ((c)&31))
WIDE bool may_matter(char first)
{
    const unsigned firsts = FIRST('C') | FIRST('T') | FIRST('R') | FIRST('U') | FIRST('\r') | FIRST('\n');
    return wide_names_bit(firsts, first);
}

WIDE bool begins_with(const char *line, const char *four)
{
    uint32_t word;
    uint32_t want;
    memcpy(&word, line, sizeof word);
    memcpy(&want, four, sizeof want);
    return (word | 0x20202020) == want;
}

/* Whether the line is the empty one, or its name begins as that of a field that matters (or is too near the end to tell). */
WIDE bool matters(const char *line, const char *end)
{
    return *line == '\r' || *line == '\n' || end - line < 4 || begins_with(line, "cont") || begins_with(line, "tran") ||
           begins_with(line, "refe") || begins_with(line, "upgr");
}

/* From a line's end on: whether all lines but the last are of fields that do not matter, and that is the empty one. */
WIDE bool lines_stay(const char *at, const char *end)
{
    const char *const last = end - WIDTH;
    if (memcmp(end - 4, "\r\n\r\n", 4) != 0)
        return false;
    for (; at < last; at += WIDTH)
        for (uint64_t ends = newlines(at); ends; ends = wide_without_lowest(ends)) {
            const char *line = at + 1 + wide_lowest(ends);
            if (may_matter(*line) && matters(line, end) && line != end - 2)
                return false;
        }
    /* The last bytes, with some before them that were looked at already: the empty line's two newlines are the last. */
    const uint64_t empty_line = (uint64_t)5 << 61;
    for (uint64_t ends = newlines(last) & ~empty_line & ~(uint64_t)0 << (at - last); ends;
         ends = wide_without_lowest(ends)) {
        const char *line = last + 1 + wide_lowest(ends);
        if (may_matter(*line) && matters(line, end))
            return false;
    }
    return true;
}

static WIDE_FUNCTION bool stays(struct span in)
{
    static const char version[] = " HTTP/1.1\r\n";
    const char *end = in.at + in.len;
    const char *target_end = plain_target_end(in.at + 4, end);
    if (!target_end || end - target_end < (ptrdiff_t)sizeof version + 4 ||
        memcmp(target_end, version, sizeof version - 1) != 0)
        return false;
    return lines_stay(target_end + sizeof version - 2, end);
}

bool quick_head_stays(struct span in)
{
    /* Long enough for a block at its end. */
    return in.len >= 128 && memcmp(in.at, "GET /", 5) == 0 && wide_is_there() && stays(in);
}
#else
bool quick_head_stays(struct span in)
{
    (void)in;
    return false;
}
#endif
