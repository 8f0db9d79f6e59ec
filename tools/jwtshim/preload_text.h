/* The text of /etc/ld.so.preload, as ld.so reads it: names separated by spaces, tabs, line ends and colons, '#' begins a comment.
 * What is changed is one name; every other byte stays. Pure: no I/O. */
#ifndef JWTSHIM_TOOLS_PRELOAD_TEXT_H
#define JWTSHIM_TOOLS_PRELOAD_TEXT_H

#include "../../shim/http/span.h"

/* The next name in `rest`, which moves behind it. False at the end. */
bool preload_next(struct span *rest, struct span *entry);

/* Whether a name is that of the shim, wherever it lies. */
typedef bool preload_is_ours(struct span entry, const void *context);

/* The text with `object` as the one name of ours: where the first of them is, else as a line at the end. To be freed; NULL
 * without memory. */
char *preload_with(struct span text, struct span object, preload_is_ours *is_ours, const void *context, size_t *len);

/* The text without any name of ours. To be freed; NULL without memory. */
char *preload_without(struct span text, preload_is_ours *is_ours, const void *context, size_t *len);

#endif
