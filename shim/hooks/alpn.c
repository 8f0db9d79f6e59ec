#include "alpn.h"

struct protocol_scan {
    bool well_formed, h2, http1;
};

static bool is_h2(const unsigned char *name, size_t len)
{
    return len == 2 && memcmp(name, "h2", 2) == 0;
}

static struct protocol_scan scan(const unsigned char *protocols, size_t len)
{
    struct protocol_scan found = {.well_formed = true};
    for (size_t at = 0; at < len; at += 1u + protocols[at]) {
        size_t name_len = protocols[at];
        if (name_len == 0 || name_len > len - at - 1) {
            found.well_formed = false;
            return found;
        }
        found.h2 |= is_h2(protocols + at + 1, name_len);
        found.http1 |= name_len == 8 && memcmp(protocols + at + 1, "http/1.1", 8) == 0;
    }
    return found;
}

bool alpn_is_watched(const void *caller)
{
    const struct config *config = config_get();
    if (config->mode == MODE_OFF || config->alpn == ALPN_OFF)
        return false;
    return !resolve_caller_imports(NEIGHBOUR_nghttp2_submit_request, caller) &&
           !resolve_caller_imports(NEIGHBOUR_nghttp2_submit_headers, caller);
}

void alpn_offer_set(struct offer *offer, const unsigned char *protocols, size_t len, const void *caller)
{
    offer->caller = caller;
    offer->len = protocols && len <= OFFER_MAX && scan(protocols, len).well_formed ? len : 0;
    if (offer->len)
        memcpy(offer->protocols, protocols, len);
}

bool alpn_offers_h2(const struct offer *offer)
{
    return scan(offer->protocols, offer->len).h2;
}

bool alpn_is_steerable(const struct offer *offer)
{
    struct protocol_scan found = scan(offer->protocols, offer->len);
    return found.h2 && found.http1;
}

/* GLib's TLS is a module that knows nothing of HTTP; whoever uses it may speak h2 by nghttp2 (libsoup 3 does). */
static bool serves_an_nghttp2_user(const void *caller)
{
    return resolve_caller_imports(NEIGHBOUR_g_tls_backend_get_type, caller) &&
           resolve_any_imports(NEIGHBOUR_nghttp2_submit_request, NEIGHBOUR_g_tls_connection_get_negotiated_protocol);
}

enum reason alpn_decide(const struct offer *offer, struct span host)
{
    const struct config *config = config_get();
    const struct protocol_scan found = scan(offer->protocols, offer->len);
    if (!host_matches(&config->policy.hosts, authority_host(host)))
        return REASON_HOST_NOT_ATLASSIAN;
    if (!found.h2 || serves_an_nghttp2_user(offer->caller))
        return REASON_NOT_HTTP;
    if (!found.http1)
        return REASON_ONLY_H2_OFFERED;
    return config->mode == MODE_AUDIT ? REASON_AUDIT : REASON_NONE;
}

/* Clients whose h2 is no trouble are none for the log either. */
void alpn_report(const char *layer, struct span host, enum reason reason)
{
    if (reason != REASON_HOST_NOT_ATLASSIAN && reason != REASON_NOT_HTTP)
        report_steering(layer, host, reason);
}

size_t alpn_without_h2(const struct offer *offer, unsigned char *to)
{
    size_t kept = 0;
    for (size_t at = 0, next; at < offer->len; at = next) {
        next = at + 1 + offer->protocols[at];
        if (is_h2(offer->protocols + at + 1, offer->protocols[at]))
            continue;
        memcpy(to + kept, offer->protocols + at, next - at);
        kept += next - at;
    }
    return kept;
}
