/* gnutls_record_send and its family. GnuTLS calls its own exported functions through the PLT (record_send is a jump to
 * record_send2, uncork sends by record_send), so that an inner call comes by here again: it finds the session entered, and
 * passes. A refused send may be resumed with no data at all. */
#include "alpn.h"
#include "handle.h"

#include <errno.h>
#include <fcntl.h>

typedef struct gnutls_session_int *gnutls_session_t;
typedef struct {
    size_t low, high;
} gnutls_range_st;

typedef ssize_t gnutls_record_send_fn(gnutls_session_t session, const void *data, size_t len);
typedef ssize_t gnutls_record_send2_fn(gnutls_session_t session, const void *data, size_t len, size_t pad, unsigned flags);
typedef ssize_t gnutls_record_send_range_fn(gnutls_session_t session, const void *data, size_t len,
                                            const gnutls_range_st *range);
typedef ssize_t gnutls_record_send_file_fn(gnutls_session_t session, int fd, off_t *offset, size_t count);
typedef int gnutls_record_uncork_fn(gnutls_session_t session, unsigned flags);
typedef ssize_t gnutls_record_recv_fn(gnutls_session_t session, void *data, size_t len);
typedef int gnutls_bye_fn(gnutls_session_t session, int how);
typedef void gnutls_deinit_fn(gnutls_session_t session);

enum { GNUTLS_E_INTERNAL_ERROR = -59 };

struct gnutls_call {
    struct handle_call call; /* first: a sink's context is its address */
    size_t pad;
    unsigned flags;
    const gnutls_range_st *range;
    size_t range_len; /* the range is for a write of this length */
};

static gnutls_session_t session_of(const struct gnutls_call *call)
{
    return (gnutls_session_t)(uintptr_t)call->call.handle;
}

static void decided(void *ctx, const struct decision *decision)
{
    (void)ctx;
    report_decision("gnutls", decision);
}

/* The descriptor a session writes to; -1 if it has none that is known. */
static int descriptor_of(gnutls_session_t session, const void *function)
{
    int receive = -1;
    int transmit = -1;
    void (*get)(gnutls_session_t, int *, int *) =
        (void (*)(gnutls_session_t, int *, int *))resolve_beside(NEIGHBOUR_gnutls_transport_get_int2, function);
    if (get)
        get(session, &receive, &transmit);
    return transmit;
}

/* Before holding: notes which socket the bytes are for, so that they are never sent to another. */
static enum reason objects(void *ctx, const struct decision *decision)
{
    struct gnutls_call *call = ctx;
    if (!decision)
        handle_note_socket(call->call.conn, socket_identity(descriptor_of(session_of(call), call->call.real)));
    return REASON_NONE;
}

static ssize_t write_session(void *ctx, const void *buf, size_t len)
{
    struct gnutls_call *call = ctx;
    return ((gnutls_record_send_fn *)call->call.real)(session_of(call), buf, len);
}
static const struct sink send_sink = {.layer = "gnutls", .write = write_session, .objects = objects, .decided = decided};

static ssize_t write_session2(void *ctx, const void *buf, size_t len)
{
    struct gnutls_call *call = ctx;
    return ((gnutls_record_send2_fn *)call->call.real)(session_of(call), buf, len, call->pad, call->flags);
}
static const struct sink send2_sink = {.layer = "gnutls", .write = write_session2, .objects = objects, .decided = decided};

/* A range hides the length of the program's own data; where that is another by now there is nothing to hide it in. */
static ssize_t write_range(void *ctx, const void *buf, size_t len)
{
    struct gnutls_call *call = ctx;
    gnutls_record_send_fn *plain = (gnutls_record_send_fn *)resolve_beside(NEIGHBOUR_gnutls_record_send, call->call.real);
    if (len == call->range_len || !plain)
        return ((gnutls_record_send_range_fn *)call->call.real)(session_of(call), buf, len, call->range);
    return plain(session_of(call), buf, len);
}
static const struct sink range_sink = {.layer = "gnutls", .write = write_range, .objects = objects, .decided = decided};

/* By gnutls_record_send, whatever function the bytes had come by. */
static void release(struct conn *conn, const void *handle, enum reason reason)
{
    struct gnutls_call call = {.call = {.handle = handle, .conn = conn}};
    call.call.real = resolve_beside(NEIGHBOUR_gnutls_record_send, conn->library_write);
    struct conn_call conn_call = conn_call_for(&send_sink, &call);
    if (call.call.real && socket_identity(descriptor_of(session_of(&call), call.call.real)) == conn->identity)
        conn_release(conn, &conn_call, reason);
}

