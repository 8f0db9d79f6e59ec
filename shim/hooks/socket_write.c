/* Every libc call that puts bytes into a socket: each finds its way to the one body in socket.c, or straight to libc. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { FIRST_BYTES = 16, FLAT_MAX = 128 * 1024 };

static __attribute__((noinline)) ssize_t write_looked_at(int fd, const void *buf, size_t len)
{
    struct socket_call call = {.fd = fd};
    return socket_write(&call, buf, len);
}

EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
    PLAIN_OR(write_looked_at, write, fd, buf, len);
}

static __attribute__((noinline)) ssize_t send_looked_at(int fd, const void *buf, size_t len, int flags)
{
    struct socket_call call = {.fd = fd, .is_send = true, .flags = flags};
    return socket_write(&call, buf, len);
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    PLAIN_OR(send_looked_at, send, fd, buf, len, flags);
}

static size_t iov_total(const struct iovec *iov, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    return total;
}

/* Copies up to `room` bytes from the pieces, `skip` bytes in. */
static size_t iov_copy(const struct iovec *iov, int count, size_t skip, char *to, size_t room)
{
    size_t len = 0;
    for (int i = 0; i < count && len < room; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        size_t take = iov[i].iov_len - skip;
        if (take > room - len)
            take = room - len;
        memcpy(to + len, (const char *)iov[i].iov_base + skip, take);
        len += take;
        skip = 0;
    }
    return len;
}

/* Without memory: one piece after the other. */
static ssize_t write_each_piece(struct socket_call *call, const struct iovec *iov, int count)
{
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len == 0)
            continue;
        ssize_t sent = socket_write_entered(call, iov[i].iov_base, iov[i].iov_len);
        if (sent <= 0)
            return done ? done : sent;
        done += sent;
        if ((size_t)sent < iov[i].iov_len)
            break;
    }
    return done;
}

/* What may hold a head is made one run of bytes, FLAT_MAX of them at a time: more than any head is long, and a request
 * that was one segment stays one. */
static ssize_t write_pieces_entered(struct socket_call *call, const struct iovec *iov, int count, size_t total)
{
    char *flat = malloc(total < FLAT_MAX ? total + 1 : FLAT_MAX);
    if (!flat)
        return write_each_piece(call, iov, count);
    ssize_t done = 0;
    ssize_t answer = 0;
    size_t len = 0;
    do {
        len = iov_copy(iov, count, (size_t)done, flat, FLAT_MAX);
        answer = socket_write_entered(call, flat, len);
        if (answer > 0)
            done += answer;
    } while (answer == (ssize_t)len && (size_t)done < total);
    int saved = errno;
    explicit_bzero(flat, len);
    free(flat);
    errno = saved;
    return done ? done : answer;
}

/* A count that the kernel would not refuse. */
static bool are_sendable(const struct iovec *iov, int count)
{
    return iov && count > 0 && count <= IOV_MAX;
}

/* How a call of several pieces is made for real. */
typedef ssize_t real_pieces(const struct socket_call *call, const struct iovec *iov, int count);

static ssize_t write_pieces(struct socket_call *call, const struct iovec *iov, int count, real_pieces *real)
{
    char first[FIRST_BYTES];
    const size_t total = iov_total(iov, count);
    const bool is_new = fd_state(call->fd) == FD_SOCKET;
    size_t len = is_new ? iov_copy(iov, count, 0, first, sizeof first) : 0;
    if (total == 0 || !socket_enter(call, span_of(first, len)))
        return real(call, iov, count);

    struct conn *conn = &call->conn->conn;
    ssize_t sent;
    if (socket_passes_pieces(call, total)) {
        sent = real(call, iov, count);
        if (sent > 0)
            conn_skip(conn, (uint64_t)sent);
    } else {
        sent = write_pieces_entered(call, iov, count, total);
    }
    socket_leave(call);
    return sent;
}

static ssize_t real_writev(const struct socket_call *call, const struct iovec *iov, int count)
{
    return REAL(writev)(call->fd, iov, count);
}

static __attribute__((noinline)) ssize_t writev_looked_at(int fd, const struct iovec *iov, int count)
{
    if (!socket_needs_look(fd) || !are_sendable(iov, count))
        return REAL(writev)(fd, iov, count);
    struct socket_call call = {.fd = fd};
    return write_pieces(&call, iov, count, real_writev);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
    PLAIN_OR(writev_looked_at, writev, fd, iov, count);
}

/* Only offset -1, the stream's own position, can mean a socket; RWF_* flags there are few and rare, and the program's
 * own pieces keep them. */
static ssize_t real_pwritev2(const struct socket_call *call, const struct iovec *iov, int count)
{
    return REAL(pwritev2)(call->fd, iov, count, -1, call->rw_flags);
}

EXPORT ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    if (offset != -1 || !socket_needs_look(fd) || !are_sendable(iov, count))
        return REAL(pwritev2)(fd, iov, count, offset, flags);
    struct socket_call call = {.fd = fd, .rw_flags = flags};
    return write_pieces(&call, iov, count, real_pwritev2);
}

#ifdef __LP64__
EXPORT ssize_t pwritev64v2(int fd, const struct iovec *iov, int count, off64_t offset, int flags)
    __attribute__((alias("pwritev2")));
#endif

static ssize_t real_sendmsg(const struct socket_call *call, const struct iovec *iov, int count)
{
    (void)iov, (void)count; /* the message's own */
    return REAL(sendmsg)(call->fd, call->first, call->flags);
}

