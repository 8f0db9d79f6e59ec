/* What becomes of redirects. libcurl would send our list with every hop to the same host. It reads the list when it builds a request, and
 * tells every field line of a response to CURLOPT_HEADERFUNCTION before that, in the same thread. So ours stands before the
 * program's there, and at the first line of a 3xx puts the program's own list back. Following in libcurl's place instead
 * would mean to repeat its rules for methods, bodies, limits, counters and timeouts. A Location with a token of its own goes
 * by CURLOPT_REQUEST_TARGET, which libcurl reads at the same moment. */
#include "libcurl_transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A Referer has no name and password. */
static void cut_userinfo(struct span url, struct edits *edits)
{
    struct target target;
    target_parse(url, &target);
    size_t len = target.authority.len;
    while (len && target.authority.at[len - 1] != '@')
        len--;
    if (len)
        edits_add(edits, (size_t)(target.authority.at - url.at), len, false);
}

/* The Referer that AUTOREFERER makes of the request which was just answered, where that has a token in it. */
static struct span automatic_referer(const struct easy *easy, char **text)
{
    const char *effective = NULL;
    struct edits edits;
    *text = NULL;
    edits_reset(&edits);
    if (!easy->options.auto_referer || items_find(easy->options.headers, "referer", 7).at)
        return span_of(NULL, 0);
    easy->lib->getinfo(easy->handle, INFO_EFFECTIVE_URL, &effective);
    if (!effective)
        return span_of(NULL, 0);
    struct field field = {span_of("referer", 7), span_of(effective, strcspn(effective, "#"))};
    cut_userinfo(field.value, &edits);
    if (!referer_scrub(&config_get()->policy, &field, effective, &edits) || edits.overflow)
        return span_of(NULL, 0);
    *text = malloc(field.value.len);
    return *text ? span_of(*text, edits_cut(&edits, effective, field.value.len, *text)) : span_of(NULL, 0);
}

/* The next hop gets what the program itself would send; whatever was set for the last one is taken back. */
void transfer_drop_token(struct easy *easy)
{
    struct transfer *transfer = easy->transfer;
    char *text;
    struct span referer = automatic_referer(easy, &text);
    if (!transfer_give_list(easy, NULL, referer))
        transfer_set(easy, OPT_HTTPHEADER, NULL); /* without memory: rather no field than the token */
    if (text)
        explicit_bzero(text, referer.len);
    free(text);
    if (transfer->target_cut)
        transfer_set(easy, OPT_REQUEST_TARGET, easy->options.request_target);
    if (transfer->unrestricted)
        transfer_set_number(easy, OPT_UNRESTRICTED_AUTH, easy->options.unrestricted);
    transfer->target_cut = transfer->unrestricted = false;
}

/* A part of an URL, to be given back to libcurl. NULL if there is none. */
static char *part_of(const struct libcurl *lib, const CURLU *url, int part, unsigned flags)
{
    char *value = NULL;
    return lib->url_get(url, part, &value, flags) == 0 ? value : NULL;
}

static bool same_part(const struct libcurl *lib, const CURLU *a, const CURLU *b, int part)
{
    char *of_a = part_of(lib, a, part, URL_DEFAULT_PORT);
    char *of_b = part_of(lib, b, part, URL_DEFAULT_PORT);
    bool same = of_a && of_b && strlen(of_a) == strlen(of_b);
    for (size_t i = 0; same && of_a[i]; i++)
        same = ascii_lower(of_a[i]) == ascii_lower(of_b[i]);
    lib->release(of_a);
    lib->release(of_b);
    return same;
}

/* libcurl sends an Authorization to the first request's origin alone. Elsewhere it is told not to mind, for this one hop and
 * only where it has no other secret that could leave by that. */
static bool may_authorize(struct easy *easy, const CURLU *hop)
{
    const struct libcurl *lib = easy->lib;
    const struct options *options = &easy->options;
    const unsigned guess = URL_NON_SUPPORT_SCHEME | (options->default_https ? URL_DEFAULT_SCHEME : URL_GUESS_SCHEME);
    CURLU *first = lib->url();
    bool of_libcurl;
    char *url = request_url(easy, &of_libcurl);
    bool same = first && url && lib->url_set(first, PART_URL, url, guess) == 0 &&
                same_part(lib, first, hop, PART_SCHEME) && same_part(lib, first, hop, PART_HOST) &&
                same_part(lib, first, hop, PART_PORT);
    bool secrets = options->user || options->bearer || options->cookie || options->netrc || (url && strchr(url, '@')) ||
                   items_find(options->headers, "authorization", 13).at || items_find(options->headers, "cookie", 6).at;
    request_url_release(easy, url, of_libcurl);
    if (first)
        lib->url_cleanup(first);
    if (same || options->unrestricted)
        return true;
    if (secrets)
        return false;
    easy->transfer->unrestricted = true;
    return transfer_set_number(easy, OPT_UNRESTRICTED_AUTH, 1);
}

