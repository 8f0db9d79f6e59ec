/* A run of bytes in somebody else's buffer, and the few questions every parser here asks of one.
 * Never owns, never allocates, never expects a NUL. */
#ifndef JWTSHIM_HTTP_SPAN_H
#define JWTSHIM_HTTP_SPAN_H

#include <stdbool.h>
#include <stddef.h>
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
static inline struct span span_trim(struct span s)
{
    while (s.len && (*s.at == ' ' || *s.at == '\t' || *s.at == '\r' || *s.at == '\n'))
        s = span_from(s, 1);
    while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t' || s.at[s.len - 1] == '\r' ||
                     s.at[s.len - 1] == '\n'))
        s.len--;
    return s;
}

#endif
