#include "authority.h"

#include "bytes.h"

struct span authority_host(struct span authority)
{
    const struct span none = span_of(authority.at, 0);
    struct span host = authority;

    /* The last '@' ends the userinfo: everything before it is no part of the host. */
    const char *at = host.len ? memrchr(host.at, '@', host.len) : NULL;
    if (at)
        host = span_from(host, (size_t)(at - host.at) + 1);

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
    return bytes_in(&host_characters, host) == host.len ? host : none;
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
