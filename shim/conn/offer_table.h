/* Which protocols each TLS handle (SSL, SSL_CTX, gnutls_session_t) offers by ALPN, as the program set them: no library tells.
 * Keyed by the address; a hook must forget an address before it can be another handle's. Nobody waits here, and without
 * memory nothing is known of a handle. */
#ifndef JWTSHIM_CONN_OFFER_TABLE_H
#define JWTSHIM_CONN_OFFER_TABLE_H

#include "../http/span.h"

#include <stdatomic.h>

enum { OFFER_MAX = 256, OFFER_HOST_MAX = 256 };

enum offer_state {
    OFFER_TEMPLATE, /* of a context: what its connections begin with */
    OFFER_OPEN,     /* no handshake has been seen */
    OFFER_DECIDED,
};

struct offer {
    enum offer_state state;
    bool steered;       /* the library was given the offer without h2 */
    bool held;          /* the library was not given it yet */
    unsigned flags;     /* the library's own, to be given with it */
    const void *caller; /* a return address in who set it */
    size_t host_len;    /* where the library cannot be asked for the server's name; 0: unknown, or not Atlassian's */
    size_t len;         /* 0: no offer, or none that is understood */
    char host[OFFER_HOST_MAX];
    unsigned char protocols[OFFER_MAX]; /* RFC 7301 section 3.1: each name behind a byte with its length */
};

/* How many handles have an entry, and how many of these have one that is OFFER_OPEN. */
extern _Atomic(size_t) offers_known;
extern _Atomic(size_t) offers_open;

/* Copies out what is known of `handle`. False, and an empty offer that is open, if that is nothing. */
bool offer_get(const void *handle, struct offer *offer);

/* Copies in. False without memory, or where the table cannot be entered. */
bool offer_put(const void *handle, const struct offer *offer);

void offer_forget(const void *handle);

/* In the child of a fork: threads that were inside exist no more. */
void offer_after_fork(void);

#endif
