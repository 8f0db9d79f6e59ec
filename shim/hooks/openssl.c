/* SSL_write and its family. OpenSSL takes all of a write or nothing (but for partial mode), and wants a refused one
 * repeated with the same bytes at the same place: conn/ keeps those. */
#include "alpn.h"
#include "openssl.h"

#include <errno.h>
#include <fcntl.h>

typedef int SSL_write_fn(SSL *ssl, const void *buf, int len);
typedef int SSL_write_ex_fn(SSL *ssl, const void *buf, size_t len, size_t *written);
typedef int SSL_write_ex2_fn(SSL *ssl, const void *buf, size_t len, uint64_t flags, size_t *written);
typedef int SSL_write_early_data_fn(SSL *ssl, const void *buf, size_t len, size_t *written);
typedef ssize_t SSL_sendfile_fn(SSL *ssl, int fd, off_t offset, size_t size, int flags);
typedef int SSL_read_fn(SSL *ssl, void *buf, int len);
typedef int SSL_read_ex_fn(SSL *ssl, void *buf, size_t len, size_t *count);
typedef int SSL_shutdown_fn(SSL *ssl);
typedef SSL *SSL_new_fn(SSL_CTX *ctx);
typedef int SSL_up_ref_fn(SSL *ssl);
typedef SSL *SSL_dup_fn(SSL *ssl);
typedef void SSL_free_fn(SSL *ssl);
typedef int SSL_peek_fn(SSL *ssl, void *buf, int len);
typedef int SSL_peek_ex_fn(SSL *ssl, void *buf, size_t len, size_t *count);
typedef int SSL_clear_fn(SSL *ssl);

static SSL *ssl_of(const struct ssl_call *call)
{
    return (SSL *)(uintptr_t)call->call.handle;
}

error_mark_fn *errors_mark(const void *function)
{
    error_mark_fn *mark = (error_mark_fn *)resolve_beside(NEIGHBOUR_ERR_set_mark, function);
    error_mark_fn *pop_to_mark = (error_mark_fn *)resolve_beside(NEIGHBOUR_ERR_pop_to_mark, function);
    if (!mark || !pop_to_mark)
        return NULL;
    mark();
    return pop_to_mark;
}

void errors_drop(error_mark_fn *pop_to_mark)
{
    if (pop_to_mark)
        pop_to_mark();
}

/* The descriptor an SSL writes to; -1 if that is a BIO of the program's own. An error where it has none, since 3.0. */
static int descriptor_of(const void *ssl, const void *function)
{
    int (*get_wfd)(const SSL *) = (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_get_wfd, function);
    error_mark_fn *pop_to_mark = errors_mark(function);
    int fd = get_wfd ? get_wfd(ssl) : -1;
    errors_drop(pop_to_mark);
    return fd;
}

enum reason ssl_objects(void *ctx, const struct decision *decision)
{
    struct ssl_call *call = ctx;
    if (decision)
        return REASON_NONE;
    int saved = errno;
    /* A write that comes before the handshake, or does it, must not be held: what releases it would write in its midst. */
    const void *library = call->bio ? resolve_also(HOOK_SSL_write, call->caller, call->call.real) : call->call.real;
    int (*finished)(const SSL *) =
        library ? (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_is_init_finished, library) : NULL;
    bool holdable = !finished || finished((const SSL *)call->call.handle);
    if (holdable) {
        handle_note_socket(call->call.conn, socket_identity(descriptor_of(call->call.handle, library)));
        __atomic_store_n(&call->call.conn->release, library && !call->buffered ? ssl_release : NULL, __ATOMIC_RELAXED);
        call->call.conn->library_write = (void *)(uintptr_t)library;
    }
    errno = saved;
    return holdable ? REASON_NONE : REASON_HANDSHAKE;
}

void ssl_decided(void *ctx, const struct decision *decision)
{
    (void)ctx;
    report_decision("openssl", decision);
}

