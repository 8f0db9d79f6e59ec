/* One request before it is made: its URL taken apart, and the decision about it, by the same code as everywhere else. Sets nothing
 * and keeps nothing. */
#include "libcurl_transfer.h"

#include <stdlib.h>

void request_end(struct request *request)
{
    secret_free(request->url);
    request->url = NULL;
}

/* Whether `url` begins with a scheme and "://". */
static bool has_scheme(const char *url)
{
    const char *end = url + strcspn(url, ":/?#");
    return strncmp(end, "://", 3) == 0;
}

/* Makes `url` absolute in the way that libcurl will: the default scheme in front, a '/' where there is no path. */
bool request_take_apart(const char *url, bool default_https, struct request *request)
{
    struct target target;
    const size_t len = strlen(url);
    const bool bare = default_https && !has_scheme(url);
    char *text = malloc(len + sizeof "https:///");
    *request = (struct request){.url = text};
    if (!text)
        return false;
    size_t scheme = bare ? sizeof "https://" - 1 : 0;
    memcpy(text, "https://", scheme);
    memcpy(text + scheme, url, len + 1);
    target_parse(span_of(text, scheme + len), &target);
    if (target.form != TARGET_ABSOLUTE)
        return false;
    size_t at = (size_t)(target.path.at - text);
    if (text[at] != '/') {
        memmove(text + at + 1, text + at, scheme + len - at + 1);
        text[at] = '/';
    }
    request->target_at = at;
    request->authority = target.authority;
    request->https = ascii_lower(text[4]) == 's';
    return true;
}

/* The URL that the program has set one way or the other; *ours is set if it must be given back to libcurl. */
char *request_url(const struct easy *easy, bool *of_libcurl)
{
    const struct libcurl *lib = easy->lib;
    char *url = NULL;
    *of_libcurl = easy->options.curlu && lib->url;
    if (!*of_libcurl)
        return easy->options.curlu ? NULL : easy->options.url;
    return lib->url_get(easy->options.curlu, PART_URL, &url, 0) == 0 ? url : NULL;
}

void request_url_release(const struct easy *easy, char *url, bool of_libcurl)
{
    if (!url || !of_libcurl)
        return;
    explicit_bzero(url, strlen(url));
    easy->lib->release(url);
}

/* The fields of a request as the decision wants them: libcurl's own, then the program's list. */
struct fields {
    struct span method, authority, target, credentials, referer;
    const struct curl_slist *items;
    const struct curl_slist *item; /* the one asked for last, and its place: they are asked for in order */
    size_t place;
};
enum { FIELD_METHOD, FIELD_AUTHORITY, FIELD_TARGET, FIELD_CREDENTIALS, FIELD_REFERER, FIELD_FIRST_ITEM };

static struct field item_at(struct fields *fields, size_t place)
{
    if (place < fields->place || !fields->item) {
        fields->item = fields->items;
        fields->place = 0;
    }
    for (; fields->place < place; fields->place++)
        fields->item = fields->item->next;
    return item_field(fields->item);
}

static struct field field_at(const void *list, size_t index)
{
    struct fields *fields = (struct fields *)(uintptr_t)list;
    switch (index) {
    case FIELD_METHOD: return (struct field){span_of(":method", 7), fields->method};
    case FIELD_AUTHORITY: return (struct field){span_of(":authority", 10), fields->authority};
    case FIELD_TARGET: return (struct field){span_of(":path", 5), fields->target};
    case FIELD_CREDENTIALS:
        return (struct field){span_of("authorization", fields->credentials.at ? 13 : 0), fields->credentials};
    case FIELD_REFERER: return (struct field){span_of("referer", fields->referer.at ? 7 : 0), fields->referer};
    default: return item_at(fields, index - FIELD_FIRST_ITEM);
    }
}

/* Whether libcurl makes an Authorization of credentials with the very first request: where just one scheme is allowed, and
 * it is one that needs no challenge. */
static bool has_credentials(const struct options *options, struct span authority)
{
    bool user = options->user || memchr(authority.at, '@', authority.len);
    return (user && (options->http_auth == AUTH_BASIC || options->http_auth == AUTH_AWS_SIGV4)) ||
           (options->bearer && options->http_auth == AUTH_BEARER);
}

/* The decision about one request. `host` is the program's own Host, where libcurl sends that; .at is NULL if not. */
void request_decide(const struct options *options, struct span host, struct span authority, struct span target,
                    struct decision *decision)
{
    const char *method = options->method ? options->method : options->default_method;
    struct fields fields = {
        .method = span_of(method, strlen(method)),
        .authority = host.at ? host : authority,
        .target = target,
        .items = options->headers,
    };
    bool own = items_find(options->headers, "authorization", 13).at != NULL;
    if (!own && has_credentials(options, authority))
        fields.credentials = span_of("Basic", 5);
    if (options->referer)
        fields.referer = span_of(options->referer, strlen(options->referer));
    fields_decide(&config_get()->policy, field_at, &fields, FIELD_FIRST_ITEM + items_count(options->headers), decision);
    decision->protocol = PROTOCOL_UNKNOWN;
}

/* The URL as libcurl shows it once it has parsed it. NULL where it cannot be told. */
char *request_url_normalized(const struct easy *easy, const char *url)
{
    const struct libcurl *lib = easy->lib;
    const unsigned flags = (easy->options.path_as_is ? URL_PATH_AS_IS : 0) | URL_NON_SUPPORT_SCHEME |
                           (easy->options.default_https ? URL_DEFAULT_SCHEME : URL_GUESS_SCHEME);
    CURLU *parsed = lib->url ? lib->url() : NULL;
    char *text = NULL;
    char *copy = NULL;
    if (parsed && lib->url_set(parsed, PART_URL, url, flags) == 0 && lib->url_get(parsed, PART_URL, &text, 0) == 0) {
        copy = secret_copy(text);
        request_url_release(easy, text, true);
    }
    if (parsed)
        lib->url_cleanup(parsed);
    return copy;
}
