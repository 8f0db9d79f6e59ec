/* What a descriptor is, as it changes: sockets come, connect, are duplicated and go. Held bytes go out before a descriptor
 * ends, and the table forgets a number before the kernel can give it to another. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

EXPORT int socket(int domain, int type, int protocol)
{
    int fd = REAL(socket)(domain, type, protocol);
    if (fd >= 0)
        fd_forget(fd);
    return fd;
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
    int result = REAL(socketpair)(domain, type, protocol, fds);
    if (result == 0) {
        fd_forget(fds[0]);
        fd_forget(fds[1]);
    }
    return result;
}

/* Plain from the start: libraries that unwind stacks ask the kernel whether memory can be read by writing it to a pipe of
 * theirs, and would not survive our reading it first. */
EXPORT int pipe(int fds[2])
{
    int result = REAL(pipe)(fds);
    if (result == 0) {
        fd_set_plain(fds[0]);
        fd_set_plain(fds[1]);
    }
    return result;
}

EXPORT int pipe2(int fds[2], int flags)
{
    int result = REAL(pipe2)(fds, flags);
    if (result == 0) {
        fd_set_plain(fds[0]);
        fd_set_plain(fds[1]);
    }
    return result;
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int result = REAL(connect)(fd, address, len);
    int saved = errno;
    if (result == 0 || saved == EINPROGRESS)
        fd_forget(fd);
    errno = saved;
    return result;
}

EXPORT int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    int accepted = REAL(accept)(fd, address, len);
    if (accepted >= 0)
        fd_set_plain(accepted);
    return accepted;
}

EXPORT int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
    int accepted = REAL(accept4)(fd, address, len, flags);
    if (accepted >= 0)
        fd_set_plain(accepted);
    return accepted;
}

/* Whether the table may follow what happens to these descriptors: in the child of a vfork it is the parent's. */
static bool table_follows(int fd, int other)
{
    return (!fd_is_tracked(fd) && !fd_is_tracked(other)) || !process_is_foreign();
}

static __attribute__((noinline)) int close_known(int fd)
{
    if (table_follows(fd, -1)) {
        if (fd_is_tracked(fd))
            socket_release_last(fd);
        fd_forget(fd);
    }
    return REAL(close)(fd);
}

EXPORT int close(int fd)
{
    __typeof__(&close) real = KNOWN_REAL(close);
    return __builtin_expect(real && fd_state(fd) == FD_UNKNOWN, 1) ? real(fd) : close_known(fd);
}

static void end_range(unsigned first, unsigned last)
{
    if (process_is_foreign())
        return;
    if (atomic_load_explicit(&conns_holding, memory_order_relaxed))
        fd_each(first, last, socket_release_last);
    fd_forget_range(first, last);
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    __typeof__(&close_range) real = REAL(close_range);
    if (!real) {
        errno = ENOSYS;
        return -1;
    }
    if (first <= last && !(flags & CLOSE_RANGE_CLOEXEC))
        end_range(first, last);
    return real(first, last, flags);
}

EXPORT void closefrom(int first)
{
    __typeof__(&closefrom) real = REAL(closefrom);
    unsigned from = first < 0 ? 0 : (unsigned)first;
    end_range(from, ~0u);
    if (real)
        real(first);
    else
        REAL(syscall)(SYS_close_range, (long)from, (long)UINT_MAX, 0l);
}

static void follow_copy(int from, int to)
{
    int saved = errno;
    if (to >= 0 && table_follows(from, to))
        fd_copy(from, to);
    errno = saved;
}

EXPORT int dup(int fd)
{
    int copy = REAL(dup)(fd);
    follow_copy(fd, copy);
    return copy;
}

/* The old meaning of `to` ends only if the call succeeds, but its held bytes must go before. */
EXPORT int dup2(int fd, int to)
{
    if (fd != to && fd_is_tracked(to))
        socket_release_last(to);
    int copy = REAL(dup2)(fd, to);
    follow_copy(fd, copy);
    return copy;
}

EXPORT int dup3(int fd, int to, int flags)
{
    if (fd != to && fd_is_tracked(to))
        socket_release_last(to);
    int copy = REAL(dup3)(fd, to, flags);
    follow_copy(fd, copy);
    return copy;
}

/* Every third argument that fcntl() knows fits a pointer's register. */
EXPORT int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int result = REAL(fcntl)(fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        follow_copy(fd, result);
    return result;
}

EXPORT int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int result = REAL(fcntl64)(fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        follow_copy(fd, result);
    return result;
}

EXPORT int shutdown(int fd, int how)
{
    if (how != SHUT_RD && fd_is_tracked(fd))
        socket_release_last(fd);
    return REAL(shutdown)(fd, how);
}
