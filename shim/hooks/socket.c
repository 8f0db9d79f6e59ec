#include "socket.h"

#include "handle.h"
#include "stdio_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* Flags for `buf`: the kernel may keep a MSG_ZEROCOPY buffer, so ours never go that way; and what stands for the first
 * bytes of a call is not sent twice. */
static int flags_for(struct socket_call *call, const char *buf)
{
    const struct conn *conn = call->conn ? &call->conn->conn : NULL;
    bool ours = conn && conn->out.at && buf >= conn->out.at && buf < conn->out.at + conn->out.len;
    if (ours && conn->out_sent) {
        call->first = NULL;
        call->flags &= ~MSG_FASTOPEN;
    }
    return ours ? call->flags & ~MSG_ZEROCOPY : call->flags;
}

static ssize_t real_write(void *ctx, const void *buf, size_t len)
{
    struct socket_call *call = ctx;
    struct iovec piece = {(void *)(uintptr_t)buf, len};
    if (call->rw_flags)
        return REAL(pwritev2)(call->fd, &piece, 1, -1, call->rw_flags);
    if (!call->is_send)
        return REAL(write)(call->fd, buf, len);
    int flags = flags_for(call, buf);
    if (!call->first)
        return REAL(send)(call->fd, buf, len, flags);
    struct msghdr message = *call->first;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    ssize_t sent = REAL(sendmsg)(call->fd, &message, flags);
    if (sent > 0) {
        call->first = NULL;
        call->flags &= ~MSG_FASTOPEN;
    }
    return sent;
}

static bool is_same_socket(const struct socket_call *call)
{
    struct stat status;
    return fstat(call->fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == call->conn->inode &&
           status.st_dev == call->conn->device;
}

static bool is_public_v4(uint32_t host_order)
{
    static const struct {
        uint32_t net, mask;
    } local[] = {
        {0x7f000000, 0xff000000}, {0x0a000000, 0xff000000}, {0xac100000, 0xfff00000}, {0xc0a80000, 0xffff0000},
        {0xa9fe0000, 0xffff0000}, {0x64400000, 0xffc00000}, {0x00000000, 0xff000000},
    };
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if ((host_order & local[i].mask) == local[i].net)
            return false;
    return true;
}

static bool is_public_v6(const struct in6_addr *address)
{
    const uint8_t *b = address->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(address))
        return is_public_v4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
    return !IN6_IS_ADDR_LOOPBACK(address) && !IN6_IS_ADDR_UNSPECIFIED(address) && (b[0] & 0xfe) != 0xfc &&
           !IN6_IS_ADDR_LINKLOCAL(address);
}

/* Port 80 of a public address: a real site only redirects from there to https, echoing the query, and the follow-up
 * would have lost a token that was moved here. */
static bool peer_only_redirects(const struct socket_call *call)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } peer = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof peer;
    if (getpeername(call->fd, &peer.any, &len) != 0) {
        if (!call->first || !call->first->msg_name || call->first->msg_namelen > sizeof peer)
            return false;
        memcpy(&peer, call->first->msg_name, call->first->msg_namelen);
    }
    if (peer.any.sa_family == AF_INET)
        return peer.v4.sin_port == htons(80) && is_public_v4(ntohl(peer.v4.sin_addr.s_addr));
    if (peer.any.sa_family == AF_INET6)
        return peer.v6.sin6_port == htons(80) && is_public_v6(&peer.v6.sin6_addr);
    return false;
}

/* Held bytes are told to be written, so an error that is waiting must be the program's first; what goes with the bytes
 * (descriptors, a connection that is yet to be made) cannot wait with them; and nobody releases what is held after exit(). */
