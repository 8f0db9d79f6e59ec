/* What the programs of these tests share. What one arranged happens in the middle of a write to a socket: inject.c, behind the shim,
 * calls inside_write() there. Each thread arranges for itself. */
#ifndef FAULT_INSIDE_H
#define FAULT_INSIDE_H

#include <stddef.h>

/* `what` happens in the `when`-th write of this thread from here on, from 1. NULL: nothing does. */
void arrange(void (*what)(void), int when);
int has_happened(void);

/* Bytes that the first of them takes; 0: all. */
extern _Thread_local size_t first_takes;

/* valgrind has some of its own. */
int open_descriptors_more(void);

#endif
