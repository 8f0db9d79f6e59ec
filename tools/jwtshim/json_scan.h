/* A strict reader of JSON (RFC 8259) over a buffer that it may write to: strings are decoded where they stand, since none is
 * longer decoded than escaped. For gigabytes of events, where building a tree of each line would be most of the work. */
#ifndef JWTSHIM_TOOLS_JSON_SCAN_H
#define JWTSHIM_TOOLS_JSON_SCAN_H

#include "../../shim/http/span.h"

/* Values may be nested so deep, and no deeper. */
enum { JSON_DEPTH_MAX = 32 };

struct json_scan {
    char *at;
    char *end;
    const char *why; /* once something was not as expected: what */
};

/* Moves behind white space. Returns the next character, or NUL at the end (or for a NUL, which begins no value). */
char scan_next(struct json_scan *scan);

/* Takes `c` if it is next, behind white space. */
bool scan_take(struct json_scan *scan, char c);

/* A string, decoded in place to UTF-8. `out` may hold NULs. False, with `why`, if there is no well-formed string. */
bool scan_string(struct json_scan *scan, struct span *out);

/* Any one value, of which nothing is wanted but that it is well-formed. */
bool scan_skip(struct json_scan *scan);

#endif
