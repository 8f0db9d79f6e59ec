/* The request target (RFC 9112 section 3.2) and the `jwt` parameter in its query.
 * Finds and cuts; never decodes or normalises a byte that stays, since `qsh` hashes the raw path and query. */
#ifndef JWTSHIM_HTTP_TARGET_H
#define JWTSHIM_HTTP_TARGET_H

#include "edits.h"

enum target_form {
    TARGET_ORIGIN,    /* /path?query */
    TARGET_ABSOLUTE,  /* http://authority/path?query, or https */
    TARGET_AUTHORITY, /* CONNECT's host:port */
    TARGET_ASTERISK,  /* OPTIONS * */
    TARGET_OTHER,     /* anything else: nothing in it is looked at */
};

struct target {
    enum target_form form;
    struct span authority; /* absolute-form only */
    struct span path;      /* up to the query */
    struct span query;     /* between '?' and '#' or the end; .at is NULL without a '?' */
};

/* Takes `target` apart. The spans point into it. */
void target_parse(struct span target, struct target *out);

enum jwt_found {
    JWT_NONE,     /* no parameter named jwt */
    JWT_NO_TOKEN, /* the first one's value is not three runs of [A-Za-z0-9_-] joined by dots */
    JWT_TOKEN,
};

/* Whether `query` has a parameter named `jwt`, whatever its value. */
bool query_has_jwt(struct span query);

/* Looks for parameters named `jwt` (also percent-encoded) in `query`. On JWT_TOKEN, `*token` is the first one's value
 * as it stands there (maybe percent-encoded), and the cuts that take every `jwt` parameter out (and the '?' where no
 * parameter is left) are added to `edits`, relative to `base`, which must point before the '?' in the same buffer. */
enum jwt_found query_find_jwt(struct span query, const char *base, struct span *token, struct edits *edits);

/* True if `raw`, percent-decoded, is a token's three parts. */
bool token_is_well_formed(struct span raw);

/* True if `raw`, percent-decoded, is `plain`. */
bool token_equals(struct span raw, struct span plain);

/* Percent-decodes a well-formed `raw` token to `out`, which has room for raw.len bytes; returns the decoded length. */
size_t token_decode(struct span raw, char *out);

#endif
