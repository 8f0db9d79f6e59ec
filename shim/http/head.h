/* A head's lines: the request line and the field lines (RFC 9112 sections 2 to 5).
 * Reads them as they stand; what is malformed is said so, never repaired. */
#ifndef JWTSHIM_HTTP_HEAD_H
#define JWTSHIM_HTTP_HEAD_H

#include "span.h"

#include <sys/types.h>

struct request_line {
    struct span method;
    struct span target;
    bool http_1_0;
};

/* Whether a connection whose next bytes are `in` may be about to send a request: `in` is a beginning of, or begins with,
 * a known method, a space and the first character of a request target. Decides from the fewest bytes that can say no. */
bool request_may_begin(struct span in);

/* Takes a complete `line` (with its line end) apart. False if it is not an HTTP/1.0 or HTTP/1.1 request line. */
bool request_line_parse(struct span line, struct request_line *out);

/* Length of the line end ("\r\n" or "\n") that `line` ends in. */
size_t line_end_length(struct span line);

struct field {
    struct span name;
    struct span value; /* trimmed; an obs-fold stays in it as it is */
};

enum { FIELD_INCOMPLETE = 0, FIELD_MALFORMED = -1 };

/* Reads the field line at the start of `in`, with its obs-fold lines: returns its whole length, or FIELD_INCOMPLETE if
 * the first byte of the next line is not there yet, or FIELD_MALFORMED. An empty line (the head's end) is returned with
 * its length and an empty name. */
ssize_t field_next(struct span in, struct field *out);

#endif
