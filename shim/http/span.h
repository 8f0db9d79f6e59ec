/* A run of bytes in somebody else's buffer, and the few questions every parser here asks of one.
 * Never owns, never allocates, never expects a NUL. */
#ifndef JWTSHIM_HTTP_SPAN_H
#define JWTSHIM_HTTP_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *at; /* NULL: there is none, which is not the same as an empty one */
    size_t len;
};

/* Up to 64 KiB of a head are looked at; a longer one leaves as it was written. */
enum { HEAD_MAX = 64 * 1024 };

static inline struct span span_of(const char *at, size_t len)
{
    return (struct span){at, len};
}

static inline struct span span_from(struct span s, size_t offset)
{
    return (struct span){s.at + offset, s.len - offset};
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
static inline int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Equal but for the case of ASCII letters; `lower` is a lower-case literal's bytes. */
static inline bool span_is(struct span s, const char *lower, size_t len)
{
    if (s.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (ascii_lower(s.at[i]) != lower[i])
            return false;
    return true;
}
#define SPAN_IS(s, literal) span_is((s), literal, sizeof(literal) - 1)

/* OWS = *( SP / HTAB ), RFC 9110 section 5.6.3; line ends too, since an obs-fold counts as a space. */
static inline bool is_blank(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

static inline struct span span_trim(struct span s)
{
    while (s.len && is_blank(*s.at))
        s = span_from(s, 1);
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

#endif
