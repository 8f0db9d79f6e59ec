/* What to change in a run of bytes: cuts and insertions in ascending order. A decision is made of these, and applying
 * them is the only way that changed bytes come to be. */
#ifndef JWTSHIM_HTTP_EDITS_H
#define JWTSHIM_HTTP_EDITS_H

#include "span.h"

enum { EDITS_MAX = 48 };

struct edit {
    size_t at;          /* offset in the bytes that are edited */
    size_t cut;         /* how many bytes from there leave */
    bool authorization; /* the Authorization field line enters there */
};

struct edits {
    size_t count;
    bool overflow; /* more were asked for than there is room: nothing may be applied */
    struct edit edit[EDITS_MAX];
};

/* The array is left as it is: clearing it would cost more than most heads do. */
static inline void edits_reset(struct edits *edits)
{
    edits->count = 0;
    edits->overflow = false;
}

/* Adds one edit behind those already there; sets `overflow` when full. Adjacent cuts become one. */
static inline void edits_add(struct edits *edits, size_t at, size_t cut, bool authorization)
{
    if (edits->count && !authorization) {
        struct edit *last = &edits->edit[edits->count - 1];
        if (!last->authorization && last->at + last->cut == at) {
            last->cut += cut;
            return;
        }
    }
    if (edits->count == EDITS_MAX) {
        edits->overflow = true;
        return;
    }
    edits->edit[edits->count++] = (struct edit){at, cut, authorization};
}

/* Writes the `len` bytes at `in` to `out`, without what edits that only cut take away; returns how many that makes. */
static inline size_t edits_cut(const struct edits *edits, const char *in, size_t len, char *out)
{
    size_t from = 0;
    size_t made = 0;
    for (size_t i = 0; i <= edits->count; i++) {
        size_t to = i < edits->count ? edits->edit[i].at : len;
        memcpy(out + made, in + from, to - from);
        made += to - from;
        from = i < edits->count ? to + edits->edit[i].cut : len;
    }
    return made;
}

#endif
