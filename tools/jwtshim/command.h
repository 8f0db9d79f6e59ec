/* What the subcommands of jwtshim share: one table row each, their exit codes, and how they say what is wrong. */
#ifndef JWTSHIM_TOOLS_COMMAND_H
#define JWTSHIM_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h> /* EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_IOERR, …: the exit codes, where a subcommand's help names no others */

/* A subcommand. `run` gets its own name as argv[0], and returns the exit code. */
struct command {
    const char *name;
    const char *summary; /* a line for `jwtshim --help` */
    const char *help;    /* the whole of `jwtshim NAME --help` */
    int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command *const commands[]; /* ends with NULL */
extern const struct command doctor_command, run_command, inspect_command, sign_command, report_command, status_command,
    enable_command, disable_command;

/* Says on standard error what is wrong with the command line, and where help is. Returns EX_USAGE. */
int command_misused(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says on standard error what went wrong ("jwtshim NAME: …"). Returns `code`. */
int command_failed(const struct command *command, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Whether `stream` may have colours: a terminal, and NO_COLOR is not set. */
bool command_may_colour(FILE *stream);

#endif
