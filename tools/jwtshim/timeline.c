#include "timeline.h"

/* Minutes; each a multiple of the one before, so that bins can be merged. The last spans a century in 240 bins. */
static const int64_t widths[] = {1, 5, 15, 60, 360, 1440, 10080, 40320, 161280, 322560};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

int64_t timeline_width(const struct timeline *timeline)
{
    return widths[timeline->width] * 60000;
}

int64_t timeline_begin(const struct timeline *timeline, size_t i)
{
    return (timeline->origin + (int64_t)i) * timeline_width(timeline);
}

static void widen(struct timeline *timeline)
{
    const int64_t factor = widths[timeline->width + 1] / widths[timeline->width];
    const int64_t origin = timeline->origin / factor;
    size_t used = 0;
    for (size_t i = 0; i < timeline->used; i++) {
        const size_t to = (size_t)((timeline->origin + (int64_t)i) / factor - origin);
        for (int s = 0; s < STANDINGS; s++) {
            const uint64_t count = timeline->bin[i][s];
            timeline->bin[i][s] = 0; /* `to` is never behind `i` */
            timeline->bin[to][s] += count;
        }
        used = to + 1;
    }
    timeline->origin = origin;
    timeline->used = used;
    timeline->width++;
}

/* Makes room for bins before the first. */
static void shift(struct timeline *timeline, size_t by)
{
    memmove(timeline->bin + by, timeline->bin, timeline->used * sizeof timeline->bin[0]);
    memset(timeline->bin, 0, by * sizeof timeline->bin[0]);
    timeline->origin -= (int64_t)by;
    timeline->used += by;
}

void timeline_add(struct timeline *timeline, int64_t time, enum standing standing)
{
    int64_t number;
    while (true) {
        number = time / timeline_width(timeline);
        if (timeline->used == 0)
            timeline->origin = number;
        const int64_t last = timeline->origin + (int64_t)timeline->used - 1;
        const int64_t first = number < timeline->origin ? number : timeline->origin;
        if ((number > last ? number : last) - first < TIMELINE_BINS || timeline->width == WIDTHS - 1)
            break;
        widen(timeline);
    }
    if (number < timeline->origin)
        shift(timeline, (size_t)(timeline->origin - number));
    const size_t i = (size_t)(number - timeline->origin);
    if (i >= timeline->used)
        timeline->used = i + 1;
    timeline->bin[i][standing]++;
}