static ssize_t write_ssl(void *ctx, const void *buf, size_t len)
{
    struct ssl_call *call = ctx;
    return ((SSL_write_fn *)call->call.real)(ssl_of(call), buf, len > INT32_MAX ? INT32_MAX : (int)len);
}

static ssize_t write_ssl_ex(void *ctx, const void *buf, size_t len)
{
    struct ssl_call *call = ctx;
    size_t written = 0;
    return ((SSL_write_ex_fn *)call->call.real)(ssl_of(call), buf, len, &written) == 1 ? (ssize_t)written : 0;
}

static ssize_t write_ssl_ex2(void *ctx, const void *buf, size_t len)
{
    struct ssl_call *call = ctx;
    size_t written = 0;
    int result = ((SSL_write_ex2_fn *)call->call.real)(ssl_of(call), buf, len, call->flags, &written);
    return result == 1 ? (ssize_t)written : 0;
}

/* The releasing call is SSL_write itself, whatever function the bytes had come by. */
void ssl_release(struct conn *conn, const void *handle, enum reason reason)
{
    static const struct sink releasing = {.layer = "openssl", .write = write_ssl, .whole_writes = true};
    struct ssl_call call = {.call = {.handle = handle, .conn = conn}};
    int fd = descriptor_of(handle, conn->library_write);
    call.call.real = resolve_beside(NEIGHBOUR_SSL_write, conn->library_write);
    if (!call.call.real || socket_identity(fd) != conn->identity) {
        conn_reset(conn); /* the socket is another by now: these bytes can reach no one */
        stream_end(&conn->stream, REASON_DESCRIPTOR_CHANGED);
        return;
    }
    struct conn_call conn_call = conn_call_for(&releasing, &call);
    error_mark_fn *pop_to_mark = errors_mark(call.call.real);
    conn_release(conn, &conn_call, reason);
    errors_drop(pop_to_mark);
}

#define SSL_SINK(real_write)                                                                                             \
    {                                                                                                                    \
        .layer = "openssl", .write = (real_write), .objects = ssl_objects, .decided = ssl_decided, .whole_writes = true, \
    }
static const struct sink write_sink = SSL_SINK(write_ssl);
static const struct sink write_ex_sink = SSL_SINK(write_ssl_ex);
static const struct sink write_ex2_sink = SSL_SINK(write_ssl_ex2);

/* Asked once, of the first write that may begin a request: a server's answer may begin like one. */
bool ssl_is_server(const struct handle_call *call)
{
    int (*is_server)(const SSL *) = (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_is_server, call->real);
    return is_server && is_server(call->handle);
}

static struct ssl_call ssl_call(const struct sink *sink, SSL *ssl, void *real)
{
    return (struct ssl_call){
        .call = {.sink = sink, .handle = ssl, .real = real, .release = ssl_release, .is_server = ssl_is_server}};
}

/* Whether early data was ever written here: nearly nobody does. */
static _Atomic bool any_early_data;

/* Early data that the server refused is written again from its start. */
static void forget_refused_early_data(SSL *ssl, const void *real)
{
    enum handle_entry entry;
    struct conn *conn = handle_enter(ssl, &entry);
    if (!conn)
        return;
    if (conn->provisional) {
        const int rejected = 1; /* SSL_EARLY_DATA_REJECTED */
        int (*status)(const SSL *) = (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_get_early_data_status, real);
        conn->provisional = false;
        if (status && status(ssl) == rejected)
            conn_reset(conn);
    }
    handle_leave(ssl, conn);
}

EXPORT int SSL_write(SSL *ssl, const void *buf, int len)
{
    SSL_write_fn *real = REAL_OF_CALLER(SSL_write);
    if (real)
        alpn_before_io(ssl, (void *)real);
    if (!real || len <= 0)
        return real ? real(ssl, buf, len) : -1;
    if (any_early_data)
        forget_refused_early_data(ssl, (void *)real);
    struct ssl_call call = ssl_call(&write_sink, ssl, (void *)real);
    return (int)handle_write(&call.call, buf, (size_t)len);
}

