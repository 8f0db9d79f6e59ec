/* A client of OpenSSL's, from context to answer; for the programs that use its public header. */
#ifndef TESTS_PROGRAMS_TLS_OPENSSL_H
#define TESTS_PROGRAMS_TLS_OPENSSL_H

#include "common.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static inline SSL_CTX *new_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    check(ctx && SSL_CTX_load_verify_locations(ctx, getenv("CA"), NULL) == 1, "the CA's file");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}

static inline void handshake(SSL *ssl, const char *host, int fd)
{
    SSL_set_tlsext_host_name(ssl, host);
    SSL_set1_host(ssl, host);
    check(SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1, "a verified handshake");
}

static inline SSL *open_ssl(SSL_CTX *ctx, const char *host, const char *port, int buffer)
{
    SSL *ssl = SSL_new(ctx);
    handshake(ssl, host, tcp_connect(host, port, buffer));
    return ssl;
}

/* A transport of the program's own: a BIO whose data, with the socket in it, is one page that can vanish whole. */
static inline int private_write(BIO *bio, const char *at, int len)
{
    return (int)send(*(int *)BIO_get_data(bio), at, (size_t)len, 0);
}

static inline int private_read(BIO *bio, char *at, int len)
{
    return (int)recv(*(int *)BIO_get_data(bio), at, (size_t)len, 0);
}

static inline long private_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH || command == BIO_CTRL_POP;
}

static inline BIO *private_transport(int *page)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "private");
    BIO_meth_set_write(method, private_write);
    BIO_meth_set_read(method, private_read);
    BIO_meth_set_ctrl(method, private_control);
    BIO *bio = BIO_new(method);
    BIO_set_init(bio, 1);
    BIO_set_data(bio, page);
    return bio;
}

static inline long ssl_read_some(void *ctx, char *buf, size_t len)
{
    SSL *ssl = ctx;
    for (;;) {
        int got = SSL_read(ssl, buf, (int)len);
        if (got > 0 || SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ)
            return got;
        wait_for(SSL_get_fd(ssl), POLLIN);
    }
}

static inline void ssl_answer(SSL *ssl)
{
    read_answer(ssl_read_some, ssl);
}

static inline void close_ssl(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

#endif
