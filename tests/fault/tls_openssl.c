/* tls.h by OpenSSL. */
#include "tls.h"

#include "../programs/tls/openssl.h"

static SSL_CTX *ctx;

void tls_start(void)
{
    /* Threads that are still writing at exit() would find OpenSSL's own cleaning up. */
    check(OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) == 1, "OPENSSL_init_ssl");
    ctx = new_context();
}

struct tls tls_open(const char *host, const char *port, int buffer)
{
    SSL *ssl = open_ssl(ctx, host, port, buffer);
    return (struct tls){ssl, SSL_get_fd(ssl)};
}

int tls_write(struct tls *tls, const char *at, size_t len)
{
    int sent, refused = 0;
    for (; (sent = SSL_write(tls->session, at, (int)len)) <= 0; refused++)
        check(SSL_get_error(tls->session, sent) == SSL_ERROR_WANT_WRITE, "nothing but WANT_WRITE");
    check((size_t)sent == len, "all of it written");
    return refused;
}

void tls_read_nothing(struct tls *tls, void (*meanwhile)(void))
{
    char byte;
    set_blocking(tls->fd, false);
    int got = SSL_read(tls->session, &byte, 1);
    meanwhile();
    check(got <= 0 && SSL_get_error(tls->session, got) == SSL_ERROR_WANT_READ, "nothing but WANT_READ");
    set_blocking(tls->fd, true);
}

void tls_close(struct tls *tls)
{
    close_ssl(tls->session);
}

void tls_drop(struct tls *tls)
{
    SSL_free(tls->session);
    close(tls->fd);
}
