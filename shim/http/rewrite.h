/* The decision about one request: may its token move, and by which edits.
 * Pure: a policy and bytes in, a decision out. The same function decides for HTTP/1 heads in all layers. */
#ifndef JWTSHIM_HTTP_REWRITE_H
#define JWTSHIM_HTTP_REWRITE_H

#include "authority.h"
#include "edits.h"
#include "head.h"
#include "reason.h"
#include "target.h"

#include <stdint.h>

enum on_conflict {
    ON_CONFLICT_JWT,    /* the token replaces an existing Authorization: what Jira and Confluence did */
    ON_CONFLICT_HEADER, /* the existing one stays, the parameter leaves */
    ON_CONFLICT_LEAVE,  /* the request is left alone */
};

struct policy {
    struct host_suffixes hosts;
    enum on_conflict on_conflict;
};

/* How the body behind a head is framed, RFC 9112 section 6, and what ends HTTP/1 on the connection. */
struct framing {
    uint64_t content_length;
    bool has_length;
    bool has_coding; /* Transfer-Encoding was there */
    bool chunked;    /* and its last coding is chunked */
    bool upgrade;
    enum reason fault; /* not NONE: nothing behind this head is understood, and the head stays as it is */
};

struct decision {
    enum reason reason; /* why the target's token stays; NONE if it moves, or if there is none */
    bool candidate;     /* the target has a `jwt` parameter: worth a word in the log */
    bool referer;       /* a Referer's parameter is cut, whatever becomes of the target */
    enum target_form form;
    struct span method, host, path, query;
    struct span token; /* as it stands in the target, maybe percent-encoded */
    enum protocol { PROTOCOL_1_1, PROTOCOL_1_0, PROTOCOL_2, PROTOCOL_UNKNOWN } protocol;
    size_t line_end;    /* length of the head's line ends, for the line that enters */
    struct edits edits; /* to be applied if there are any */
    bool enters;        /* the token enters as an Authorization, in the place of those that are there */
};

/* Notes what `field` says about framing. */
void framing_note(struct framing *framing, const struct field *field);

/* The framing's own verdict once all fields are noted: sets `fault` where two of them contradict each other. */
void framing_settle(struct framing *framing, bool http_1_0);

/* Adds the cuts for a `jwt` in a Referer on an Atlassian host; true if there were any. */
bool referer_scrub(const struct policy *policy, const struct field *field, const char *base, struct edits *edits);

/* Decides about the head at the start of `in`, whose request line, of `line` bytes, is `request` with `target`. `framing` gets what its fields
 * say. Returns the head's length; 0 if it is not all there, or where its fields are malformed: then `out` says so. */
size_t head_decide(const struct policy *policy, struct span in, const struct request_line *request,
                   const struct target *target, size_t line, struct framing *framing, struct decision *out);

/* The same for a request whose fields are a list, HTTP/2's: `:path` is its target, `:authority` or else `host` its host.
 * The edits are cuts in the value of `:path`; `out->reason` NONE with a token says that it moves. */
typedef struct field field_at_fn(const void *list, size_t index);
void fields_decide(const struct policy *policy, field_at_fn *at, const void *list, size_t count, struct decision *out);

/* Upper bound of the bytes that applying `decision` to `len` bytes makes. */
size_t decision_bound(const struct decision *decision, size_t len);

/* Writes the `len` bytes that the decision was made about, edited, to `out`; returns how many that makes. */
size_t decision_apply(const struct decision *decision, const char *in, size_t len, char *out);

#endif