static struct gnutls_call gnutls_call(const struct sink *sink, gnutls_session_t session, void *real)
{
    return (struct gnutls_call){.call = {.sink = sink, .handle = session, .real = real, .release = release}};
}

static ssize_t resume(void *ctx)
{
    struct gnutls_call *call = ctx;
    return call->call.sink->write(ctx, NULL, 0);
}

static ssize_t send_or_resume(struct gnutls_call *call, const void *data, size_t len)
{
    if (data || len)
        return handle_write(&call->call, data, len);
    if (!handle_call_enter(&call->call, span_of(NULL, 0)))
        return resume(call);
    struct conn_call conn_call = conn_call_for(call->call.sink, call);
    ssize_t sent = conn_resume(call->call.conn, &conn_call, resume);
    handle_call_leave(&call->call);
    return sent;
}

EXPORT ssize_t gnutls_record_send(gnutls_session_t session, const void *data, size_t len)
{
    void *real = resolve_for(HOOK_gnutls_record_send, __builtin_return_address(0));
    struct gnutls_call call = gnutls_call(&send_sink, session, real);
    return real ? send_or_resume(&call, data, len) : GNUTLS_E_INTERNAL_ERROR;
}

EXPORT ssize_t gnutls_record_send2(gnutls_session_t session, const void *data, size_t len, size_t pad, unsigned flags)
{
    void *real = resolve_for(HOOK_gnutls_record_send2, __builtin_return_address(0));
    struct gnutls_call call = gnutls_call(&send2_sink, session, real);
    call.pad = pad;
    call.flags = flags;
    return real ? send_or_resume(&call, data, len) : GNUTLS_E_INTERNAL_ERROR;
}

EXPORT ssize_t gnutls_record_send_range(gnutls_session_t session, const void *data, size_t len, const gnutls_range_st *range)
{
    void *real = resolve_for(HOOK_gnutls_record_send_range, __builtin_return_address(0));
    struct gnutls_call call = gnutls_call(&range_sink, session, real);
    call.range = range;
    call.range_len = len;
    return real ? handle_write(&call.call, data, len) : GNUTLS_E_INTERNAL_ERROR;
}

EXPORT ssize_t gnutls_record_send_file(gnutls_session_t session, int fd, off_t *offset, size_t count)
{
    gnutls_record_send_file_fn *real = REAL_OF_CALLER(gnutls_record_send_file);
    if (!real)
        return GNUTLS_E_INTERNAL_ERROR;
    struct gnutls_call call = gnutls_call(&send_sink, session, (void *)real);
    handle_release(session);
    bool entered = handle_unseen_begins(&call.call);
    ssize_t sent = real(session, fd, offset, count);
    handle_unseen_ends(&call.call, entered, sent > 0 ? (uint64_t)sent : 0);
    return sent;
}

/* Sends under a cork are gathered by the library; what is held stays held, since it would only wait there too. */
EXPORT int gnutls_record_uncork(gnutls_session_t session, unsigned flags)
{
    gnutls_record_uncork_fn *real = REAL_OF_CALLER(gnutls_record_uncork);
    if (!real)
        return GNUTLS_E_INTERNAL_ERROR;
    struct gnutls_call call = gnutls_call(&send_sink, session, (void *)real);
    bool entered = handle_unseen_begins(&call.call);
    int result = real(session, flags);
    handle_unseen_ends(&call.call, entered, 0);
    return result;
}

EXPORT ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t len)
{
    gnutls_record_recv_fn *real = REAL_OF_CALLER(gnutls_record_recv);
    if (!real)
        return GNUTLS_E_INTERNAL_ERROR;
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) != 0, 0)) {
        int saved = errno;
        int fd = descriptor_of(session, (void *)real);
        if (fd >= 0 && !(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK))
            handle_release(session);
        errno = saved;
    }
    return real(session, data, len);
}

EXPORT int gnutls_bye(gnutls_session_t session, int how)
{
    gnutls_bye_fn *real = REAL_OF_CALLER(gnutls_bye);
    handle_release(session);
    return real ? real(session, how) : GNUTLS_E_INTERNAL_ERROR;
}

EXPORT void gnutls_deinit(gnutls_session_t session)
{
    gnutls_deinit_fn *real = REAL_OF_CALLER(gnutls_deinit);
    handle_ends(session);
    offer_forget(session);
    if (real)
        real(session);
}
