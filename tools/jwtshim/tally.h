/* Events added up by program, host and finding, in bounded memory whatever the events hold. */
#ifndef JWTSHIM_TOOLS_TALLY_H
#define JWTSHIM_TOOLS_TALLY_H

#include "timeline.h"

#include <uthash.h>

/* What rows are told apart by. */
enum dimension { BY_PROGRAM = 1, BY_HOST = 2, BY_FINDING = 4, BY_LAYER = 8 };

/* Rows beyond these are summed as one; a value beyond this length is cut. */
enum { TALLY_ROWS_MAX = 10000, TALLY_SETTINGS_MAX = 1000, TALLY_LAYERS_MAX = 32, TALLY_VALUE_MAX = 1024 };

struct row {
    struct span program, host, finding, layer; /* `at` is NULL where rows are not told apart by it */
    uint64_t requests;
    uint64_t by_standing[STANDINGS];
    int64_t first, last; /* EVENT_UNDATED: no event of it had a time */
    uint32_t layers;     /* bits: places in struct tally's */
    char *key;           /* what the texts lie in; in the same piece of memory, behind the row */
    UT_hash_handle hh;
};

/* A setting that a program could not use. */
struct ignored_setting {
    struct span program, setting, reason;
    uint64_t events;
    char *key;
    UT_hash_handle hh;
};

struct tally {
    unsigned by; /* dimensions */
    int64_t since, until;

    struct row *rows; /* a hash */
    struct row all;
    struct row others; /* what found no room in `rows`, summed */
    struct ignored_setting *settings;
    uint64_t other_settings;
    struct timeline timeline;
    char *layer[TALLY_LAYERS_MAX];
    size_t layers;

    uint64_t events;   /* lines that were events, whenever they were */
    uint64_t selected; /* … of the time asked for */
    uint64_t undated;  /* selected ones without a time that could be read */
    uint64_t steered;  /* handshakes whose offer of HTTP/2 was taken back, or would have been */
};

void tally_begin(struct tally *tally, unsigned by, int64_t since, int64_t until);
void tally_add(struct tally *tally, const struct event *event);

/* The rows, most requests first; at the same number, what fails first, then by text. */
void tally_sort(struct tally *tally);

size_t tally_rows(const struct tally *tally);

/* The worst that a row's requests stand. */
enum standing row_standing(const struct row *row);

/* Adds `row`'s counts and times to `sum`'s. */
void row_add(struct row *sum, const struct row *row);

void tally_end(struct tally *tally);

#endif
