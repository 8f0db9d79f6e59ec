/* Where glibc's stdio finds the functions that read, write and close a stream's descriptor: the slots of its two exported
 * tables, one for byte streams and one for wide ones. Changes them, after every check, and puts the page's protection back. */
#ifndef JWTSHIM_HOOKS_STDIO_TABLE_H
#define JWTSHIM_HOOKS_STDIO_TABLE_H

#include <stdbool.h>
#include <stdio.h>

/* What is in the slots, of the types that glibc's libio/libioP.h gives them. */
struct stdio_functions {
    ssize_t (*read)(FILE *stream, void *buf, ssize_t len);
    ssize_t (*write)(FILE *stream, const void *data, ssize_t len);
    int (*close)(FILE *stream);
};

/* Puts `ours` into the slots, or, where anything is not as it was understood, nothing into any. True if they are there;
 * libc's own are in `*libcs` before the first of ours is. What is wrong goes to `*why`, else NULL. May be done again. Two
 * system calls, no lock but that of the loader's list, no memory. */
bool stdio_table_change(const struct stdio_functions *ours, struct stdio_functions *libcs, const char **why);

#endif
