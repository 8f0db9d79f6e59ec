/* What `jwtshim report` hands to the rooms that write it: as text, JSON or a page. */
#ifndef JWTSHIM_TOOLS_REPORT_H
#define JWTSHIM_TOOLS_REPORT_H

#include "intake.h"

struct report {
    const struct intake *intake;
    struct tally *tally;
    size_t top; /* at most so many rows; the others are summed */
    bool colour;
};

/* Each writes to `to` and leaves it to the caller to see whether that went well. */
void report_text(const struct report *report, FILE *to);
void report_json(const struct report *report, FILE *to);
void report_html(const struct report *report, FILE *to);

/* The sum of the rows behind the first `top`, and of those that the tally had no room for; how many the former are. */
size_t report_rest(const struct report *report, struct row *rest);

/* Requests by finding, however the rows are told apart otherwise: most first. The caller frees the list. */
struct finding_sum {
    struct span finding;
    enum standing standing;
    uint64_t requests;
};
size_t report_findings(const struct report *report, struct finding_sum **list);

#endif
