/* A shared secret from a file, never from the command line, where everybody on the machine could read it. */
#ifndef JWTSHIM_TOOLS_SECRET_H
#define JWTSHIM_TOOLS_SECRET_H

#include "command.h"

#include <stddef.h>

enum { SECRET_MAX = 16 * 1024 };

struct secret {
    char bytes[SECRET_MAX + 1];
    size_t len;      /* of all of it */
    size_t line_len; /* without the line end that an editor or `echo` put behind it; `len` if there is none */
};

/* Reads it. EX_OK, or the exit code once it is said what is wrong. */
int secret_read(const struct command *command, const char *path, struct secret *secret);

void secret_wipe(struct secret *secret);

#endif
