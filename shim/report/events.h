/* What the shim did, one JSON object a line, with OpenTelemetry's attribute names where it has them.
 * Never a token, a signature, a query or a field's value; nothing at all unless a log was asked for. */
#ifndef JWTSHIM_REPORT_EVENTS_H
#define JWTSHIM_REPORT_EVENTS_H

#include "../http/rewrite.h"

/* The name of a reason, as in the log. */
const char *reason_name(enum reason reason);

/* A request was rewritten (decision->reason is NONE), or passed for a reason. Keeps errno. */
void report_decision(const char *layer, const struct decision *decision);

/* A setting was not understood. */
void report_setting(const char *where, const char *what);

#endif
