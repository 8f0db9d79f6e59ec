#include "json_scan.h"

#include "utf8.h"

static bool wrong(struct json_scan *scan, const char *why)
{
    if (!scan->why)
        scan->why = why;
    return false;
}

char scan_next(struct json_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r' || *scan->at == '\n'))
        scan->at++;
    return scan->at < scan->end ? *scan->at : '\0';
}

bool scan_take(struct json_scan *scan, char c)
{
    if (scan_next(scan) != c)
        return false;
    scan->at++;
    return true;
}

/* The number of `\uXXXX`, with `at` on the backslash, or -1. */
static long escaped_unit(const char *at, const char *end)
{
    long unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static char *put_utf8(char *to, unsigned long point)
{
    if (point < 0x80) {
        *to++ = (char)point;
    } else if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
        *to++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    } else {
        *to++ = (char)(0xf0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 0x3f));
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    }
    return to;
}

/* One escape, with `scan` on its backslash. Returns where the next byte goes, or NULL. */
static char *take_escape(struct json_scan *scan, char *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char letter = scan->end - scan->at > 1 ? scan->at[1] : '\0';
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known) {
        scan->at += 2;
        *to = meanings[known - letters];
        return to + 1;
    }
    long point = escaped_unit(scan->at, scan->end);
    if (point < 0)
        return NULL;
    scan->at += 6;
    if (point >= 0xdc00 && point <= 0xdfff)
        return NULL;
    if (point >= 0xd800 && point <= 0xdbff) {
        long low = escaped_unit(scan->at, scan->end);
        if (low < 0xdc00 || low > 0xdfff)
            return NULL;
        scan->at += 6;
        point = 0x10000 + ((point - 0xd800) << 10 | (low - 0xdc00));
    }
    return put_utf8(to, (unsigned long)point);
}

/* How many bytes from `at` on stand for themselves: neither a quote, a backslash, a control nor beyond ASCII. Eight at a time,
 * since most of a log is made of them. */
static size_t plain_len(const char *at, size_t len)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    size_t i = 0;
    for (; len - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        const uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
        if (((word - ones * ' ') | (quote - ones) | (backslash - ones) | word) & tops)
            break; /* maybe only a borrow from a neighbour: the loop below decides */
    }
    while (i < len && (unsigned char)at[i] >= ' ' && (unsigned char)at[i] < 0x80 && at[i] != '"' && at[i] != '\\')
        i++;
    return i;
}

bool scan_string(struct json_scan *scan, struct span *out)
{
    if (!scan_take(scan, '"'))
        return wrong(scan, "expected a string");
    char *const begin = scan->at;
    char *to = begin;
    while (true) {
        size_t len = plain_len(scan->at, (size_t)(scan->end - scan->at));
        if (to != scan->at)
            memmove(to, scan->at, len);
        to += len;
        scan->at += len;
        if (scan->at == scan->end)
            break;
        if (*scan->at == '"') {
            scan->at++;
            *out = span_of(begin, (size_t)(to - begin));
            return true;
        }
        if (*scan->at == '\\') {
            if (!(to = take_escape(scan, to)))
                return wrong(scan, "a string has an escape that JSON does not know");
            continue;
        }
        if ((unsigned char)*scan->at < ' ')
            return wrong(scan, "a string has a control character");
        if ((len = utf8_len(scan->at, (size_t)(scan->end - scan->at))) == 0)
            return wrong(scan, "a string is not UTF-8");
        memmove(to, scan->at, len);
        to += len;
        scan->at += len;
    }
    return wrong(scan, "a string has no end");
}

static bool skip_digits(struct json_scan *scan)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && is_digit(*scan->at))
        scan->at++;
    return scan->at > begin;
}

static bool skip_number(struct json_scan *scan)
{
    if (*scan->at == '-')
        scan->at++;
    const bool zero = scan->at < scan->end && *scan->at == '0';
    const char *begin = scan->at;
    if (!skip_digits(scan) || (zero && scan->at - begin > 1))
        return wrong(scan, "a number is malformed");
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!skip_digits(scan))
            return wrong(scan, "a number is malformed");
    }
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        if (!skip_digits(scan))
            return wrong(scan, "a number is malformed");
    }
    return true;
}

static bool skip_word(struct json_scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= len && memcmp(scan->at, words[i], len) == 0) {
            scan->at += len;
            return true;
        }
    }
    return wrong(scan, "expected a value");
}

static bool skip_scalar(struct json_scan *scan, char first)
{
    struct span ignored;
    if (first == '"')
        return scan_string(scan, &ignored);
    if (first == '-' || is_digit(first))
        return skip_number(scan);
    return skip_word(scan);
}

/* Behind '{' or '[' or a comma: a member's name and colon. */
static bool skip_name(struct json_scan *scan)
{
    struct span ignored;
    return scan_string(scan, &ignored) && (scan_take(scan, ':') || wrong(scan, "expected a colon"));
}

/* A loop and not a recursion: what is nested is the log's choice. `closing` holds what each open bracket is closed by. */
bool scan_skip(struct json_scan *scan)
{
    char closing[JSON_DEPTH_MAX];
    size_t depth = 0;
    do {
        char first = scan_next(scan);
        if (first == '{' || first == '[') {
            if (depth == JSON_DEPTH_MAX)
                return wrong(scan, "nested too deeply");
            closing[depth++] = first == '{' ? '}' : ']';
            scan->at++;
            if (scan_next(scan) != closing[depth - 1]) {
                if (first == '{' && !skip_name(scan))
                    return false;
                continue;
            }
        } else if (!skip_scalar(scan, first)) {
            return false;
        }
        while (depth && scan_take(scan, closing[depth - 1]))
            depth--;
        if (depth == 0)
            return true;
        if (!scan_take(scan, ','))
            return wrong(scan, "expected a comma or the end of a list");
        if (closing[depth - 1] == '}' && !skip_name(scan))
            return false;
    } while (true);
}
