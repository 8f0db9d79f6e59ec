/* Looking through runs of bytes: sets of characters, and how far a run goes on in one, or outside of it.
 * 32 bytes at a time where the processor can, one by one elsewhere; never reads beyond the span. */
#ifndef JWTSHIM_HTTP_BYTES_H
#define JWTSHIM_HTTP_BYTES_H

#include "span.h"

/* A set of ASCII characters: bit h of row[l] says that the character h * 16 + l is in it. */
struct byte_set {
    uint8_t row[16];
};

/* A-Z a-z 0-9 - _ : what a token's three parts are made of. */
extern const struct byte_set token_characters;

/* tchar, RFC 9110 section 5.6.2: what names of fields are made of. */
extern const struct byte_set name_characters;

/* A-Z a-z 0-9 - . _ : what names in the DNS are made of. Anything else (a '#' or '/' that would end the authority elsewhere) is
 * no host's. */
extern const struct byte_set host_characters;

/* A space, a control character or DEL: what ends a request target, and stands in none. */
extern const struct byte_set space_and_controls;

/* NUL, CR and LF: a field value ends at one, RFC 9110 section 5.5. */
extern const struct byte_set line_controls;

static inline bool byte_is_in(const struct byte_set *set, char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < 0x80 && set->row[byte & 15] >> (byte >> 4) & 1;
}

/* How many bytes at the start of `s` are in the set. */
size_t bytes_in(const struct byte_set *set, struct span s);

/* How many bytes at the start of `s` are not in the set. */
size_t bytes_before(const struct byte_set *set, struct span s);

/* The offset, from `from` on, of the next parameter of a query that may be named `jwt`, by its first characters ("jw", "j%"
 * or "%"); s.len if there is none. `from` is the start of a parameter, or s.len. */
size_t bytes_jwt_name(struct span s, size_t from);

#endif
