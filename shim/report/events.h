/* What the shim did, one JSON object a line, with OpenTelemetry's attribute names where it has them.
 * Never a token, a signature, a query or a field's value; nothing at all unless a log was asked for. */
#ifndef JWTSHIM_REPORT_EVENTS_H
#define JWTSHIM_REPORT_EVENTS_H

#include "../http/rewrite.h"

/* The name of a reason, as in the log. */
const char *reason_name(enum reason reason);

/* A request was rewritten (decision->reason is NONE), or passed for a reason. Keeps errno. */
void report_decision(const char *layer, const struct decision *decision);

/* A TLS client's offer of h2 to `host` was steered to http/1.1 (NONE), would have been (AUDIT), or not. Keeps errno. */
void report_steering(const char *layer, struct span host, enum reason reason);

/* A layer that only some objects need has something to do for `object` (its path), and why. */
void report_layer(const char *layer, const char *object, const char *why);

/* What a layer would have to do for `object` (its path) it does not, and why. */
void report_layer_refused(const char *layer, const char *object, const char *why);

/* The main program's own `symbol` now leads through its hook (`why` is NULL, and that is told only where all is), or stays as
 * it is, and why: what it writes is not seen then. */
void report_patch(const char *symbol, const char *why);

/* A setting was not understood. */
void report_setting(const char *where, const char *what);

#endif
