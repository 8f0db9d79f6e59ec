/* The one function between the shim and libjwtshim-inspect.so, which explains a token beside the request that carries it.
 * Both sides are built from this file; the version says whether they were built from the same one. */
#ifndef JWTSHIM_INSPECT_INSPECT_H
#define JWTSHIM_INSPECT_INSPECT_H

#include "../http/span.h"

/* Longer tokens are not looked into: those measured have 265 to 760 bytes, and no server takes a header line of 8 KiB. */
enum { INSPECT_VERSION = 1, INSPECT_TOKEN_MAX = 8 * 1024, INSPECT_FIELDS_MAX = 1024 };

struct inspect_request {
    unsigned version;
    struct span method, path, query; /* as they stand in the request line; the query still has its `jwt` */
    struct span token;               /* percent-decoded */
};

#define INSPECT_FUNCTION jwtshim_inspect

/* Writes the explanation to `out` as members of a JSON object, each with a comma before it, and returns its length; 0 if the
 * versions differ or it does not fit. Keeps nothing; wipes what it copied of the token. */
typedef size_t inspect_fn(const struct inspect_request *request, char *out, size_t size);

#endif