/* Decides about the request that libcurl makes next, and gives it what shall leave. */
static void follow(struct easy *easy, const CURLU *hop, const char *authority, const char *target)
{
    struct decision decision;
    const char *why;
    bool https = true;
    if (!libcurl_layer_applies(easy->lib, &easy->options, https, &why))
        return;
    request_decide(&easy->options, span_of(NULL, 0), span_of(authority, strlen(authority)),
                   span_of(target, strlen(target)), &decision);
    enum reason failure = REASON_NONE;
    if (decision.edits.count) {
        char *cut = text_cut(&decision.edits, target, 0);
        bool given = cut && (!decision.enters || may_authorize(easy, hop));
        if (!given) {
            failure = cut ? REASON_CREDENTIALS : REASON_NO_MEMORY;
        } else {
            easy->transfer->target_cut = true;
            if (!transfer_enter_token(easy, &decision) || !transfer_set(easy, OPT_REQUEST_TARGET, cut)) {
                failure = REASON_NO_MEMORY;
                transfer_drop_token(easy);
            }
        }
        secret_free(cut);
    }
    if (decision.candidate) {
        decision.referer = false;
        transfer_report(easy, &decision, why, failure);
    }
}

/* The next hop by libcurl's own arithmetic, as it will do it itself: against the last URL, then parsed anew. */
static CURLU *resolve_location(const struct easy *easy, const char *location)
{
    const struct libcurl *lib = easy->lib;
    const unsigned as_is = easy->options.path_as_is ? URL_PATH_AS_IS : 0;
    const char *effective = NULL;
    char *absolute = NULL;
    CURLU *url = lib->url();
    lib->getinfo(easy->handle, INFO_EFFECTIVE_URL, &effective);
    bool done = url && effective && lib->url_set(url, PART_URL, effective, URL_NON_SUPPORT_SCHEME | as_is) == 0 &&
                lib->url_set(url, PART_URL, location, URL_URLENCODE | URL_ALLOW_SPACE | as_is) == 0 &&
                (absolute = part_of(lib, url, PART_URL, 0)) != NULL &&
                lib->url_set(url, PART_URL, absolute, URL_NON_SUPPORT_SCHEME | as_is) == 0;
    request_url_release(easy, absolute, true);
    if (!done && url) {
        lib->url_cleanup(url);
        url = NULL;
    }
    return url;
}

/* path?query */
static char *target_of(const struct easy *easy, const CURLU *hop)
{
    const struct libcurl *lib = easy->lib;
    char *path = part_of(lib, hop, PART_PATH, URL_URLENCODE);
    char *query = part_of(lib, hop, PART_QUERY, 0);
    char *target = NULL;
    if (path) {
        size_t size = strlen(path) + (query ? strlen(query) : 0) + sizeof "?";
        target = malloc(size);
        if (target)
            snprintf(target, size, "%s%s%s", path, query ? "?" : "", query ? query : "");
    }
    request_url_release(easy, path, true);
    request_url_release(easy, query, true);
    return target;
}

static void follow_location(struct easy *easy, struct span value)
{
    const struct libcurl *lib = easy->lib;
    char *location = malloc(value.len + 1);
    if (!lib->url || !location) {
        free(location);
        return;
    }
    memcpy(location, value.at, value.len);
    location[value.len] = '\0';
    CURLU *hop = resolve_location(easy, location);
    secret_free(location);
    char *scheme = hop ? part_of(lib, hop, PART_SCHEME, 0) : NULL;
    char *host = hop ? part_of(lib, hop, PART_HOST, 0) : NULL;
    char *target = hop && !easy->options.request_target ? target_of(easy, hop)
                   : easy->options.request_target       ? secret_copy(easy->options.request_target)
                                                        : NULL;
    if (scheme && host && target && strcmp(scheme, "https") == 0)
        follow(easy, hop, host, target);
    secret_free(target);
    request_url_release(easy, scheme, true);
    request_url_release(easy, host, true);
    if (hop)
        lib->url_cleanup(hop);
}

/* The status in a status line; 0 if the line is none. */
static int status_of(struct span line)
{
    line = span_trim(line);
    if (line.len < 5 || !span_is(span_of(line.at, 5), "http/", 5))
        return 0;
    size_t at = 5;
    while (at < line.len && (is_digit(line.at[at]) || line.at[at] == '.'))
        at++;
    if (line.len < at + 4)
        return 0;
    int status = 0;
    for (size_t i = at + 1; i < at + 4; i++)
        status = status * 10 + (line.at[i] - '0');
    return status;
}

static void read_line(struct easy *easy, struct span line)
{
    static const char name[] = "location:";
    struct transfer *transfer = easy->transfer;
    int status = status_of(line);
    if (status) {
        transfer->status = status;
        transfer->location_seen = false;
        if (status >= 300 && status < 400)
            transfer_drop_token(easy);
    } else if (transfer->status >= 300 && transfer->status < 400 && easy->options.follow && !transfer->location_seen &&
               line.len >= sizeof name && span_is(span_of(line.at, sizeof name - 1), name, sizeof name - 1)) {
        struct span value = span_trim(span_from(line, sizeof name - 1));
        transfer->location_seen = value.len > 0;
        if (value.len)
            follow_location(easy, value);
    }
}

/* CURLOPT_HEADERFUNCTION: reads the line, then does what libcurl would do with it for the program. */
size_t transfer_header_line(char *data, size_t size, size_t count, void *context)
{
    struct easy *easy = context;
    const struct options *options = &easy->options;
    int saved = errno;
    if (easy->transfer)
        read_line(easy, span_of(data, size * count));
    errno = saved;
    if (options->header_function)
        return options->header_function(data, size, count, options->header_data);
    if (!options->header_data)
        return size * count;
    if (options->write_function)
        return options->write_function(data, size, count, options->header_data);
    return fwrite(data, size, count, options->header_data);
}
