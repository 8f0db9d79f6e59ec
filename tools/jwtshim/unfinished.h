/* A file that is not finished yet goes when a signal ends the command. One at a time. */
#ifndef JWTSHIM_TOOLS_UNFINISHED_H
#define JWTSHIM_TOOLS_UNFINISHED_H

#include <stdbool.h>

/* Between these two no signal ends the command: making the file and saying so are one step. */
void unfinished_hold(void);
void unfinished_let(void);

/* It is there, by that name in that directory (AT_FDCWD). Not copied. */
void unfinished_is(int directory, const char *name);

/* It gets its own name. False with errno: it is still there. */
bool unfinished_becomes(int directory, const char *name, const char *own);

/* It is not wanted any more. */
void unfinished_goes(int directory, const char *name);

#endif
