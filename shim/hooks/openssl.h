/* OpenSSL 1.0.2 to 3.x, by the parts of its ABI that have not changed since. No header of its own is needed: the shim is
 * built once, and meets whichever version the program brings. */
#ifndef JWTSHIM_HOOKS_OPENSSL_H
#define JWTSHIM_HOOKS_OPENSSL_H

#include "handle.h"

#include <stdint.h>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct bio_st BIO;

struct ssl_call {
    struct handle_call call; /* first: a sink's context is its address */
    BIO *bio;                /* BIO_write's, where the call came by a BIO */
    const void *caller;      /* of the BIO's hook */
    uint64_t flags;          /* SSL_write_ex2's */
};

/* Whether no handshake of it has begun. `function` is one of its library. */
bool ssl_is_fresh(const SSL *ssl, const void *function);

/* Releases what is held for an SSL, by SSL_write. */
handle_release_fn ssl_release;

/* Before holding: notes which socket the bytes are for, so that they are never sent to another. */
enum reason ssl_objects(void *ctx, const struct decision *decision);

/* Whether this is a server's side, which sends no requests. */
bool ssl_is_server(const struct handle_call *call);

void ssl_decided(void *ctx, const struct decision *decision);

#endif
