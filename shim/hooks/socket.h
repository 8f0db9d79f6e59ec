/* Plain stream sockets: what a write to a descriptor means, shared by the exports of the socket_*.c files.
 * A descriptor that is no HTTP connection costs one look into a table; the first bytes decide, before any system call. */
#ifndef JWTSHIM_HOOKS_SOCKET_H
#define JWTSHIM_HOOKS_SOCKET_H

#include "../conn/fd_table.h"
#include "hooks.h"

#include <sys/socket.h>
#include <sys/uio.h>

/* One call of the program's that writes to a descriptor. */
struct socket_call {
    int fd;
    bool is_send; /* of the send family: `flags` go with every real write */
    int flags;
    const struct msghdr *first; /* its name and control data go with the first bytes that leave; or NULL */
    struct fd_conn *conn;       /* entered */
};

static inline bool socket_is_plain(int fd)
{
    return fd_state(fd) == FD_PLAIN;
}

/* The body of an export: two jumps and no frame for a low descriptor that needs no look. `otherwise` takes the same
 * arguments, and makes the real call itself where it finds nothing to look at. */
#define PLAIN_OR(otherwise, function, fd, ...)                                                                         \
    __typeof__(&(function)) real = KNOWN_REAL(function);                                                               \
    return __builtin_expect(real && fd_is_low_and_plain(fd), 1) ? real(fd, __VA_ARGS__) : otherwise(fd, __VA_ARGS__)

/* False for a pointer into the first pages, which are never mapped: the kernel's EFAULT is the program's to get. */
static inline bool is_readable(const void *pointer)
{
    return (uintptr_t)pointer >= 65536;
}

/* Enters the connection that a write of `first` bytes to call->fd belongs to, tracking it if these may begin a request.
 * False: nothing to look at (or not now), pass on. */
bool socket_enter(struct socket_call *call, struct span first);
void socket_leave(struct socket_call *call);

/* The write itself, between entering and leaving. */
ssize_t socket_write_entered(struct socket_call *call, const void *buf, size_t len);

/* socket_enter, write and leave; or the real call. */
ssize_t socket_write(struct socket_call *call, const void *buf, size_t len);

/* True if `len` coming bytes on `fd` are body without a doubt. */
bool socket_body_takes(int fd, uint64_t len);

/* Bytes enter the stream whose content is not seen. */
void socket_skip(int fd, uint64_t len);

/* Releases held bytes of `fd` before a read that blocks. */
void socket_release_for_read(int fd, int flags);

/* What is held for `fd` goes out, without waiting. */
void socket_release(int fd);

/* The same for the owner of the memory: the connection behind this number ends, or is shut down for writing: what is held goes out now or never. */
void socket_release_last(int fd);

#endif
