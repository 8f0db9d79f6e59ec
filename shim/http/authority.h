/* Whose host is it: an authority's host, and whether that host is one of Atlassian's.
 * Compares whole labels only; never resolves a name. */
#ifndef JWTSHIM_HTTP_AUTHORITY_H
#define JWTSHIM_HTTP_AUTHORITY_H

#include "span.h"

enum { HOST_SUFFIXES_MAX = 64 };

/* Host suffixes, lower case, without a leading or trailing dot. Set once at start, read only from then on. */
struct host_suffixes {
    size_t count;
    struct span suffix[HOST_SUFFIXES_MAX];
};

/* The host of `authority` ([userinfo@]host[:port], RFC 3986 section 3.2): without userinfo, port and one trailing
 * dot; an IPv6 literal keeps its brackets. Empty where there is none or where it is malformed. */
struct span authority_host(struct span authority);

/* True if `host` is one of the suffixes or ends in a dot and one of them. The media host (api.media.atlassian.com)
 * authenticates by its own token and is never matched, whatever the suffixes say. */
bool host_matches(const struct host_suffixes *suffixes, struct span host);

#endif
