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
    bool buffered;           /* and others stand between that one and the SSL's */
    const void *caller;      /* of the BIO's hook */
    uint64_t flags;          /* SSL_write_ex2's */
};

enum { BIO_TYPE_FILTER = 0x0200, BIO_TYPE_SSL = 7 | BIO_TYPE_FILTER };

/* The SSL that `bio`'s chain ends in, NULL if there is none. `at` gets its BIO. `function` is one of the library. */
SSL *bio_ssl(BIO *bio, const void *function, BIO **at);

/* Sends what is held for `ssl` by the chain it came by. `real` is a function of the library. Unless the chain `lives`, not by functions of
 * the program's own: their data may be gone. */
void bio_release(BIO *bio, SSL *ssl, void *real, bool lives);

/* Whether no handshake of it has begun. `function` is one of its library. */
bool ssl_is_fresh(const SSL *ssl, const void *function);

/* What the shim asks of OpenSSL by itself may fail, and that is not the program's error: between these two nothing is added to the
 * thread's queue, by which SSL_get_error() judges the next connection's calls too. `function` is one of the library. */
typedef int error_mark_fn(void);
error_mark_fn *errors_mark(const void *function);
void errors_drop(error_mark_fn *pop_to_mark);

/* Releases what is held for an SSL, by SSL_write. */
handle_release_fn ssl_release;

/* Before holding: notes which socket the bytes are for, so that they are never sent to another. */
enum reason ssl_objects(void *ctx, const struct decision *decision);

/* Whether this is a server's side, which sends no requests. */
bool ssl_is_server(const struct handle_call *call);

void ssl_decided(void *ctx, const struct decision *decision);

#endif
