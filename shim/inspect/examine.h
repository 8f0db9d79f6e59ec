/* Everything that can be said about a token and the request that carries it, without its secret. For explanations only: nothing
 * found here decides whether a request is rewritten. */
#ifndef JWTSHIM_INSPECT_EXAMINE_H
#define JWTSHIM_INSPECT_EXAMINE_H

#include "qsh.h"

#include <jansson.h>
#include <time.h>

/* Name in events, whether Atlassian refuses the request for it, and a sentence. */
/* clang-format off */
#define FINDINGS(X)                                                                                                      \
    X(EXPIRED, "expired", true, "its time is over (with 30 s of leeway)")                                                \
    X(NOT_YET_VALID, "not-yet-valid", true, "nbf is in the future (with 30 s of leeway)")                                \
    X(IAT_IN_FUTURE, "iat-in-future", true, "it was issued in the future (with 30 s of leeway): is the clock right?")    \
    X(MILLISECONDS, "times-in-milliseconds", true, "iat or exp are milliseconds; they must be seconds")                  \
    X(NO_IAT, "iat-missing", true, "there is no iat, or it is no number")                                                \
    X(NO_EXP, "exp-missing", true, "there is no exp, or it is no number")                                                \
    X(NO_ISS, "iss-missing", true, "there is no iss: it says which app has signed")                                      \
    X(LONG_LIFETIME, "long-lifetime", false, "it is valid for more than a day; a few minutes are enough")                \
    X(ALG_NONE, "alg-none", true, "alg is none: nothing is signed")                                                      \
    X(ALG_NOT_HS256, "alg-not-hs256", true, "alg is not HS256")                                                          \
    X(NO_QSH, "qsh-missing", true, "there is no qsh")                                                                    \
    X(CONTEXT_QSH, "context-qsh", true, "qsh is \"context-qsh\": a context token, which no REST request may carry")      \
    X(MISMATCH, "qsh-mismatch", true, "qsh is not that of this request, and no usual mistake explains it")               \
    X(CONTEXT_PATH_KEPT, "qsh-context-path-kept", false, "qsh has the context path, which Atlassian's library leaves out") \
    X(CONTEXT_PATH_CUT, "qsh-first-segment-cut", true, "qsh was made without the path's first segment")                  \
    X(SLASH_KEPT, "qsh-trailing-slash-kept", true, "qsh was made with the path's trailing slash")                        \
    X(JWT_HASHED, "qsh-jwt-hashed-in", true, "qsh was made with a jwt parameter in the query")                           \
    X(UNSORTED, "qsh-unsorted", true, "qsh was made of unsorted parameters")                                             \
    X(QUERY_LEFT_OUT, "qsh-query-left-out", true, "qsh was made without the query")                                      \
    X(REPEATS_APART, "qsh-repeats-apart", true, "qsh was made with r=1&r=2 where r=1,2 is wanted")                       \
    X(MARKS_KEPT, "qsh-marks-unescaped", true, "qsh was made with one of !'()* unescaped")                               \
    X(PLUS_KEPT, "qsh-plus-kept", true, "qsh was made with '+' where a space is meant")                                  \
    X(METHOD, "qsh-other-method", true, "qsh was made for another method")                                               \
    X(UNREADABLE, "unreadable", true, "header and claims are not base64url of JSON objects")                             \
    X(TOO_LONG, "too-long", true, "it is over 8 KiB: no server takes such a header, and it was not read")                \
    X(LIBJWT_REFUSES, "libjwt-refuses", false, "libjwt does not read it (another typ, or an alg it does not know)")
/* clang-format on */

enum finding {
#define X(id, name, fails, text) FINDING_##id,
    FINDINGS(X)
#undef X
        FINDING_COUNT
};

const char *finding_name(enum finding finding);
const char *finding_text(enum finding finding);
bool finding_fails(enum finding finding);

enum qsh_verdict { QSH_NOT_COMPARED, QSH_MATCH, QSH_MISMATCH, QSH_CONTEXT, QSH_MISSING };

/* A time of the token's, in seconds; only if `known`. */
struct claimed_time {
    bool known;
    long long at;
};

struct examination {
    unsigned findings;       /* bit 1 << enum finding */
    json_t *header, *claims; /* NULL if they could not be read */
    const char *alg, *iss;   /* of the token, into these; NULL where it has none */
    struct claimed_time iat, exp, nbf;
    enum qsh_verdict qsh;
    const char *claimed_qsh;           /* NULL if there is none */
    char computed_qsh[QSH_LENGTH + 1]; /* Atlassian's way; empty without a request */
};

static inline bool examination_has(const struct examination *examination, enum finding finding)
{
    return examination->findings >> finding & 1;
}

/* Examines `token` (its three parts as they are in a header). `request` may be NULL; `base` is the context path of the site,
 * empty if it has none; with `base.at` NULL both ways are tried, as Confluence's /wiki and Jira's none. For examination_end(). */
void examine(struct span token, const struct signed_request *request, struct span base, time_t now,
             struct examination *out);

void examination_end(struct examination *examination);

/* The context path that Atlassian leaves out of `path`: /wiki where it is below that, else none. */
struct span context_path_of(struct span path);

#endif
