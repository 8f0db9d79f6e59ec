/* Steering: a client that would speak HTTP/2 to an Atlassian host by an HPACK of its own, where no hook sees its requests,
 * is made to offer http/1.1 alone. Every other host, and every user of nghttp2 (which is hooked), keeps its offer. */
#ifndef JWTSHIM_HOOKS_ALPN_H
#define JWTSHIM_HOOKS_ALPN_H

#include "../conn/offer_table.h"
#include "hooks.h"
#include "openssl.h"

/* Whether offers are to be looked at; `caller` (a return address) is who makes one. */
bool alpn_is_watched(const void *caller);

/* Makes an offer of the names in `protocols`; one that is malformed or too long is empty. */
void alpn_offer_set(struct offer *offer, const unsigned char *protocols, size_t len, const void *caller);

/* Whether the offer names h2; and whether something remains of it without. */
bool alpn_offers_h2(const struct offer *offer);
bool alpn_is_steerable(const struct offer *offer);

/* Why `offer` to `host` stays as it is; NONE if it must go without h2. */
enum reason alpn_decide(const struct offer *offer, struct span host);

/* Reports a decision, if it is worth that. Keeps errno. */
void alpn_report(const char *layer, struct span host, enum reason reason);

/* The names of the offer but h2, in its order; returns their length. */
size_t alpn_without_h2(const struct offer *offer, unsigned char *to);

/* An SSL is about to be given bytes, or asked for some: a handshake may begin by that. `function` is one of its library. */
void alpn_before_handshake(SSL *ssl, const void *function);

/* The same where it nearly never is a handshake: one load, unless there are handshakes to come. */
static inline void alpn_before_io(SSL *ssl, const void *function)
{
    if (__builtin_expect(atomic_load_explicit(&offers_open, memory_order_relaxed) != 0, 0))
        alpn_before_handshake(ssl, function);
}

/* SSL_new: what the context offers is copied. SSL_clear: another handshake may come. SSL_free is offer_forget(). */
void alpn_ssl_begins(SSL *ssl, SSL_CTX *context);
void alpn_ssl_cleared(SSL *ssl);

#endif