static enum reason objects_to_holding(const struct socket_call *call)
{
    struct pollfd state = {.fd = call->fd, .events = POLLOUT};
    if (call->flags & MSG_FASTOPEN)
        return REASON_FAST_OPEN;
    if (process_is_ending())
        return REASON_RELEASED;
    if (call->first && call->first->msg_controllen)
        return REASON_ANCILLARY;
    if (poll(&state, 1, 0) < 0 || state.revents & (POLLERR | POLLHUP | POLLNVAL))
        return REASON_SOCKET_ERROR;
    return REASON_NONE;
}

static enum reason objects(void *ctx, const struct decision *decision)
{
    struct socket_call *call = ctx;
    int saved = errno;
    enum reason reason = REASON_NONE;
    if (!is_same_socket(call)) {
        reason = REASON_DESCRIPTOR_CHANGED;
    } else if (!decision) {
        reason = objects_to_holding(call);
    } else if (decision->token.at) {
        enum plaintext plaintext = config_get()->plaintext;
        if (plaintext == PLAINTEXT_NEVER ||
            (plaintext == PLAINTEXT_AUTO && decision->form == TARGET_ORIGIN && peer_only_redirects(call)))
            reason = REASON_PLAINTEXT;
    }
    errno = saved;
    return reason;
}

static void decided(void *ctx, const struct decision *decision)
{
    (void)ctx;
    report_decision("socket", decision);
}

static const struct sink socket_sink = {
    .layer = "socket",
    .write = real_write,
    .objects = objects,
    .decided = decided,
    .whole_writes = false,
};

/* A program that inherits a connection in the middle of a request writes what no program of ours may take for one: a body that
 * is full of them, say. The socket itself tells, by the signal that F_SETSIG chose, which survives exec: SIGIO, which is what
 * comes where none was chosen. */
enum { MARK = SIGIO };

/* Whether a request may begin on it: a stream socket, of which no other program left a mark. */
static bool is_between_requests(int fd, struct stat *status)
{
    int type = 0;
    int domain = 0;
    socklen_t len = sizeof type;
    if (fstat(fd, status) != 0 || !S_ISSOCK(status->st_mode))
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
        return false;
    len = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX) && REAL(fcntl)(fd, F_GETSIG) != MARK;
}

bool socket_needs_look(int fd)
{
    struct stat status;
    if (fd_state(fd) != FD_UNKNOWN)
        return fd_state(fd) != FD_PLAIN;
    if (fd < 0)
        return false;
    int saved = errno;
    bool look = config_get()->mode != MODE_OFF && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
    errno = saved;
    if (!look) {
        if (fd < FD_PAGE || config_get()->mode != MODE_OFF)
            fd_set_plain(fd); /* a page for high ones takes memory, and may come to nothing but a system call that kills */
        return false;
    }
    fd_set_socket(fd);
    stdio_watch(); /* an inherited one, or one that came by another way that nobody saw */
    return true;
}

static bool track(int fd, const struct stat *status)
{
    process_watch_forks();
    return fd_track(fd, status) != NULL;
}

/* The first bytes on a socket decide. */
static bool track_if_request(int fd, struct span first)
{
    struct stat status;
    if (!request_may_begin(first) || config_get()->mode == MODE_OFF || !is_between_requests(fd, &status))
        return false;
    return track(fd, &status);
}

void socket_before_copy(int from)
{
    struct stat status;
    const uintptr_t state = fd_state(from);
    if ((state != FD_SOCKET && state != FD_UNKNOWN) || config_get()->mode == MODE_OFF)
        return;
    int saved = errno;
    if (is_between_requests(from, &status)) {
        stdio_watch(); /* it may be an inherited one */
        track(from, &status);
    }
    errno = saved;
}

/* False if what was entered is another socket by now; it is left then. */
static bool is_still_tracked(struct socket_call *call)
{
    struct conn *conn = &call->conn->conn;
    if (!conn->holding && conn->out.len == 0)
        return true;
    int saved = errno;
    bool same = is_same_socket(call);
    errno = saved;
    if (same)
        return true;
    /* The socket was closed where nobody saw it: what it still owed can reach no one. */
    conn_reset(conn);
    stream_end(&conn->stream, REASON_DESCRIPTOR_CHANGED);
    socket_leave(call);
    return false;
}

