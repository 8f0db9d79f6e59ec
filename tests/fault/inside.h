/* What the programs of these tests share. What one arranged happens in the middle of a write to a socket: inject.c, behind the shim,
 * calls inside_write() there. Each thread arranges for itself. */
#ifndef FAULT_INSIDE_H
#define FAULT_INSIDE_H

#include <fcntl.h>
#include <stddef.h>

size_t inside_write(int fd, size_t len);

/* The `when`-th write of this thread from arrange() on, from 1. */
static _Thread_local void (*event)(void);
static _Thread_local int when, seen;
static _Thread_local size_t first_takes; /* bytes that the first of them takes; 0: all */

static inline void arrange(void (*what)(void), int at)
{
    event = what;
    when = at;
    seen = 0;
}

size_t inside_write(int fd, size_t len)
{
    (void)fd;
    if (!event)
        return len;
    if (++seen == when) {
        void (*now)(void) = event;
        event = NULL;
        now();
    }
    return seen == 1 && first_takes && first_takes < len ? first_takes : len;
}

static inline int open_descriptors(void)
{
    int open = 0;
    for (int fd = 0; fd < 1024; fd++)
        open += fcntl(fd, F_GETFD) >= 0;
    return open;
}

/* valgrind has some of its own. */
static int open_at_start;

__attribute__((constructor)) static void count_at_start(void)
{
    open_at_start = open_descriptors();
}

#endif
