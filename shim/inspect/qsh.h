/* The query string hash of a Connect token: what Atlassian hashes of a request, and what clients hash by mistake.
 * Pure but for memory; knows nothing of tokens. */
#ifndef JWTSHIM_INSPECT_QSH_H
#define JWTSHIM_INSPECT_QSH_H

#include "../http/span.h"

/* A request as a client means to sign it. */
struct signed_request {
    struct span method;
    struct span path;  /* raw, as in the request target */
    struct span query; /* raw, without '?'; may still have its `jwt` */
};

enum qsh_order { QSH_BY_DECODED, QSH_BY_ENCODED, QSH_UNSORTED };

/* How the canonical request is made; all zero is Atlassian's own way on a site without a context path. */
struct qsh_form {
    struct span base; /* a context path, like "/wiki", that the path loses */
    enum qsh_order order;
    bool slash_kept;     /* wrong: the path keeps its trailing slash */
    bool jwt_kept;       /* wrong: an empty `jwt` takes part (a token cannot hold its own hash) */
    bool query_left_out; /* wrong */
    bool repeats_apart;  /* wrong: r=1&r=2 instead of r=1,2 */
    bool marks_kept;     /* wrong: !'()* stand for themselves, as encodeURIComponent() has it */
    bool plus_kept;      /* wrong: '+' is no space */
};

enum { QSH_LENGTH = 64 };

/* METHOD&PATH&QUERY, for the caller to free(); NULL without memory. */
char *qsh_canonical(const struct signed_request *request, const struct qsh_form *form, size_t *len);

/* Lower-case hex of SHA-256, with a NUL behind it. */
void qsh_hash(const char *canonical, size_t len, char hex[QSH_LENGTH + 1]);

/* True if `path` is `base` or below it. */
bool qsh_path_is_below(struct span path, struct span base);

#endif
