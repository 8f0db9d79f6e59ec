/* A file that is not finished yet goes when a signal ends the command. One at a time. */
#ifndef JWTSHIM_TOOLS_UNFINISHED_H
#define JWTSHIM_TOOLS_UNFINISHED_H

/* Between these two no signal ends the command: making or moving the file, and saying so, are one step. */
void unfinished_hold(void);
void unfinished_let(void);

/* It is there, by that name in that directory (AT_FDCWD). Not copied. */
void unfinished_is(int directory, const char *name);

/* It has its own name now, or is gone. */
void unfinished_no_more(void);

#endif
