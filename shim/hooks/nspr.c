/* NSPR's layers over sockets, which is how NSS does TLS. Files, pipes and plain sockets have the same functions: their kind
 * is asked for first. */
#include "handle.h"
#include "socket.h"

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
typedef int32_t PR_Recv_fn(PRFileDesc *fd, void *buf, int32_t len, int flags, uint32_t timeout);
typedef int32_t PR_Read_fn(PRFileDesc *fd, void *buf, int32_t len);
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

/* A layer on top of a socket: TLS, most likely. What a plain socket sends is seen where NSPR makes its system call. */
static bool is_layered(PRFileDesc *fd, const void *function)
{
    enum { PR_DESC_LAYERED = 4 };
    int (*kind_of)(PRFileDesc *) = (int (*)(PRFileDesc *))resolve_beside(NEIGHBOUR_PR_GetDescType, function);
    return kind_of && kind_of(fd) == PR_DESC_LAYERED;
}

static int32_t write_stream(struct nspr_call *call, const void *buf, size_t len)
{
    if (!is_layered(fd_of(call), call->call.real))
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
    bool look = real && total && count <= PR_MAX_IOVECTOR_SIZE && is_layered(fd, (void *)real);
    char *flat = look ? malloc(total) : NULL;
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

/* True if a read would wait: by NSPR's word, since its descriptors never block below. */
static bool read_blocks(PRFileDesc *fd, const void *function, uint32_t timeout)
{
    struct {
        int option; /* PR_SockOpt_Nonblocking is 0 */
        union {
            int on;
            char room[64];
        } value;
    } data = {.option = 0};
    int (*get)(PRFileDesc *, void *) =
        (int (*)(PRFileDesc *, void *))resolve_beside(NEIGHBOUR_PR_GetSocketOption, function);
    return timeout != 0 && (!get || get(fd, &data) != 0 || !data.value.on);
}

static void before_read(PRFileDesc *fd, const void *function, uint32_t timeout)
{
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1))
        return;
    int saved = errno;
    if (read_blocks(fd, function, timeout)) {
        int (*native)(PRFileDesc *) = (int (*)(PRFileDesc *))resolve_beside(NEIGHBOUR_PR_FileDesc2NativeHandle, function);
        handle_release(fd);
        if (native)
            socket_release_last(native(fd));
    }
    errno = saved;
}

EXPORT int32_t PR_Recv(PRFileDesc *fd, void *buf, int32_t len, int flags, uint32_t timeout)
{
    PR_Recv_fn *real = REAL_OF_CALLER(PR_Recv);
    if (!real)
        return -1;
    before_read(fd, (void *)real, timeout);
    return real(fd, buf, len, flags, timeout);
}

EXPORT int32_t PR_Read(PRFileDesc *fd, void *buf, int32_t len)
{
    PR_Read_fn *real = REAL_OF_CALLER(PR_Read);
    if (!real)
        return -1;
    before_read(fd, (void *)real, ~0u);
    return real(fd, buf, len);
}