static bool enter_tracked(struct socket_call *call)
{
    enum guard_entry entry;
    call->conn = fd_enter(call->fd, &entry);
    return call->conn && is_still_tracked(call);
}

/* From outside: another thread may be in the middle of a long write, and must not find that it was disturbed. */
void socket_mark_for_others(int fd)
{
    const uintptr_t state = fd_state(fd);
    struct socket_call call = {.fd = fd, .conn = (struct fd_conn *)state};
    if (state <= FD_SOCKET)
        return;
    const bool marked = !conn_is_between_requests(&call.conn->conn);
    const int saved = errno;
    if (marked != call.conn->marked && is_same_socket(&call) && REAL(fcntl)(fd, F_GETSIG) == (marked ? 0 : MARK) &&
        REAL(fcntl)(fd, F_SETSIG, marked ? MARK : 0) == 0)
        call.conn->marked = marked;
    errno = saved;
}

bool socket_enter(struct socket_call *call, struct span first)
{
    if (fd_state(call->fd) == FD_SOCKET && first.len) {
        int saved = errno;
        bool tracked = track_if_request(call->fd, first);
        if (!tracked)
            fd_set_plain(call->fd);
        errno = saved;
    }
    return fd_is_tracked(call->fd) && enter_tracked(call);
}

void socket_leave(struct socket_call *call)
{
    int saved = errno;
    fd_leave(call->fd, call->conn);
    errno = saved;
}

/* MSG_ZEROCOPY outside a body: the kernel counts, and keeps, the program's own pages. What was held goes out before, and
 * nothing is understood from here. */
static void end_for_zerocopy(struct socket_call *call, size_t len)
{
    struct conn *conn = &call->conn->conn;
    struct conn_call conn_call = conn_call_for(&socket_sink, call);
    if (!(call->flags & MSG_ZEROCOPY) || conn_is_in_body(conn, len) || conn->out.len)
        return;
    conn_release(conn, &conn_call, REASON_ZEROCOPY);
    stream_end(&conn->stream, REASON_ZEROCOPY);
}

ssize_t socket_write_entered(struct socket_call *call, const void *buf, size_t len)
{
    if (call->flags & MSG_OOB)
        return real_write(call, buf, len); /* beside the stream */
    end_for_zerocopy(call, len);
    struct conn_call conn_call = conn_call_for(&socket_sink, call);
    return conn_write(&call->conn->conn, &conn_call, buf, len);
}

void socket_gives_up(struct socket_call *call, size_t len)
{
    conn_gives_up(&call->conn->conn, len);
}

bool socket_passes_pieces(struct socket_call *call, size_t len)
{
    end_for_zerocopy(call, len);
    return conn_is_in_body(&call->conn->conn, len);
}

ssize_t socket_write(struct socket_call *call, const void *buf, size_t len)
{
    if (__builtin_expect(!is_sendable_length(len), 0))
        return real_write(call, buf, len);
    const bool usual = ((unsigned)call->rw_flags | (unsigned)(call->flags & ~MSG_NOSIGNAL)) == 0 && !call->first;
    call->conn = fd_enter_quickly(call->fd);
    if (call->conn && usual && conn_stays_over(&call->conn->conn, span_of(buf, len))) {
        ssize_t sent = call->is_send ? REAL(send)(call->fd, buf, len, call->flags) : REAL(write)(call->fd, buf, len);
        conn_stayed(&call->conn->conn, len, sent);
        fd_leave_quickly(call->conn);
        return sent;
    }
    bool entered =
        call->conn ? is_still_tracked(call) : socket_needs_look(call->fd) && socket_enter(call, span_of(buf, len));
    if (!entered)
        return real_write(call, buf, len);
    ssize_t written = socket_write_entered(call, buf, len);
    socket_leave(call);
    return written;
}

