/* Log files, line by line, into a tally: however large, however broken, in a fixed amount of memory. */
#ifndef JWTSHIM_TOOLS_INTAKE_H
#define JWTSHIM_TOOLS_INTAKE_H

#include "command.h"
#include "tally.h"

struct intake {
    const struct command *command; /* who complains */
    struct tally *tally;
    uint64_t files, unread_files;
    uint64_t bytes, lines, bad_lines;
    int code; /* EX_OK, or the worst of EX_DATAERR, EX_NOINPUT, EX_IOERR (in that order) */
    int64_t shown_at;
    bool shows; /* progress, on standard error */
    bool shown;
};

void intake_begin(struct intake *intake, const struct command *command, struct tally *tally);

/* Reads one file ("-": standard input). What is wrong is said on standard error with file and line, and all else is read. */
void intake_read(struct intake *intake, const char *name);

/* Takes the progress off the terminal. */
void intake_end(struct intake *intake);

#endif
