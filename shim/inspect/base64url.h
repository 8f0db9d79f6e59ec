/* Base64url without padding (RFC 4648 section 5), as a token's parts are written. */
#ifndef JWTSHIM_INSPECT_BASE64URL_H
#define JWTSHIM_INSPECT_BASE64URL_H

#include <stddef.h>

#define BASE64URL_LENGTH(bytes) (((bytes) + 2) / 3 * 4)

/* Decodes to `out`, which has room for `len` bytes, and returns how many that makes; (size_t)-1 where it is none. */
size_t base64url_decode(const char *in, size_t len, char *out);

/* Encodes to `out`, which has room for BASE64URL_LENGTH(len), and returns how many characters that makes. */
size_t base64url_encode(const char *in, size_t len, char *out);

#endif
