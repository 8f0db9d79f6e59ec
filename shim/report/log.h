/* Where events go: one write to a file opened and closed for it, or a datagram. No descriptor stays open. */
#ifndef JWTSHIM_REPORT_LOG_H
#define JWTSHIM_REPORT_LOG_H

#include "../config.h"

/* Writes one complete line (with its newline). Keeps errno; a log that cannot be written is silently none. */
void log_line(const struct config *config, const char *line, size_t len);

#endif
