/* NSPR's sockets, which carry NSS's TLS as a layer. Files, pipes and datagrams have the same functions: their kind is
 * asked for before the first bytes that may begin a request are looked at. */
#include "handle.h"

#include <errno.h>
#include <stdlib.h>

typedef struct PRFileDesc PRFileDesc;
typedef struct {
    char *iov_base;
    int iov_len;
} PRIOVec;

typedef int32_t PR_Write_fn(PRFileDesc *fd, const void *buf, int32_t len);
typedef int32_t PR_Send_fn(PRFileDesc *fd, const void *buf, int32_t len, int flags, uint32_t timeout);
typedef int32_t PR_Writev_fn(PRFileDesc *fd, const PRIOVec *iov, int32_t count, uint32_t timeout);
typedef int32_t PR_SendTo_fn(PRFileDesc *fd, const void *buf, int32_t len, int flags, const void *to, uint32_t timeout);
typedef int PR_Shutdown_fn(PRFileDesc *fd, int how);
typedef int PR_Close_fn(PRFileDesc *fd);

enum { PR_MAX_IOVECTOR_SIZE = 16 };

struct nspr_call {
    struct handle_call call; /* first: a sink's context is its address */
    int flags;
    uint32_t timeout;
    const void *to;
};

static PRFileDesc *fd_of(const struct nspr_call *call)
{
    return (PRFileDesc *)(uintptr_t)call->call.handle;
}

static void decided(void *ctx, const struct decision *decision)
{
    (void)ctx;
    report_decision("nspr", decision);
}

static ssize_t write_fd(void *ctx, const void *buf, size_t len)
{
    struct nspr_call *call = ctx;
    return ((PR_Write_fn *)call->call.real)(fd_of(call), buf, (int32_t)len);
}
static const struct sink write_sink = {.layer = "nspr", .write = write_fd, .decided = decided};

static ssize_t send_fd(void *ctx, const void *buf, size_t len)
{
    struct nspr_call *call = ctx;
    return ((PR_Send_fn *)call->call.real)(fd_of(call), buf, (int32_t)len, call->flags, call->timeout);
}
static const struct sink send_sink = {.layer = "nspr", .write = send_fd, .decided = decided};

/* PR_Writev's pieces of a request are made one run of bytes, which goes out as one piece. */
static ssize_t writev_fd(void *ctx, const void *buf, size_t len)
{
    struct nspr_call *call = ctx;
    PRIOVec piece = {(char *)(uintptr_t)buf, (int)len};
    return ((PR_Writev_fn *)call->call.real)(fd_of(call), &piece, 1, call->timeout);
}
static const struct sink writev_sink = {.layer = "nspr", .write = writev_fd, .decided = decided};

static ssize_t send_to_fd(void *ctx, const void *buf, size_t len)
{
    struct nspr_call *call = ctx;
    return ((PR_SendTo_fn *)call->call.real)(fd_of(call), buf, (int32_t)len, call->flags, call->to, call->timeout);
}
static const struct sink send_to_sink = {.layer = "nspr", .write = send_to_fd, .decided = decided};

/* By PR_Write, which every kind of descriptor has. */
static void release(struct conn *conn, const void *handle, enum reason reason)
{
    struct nspr_call call = {.call = {.handle = handle, .conn = conn}};
    call.call.real = resolve_beside(NEIGHBOUR_PR_Write, conn->library_write);
    struct conn_call conn_call = conn_call_for(&write_sink, &call);
    if (call.call.real)
        conn_release(conn, &conn_call, reason);
}

static struct nspr_call nspr_call(const struct sink *sink, PRFileDesc *fd, void *real)
{
    return (struct nspr_call){.call = {.sink = sink, .handle = fd, .real = real, .release = release}};
}

static bool is_stream(PRFileDesc *fd, const void *function)
{
    enum { PR_DESC_SOCKET_TCP = 2, PR_DESC_LAYERED = 4 };
    int (*kind_of)(PRFileDesc *) = (int (*)(PRFileDesc *))resolve_beside(NEIGHBOUR_PR_GetDescType, function);
    int kind = kind_of ? kind_of(fd) : 0;
    return kind == PR_DESC_SOCKET_TCP || kind == PR_DESC_LAYERED;
}

static int32_t write_stream(struct nspr_call *call, const void *buf, size_t len)
{
    if (request_may_begin(span_of(buf, len)) && !is_stream(fd_of(call), call->call.real))
        return (int32_t)call->call.sink->write(call, buf, len);
    return (int32_t)handle_write(&call->call, buf, len);
}

EXPORT int32_t PR_Write(PRFileDesc *fd, const void *buf, int32_t len)
{
    PR_Write_fn *real = REAL_OF_CALLER(PR_Write);
    if (!real || len <= 0)
        return real ? real(fd, buf, len) : -1;
    struct nspr_call call = nspr_call(&write_sink, fd, (void *)real);
    return write_stream(&call, buf, (size_t)len);
}

EXPORT int32_t PR_Send(PRFileDesc *fd, const void *buf, int32_t len, int flags, uint32_t timeout)
{
    PR_Send_fn *real = REAL_OF_CALLER(PR_Send);
    if (!real || len <= 0)
        return real ? real(fd, buf, len, flags, timeout) : -1;
    struct nspr_call call = nspr_call(&send_sink, fd, (void *)real);
    call.flags = flags;
    call.timeout = timeout;
    return write_stream(&call, buf, (size_t)len);
}

EXPORT int32_t PR_SendTo(PRFileDesc *fd, const void *buf, int32_t len, int flags, const void *to, uint32_t timeout)
{
    PR_SendTo_fn *real = REAL_OF_CALLER(PR_SendTo);
    if (!real || len <= 0)
        return real ? real(fd, buf, len, flags, to, timeout) : -1;
    struct nspr_call call = nspr_call(&send_to_sink, fd, (void *)real);
    call.flags = flags;
    call.to = to;
    call.timeout = timeout;
    return write_stream(&call, buf, (size_t)len);
}

EXPORT int32_t PR_Writev(PRFileDesc *fd, const PRIOVec *iov, int32_t count, uint32_t timeout)
{
    PR_Writev_fn *real = REAL_OF_CALLER(PR_Writev);
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += (size_t)iov[i].iov_len;
    char *flat = real && total && count <= PR_MAX_IOVECTOR_SIZE ? malloc(total) : NULL;
    if (!flat)
        return real ? real(fd, iov, count, timeout) : -1;
    size_t len = 0;
    for (int i = 0; i < count; len += (size_t)iov[i++].iov_len)
        if (iov[i].iov_len > 0)
            memcpy(flat + len, iov[i].iov_base, (size_t)iov[i].iov_len);
    struct nspr_call call = nspr_call(&writev_sink, fd, (void *)real);
    call.timeout = timeout;
    int32_t written = write_stream(&call, flat, total);
    int saved = errno;
    explicit_bzero(flat, total);
    free(flat);
    errno = saved;
    return written;
}

EXPORT int PR_Shutdown(PRFileDesc *fd, int how)
{
    PR_Shutdown_fn *real = REAL_OF_CALLER(PR_Shutdown);
    handle_release(fd);
    return real ? real(fd, how) : -1;
}

EXPORT int PR_Close(PRFileDesc *fd)
{
    PR_Close_fn *real = REAL_OF_CALLER(PR_Close);
    handle_ends(fd);
    return real ? real(fd) : -1;
}
