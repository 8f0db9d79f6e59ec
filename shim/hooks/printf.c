/* The dprintf family: libc formats and writes in one inner step that no interposed write sees. */
#include "socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

extern int __dprintf_chk(int fd, int flag, const char *format, ...);
extern int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments);

/* Whether what `format` makes needs a look: it is for a tracked connection, or may begin a request on a new one. */
static bool needs_look(int fd, const char *format, va_list arguments)
{
    if (!socket_needs_look(fd))
        return false;
    if (fd_is_tracked(fd))
        return true;
    char first[16];
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(first, sizeof first, format, again);
    va_end(again);
    if (len <= 0)
        return false;
    if (request_may_begin(span_of(first, (size_t)len < sizeof first ? (size_t)len : sizeof first - 1)))
        return true;
    fd_set_plain(fd);
    return false;
}

/* All of it, as libc would: its count, or -1. */
static int print_to_connection(int fd, const char *format, va_list arguments)
{
    char *text;
    int len = vasprintf(&text, format, arguments);
    if (len < 0)
        return -1;
    for (int done = 0; done < len;) {
        struct socket_call call = {.fd = fd};
        ssize_t sent = socket_write(&call, text + done, (size_t)(len - done));
        if (sent <= 0) {
            len = -1;
            break;
        }
        done += (int)sent;
    }
    int saved = errno;
    if (len > 0)
        explicit_bzero(text, (size_t)len);
    free(text);
    errno = saved;
    return len;
}

EXPORT int vdprintf(int fd, const char *restrict format, va_list arguments)
{
    if (needs_look(fd, format, arguments))
        return print_to_connection(fd, format, arguments);
    return REAL(vdprintf)(fd, format, arguments);
}

EXPORT int dprintf(int fd, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = needs_look(fd, format, arguments) ? print_to_connection(fd, format, arguments)
                                                   : REAL(vdprintf)(fd, format, arguments);
    va_end(arguments);
    return result;
}

/* Whether `format` has a %n, which a fortified libc refuses in writable memory: such a format is libc's to judge. */
static bool stores_counts(const char *format)
{
    while ((format = strchr(format, '%')) != NULL) {
        format += 1 + strspn(format + 1, "0123456789 #+-'.*$hlqjztLI");
        if (*format == 'n')
            return true;
        if (*format)
            format++;
    }
    return false;
}

static int print_checked(int fd, int flag, const char *format, va_list arguments)
{
    if (!stores_counts(format))
        return needs_look(fd, format, arguments) ? print_to_connection(fd, format, arguments)
                                                 : REAL(__vdprintf_chk)(fd, flag, format, arguments);
    if (fd_is_tracked(fd))
        socket_release_last(fd);
    int printed = REAL(__vdprintf_chk)(fd, flag, format, arguments);
    if (printed > 0)
        socket_skip(fd, (uint64_t)printed);
    return printed;
}

EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments)
{
    return print_checked(fd, flag, format, arguments);
}

EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = print_checked(fd, flag, format, arguments);
    va_end(arguments);
    return result;
}
