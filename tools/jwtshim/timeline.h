/* How many requests there were when: a bounded number of bins whose width grows with the time they span. */
#ifndef JWTSHIM_TOOLS_TIMELINE_H
#define JWTSHIM_TOOLS_TIMELINE_H

#include "finding.h"

enum { TIMELINE_BINS = 240 };

struct timeline {
    int width;      /* index into the widths, from a minute up */
    int64_t origin; /* the first bin's number, counted in widths since 1970 */
    size_t used;    /* bins from the first to the last with a request; 0: none yet */
    uint64_t bin[TIMELINE_BINS][STANDINGS];
};

void timeline_add(struct timeline *timeline, int64_t time, enum standing standing);

/* A bin's width, and the time at which bin `i` begins, in milliseconds. */
int64_t timeline_width(const struct timeline *timeline);
int64_t timeline_begin(const struct timeline *timeline, size_t i);

#endif
