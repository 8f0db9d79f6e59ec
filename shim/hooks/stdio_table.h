/* Where glibc's stdio finds the functions that read, write and close a stream's descriptor: the slots of its two exported
 * tables, one for byte streams and one for wide ones. Changes them, after every check, and puts the page's protection back. */
#ifndef JWTSHIM_HOOKS_STDIO_TABLE_H
#define JWTSHIM_HOOKS_STDIO_TABLE_H

#include <stdbool.h>
#include <stdio.h>

/* What goes into the slots, of the types that glibc's libio/libioP.h gives them. */
struct stdio_functions {
    ssize_t (*read)(FILE *stream, void *buf, ssize_t len);
    ssize_t (*write)(FILE *stream, const void *data, ssize_t len);
    int (*close)(FILE *stream);
};

/* libc's own. Weak: another C library has none of them, and no table either. */
extern ssize_t _IO_file_read(FILE *stream, void *buf, ssize_t len) __attribute__((weak));
extern ssize_t _IO_file_write(FILE *stream, const void *data, ssize_t len) __attribute__((weak));
extern int _IO_file_close(FILE *stream) __attribute__((weak));

/* Whether this C library has such tables at all. */
bool stdio_table_exists(void);

/* Puts `ours` into the slots, or, where anything is not as it was understood, nothing into any. True if they are there. What
 * is wrong goes to `*why`, else NULL. May be done again. Two system calls, no lock but the loader's list's, no memory. */
bool stdio_table_change(const struct stdio_functions *ours, const char **why);

#endif
