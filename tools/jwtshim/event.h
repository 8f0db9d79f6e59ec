/* One line of the shim's log as an event: what it says, as spans into the line. Pure: no allocation, no I/O.
 * Lines come from anywhere and may hold anything. */
#ifndef JWTSHIM_TOOLS_EVENT_H
#define JWTSHIM_TOOLS_EVENT_H

#include "../../shim/http/span.h"

/* Longer lines are not looked at. (The shim's own are at most 3 KiB.) */
enum { EVENT_LINE_MAX = 256 * 1024, EVENT_FINDINGS_MAX = 8 };

#define EVENT_UNDATED INT64_MIN

struct event {
    int64_t time; /* milliseconds since 1970, or EVENT_UNDATED */
    struct span program, method, host, path, action, reason, layer, setting, qsh;
    struct span finding[EVENT_FINDINGS_MAX]; /* further ones are dropped */
    size_t findings;
};

enum event_kind {
    EVENT,
    EVENT_NONE,    /* an empty line, or an object of some other program's */
    EVENT_NO_JSON, /* and *why says what is wrong */
};

/* Reads a line without its line end, and writes to it: strings are decoded in place. A syslog daemon's prefix
 * ("… jwtshim: {") is passed over. */
enum event_kind event_read(struct event *event, char *line, size_t len, const char **why);

#endif
