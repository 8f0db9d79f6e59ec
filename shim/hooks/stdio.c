/* stdio's calls that begin and end a stream's descriptor by inner calls of libc's, by name. What streams write is seen in
 * stdio_streams.c. */
#include "stdio_streams.h"

#include "socket.h"

#include <errno.h>
#include <stdio.h>

/* The descriptor may be an inherited one. */
EXPORT FILE *fdopen(int fd, const char *mode)
{
    if (fd_state(fd) == FD_UNKNOWN)
        socket_needs_look(fd);
    return REAL(fdopen)(fd, mode);
}

/* The slots see the descriptor end, after libc's last flush of the stream. */
static bool slots_see_the_end(int fd)
{
    return stdio_streams_are_seen() && fd_state(fd) != FD_PLAIN;
}

static int number_of(FILE *stream)
{
    int saved = errno;
    int fd = stream ? fileno_unlocked(stream) : -1;
    errno = saved;
    return fd;
}

/* libc closes the descriptor of a stream by an inner call. */
EXPORT int fclose(FILE *stream)
{
    int fd = number_of(stream);
    if (fd >= 0 && fd_state(fd) != FD_UNKNOWN && !slots_see_the_end(fd))
        socket_ends(fd);
    return REAL(fclose)(stream);
}

/* libc flushes the stream and then duplicates the new file over its descriptor, all by inner calls. */
static void before_reopening(FILE *stream)
{
    int saved = errno;
    int fd = number_of(stream);
    if (fd < 0 || fd_state(fd) == FD_UNKNOWN)
        return;
    if (slots_see_the_end(fd))
        fflush(stream);
    socket_ends(fd);
    errno = saved;
}

EXPORT FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict stream)
{
    before_reopening(stream);
    return REAL(freopen)(path, mode, stream);
}

EXPORT FILE *freopen64(const char *restrict path, const char *restrict mode, FILE *restrict stream)
{
    before_reopening(stream);
    return REAL(freopen64)(path, mode, stream);
}
