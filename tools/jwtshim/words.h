/* Times, and text of other people's, as a person may read them on a terminal. */
#ifndef JWTSHIM_TOOLS_WORDS_H
#define JWTSHIM_TOOLS_WORDS_H

#include "../../shim/http/span.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

/* "2026-11-23 10:15:02 UTC" */
void words_of_time(char *to, size_t size, long long at);

/* "35 s", "3 min", "26 h", "12 days"; of the distance, whichever way. */
void words_of_span(char *to, size_t size, long long seconds);

/* Text whose control characters and bytes beyond ASCII are escaped: nothing in it moves a cursor. */
void put_escaped(FILE *to, struct span text);

/* Whether there is a blank, a control character or a DEL in it, which no request target holds. */
bool has_blank_or_control(struct span text);

/* A JSON string of any bytes: what is no UTF-8 becomes a character a byte. NULL without memory. */
json_t *json_of_bytes(struct span text);

#endif
