/* Plain stream sockets: what a write to a descriptor means, shared by the exports of the socket_*.c files.
 * A descriptor that is no HTTP connection costs one look into a table; the first bytes decide, before any system call. */
#ifndef JWTSHIM_HOOKS_SOCKET_H
#define JWTSHIM_HOOKS_SOCKET_H

#include "../conn/fd_table.h"
#include "hooks.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* One call of the program's that writes to a descriptor. */
struct socket_call {
    int fd;
    bool is_send;               /* of the send family: `flags` go with every real write */
    int flags;                  /* MSG_* */
    int rw_flags;               /* RWF_* of pwritev2, which go with every real write */
    const struct msghdr *first; /* its name and control data go with the first bytes that leave; or NULL */
    struct fd_conn *conn;       /* entered */
};

/* The body of an export: two jumps and no frame for a low descriptor that needs no look. `otherwise` takes the same
 * arguments, and makes the real call itself where it finds nothing to look at. */
#define PLAIN_OR(otherwise, function, fd, ...)                                                                         \
    __typeof__(&(function)) real = KNOWN_REAL(function);                                                               \
    return __builtin_expect(real && fd_is_low_and_plain(fd), 1) ? real(fd, __VA_ARGS__) : otherwise(fd, __VA_ARGS__)

/* A length that the kernel would not refuse. Where the -1 of a failed read is written on, no byte may be looked at. */
static inline bool is_sendable_length(size_t len)
{
    return len <= SSIZE_MAX;
}

/* False if `fd` is known, or found now, to need no look. Asked before a byte of the program's is read: writing memory that
 * cannot be read is how some programs find that out, and the kernel's EFAULT is theirs to get. */
bool socket_needs_look(int fd);

/* Enters the connection that a write of `first` bytes to call->fd (which needs a look) belongs to, tracking it if these may
 * begin a request. False: nothing to look at (or not now), pass on. */
bool socket_enter(struct socket_call *call, struct span first);
void socket_leave(struct socket_call *call);

/* The write itself, between entering and leaving. */
ssize_t socket_write_entered(struct socket_call *call, const void *buf, size_t len);

/* Between entering and leaving: the last write was refused, and its `len` bytes will not be shown again. */
void socket_gives_up(struct socket_call *call, size_t len);

/* Between entering and leaving: true if `len` bytes may go out in the program's own pieces. */
bool socket_passes_pieces(struct socket_call *call, size_t len);

/* socket_enter, write and leave; or the real call. */
ssize_t socket_write(struct socket_call *call, const void *buf, size_t len);

/* True if `len` coming bytes on `fd` are body without a doubt. */
bool socket_body_takes(int fd, uint64_t len);

/* Bytes enter the stream whose content is not seen. */
void socket_skip(int fd, uint64_t len);

/* `from` is to be duplicated: if it is a socket that nothing was written to yet, it is tracked now, so that both name one
 * connection. */
void socket_before_copy(int from);

/* `fd` was connected, maybe not for the first time: what is tracked begins anew, unless something is under way. */
void socket_begins(int fd);

/* `fd` is about to be closed. */
void socket_ends(int fd);

/* Whether this very thread is in the middle of a call on `fd`. */
bool socket_is_inside(int fd);

/* Nothing that is written to `fd` can arrive any more. */
void socket_ends_writing(int fd);

/* Releases held bytes of `fd` before a read that blocks. */
void socket_release_for_read(int fd, int flags);

/* The same where a read is about to be made: one load, for as long as nothing is held anywhere. */
static inline void socket_before_read(int fd, int flags)
{
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) != 0, 0))
        socket_release_for_read(fd, flags);
}

/* Another program may come to write by `fd`: the socket itself gets to know whether that begins a request. */
void socket_mark_for_others(int fd);

/* What is held for `fd` goes out, without waiting. */
void socket_release(int fd);

/* The same for the owner of the memory: the connection behind this number ends, or is shut down for writing: what is held goes out now or never. */
void socket_release_last(int fd);

/* What is held for the descriptors that `message` passes on goes out. */
void socket_release_passed(const struct msghdr *message);

static inline void socket_before_passing(const struct msghdr *message)
{
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) != 0, 0))
        socket_release_passed(message);
}

#endif
