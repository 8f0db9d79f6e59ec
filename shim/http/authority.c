#include "authority.h"

/* What names in the DNS are made of; anything else (a '#' or '/' that would end the authority elsewhere) is no host. */
static bool is_host_character(char c)
{
    c = ascii_lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

struct span authority_host(struct span authority)
{
    const struct span none = span_of(authority.at, 0);
    struct span host = authority;

    /* The last '@' ends the userinfo: everything before it is no part of the host. */
    for (size_t i = host.len; i-- > 0;)
        if (host.at[i] == '@') {
            host = span_from(host, i + 1);
            break;
        }

    if (host.len && host.at[0] == '[') {
        const char *close = memchr(host.at, ']', host.len);
        if (!close)
            return none;
        host.len = (size_t)(close - host.at) + 1;
        return host;
    }

    const char *colon = host.len ? memchr(host.at, ':', host.len) : NULL;
    if (colon) {
        for (const char *p = colon + 1; p < host.at + host.len; p++)
            if (!is_digit(*p))
                return none;
        host.len = (size_t)(colon - host.at);
    }
    if (host.len && host.at[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < host.len; i++)
        if (!is_host_character(host.at[i]))
            return none;
    return host;
}

bool host_matches(const struct host_suffixes *suffixes, struct span host)
{
    if (host.len == 0 || host.at[0] == '.' || SPAN_IS(host, "api.media.atlassian.com"))
        return false;
    for (size_t i = 0; i < suffixes->count; i++) {
        struct span suffix = suffixes->suffix[i];
        if (host.len < suffix.len)
            continue;
        size_t front = host.len - suffix.len;
        if (front > 0 && host.at[front - 1] != '.')
            continue;
        if (span_is(span_from(host, front), suffix.at, suffix.len))
            return true;
    }
    return false;
}
