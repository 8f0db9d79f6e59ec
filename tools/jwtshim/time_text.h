/* Times as text: RFC 3339 as events have it, what an operator types, and back. All of it UTC, in milliseconds since 1970.
 * Only years 2000 to 2099 count: another one is a clock that was never set, and would flatten every timeline. */
#ifndef JWTSHIM_TOOLS_TIME_TEXT_H
#define JWTSHIM_TOOLS_TIME_TEXT_H

#include "../../shim/http/span.h"

/* "2026-11-23T10:15:02.123Z"; also with an offset, a space for the T, without seconds, or the date alone. No offset is UTC. */
bool time_read(struct span text, int64_t *time);

/* The same, or so long before `now`: "90m", "12h", "7d", "2w". */
bool time_read_option(const char *text, int64_t now, int64_t *time);

int64_t time_now(void);

enum { TIME_TEXT = 48 };

/* "2026-11-23 10:15:02", and with `iso` "2026-11-23T10:15:02.123Z". */
void time_write(char text[TIME_TEXT], int64_t time, bool iso);

#endif
