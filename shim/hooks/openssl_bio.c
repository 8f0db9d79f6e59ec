/* BIO_write and its like, on chains that end in an SSL BIO: libssl's own call inside them is seen by nobody. The whole
 * chain stays in use, since a buffering BIO may stand before the SSL. */
#include "alpn.h"
#include "openssl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef int BIO_write_fn(BIO *bio, const void *buf, int len);
typedef int BIO_write_ex_fn(BIO *bio, const void *buf, size_t len, size_t *written);
typedef int BIO_puts_fn(BIO *bio, const char *text);
typedef int BIO_vprintf_fn(BIO *bio, const char *format, va_list arguments);
typedef int BIO_read_fn(BIO *bio, void *buf, int len);
typedef int BIO_read_ex_fn(BIO *bio, void *buf, size_t len, size_t *count);
typedef int BIO_gets_fn(BIO *bio, char *buf, int len);

SSL *bio_ssl(BIO *bio, const void *function, BIO **at)
{
    const int control_get_ssl = 110; /* BIO_C_GET_SSL */
    BIO *(*find_type)(BIO *, int) = (BIO * (*)(BIO *, int)) resolve_beside(NEIGHBOUR_BIO_find_type, function);
    long (*control)(BIO *, int, long, void *) =
        (long (*)(BIO *, int, long, void *))resolve_beside(NEIGHBOUR_BIO_ctrl, function);
    SSL *ssl = NULL;
    *at = bio && find_type && control ? find_type(bio, BIO_TYPE_SSL) : NULL;
    if (*at)
        control(*at, control_get_ssl, 0, &ssl);
    return ssl;
}

static ssize_t write_bio(void *ctx, const void *buf, size_t len)
{
    struct ssl_call *call = ctx;
    BIO_write_fn *real = (BIO_write_fn *)resolve_beside(NEIGHBOUR_BIO_write, call->call.real);
    return real ? real(call->bio, buf, len > INT32_MAX ? INT32_MAX : (int)len) : -1;
}

static const struct sink bio_sink = {
    .layer = "openssl",
    .write = write_bio,
    .objects = ssl_objects,
    .decided = ssl_decided,
    .whole_writes = true,
};

static struct ssl_call bio_call(BIO *bio, SSL *ssl, void *real)
{
    return (struct ssl_call){
        .call = {.sink = &bio_sink, .handle = ssl, .real = real, .is_server = ssl_is_server, .way = bio}, .bio = bio};
}

/* By the whole chain: a buffering BIO before the SSL may hold bytes that come first. */
void bio_release(BIO *bio, SSL *ssl, void *real, bool lives)
{
    enum handle_entry entry;
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1))
        return;
    int saved = errno;
    struct ssl_call call = bio_call(bio, ssl, real);
    struct conn *conn = handle_enter(ssl, &entry);
    if (conn) {
        struct conn_call conn_call = conn_call_for(&bio_sink, &call);
        error_mark_fn *pop_to_mark = errors_mark(real);
        if (lives || !conn->private_way)
            conn_release(conn, &conn_call, REASON_RELEASED);
        errors_drop(pop_to_mark);
        handle_leave(ssl, conn);
    }
    errno = saved;
}

/* Where the caller does not tell a library's own call (OpenSSL inside the program), the BIO does: a chain is written to by its
 * head, which was the first that wrote here; a buffering BIO goes on to the next, maybe long after. Also where the program
 * itself changes its chain: what it writes then leaves as it is. */
static bool is_passed_down(BIO *bio, SSL *ssl, const void *real)
{
    enum handle_entry entry;
    if (!resolve_is_inside(real))
        return false;
    struct conn *conn = handle_enter(ssl, &entry);
    if (!conn)
        return false;
    const bool passed_down = conn->way && conn->way != bio;
    handle_leave(ssl, conn);
    return passed_down;
}

/* True if the chain has an SSL; `*result` is then BIO_write's. */
static bool write_chain(BIO *bio, const void *buf, size_t len, void *real, const void *caller, ssize_t *result)
{
    BIO *at;
    SSL *ssl = bio_ssl(bio, real, &at);
    if (!ssl || is_passed_down(bio, ssl, real))
        return false;
    struct ssl_call call = bio_call(bio, ssl, real);
    call.caller = caller;
    call.buffered = at != bio;
    *result = handle_write(&call.call, buf, len);
    return true;
}

EXPORT int BIO_write(BIO *bio, const void *buf, int len)
{
    BIO_write_fn *real = REAL_OF_CALLER(BIO_write);
    ssize_t result;
    if (real && len > 0 && !IS_INNER_CALL(BIO_write) &&
        write_chain(bio, buf, (size_t)len, (void *)real, __builtin_return_address(0), &result))
        return (int)result;
    return real ? real(bio, buf, len) : -1;
}

