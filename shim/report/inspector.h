/* What libjwtshim-inspect.so has to say about a token. Nothing depends on it: where that object is missing or unfit, events only
 * lose their explanations. */
#ifndef JWTSHIM_REPORT_INSPECTOR_H
#define JWTSHIM_REPORT_INSPECTOR_H

#include "../http/rewrite.h"
#include "../inspect/inspect.h"

struct explanation {
    char fields[INSPECT_FIELDS_MAX]; /* members of the event, each with a comma before it */
    size_t len;                      /* 0: there is nothing to say, or it was said for this very request before */
    const char *failure;             /* told once: why there never will be an explanation; else NULL */
    char detail[256];                /* what the loader says of that, or empty */
};

/* Whether there is anything to be said of this token, by the settings, by what was said
 * before, and by where this thread stands. */
bool inspector_can_explain(const struct decision *decision);

/* Explains the token of a request that is rewritten. Loads the object the first time. Leaves no error for dlerror(), and
 * wipes what it copied of the token. */
void inspector_explain(const struct decision *decision, struct explanation *out);

#endif