/* Sends what is held with `flags`, unchanged. True when nothing is left. */
static bool release(struct socket_call *call)
{
    struct conn_call conn_call = conn_call_for(&socket_sink, call);
    return conn_release(&call->conn->conn, &conn_call, REASON_RELEASED) > 0;
}

static bool enter_holding(struct socket_call *call)
{
    if (atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0 || !fd_is_tracked(call->fd))
        return false;
    if (!socket_enter(call, span_of(NULL, 0)))
        return false;
    if (call->conn->conn.holding)
        return true;
    socket_leave(call);
    return false;
}

bool socket_body_takes(int fd, uint64_t len)
{
    struct socket_call call = {.fd = fd, .is_send = true, .flags = MSG_NOSIGNAL};
    if (!fd_is_tracked(fd) || !socket_enter(&call, span_of(NULL, 0)))
        return false;
    bool takes = conn_is_in_body(&call.conn->conn, len);
    socket_leave(&call);
    return takes;
}

void socket_skip(int fd, uint64_t len)
{
    struct socket_call call = {.fd = fd, .is_send = true, .flags = MSG_NOSIGNAL};
    if (fd_state(fd) == FD_UNKNOWN || fd_state(fd) == FD_SOCKET)
        fd_set_plain(fd);
    if (!fd_is_tracked(fd) || !socket_enter(&call, span_of(NULL, 0)))
        return;
    conn_skip(&call.conn->conn, len);
    socket_leave(&call);
}

bool socket_is_inside(int fd)
{
    uintptr_t state = fd_state(fd);
    return state > FD_SOCKET && atomic_load(&((struct fd_conn *)state)->conn.guard.owner) == guard_self();
}

void socket_begins(int fd)
{
    struct socket_call call = {.fd = fd};
    if (!enter_tracked(&call))
        return;
    if (!call.conn->conn.holding && call.conn->conn.out.len == 0)
        conn_reset(&call.conn->conn);
    socket_leave(&call);
}

void socket_ends_writing(int fd)
{
    struct socket_call call = {.fd = fd};
    if (fd_state(fd) == FD_SOCKET)
        fd_set_plain(fd);
    if (!fd_is_tracked(fd) || process_is_foreign() || !enter_tracked(&call))
        return;
    if (call.conn->conn.out.len == 0)
        stream_end(&call.conn->conn.stream, REASON_RELEASED);
    socket_leave(&call);
}

void socket_release_for_read(int fd, int flags)
{
    struct socket_call call = {.fd = fd, .is_send = true, .flags = MSG_NOSIGNAL};
    int saved = errno;
    if (!(flags & MSG_DONTWAIT) && enter_holding(&call)) {
        if (!(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK))
            release(&call);
        socket_leave(&call);
    }
    errno = saved;
}

void socket_release_last(int fd)
{
    if (atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0 || process_is_foreign())
        return;
    uint64_t identity = socket_identity(fd);
    if (identity)
        handle_release_for_socket(identity); /* of a TLS library above it, whose records still need the socket */
    socket_release(fd);
}

/* Without waiting: a send buffer that is full is made larger by what must still go into it. */
void socket_release(int fd)
{
    struct socket_call call = {.fd = fd, .is_send = true, .flags = MSG_NOSIGNAL | MSG_DONTWAIT};
    int saved = errno;
    if (enter_holding(&call)) {
        struct conn *conn = &call.conn->conn;
        if (!release(&call) && errno == EAGAIN) {
            int size = 0;
            socklen_t len = sizeof size;
            if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0) {
                size += 4 * (int)(conn->out.len - conn->out_sent); /* the kernel counts its own overhead too */
                setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
                struct conn_call conn_call = conn_call_for(&socket_sink, &call);
                conn_flush(conn, &conn_call);
            }
        }
        socket_leave(&call);
    }
    errno = saved;
}
