/* libjwt as the rest of this room wants it, whatever its version: 1.10 to 1.18, or 3.x, whose API is another one. */
#ifndef JWTSHIM_INSPECT_LIBJWT_H
#define JWTSHIM_INSPECT_LIBJWT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Reads a token's header and claims without asking for its signature. False if libjwt refuses the token; then both are NULL.
 * Both are the caller's to json_decref(). */
bool libjwt_read(const char *token, json_t **header, json_t **claims);

/* Whether the signature is that of `secret`, by one of the HMAC algorithms. */
bool libjwt_verifies(const char *token, const char *secret, size_t len);

/* A token of these claims, signed by HS256, for the caller to free(). NULL if libjwt will not make one. */
char *libjwt_sign(const json_t *claims, const char *secret, size_t len);

#endif
