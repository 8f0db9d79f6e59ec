/* What a descriptor is, as it changes: sockets come, connect, are duplicated and go. Held bytes go out before a descriptor
 * ends, and the table forgets a number before the kernel can give it to another. */
#include "socket.h"
#include "stdio_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Only stream sockets of these families carry HTTP. */
static void note_socket(int fd, int domain, int type)
{
    bool stream = (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == SOCK_STREAM;
    if (stream && (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX))
        fd_set_socket(fd);
    else
        fd_set_plain(fd);
}

EXPORT int socket(int domain, int type, int protocol)
{
    int fd = REAL(socket)(domain, type, protocol);
    if (fd >= 0)
        note_socket(fd, domain, type);
    return fd;
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
    int result = REAL(socketpair)(domain, type, protocol, fds);
    if (result == 0) {
        note_socket(fds[0], domain, type);
        note_socket(fds[1], domain, type);
        if (fd_state(fds[0]) == FD_SOCKET)
            stdio_watch();
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

/* A new connection, unless the descriptor was duplicated before: then its copies know it by what is tracked already. */
static void socket_connects(int fd)
{
    if (fd_state(fd) > FD_PLAIN)
        stdio_watch();
    if (fd_is_tracked(fd))
        socket_begins(fd);
    else if (fd_state(fd) == FD_PLAIN)
        fd_forget(fd);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int result = REAL(connect)(fd, address, len);
    int saved = errno;
    if (result == 0 || saved == EINPROGRESS)
        socket_connects(fd);
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

void socket_ends(int fd)
{
    if (!table_follows(fd, -1))
        return;
    if (!fd_is_shared(fd))
        socket_release_last(fd);
    fd_forget(fd);
}

static __attribute__((noinline)) int close_known(int fd)
{
    socket_ends(fd);
    return REAL(close)(fd);
}

EXPORT int close(int fd)
{
    __typeof__(&close) real = KNOWN_REAL(close);
    return __builtin_expect(real && fd_state(fd) == FD_UNKNOWN, 1) ? real(fd) : close_known(fd);
}

static void release_range(unsigned first, unsigned last)
{
    if (atomic_load_explicit(&conns_holding, memory_order_relaxed))
        fd_each(first, last, socket_release_last);
}

static void end_range(unsigned first, unsigned last)
{
    if (process_is_foreign())
        return;
    release_range(first, last);
    fd_forget_range(first, last);
}

/* By CLOSE_RANGE_UNSHARE this thread closes descriptors of its own, and others may go on with theirs: what they write is not the start of
 * a stream. */
static void part_from_range(unsigned first, unsigned last)
{
    if (process_is_foreign())
        return;
    release_range(first, last);
    fd_each(first, last, fd_set_plain);
}

/* Whether such a call is going to be done. Flags that the kernel does not know, a kernel that does not know the call, or a filter
 * refuse it; behind it would be too late to ask, since another thread may have got one of the numbers. */
static bool range_is_closed(__typeof__(&close_range) real, int flags)
{
    const unsigned nobodys = UINT_MAX;
    int saved = errno;
    const bool done = real(nobodys, nobodys, flags & ~CLOSE_RANGE_UNSHARE) == 0;
    errno = saved;
    return done;
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    __typeof__(&close_range) real = REAL(close_range);
    if (!real) {
        errno = ENOSYS;
        return -1;
    }
    if (first <= last && !(flags & CLOSE_RANGE_CLOEXEC) && range_is_closed(real, flags)) {
        if (flags & CLOSE_RANGE_UNSHARE)
            part_from_range(first, last);
        else
            end_range(first, last);
    }
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
    socket_before_copy(fd);
    int copy = REAL(dup)(fd);
    follow_copy(fd, copy);
    return copy;
}

/* The old meaning of `to` ends only if the call succeeds, but its held bytes must go before, unless another descriptor
 * names the same connection: shells put theirs on standard output for one command after the other. */
static void before_copy_over(int fd, int to)
{
    if (fd != to && fd_is_tracked(to) && !fd_is_shared(to))
        socket_release_last(to);
}

EXPORT int dup2(int fd, int to)
{
    before_copy_over(fd, to);
    socket_before_copy(fd);
    int copy = REAL(dup2)(fd, to);
    follow_copy(fd, copy);
    return copy;
}

EXPORT int dup3(int fd, int to, int flags)
{
    before_copy_over(fd, to);
    socket_before_copy(fd);
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
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        socket_before_copy(fd);
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
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        socket_before_copy(fd);
    int result = REAL(fcntl64)(fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        follow_copy(fd, result);
    return result;
}

EXPORT int shutdown(int fd, int how)
{
    if (how == SHUT_RD)
        return REAL(shutdown)(fd, how);
    socket_release_last(fd);
    int result = REAL(shutdown)(fd, how);
    int saved = errno;
    if (result == 0)
        socket_ends_writing(fd);
    errno = saved;
    return result;
}
