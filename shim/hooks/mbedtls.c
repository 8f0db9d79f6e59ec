/* mbedtls_ssl_write. A refused write is repeated with the same bytes, and a short one goes on behind them: what conn/ does
 * anyway. Reads release nothing here: the library cannot be asked whether one would wait. */
#include "handle.h"

typedef struct mbedtls_ssl_context mbedtls_ssl_context;

typedef int mbedtls_ssl_write_fn(mbedtls_ssl_context *ssl, const unsigned char *buf, size_t len);
typedef int mbedtls_ssl_close_notify_fn(mbedtls_ssl_context *ssl);
typedef int mbedtls_ssl_session_reset_fn(mbedtls_ssl_context *ssl);
typedef void mbedtls_ssl_free_fn(mbedtls_ssl_context *ssl);

enum { MBEDTLS_ERR_SSL_INTERNAL_ERROR = -0x6C00 };

static void decided(void *ctx, const struct decision *decision)
{
    (void)ctx;
    report_decision("mbedtls", decision);
}

static ssize_t write_ssl(void *ctx, const void *buf, size_t len)
{
    struct handle_call *call = ctx;
    return ((mbedtls_ssl_write_fn *)call->real)((mbedtls_ssl_context *)(uintptr_t)call->handle, buf, len);
}
static const struct sink write_sink = {.layer = "mbedtls", .write = write_ssl, .decided = decided};

static void release(struct conn *conn, const void *handle, enum reason reason)
{
    struct handle_call call = {.sink = &write_sink, .handle = handle, .real = conn->library_write, .conn = conn};
    struct conn_call conn_call = conn_call_for(&write_sink, &call);
    conn_release(conn, &conn_call, reason);
}

EXPORT int mbedtls_ssl_write(mbedtls_ssl_context *ssl, const unsigned char *buf, size_t len)
{
    mbedtls_ssl_write_fn *real = REAL_OF_CALLER(mbedtls_ssl_write);
    if (!real || len == 0)
        return real ? real(ssl, buf, len) : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    struct handle_call call = {.sink = &write_sink, .handle = ssl, .real = (void *)real, .release = release};
    return (int)handle_write(&call, buf, len);
}

EXPORT int mbedtls_ssl_close_notify(mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_close_notify_fn *real = REAL_OF_CALLER(mbedtls_ssl_close_notify);
    handle_release(ssl);
    return real ? real(ssl) : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

EXPORT int mbedtls_ssl_session_reset(mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_session_reset_fn *real = REAL_OF_CALLER(mbedtls_ssl_session_reset);
    handle_ends(ssl);
    return real ? real(ssl) : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

EXPORT void mbedtls_ssl_free(mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_free_fn *real = REAL_OF_CALLER(mbedtls_ssl_free);
    if (ssl)
        handle_forget(ssl);
    if (real)
        real(ssl);
}