static bool is_sendable(const struct msghdr *message)
{
    return message && message->msg_iovlen <= IOV_MAX && are_sendable(message->msg_iov, (int)message->msg_iovlen);
}

static __attribute__((noinline)) ssize_t send_message_looked_at(int fd, const struct msghdr *message, int flags)
{
    if (!socket_needs_look(fd) || !is_sendable(message))
        return REAL(sendmsg)(fd, message, flags);
    struct socket_call call = {.fd = fd, .is_send = true, .flags = flags, .first = message};
    return write_pieces(&call, message->msg_iov, (int)message->msg_iovlen, real_sendmsg);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    socket_before_passing(message);
    PLAIN_OR(send_message_looked_at, sendmsg, fd, message, flags);
}

static __attribute__((noinline)) ssize_t send_to_looked_at(int fd, const void *buf, size_t len, int flags,
                                                           const struct sockaddr *to, socklen_t to_len)
{
    const struct msghdr message = {.msg_name = (void *)(uintptr_t)to, .msg_namelen = to_len};
    struct socket_call call = {.fd = fd, .is_send = true, .flags = flags, .first = to ? &message : NULL};
    if (!socket_needs_look(fd) || !socket_enter(&call, span_of(buf, len)))
        return REAL(sendto)(fd, buf, len, flags, to, to_len);
    ssize_t sent = socket_write_entered(&call, buf, len);
    socket_leave(&call);
    return sent;
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    PLAIN_OR(send_to_looked_at, sendto, fd, buf, len, flags, to, to_len);
}

/* One message after the other, as the kernel does it: the first refusal ends it, and is told only if it was the first. */
EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned done = 0;
    for (unsigned i = 0; messages && i < count && i < IOV_MAX; i++)
        socket_before_passing(&messages[i].msg_hdr);
    if (!socket_needs_look(fd) || !messages)
        return REAL(sendmmsg)(fd, messages, count, flags);
    if (fd_state(fd) == FD_SOCKET && count) {
        char first[FIRST_BYTES];
        const struct msghdr *message = &messages[0].msg_hdr;
        size_t len =
            is_sendable(message) ? iov_copy(message->msg_iov, (int)message->msg_iovlen, 0, first, sizeof first) : 0;
        if (len == 0 || !request_may_begin(span_of(first, len)))
            return REAL(sendmmsg)(fd, messages, count, flags);
    }
    for (; done < count && done < IOV_MAX; done++) {
        ssize_t sent = send_message_looked_at(fd, &messages[done].msg_hdr, flags);
        if (sent < 0)
            break;
        messages[done].msg_len = (unsigned)sent;
        if ((size_t)sent < iov_total(messages[done].msg_hdr.msg_iov, (int)messages[done].msg_hdr.msg_iovlen))
            return (int)done + 1;
    }
    return done || count == 0 ? (int)done : -1;
}

/* A file that becomes a body is the kernel's business; one that may hold a head is read and written here, a piece at a
 * time. -1 with ENOMEM is told to nobody: the caller lets the kernel do it. */
static ssize_t sendfile_read(int to, int from, off_t *offset, size_t count)
{
    const size_t most = (size_t)16 * 1024;
    const size_t piece = count < most ? count : most;
    char *bytes = malloc(piece);
    if (!bytes)
        return -1;
    off_t at = offset ? *offset : lseek(from, 0, SEEK_CUR);
    if (at < 0 && offset)
        errno = EINVAL;
    ssize_t len = at < 0 ? -1 : pread(from, bytes, piece, at);
    ssize_t sent = len;
    if (len > 0) {
        struct socket_call call = {.fd = to};
        sent = socket_write(&call, bytes, (size_t)len);
    }
    int saved = errno;
    explicit_bzero(bytes, piece);
    free(bytes);
    if (len > 0 && sent > 0 && offset)
        *offset = at + sent;
    else if (len > 0 && sent > 0)
        lseek(from, at + sent, SEEK_SET);
    errno = saved;
    return sent;
}

EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t count)
{
    if (!socket_needs_look(to))
        return REAL(sendfile)(to, from, offset, count);
    int saved = errno;
    size_t done = 0;
    while (done < count && fd_state(to) != FD_PLAIN && !socket_body_takes(to, count - done)) {
        ssize_t sent = sendfile_read(to, from, offset, count - done);
        if (sent < 0 && done == 0 && (errno == ESPIPE || errno == EISDIR || errno == EINVAL || errno == ENOMEM))
            break; /* not to be read by position: libc's own answer counts */
        if (sent <= 0)
            return done ? (ssize_t)done : sent;
        done += (size_t)sent;
    }
    if (done == count && done)
        return (ssize_t)done;
    errno = saved;
    ssize_t sent = REAL(sendfile)(to, from, offset, count - done);
    if (sent > 0)
        socket_skip(to, (uint64_t)sent);
    return sent < 0 && done ? (ssize_t)done : sent + (ssize_t)done;
}

#ifdef __LP64__
EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) __attribute__((alias("sendfile")));
#endif

/* What comes out of a pipe cannot be read without taking it: only a body may pass so. Anything else ends the framing. */
EXPORT ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t len, unsigned flags)
{
    if (!(flags & SPLICE_F_NONBLOCK))
        socket_release_for_read(from, 0);
    if (!socket_needs_look(to))
        return REAL(splice)(from, from_offset, to, to_offset, len, flags);
    if (!socket_body_takes(to, len))
        socket_release_last(to);
    ssize_t sent = REAL(splice)(from, from_offset, to, to_offset, len, flags);
    if (sent > 0)
        socket_skip(to, (uint64_t)sent);
    return sent;
}