static int answer_ex(ssize_t written, size_t *to)
{
    if (written > 0)
        *to = (size_t)written;
    return written > 0;
}

EXPORT int SSL_write_ex(SSL *ssl, const void *buf, size_t len, size_t *written)
{
    SSL_write_ex_fn *real = REAL_OF_CALLER(SSL_write_ex);
    if (real)
        alpn_before_io(ssl, (void *)real);
    if (!real || len == 0)
        return real ? real(ssl, buf, len, written) : 0;
    if (any_early_data)
        forget_refused_early_data(ssl, (void *)real);
    struct ssl_call call = ssl_call(&write_ex_sink, ssl, (void *)real);
    return answer_ex(handle_write(&call.call, buf, len), written);
}

EXPORT int SSL_write_ex2(SSL *ssl, const void *buf, size_t len, uint64_t flags, size_t *written)
{
    SSL_write_ex2_fn *real = REAL_OF_CALLER(SSL_write_ex2);
    if (real)
        alpn_before_io(ssl, (void *)real);
    if (!real || len == 0)
        return real ? real(ssl, buf, len, flags, written) : 0;
    if (any_early_data)
        forget_refused_early_data(ssl, (void *)real);
    struct ssl_call call = ssl_call(&write_ex2_sink, ssl, (void *)real);
    call.flags = flags;
    return answer_ex(handle_write(&call.call, buf, len), written);
}

static ssize_t write_early_data(void *ctx, const void *buf, size_t len)
{
    struct ssl_call *call = ctx;
    size_t written = 0;
    int result = ((SSL_write_early_data_fn *)call->call.real)(ssl_of(call), buf, len, &written);
    return result == 1 ? (ssize_t)written : 0;
}
static const struct sink early_data_sink = SSL_SINK(write_early_data);

EXPORT int SSL_write_early_data(SSL *ssl, const void *buf, size_t len, size_t *written)
{
    SSL_write_early_data_fn *real = REAL_OF_CALLER(SSL_write_early_data);
    if (!real || len == 0)
        return real ? real(ssl, buf, len, written) : 0;
    struct ssl_call call = ssl_call(&early_data_sink, ssl, (void *)real);
    if (!handle_call_enter(&call.call, span_of(buf, len)))
        return real(ssl, buf, len, written);
    struct conn_call conn_call = conn_call_for(&early_data_sink, &call);
    ssize_t taken = conn_write(call.call.conn, &conn_call, buf, len);
    call.call.conn->provisional = true;
    any_early_data = true;
    handle_call_leave(&call.call);
    return answer_ex(taken, written);
}

EXPORT int SSL_shutdown(SSL *ssl)
{
    SSL_shutdown_fn *real = REAL_OF_CALLER(SSL_shutdown);
    handle_release(ssl);
    return real ? real(ssl) : -1;
}

EXPORT SSL *SSL_new(SSL_CTX *ctx)
{
    SSL_new_fn *real = REAL_OF_CALLER(SSL_new);
    SSL *ssl = real ? real(ctx) : NULL;
    if (ssl) {
        handle_forget(ssl);
        alpn_ssl_begins(ssl, ctx);
    }
    return ssl;
}

EXPORT int SSL_up_ref(SSL *ssl)
{
    SSL_up_ref_fn *real = REAL_OF_CALLER(SSL_up_ref);
    int result = real ? real(ssl) : 0;
    if (result == 1)
        handle_add_reference(ssl);
    return result;
}

/* A handshake that has begun cannot be copied: the same SSL comes back, since 1.1.0. */
EXPORT SSL *SSL_dup(SSL *ssl)
{
    SSL_dup_fn *real = REAL_OF_CALLER(SSL_dup);
    SSL *result = real ? real(ssl) : NULL;
    if (result && result == ssl)
        handle_add_reference(ssl);
    return result;
}

EXPORT void SSL_free(SSL *ssl)
{
    SSL_free_fn *real = REAL_OF_CALLER(SSL_free);
    if (ssl && handle_drop_reference(ssl)) {
        handle_ends(ssl);
        offer_forget(ssl);
    }
    if (real)
        real(ssl);
}

