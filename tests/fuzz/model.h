/* What should leave the wire, said a second time: a reference that is slow and plain, and shares no line with the shim. It reads a
 * whole stream at once, copies lines and parameters into strings of their own, and prints heads anew. For the fuzzers. */
#ifndef JWTSHIM_TESTS_FUZZ_MODEL_H
#define JWTSHIM_TESTS_FUZZ_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum { MODEL_MAX = 8192, MODEL_EVENTS = 512 };

/* As http/rewrite.h's on_conflict, in its order. */
enum model_conflict { MODEL_JWT, MODEL_HEADER, MODEL_LEAVE };

/* What is told of a request that has a `jwt`, by classes: a fault is any of the framing's. */
enum model_event {
    MODEL_MOVED = 'm',
    MODEL_FAULT = 'f',
    MODEL_NO_TOKEN = 't',
    MODEL_NO_HOST = 'n',
    MODEL_TWO_HOSTS = '2',
    MODEL_OTHER_HOST = 'o',
    MODEL_CONFLICT = 'c',
    MODEL_MANY = 'x',
    MODEL_REFERER = 'r', /* a head without a token, where a Referer has one */
};

struct model {
    char out[2 * MODEL_MAX + 1024];
    size_t len;
    char events[MODEL_EVENTS + 1];
    size_t told;
    size_t held_from; /* from this offset of the input on, all is still in question; the input's length if nothing is */
    bool opaque;      /* nothing behind the input would be looked at any more */
};

/* Works out what becomes of `len` bytes (at most MODEL_MAX) that a program writes on a new connection, and what is in question is given up at their end. */
void model_run(struct model *model, const char *in, size_t len, enum model_conflict conflict);

/* What becomes of a `:path` beside an `:authority` in HTTP/2: true if its token moves; `out` gets the path that is left, and
 * `token` the token, both of room for the path and a NUL. */
bool model_path(const char *path, const char *authority, char *out, char *token);

#endif