EXPORT int BIO_write_ex(BIO *bio, const void *buf, size_t len, size_t *written)
{
    BIO_write_ex_fn *real = REAL_OF_CALLER(BIO_write_ex);
    ssize_t result;
    if (!real || len == 0 || IS_INNER_CALL(BIO_write_ex) ||
        !write_chain(bio, buf, len, (void *)real, __builtin_return_address(0), &result))
        return real ? real(bio, buf, len, written) : 0;
    if (result > 0 && written)
        *written = (size_t)result;
    return result > 0;
}

EXPORT int BIO_puts(BIO *bio, const char *text)
{
    BIO_puts_fn *real = REAL_OF_CALLER(BIO_puts);
    ssize_t result;
    if (real && text && *text && !IS_INNER_CALL(BIO_puts) &&
        write_chain(bio, text, strlen(text), (void *)real, __builtin_return_address(0), &result))
        return (int)result;
    return real ? real(bio, text) : -1;
}

static int print_to(BIO *bio, const char *format, va_list arguments, BIO_vprintf_fn *real, const void *caller)
{
    BIO *at;
    char *text;
    va_list again;
    ssize_t result;
    if (!bio_ssl(bio, (void *)real, &at))
        return real(bio, format, arguments);
    va_copy(again, arguments);
    int len = vasprintf(&text, format, again);
    va_end(again);
    if (len < 0)
        return -1;
    if (len == 0 || !write_chain(bio, text, (size_t)len, (void *)real, caller, &result))
        result = real(bio, format, arguments);
    int saved = errno;
    explicit_bzero(text, (size_t)len);
    free(text);
    errno = saved;
    return (int)result;
}

EXPORT int BIO_vprintf(BIO *bio, const char *format, va_list arguments)
{
    BIO_vprintf_fn *real = REAL_OF_CALLER(BIO_vprintf);
    return real ? print_to(bio, format, arguments, real, __builtin_return_address(0)) : -1;
}

EXPORT int BIO_printf(BIO *bio, const char *format, ...)
{
    BIO_vprintf_fn *real = REAL_OF_CALLER(BIO_vprintf);
    va_list arguments;
    va_start(arguments, format);
    int result = real ? print_to(bio, format, arguments, real, __builtin_return_address(0)) : -1;
    va_end(arguments);
    return result;
}

/* What is held goes out before a read that would wait, which the chain's descriptor says. During another it stays held, as for
 * SSL_read(). `ssl` gets the chain's. */
static struct conn *read_begins(BIO *bio, void *real, SSL **ssl)
{
    const int control_get_fd = 105; /* BIO_C_GET_FD */
    BIO *at;
    *ssl = NULL;
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1))
        return NULL;
    int saved = errno;
    long (*control)(BIO *, int, long, void *) =
        (long (*)(BIO *, int, long, void *))resolve_beside(NEIGHBOUR_BIO_ctrl, real);
    *ssl = bio_ssl(bio, real, &at);
    int fd = -1; /* memory, and a pair of BIOs, answer 0 without having one */
    if (*ssl && control)
        control(at, control_get_fd, 0, &fd);
    const bool blocks = fd >= 0 && !(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK);
    if (blocks)
        bio_release(bio, *ssl, real, true);
    errno = saved;
    return *ssl && !blocks ? handle_keep_held(*ssl) : NULL;
}

EXPORT int BIO_read(BIO *bio, void *buf, int len)
{
    BIO_read_fn *real = REAL_OF_CALLER(BIO_read);
    SSL *ssl;
    if (!real)
        return -1;
    struct conn *conn = read_begins(bio, (void *)real, &ssl);
    int got = real(bio, buf, len);
    handle_kept(ssl, conn);
    return got;
}

EXPORT int BIO_read_ex(BIO *bio, void *buf, size_t len, size_t *count)
{
    BIO_read_ex_fn *real = REAL_OF_CALLER(BIO_read_ex);
    SSL *ssl;
    if (!real)
        return 0;
    struct conn *conn = read_begins(bio, (void *)real, &ssl);
    int result = real(bio, buf, len, count);
    handle_kept(ssl, conn);
    return result;
}

EXPORT int BIO_gets(BIO *bio, char *buf, int len)
{
    BIO_gets_fn *real = REAL_OF_CALLER(BIO_gets);
    SSL *ssl;
    if (!real)
        return -1;
    struct conn *conn = read_begins(bio, (void *)real, &ssl);
    int got = real(bio, buf, len);
    handle_kept(ssl, conn);
    return got;
}
