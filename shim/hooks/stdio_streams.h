/* The bytes of stdio's streams, which libc writes, reads and closes by inner calls: seen in its tables' slots. */
#ifndef JWTSHIM_HOOKS_STDIO_STREAMS_H
#define JWTSHIM_HOOKS_STDIO_STREAMS_H

#include <stdbool.h>

/* This process has a stream socket that a request may leave by: from here on its streams are seen, where the settings and
 * libc's tables allow it. Costs one load from the second time on. Keeps errno. */
void stdio_watch(void);

/* At exec: if standard output is a socket. One system call. */
void stdio_watch_if_inherited(void);

/* Whether they are: the functions in libc's tables are ours. */
bool stdio_streams_are_seen(void);

/* In the child of a fork: finishes what a thread that exists no more was at. */
void stdio_after_fork(void);

#endif
