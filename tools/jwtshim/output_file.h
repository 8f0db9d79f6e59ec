/* A file that is there whole or not at all: written beside its place and moved there at the end. */
#ifndef JWTSHIM_TOOLS_OUTPUT_FILE_H
#define JWTSHIM_TOOLS_OUTPUT_FILE_H

#include "command.h"

struct output_file {
    FILE *stream;
    char *path;       /* where it is to be, behind all links */
    char *temporary;  /* NULL: `path` is no regular file (a terminal, a pipe), and written to directly */
    const char *name; /* as the user gave it */
};

/* EX_OK, or EX_CANTCREAT after a complaint. */
int output_begin(struct output_file *file, const struct command *command, const char *name);

/* EX_OK, or after a complaint EX_IOERR; then nothing of it is left. */
int output_end(struct output_file *file, const struct command *command);

#endif