bool ssl_is_fresh(const SSL *ssl, const void *function)
{
    const int st_before = 0x4000; /* 1.0.2's SSL_ST_BEFORE */
    int (*in_before)(const SSL *) = (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_in_before, function);
    int (*state)(const SSL *) = (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_state, function);
    return in_before ? in_before(ssl) : state && (state(ssl) & st_before);
}

/* OpenSSL itself clears an SSL when it is made, when BIO_reset() has ended its connection, and when a handshake begins, which may be in
 * the middle of a write. Where the caller does not tell (OpenSSL inside the program), its state does. */
EXPORT int SSL_clear(SSL *ssl)
{
    SSL_clear_fn *real = REAL_OF_CALLER(SSL_clear);
    if (IS_INNER_CALL(SSL_clear) || (resolve_is_inside(real) && ssl_is_fresh(ssl, (void *)real))) {
        handle_begins_anew(ssl);
    } else {
        handle_ends(ssl);
        alpn_ssl_cleared(ssl);
    }
    return real ? real(ssl) : 0;
}

/* True if a read would wait: bytes that were held back must not be what it waits for. */
static bool read_blocks(const SSL *ssl, const void *function)
{
    int fd = descriptor_of(ssl, function);
    return fd >= 0 && !(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK);
}

/* What is held goes out before a read that would wait. During another it stays held: a fork of another thread's would write in the
 * midst of it, and no SSL is for two threads at once. */
static struct conn *read_begins(SSL *ssl, const void *function)
{
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1))
        return NULL;
    int saved = errno;
    const bool blocks = read_blocks(ssl, function);
    errno = saved;
    if (!blocks)
        return handle_keep_held(ssl);
    handle_release(ssl);
    return NULL;
}

EXPORT int SSL_read(SSL *ssl, void *buf, int len)
{
    SSL_read_fn *real = REAL_OF_CALLER(SSL_read);
    if (!real)
        return -1;
    alpn_before_io(ssl, (void *)real);
    struct conn *conn = read_begins(ssl, (void *)real);
    int got = real(ssl, buf, len);
    handle_kept(ssl, conn);
    return got;
}

EXPORT int SSL_read_ex(SSL *ssl, void *buf, size_t len, size_t *count)
{
    SSL_read_ex_fn *real = REAL_OF_CALLER(SSL_read_ex);
    if (!real)
        return 0;
    alpn_before_io(ssl, (void *)real);
    struct conn *conn = read_begins(ssl, (void *)real);
    int result = real(ssl, buf, len, count);
    handle_kept(ssl, conn);
    return result;
}

EXPORT int SSL_peek(SSL *ssl, void *buf, int len)
{
    SSL_peek_fn *real = REAL_OF_CALLER(SSL_peek);
    if (!real)
        return -1;
    struct conn *conn = read_begins(ssl, (void *)real);
    int got = real(ssl, buf, len);
    handle_kept(ssl, conn);
    return got;
}

EXPORT int SSL_peek_ex(SSL *ssl, void *buf, size_t len, size_t *count)
{
    SSL_peek_ex_fn *real = REAL_OF_CALLER(SSL_peek_ex);
    if (!real)
        return 0;
    struct conn *conn = read_begins(ssl, (void *)real);
    int result = real(ssl, buf, len, count);
    handle_kept(ssl, conn);
    return result;
}

EXPORT ssize_t SSL_sendfile(SSL *ssl, int fd, off_t offset, size_t size, int flags)
{
    SSL_sendfile_fn *real = REAL_OF_CALLER(SSL_sendfile);
    if (!real)
        return -1;
    struct ssl_call call = ssl_call(&write_sink, ssl, (void *)real);
    handle_release(ssl);
    bool entered = handle_unseen_begins(&call.call);
    ssize_t sent = real(ssl, fd, offset, size, flags);
    handle_unseen_ends(&call.call, entered, sent > 0 ? (uint64_t)sent : 0);
    return sent;
}
