/* What came of a request, in the words of an operator: how it stands, and what a reason or a finding of its token means. */
#ifndef JWTSHIM_TOOLS_FINDING_H
#define JWTSHIM_TOOLS_FINDING_H

#include "event.h"

/* From what must be looked at to what need not be. */
enum standing {
    STANDING_FAILING, /* passed, though it should have been rewritten: Atlassian answers 401 */
    STANDING_TOKEN,   /* rewritten, but its token has findings */
    STANDING_AUDIT,   /* would be rewritten, were it not for audit mode */
    STANDING_MOVED,   /* rewritten */
    STANDING_LEFT,    /* passed on purpose: not Atlassian's, or a setting says so */
    STANDINGS,
    STANDING_NONE = STANDINGS /* the event is about no request */
};

enum { FINDING_TEXT = 256 };

/* How the event's request stands, and its finding: the reason of a pass-through, else the token's findings in one text,
 * else empty. */
enum standing finding_of(const struct event *event, char text[FINDING_TEXT], size_t *len);

/* "failing", "token", "audit", "moved", "left": for JSON and for class names. */
const char *standing_id(enum standing standing);

/* "Still fails", …: for people; and a sentence about it. */
const char *standing_name(enum standing standing);
const char *standing_meaning(enum standing standing);

/* What a finding means and what helps, or NULL where it is not known. */
const char *finding_meaning(struct span finding);

#endif
