/* What an SSL offers by ALPN: its own list, or the one its context had when it was made. Decided when its handshake begins,
 * since the server's name may be set after the list. The program's own calls reach OpenSSL as they are. */
#include "alpn.h"

#include <errno.h>

typedef int SSL_set_alpn_protos_fn(SSL *ssl, const unsigned char *protocols, unsigned len);
typedef int SSL_CTX_set_alpn_protos_fn(SSL_CTX *context, const unsigned char *protocols, unsigned len);
typedef SSL_CTX *SSL_CTX_new_fn(const void *method);
typedef SSL_CTX *SSL_CTX_new_ex_fn(void *library_context, const char *properties, const void *method);
typedef int SSL_connect_fn(SSL *ssl);
typedef int SSL_do_handshake_fn(SSL *ssl);

/* Notes a list that OpenSSL took. One that nobody may steer takes the place of what was noted before. */
static void note(const void *handle, enum offer_state state, const unsigned char *protocols, size_t len, const void *caller)
{
    struct offer offer = {.state = state};
    int saved = errno;
    if (alpn_is_watched(caller)) {
        alpn_offer_set(&offer, protocols, len, caller);
        process_watch_forks();
        if (!offer_put(handle, &offer))
            offer_forget(handle);
    } else {
        offer_forget(handle);
    }
    errno = saved;
}

/* Zero is success, unlike everywhere else in OpenSSL. */
EXPORT int SSL_set_alpn_protos(SSL *ssl, const unsigned char *protocols, unsigned len)
{
    SSL_set_alpn_protos_fn *real = REAL_OF_CALLER(SSL_set_alpn_protos);
    int result = real ? real(ssl, protocols, len) : 1;
    if (result == 0)
        note(ssl, OFFER_OPEN, protocols, len, __builtin_return_address(0));
    return result;
}

EXPORT int SSL_CTX_set_alpn_protos(SSL_CTX *context, const unsigned char *protocols, unsigned len)
{
    SSL_CTX_set_alpn_protos_fn *real = REAL_OF_CALLER(SSL_CTX_set_alpn_protos);
    int result = real ? real(context, protocols, len) : 1;
    if (result == 0)
        note(context, OFFER_TEMPLATE, protocols, len, __builtin_return_address(0));
    return result;
}

/* SSL_CTX_free() drops a reference only, so that the end of a context is known by the next one in its place. */
EXPORT SSL_CTX *SSL_CTX_new(const void *method)
{
    SSL_CTX_new_fn *real = REAL_OF_CALLER(SSL_CTX_new);
    SSL_CTX *context = real ? real(method) : NULL;
    offer_forget(context);
    return context;
}

EXPORT SSL_CTX *SSL_CTX_new_ex(void *library_context, const char *properties, const void *method)
{
    SSL_CTX_new_ex_fn *real = REAL_OF_CALLER(SSL_CTX_new_ex);
    SSL_CTX *context = real ? real(library_context, properties, method) : NULL;
    offer_forget(context);
    return context;
}

void alpn_ssl_begins(SSL *ssl, SSL_CTX *context)
{
    struct offer offer;
    if (atomic_load_explicit(&offers_known, memory_order_relaxed) == 0)
        return;
    if (offer_get(context, &offer) && offer.len) {
        offer.state = OFFER_OPEN;
        if (offer_put(ssl, &offer))
            return;
    }
    offer_forget(ssl);
}

void alpn_ssl_cleared(SSL *ssl)
{
    struct offer offer;
    if (offer_get(ssl, &offer) && offer.state == OFFER_DECIDED) {
        offer.state = OFFER_OPEN;
        offer_put(ssl, &offer);
    }
}

/* Whether this is a client whose handshake has not begun. */
static bool is_fresh_client(const SSL *ssl, const void *function)
{
    int (*is_server)(const SSL *) = (int (*)(const SSL *))resolve_beside(NEIGHBOUR_SSL_is_server, function);
    return is_server && !is_server(ssl) && ssl_is_fresh(ssl, function);
}

/* Without memory OpenSSL keeps no offer, and leaves an error that the program did not cause: it is taken away again. */
static bool give(SSL *ssl, const unsigned char *protocols, size_t len, const void *function)
{
    SSL_set_alpn_protos_fn *set = (SSL_set_alpn_protos_fn *)resolve_beside(NEIGHBOUR_SSL_set_alpn_protos, function);
    error_mark_fn *pop_to_mark = set ? errors_mark(function) : NULL;
    bool given = pop_to_mark && set(ssl, protocols, (unsigned)len) == 0;
    errors_drop(pop_to_mark);
    return given;
}

static void decide(SSL *ssl, struct offer *offer, const void *function)
{
    const int host_name = 0; /* TLSEXT_NAMETYPE_host_name */
    const char *(*get_servername)(const SSL *, int) =
        (const char *(*)(const SSL *, int))resolve_beside(NEIGHBOUR_SSL_get_servername, function);
    const char *name = get_servername ? get_servername(ssl, host_name) : NULL;
    const struct span host = name ? span_of(name, strlen(name)) : span_of("", 0);
    unsigned char kept[OFFER_MAX];
    enum reason reason = alpn_decide(offer, host);
    const bool steer = reason == REASON_NONE;
    if (steer && !offer->steered && !give(ssl, kept, alpn_without_h2(offer, kept), function))
        reason = REASON_NO_MEMORY;
    else if (!steer && offer->steered) /* the same SSL, cleared, for another host */
        give(ssl, offer->protocols, offer->len, function);
    if (offer->state == OFFER_OPEN)
        alpn_report("openssl", host, reason);
    offer->steered = reason == REASON_NONE;
    offer->state = OFFER_DECIDED;
    offer_put(ssl, offer);
}

void alpn_before_handshake(SSL *ssl, const void *function)
{
    struct offer offer;
    int saved = errno;
    if (offer_get(ssl, &offer) && offer.len && is_fresh_client(ssl, function))
        decide(ssl, &offer, function);
    errno = saved;
}

EXPORT int SSL_connect(SSL *ssl)
{
    SSL_connect_fn *real = REAL_OF_CALLER(SSL_connect);
    if (!real)
        return -1;
    if (atomic_load_explicit(&offers_known, memory_order_relaxed))
        alpn_before_handshake(ssl, (void *)real);
    return real(ssl);
}

EXPORT int SSL_do_handshake(SSL *ssl)
{
    SSL_do_handshake_fn *real = REAL_OF_CALLER(SSL_do_handshake);
    if (!real)
        return -1;
    if (atomic_load_explicit(&offers_known, memory_order_relaxed))
        alpn_before_handshake(ssl, (void *)real);
    return real(ssl);
}
