/* What a gnutls session offers by ALPN. GnuTLS takes a list once: a second one is mixed with the first, and the offer ends in
 * an empty name. So a list that may have to be steered is kept back, and given when the handshake begins. */
#include "alpn.h"

#include <errno.h>

typedef struct gnutls_session_int *gnutls_session_t;
typedef struct {
    unsigned char *data;
    unsigned size;
} gnutls_datum_t;

typedef int gnutls_alpn_set_protocols_fn(gnutls_session_t session, const gnutls_datum_t *names, unsigned count,
                                         unsigned flags);
typedef int gnutls_server_name_set_fn(gnutls_session_t session, int type, const void *name, size_t len);
typedef int gnutls_server_name_get_fn(gnutls_session_t session, void *name, size_t *len, unsigned *type, unsigned index);
typedef int gnutls_handshake_fn(gnutls_session_t session);

enum { GNUTLS_E_INVALID_REQUEST = -50, GNUTLS_E_INTERNAL_ERROR = -59, GNUTLS_NAME_DNS = 1 };
enum { NAMES_MAX = 8, NAME_MAX_LEN = 31 }; /* GnuTLS's own: it refuses, or cuts, what is more */

/* Only a server may ask which name its client sent, and GnuTLS keeps a server's lists for itself. */
static bool is_client(gnutls_session_t session, const void *function)
{
    char name[1];
    size_t len = sizeof name;
    unsigned type;
    gnutls_server_name_get_fn *get =
        (gnutls_server_name_get_fn *)resolve_beside(NEIGHBOUR_gnutls_server_name_get, function);
    return get && get(session, name, &len, &type, 0) == GNUTLS_E_INVALID_REQUEST;
}

/* The names in the form that they have on the wire. False where GnuTLS would not take them as they are. */
static bool offer_set_names(struct offer *offer, const gnutls_datum_t *names, unsigned count, const void *caller)
{
    unsigned char protocols[NAMES_MAX * (NAME_MAX_LEN + 1)];
    size_t len = 0;
    if (!names || count > NAMES_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (names[i].size == 0 || names[i].size > NAME_MAX_LEN)
            return false;
        protocols[len++] = (unsigned char)names[i].size;
        memcpy(protocols + len, names[i].data, names[i].size);
        len += names[i].size;
    }
    alpn_offer_set(offer, protocols, len, caller);
    return true;
}

/* Gives GnuTLS a list in the form of the wire. */
// NOLINTNEXTLINE(readability-non-const-parameter): a datum's data is not const
static int give(gnutls_session_t session, unsigned char *protocols, size_t len, unsigned flags, const void *function)
{
    gnutls_datum_t names[NAMES_MAX];
    unsigned count = 0;
    gnutls_alpn_set_protocols_fn *set =
        (gnutls_alpn_set_protocols_fn *)resolve_beside(NEIGHBOUR_gnutls_alpn_set_protocols, function);
    for (size_t at = 0; at < len && count < NAMES_MAX; at += 1u + protocols[at])
        names[count++] = (gnutls_datum_t){protocols + at + 1, protocols[at]};
    return set ? set(session, names, count, flags) : GNUTLS_E_INTERNAL_ERROR;
}

/* A list behind another: GnuTLS must see both. */
static void give_held(gnutls_session_t session, struct offer *offer, const void *function)
{
    if (offer->held)
        give(session, offer->protocols, offer->len, offer->flags, function);
    offer->held = false;
    offer->len = 0;
    offer->state = OFFER_DECIDED;
    offer_put(session, offer);
}

/* True if the list is kept back. One that is none of ours to change is noted, if the log will tell of it. */
static bool keep_back(gnutls_session_t session, const gnutls_datum_t *names, unsigned count, unsigned flags,
                      const void *caller, const void *function)
{
    struct offer offer;
    bool known = offer_get(session, &offer);
    if (known && (offer.len || offer.state == OFFER_DECIDED)) {
        give_held(session, &offer, function);
        return false;
    }
    if (!alpn_is_watched(caller) || !offer_set_names(&offer, names, count, caller) || !alpn_offers_h2(&offer) ||
        !is_client(session, function))
        return false;
    offer.flags = flags;
    offer.held = alpn_is_steerable(&offer) && config_get()->mode == MODE_REWRITE;
    process_watch_forks();
    return offer_put(session, &offer) && offer.held;
}

EXPORT int gnutls_alpn_set_protocols(gnutls_session_t session, const gnutls_datum_t *names, unsigned count, unsigned flags)
{
    gnutls_alpn_set_protocols_fn *real = REAL_OF_CALLER(gnutls_alpn_set_protocols);
    if (!real)
        return GNUTLS_E_INTERNAL_ERROR;
    int saved = errno;
    bool kept = keep_back(session, names, count, flags, __builtin_return_address(0), (void *)real);
    errno = saved;
    return kept ? 0 : real(session, names, count, flags);
}

/* Only an Atlassian host is worth an entry. */
static void note_host(gnutls_session_t session, struct span host)
{
    struct offer offer;
    bool known = offer_get(session, &offer);
    bool matches = host.len <= OFFER_HOST_MAX && host_matches(&config_get()->policy.hosts, authority_host(host));
    if (!known && !matches)
        return;
    offer.host_len = matches ? host.len : 0;
    memcpy(offer.host, host.at, offer.host_len);
    process_watch_forks();
    offer_put(session, &offer);
}

EXPORT int gnutls_server_name_set(gnutls_session_t session, int type, const void *name, size_t len)
{
    gnutls_server_name_set_fn *real = REAL_OF_CALLER(gnutls_server_name_set);
    if (!real)
        return GNUTLS_E_INTERNAL_ERROR;
    int result = real(session, type, name, len);
    int saved = errno;
    if (result == 0 && type == GNUTLS_NAME_DNS && alpn_is_watched(__builtin_return_address(0)))
        note_host(session, name ? span_of(name, len) : span_of("", 0));
    errno = saved;
    return result;
}

/* Negative where GnuTLS could not take the list that was kept back. */
static int before_handshake(gnutls_session_t session, const void *function)
{
    struct offer offer;
    unsigned char kept[OFFER_MAX];
    int result = 0;
    if (!offer_get(session, &offer) || offer.state != OFFER_OPEN)
        return 0;
    const struct span host = span_of(offer.host, offer.host_len);
    enum reason reason = alpn_decide(&offer, host);
    if (offer.held && reason == REASON_NONE)
        result = give(session, kept, alpn_without_h2(&offer, kept), offer.flags, function);
    else if (offer.held)
        result = give(session, offer.protocols, offer.len, offer.flags, function);
    offer.held = false;
    offer.state = OFFER_DECIDED;
    offer_put(session, &offer);
    alpn_report("gnutls", host, result < 0 ? REASON_NO_MEMORY : reason);
    return result;
}

EXPORT int gnutls_handshake(gnutls_session_t session)
{
    gnutls_handshake_fn *real = REAL_OF_CALLER(gnutls_handshake);
    if (!real)
        return GNUTLS_E_INTERNAL_ERROR;
    if (atomic_load_explicit(&offers_known, memory_order_relaxed)) {
        int saved = errno;
        int result = before_handshake(session, (void *)real);
        errno = saved;
        if (result < 0)
            return result;
    }
    return real(session);
}
