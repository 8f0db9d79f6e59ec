/* What libcurl is given in the place of what the program set, while a request is made: the URL without its token, and a
 * header list of our own. Nothing of the program's is ever written to.
 *
 * Redirects: libcurl would send that list with every hop to the same host. It reads the list when it builds a request, and
 * tells every field line of a response to CURLOPT_HEADERFUNCTION before that, in the same thread. So ours stands before the
 * program's there, and at the first line of a 3xx puts the program's own list back. Following in libcurl's place instead
 * would mean to repeat its rules for methods, bodies, limits, counters and timeouts. A Location with a token of its own goes
 * by CURLOPT_REQUEST_TARGET, which libcurl reads at the same moment. */
#include "libcurl.h"
#include "libcurl_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct transfer {
    struct list *lists; /* all that libcurl was given, freed at the end */
    struct list *given; /* the one it has now; NULL: the program's */
    CURLU *curlu;       /* ours, if one is set */
    char *url;          /* what CURLOPT_URL is set to, if it is */
    bool watches, auth_off, headers_apart, referer_cut, target_cut, unrestricted; /* options that are set to ours */
    int status;                                                                   /* of the response that is being read */
    bool location_seen;                                                           /* in it */
};

const char transfer_of_easy;

/* A request before it is made, taken apart: what the decision is about. */
struct request {
    char *url; /* absolute, with a path; ours */
    size_t target_at;
    struct span authority;
    bool https;
};

static void request_end(struct request *request)
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
static bool request_of(const char *url, bool default_https, struct request *request)
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
static char *url_of(const struct easy *easy, bool *of_libcurl)
{
    const struct libcurl *lib = easy->lib;
    char *url = NULL;
    *of_libcurl = easy->options.curlu && lib->url;
    if (!*of_libcurl)
        return easy->options.curlu ? NULL : easy->options.url;
    return lib->url_get(easy->options.curlu, PART_URL, &url, 0) == 0 ? url : NULL;
}

static void url_release(const struct easy *easy, char *url, bool of_libcurl)
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
    case FIELD_METHOD:
        return (struct field){span_of(":method", 7), fields->method};
    case FIELD_AUTHORITY:
        return (struct field){span_of(":authority", 10), fields->authority};
    case FIELD_TARGET:
        return (struct field){span_of(":path", 5), fields->target};
    case FIELD_CREDENTIALS:
        return (struct field){span_of("authorization", fields->credentials.at ? 13 : 0), fields->credentials};
    case FIELD_REFERER:
        return (struct field){span_of("referer", fields->referer.at ? 7 : 0), fields->referer};
    default:
        return item_at(fields, index - FIELD_FIRST_ITEM);
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
static void decide(const struct options *options, struct span host, struct span authority, struct span target,
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

/* `text` without what the edits cut; the edits are relative to text + at. */
static char *cut_copy(const struct edits *edits, const char *text, size_t at)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, at);
    size_t made = edits_cut(edits, text + at, len - at, copy + at);
    copy[at + made] = '\0';
    return copy;
}

static bool set(const struct easy *easy, int option, const void *value)
{
    return easy->lib->setopt(easy->handle, option, value) == 0;
}

static bool set_number(const struct easy *easy, int option, long value)
{
    return easy->lib->setopt(easy->handle, option, value) == 0;
}

/* Gives libcurl the list for the next request: the program's, with the token (NULL: without one) and Referers cut. */
static bool give_list(struct easy *easy, const struct span *token, struct span referer)
{
    struct transfer *transfer = easy->transfer;
    struct list *list = NULL;
    if (!list_make(&config_get()->policy, easy->options.headers, token, referer, &list))
        return false;
    const void *head = list ? list_head(list) : easy->options.headers;
    if ((list || transfer->given) && !set(easy, OPT_HTTPHEADER, head)) {
        list_free(list);
        return false;
    }
    if (list)
        list_put(&transfer->lists, list);
    transfer->given = list;
    return true;
}

static size_t header_line(char *data, size_t size, size_t count, void *context);

static bool watch(struct easy *easy)
{
    struct transfer *transfer = easy->transfer;
    transfer->watches = true;
    return set(easy, OPT_HEADERFUNCTION, (const void *)header_line) && set(easy, OPT_HEADERDATA, easy);
}

/* Credentials whose scheme waits for a challenge would add a second Authorization beside ours. */
static bool silence_credentials(struct easy *easy)
{
    const long harmless = AUTH_BASIC | AUTH_BEARER | AUTH_AWS_SIGV4;
    const struct options *options = &easy->options;
    if ((options->http_auth & ~harmless) == 0)
        return true;
    easy->transfer->auth_off = true;
    return set_number(easy, OPT_HTTPAUTH, 0);
}

/* Where what is for the host goes to proxies too, these get the program's own list. */
static bool keep_from_proxies(struct easy *easy)
{
    if (easy->options.header_opt == HEADER_SEPARATE)
        return true;
    easy->transfer->headers_apart = true;
    return set(easy, OPT_PROXYHEADER, easy->options.headers) && set_number(easy, OPT_HEADEROPT, HEADER_SEPARATE);
}

static bool enter_token(struct easy *easy, const struct decision *decision)
{
    const struct span *token = decision->enters ? &decision->token : NULL;
    if (token && (!silence_credentials(easy) || !keep_from_proxies(easy)))
        return false;
    return (!token && !decision->referer) || give_list(easy, token, span_of(NULL, 0));
}

static bool cut_referer(struct easy *easy)
{
    struct edits edits;
    char *referer = easy->options.referer;
    edits_reset(&edits);
    if (!referer)
        return true;
    struct field field = {span_of("referer", 7), span_of(referer, strlen(referer))};
    if (!referer_scrub(&config_get()->policy, &field, referer, &edits) || edits.overflow)
        return true;
    char *cut = cut_copy(&edits, referer, 0);
    easy->transfer->referer_cut = true;
    bool done = cut && set(easy, OPT_REFERER, cut);
    secret_free(cut);
    return done;
}

/* The program's CURLU stays as it is: libcurl gets another one. */
static bool give_curlu(struct easy *easy, const char *url)
{
    const struct libcurl *lib = easy->lib;
    CURLU *curlu = lib->url();
    easy->transfer->curlu = curlu;
    return curlu && lib->url_set(curlu, PART_URL, url, URL_NON_SUPPORT_SCHEME | URL_PATH_AS_IS | URL_ALLOW_SPACE) == 0 &&
           set(easy, OPT_CURLU, curlu);
}

/* Gives libcurl the target without its token, by the option that the program set it with. */
static bool cut_target(struct easy *easy, const struct decision *decision, const struct request *request)
{
    struct transfer *transfer = easy->transfer;
    if (decision->edits.count == 0)
        return true;
    if (easy->options.request_target) {
        char *cut = cut_copy(&decision->edits, easy->options.request_target, 0);
        transfer->target_cut = true;
        bool done = cut && set(easy, OPT_REQUEST_TARGET, cut);
        secret_free(cut);
        return done;
    }
    transfer->url = cut_copy(&decision->edits, request->url, request->target_at);
    if (!transfer->url)
        return false;
    return easy->options.curlu ? give_curlu(easy, transfer->url) : set(easy, OPT_URL, transfer->url);
}

/* The URL as libcurl shows it once it has parsed it. NULL where it cannot be told. */
static char *normalized(const struct easy *easy, const char *url)
{
    const struct libcurl *lib = easy->lib;
    const unsigned flags = (easy->options.path_as_is ? URL_PATH_AS_IS : 0) | URL_NON_SUPPORT_SCHEME |
                           (easy->options.default_https ? URL_DEFAULT_SCHEME : URL_GUESS_SCHEME);
    CURLU *parsed = lib->url ? lib->url() : NULL;
    char *text = NULL;
    char *copy = NULL;
    if (parsed && lib->url_set(parsed, PART_URL, url, flags) == 0 && lib->url_get(parsed, PART_URL, &text, 0) == 0) {
        copy = secret_copy(text);
        url_release(easy, text, true);
    }
    if (parsed)
        lib->url_cleanup(parsed);
    return copy;
}

/* Remembers what the program is to be told of the URL in the place of what libcurl says. */
static void show(struct easy *easy, const char *programs)
{
    const char *ours = easy->transfer->url;
    if (!ours)
        return;
    easy->as_set = (struct shown){secret_copy(ours), secret_copy(programs)};
    easy->normalized = (struct shown){normalized(easy, ours), normalized(easy, programs)};
}

static void shown_free(struct shown *shown)
{
    secret_free(shown->ours);
    secret_free(shown->programs);
    *shown = (struct shown){NULL, NULL};
}

static void forget_shown(struct easy *easy)
{
    shown_free(&easy->as_set);
    shown_free(&easy->normalized);
}

static void show_by(const struct shown *shown, const char **url)
{
    if (shown->ours && shown->programs && strcmp(*url, shown->ours) == 0)
        *url = shown->programs;
}

void transfer_show(const struct easy *easy, const char **url)
{
    if (!easy || !*url)
        return;
    const char *told = *url;
    show_by(&easy->normalized, url);
    if (*url == told)
        show_by(&easy->as_set, url);
}

/* The program's values, for this handle or for a duplicate of it. */
static void restore_options(const struct easy *easy, CURL *handle)
{
    const struct transfer *transfer = easy->transfer;
    const struct options *options = &easy->options;
    curl_easy_setopt_fn *setopt = easy->lib->setopt;
    if (transfer->given)
        setopt(handle, OPT_HTTPHEADER, options->headers);
    if (transfer->watches) {
        setopt(handle, OPT_HEADERFUNCTION, options->header_function);
        setopt(handle, OPT_HEADERDATA, options->header_data);
    }
    if (transfer->auth_off)
        setopt(handle, OPT_HTTPAUTH, options->http_auth);
    if (transfer->headers_apart) {
        setopt(handle, OPT_PROXYHEADER, options->proxy_headers);
        setopt(handle, OPT_HEADEROPT, options->header_opt);
    }
    if (transfer->referer_cut)
        setopt(handle, OPT_REFERER, options->referer);
    if (transfer->target_cut)
        setopt(handle, OPT_REQUEST_TARGET, options->request_target);
    if (transfer->unrestricted)
        setopt(handle, OPT_UNRESTRICTED_AUTH, (long)options->unrestricted);
    if (transfer->curlu)
        setopt(handle, OPT_CURLU, options->curlu);
}

static bool url_is_ours(const struct easy *easy)
{
    return easy->transfer && easy->transfer->url && !easy->transfer->curlu;
}

static void transfer_free(struct easy *easy)
{
    struct transfer *transfer = easy->transfer;
    easy->transfer = NULL;
    atomic_store(&easy->multi, NULL);
    if (!transfer)
        return;
    if (transfer->curlu)
        easy->lib->url_cleanup(transfer->curlu);
    lists_free(transfer->lists);
    secret_free(transfer->url);
    free(transfer);
}

void transfer_end(struct easy *easy)
{
    int saved = errno;
    if (easy->transfer) {
        restore_options(easy, easy->handle);
        easy->url_owed = easy->url_owed || url_is_ours(easy);
    }
    transfer_free(easy);
    errno = saved;
}

void transfer_forget(struct easy *easy)
{
    int saved = errno;
    transfer_free(easy);
    forget_shown(easy);
    easy->url_owed = false;
    errno = saved;
}

void transfer_restore_copy(const struct easy *easy, CURL *copy)
{
    int saved = errno;
    if (easy->transfer)
        restore_options(easy, copy);
    if (url_is_ours(easy) || easy->url_owed)
        easy->lib->setopt(copy, OPT_URL, easy->options.url);
    errno = saved;
}

static void report(const struct easy *easy, struct decision *decision, const char *why, enum reason failure)
{
    if (failure != REASON_NONE && decision->reason == REASON_NONE)
        decision->reason = failure;
    if (!decision->candidate && !decision->referer)
        return;
    libcurl_report_layer(easy->lib, why);
    report_decision("libcurl", decision);
}

/* Sets everything, or nothing. */
static bool give_all(struct easy *easy, const struct decision *decision, const struct request *request)
{
    bool moves = decision->edits.count || decision->referer;
    if (moves && (!cut_target(easy, decision, request) || !enter_token(easy, decision) || !cut_referer(easy)))
        return false;
    return watch(easy);
}

/* The request that `request` describes, or, where that has nothing to move, a later hop of it. */
static void begin(struct easy *easy, const struct request *request, const char *program_url)
{
    const struct options *options = &easy->options;
    const char *target = options->request_target ? options->request_target : request->url + request->target_at;
    const char *why;
    struct decision decision = {.reason = REASON_NONE};
    bool applies = libcurl_layer_applies(easy->lib, options, request->https, &why);
    if (applies)
        decide(options, items_find(options->headers, "host", 4), request->authority, span_of(target, strlen(target)),
               &decision);
    bool moves = decision.edits.count || decision.referer;
    enum reason failure = REASON_NONE;
    if (config_get()->mode == MODE_AUDIT) {
        failure = moves ? REASON_AUDIT : REASON_NONE;
    } else if (moves || (options->follow && easy->lib->hidden & HIDDEN_TLS)) {
        easy->transfer = calloc(1, sizeof *easy->transfer);
        if (!easy->transfer || !give_all(easy, &decision, request)) {
            failure = REASON_NO_MEMORY;
            transfer_end(easy);
        } else {
            show(easy, program_url);
        }
    }
    report(easy, &decision, why, failure);
}

/* Libcurl's own calls for a transfer of curl_easy_perform() come with a multi handle of its own. */
static bool is_being_made(const struct easy *easy, const CURLM *multi)
{
    const CURLM *of = atomic_load(&easy->multi);
    return of && (of != TRANSFER_OF_EASY || multi != TRANSFER_OF_EASY);
}

bool transfer_is_of(const struct easy *easy, const CURLM *multi)
{
    return atomic_load(&easy->multi) == multi;
}

bool transfer_begin(struct easy *easy, const CURLM *multi)
{
    if (is_being_made(easy, multi))
        return false;
    int saved = errno;
    bool of_libcurl;
    struct request request;
    transfer_end(easy); /* one that was left by longjmp() */
    if (easy->url_owed)
        set(easy, OPT_URL, easy->options.url);
    easy->url_owed = false;
    forget_shown(easy);
    char *url = easy->options.unknown ? NULL : url_of(easy, &of_libcurl);
    if (url) {
        if (request_of(url, easy->options.default_https, &request))
            begin(easy, &request, url);
        request_end(&request);
        url_release(easy, url, of_libcurl);
    }
    atomic_store(&easy->multi, multi);
    errno = saved;
    return true;
}

/* --- redirects ---------------------------------------------------------------------------------------------------------- */

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
    if (!referer_scrub(&config_get()->policy, &field, effective, &edits) || edits.overflow)
        return span_of(NULL, 0);
    *text = malloc(field.value.len);
    return *text ? span_of(*text, edits_cut(&edits, effective, field.value.len, *text)) : span_of(NULL, 0);
}

/* The next hop gets what the program itself would send; whatever was set for the last one is taken back. */
static void drop_token(struct easy *easy)
{
    struct transfer *transfer = easy->transfer;
    char *text;
    struct span referer = automatic_referer(easy, &text);
    if (!give_list(easy, NULL, referer))
        set(easy, OPT_HTTPHEADER, NULL); /* without memory: rather no field than the token */
    if (text)
        explicit_bzero(text, referer.len);
    free(text);
    if (transfer->target_cut)
        set(easy, OPT_REQUEST_TARGET, easy->options.request_target);
    if (transfer->unrestricted)
        set_number(easy, OPT_UNRESTRICTED_AUTH, easy->options.unrestricted);
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
    char *url = url_of(easy, &of_libcurl);
    bool same = first && url && lib->url_set(first, PART_URL, url, guess) == 0 &&
                same_part(lib, first, hop, PART_SCHEME) && same_part(lib, first, hop, PART_HOST) &&
                same_part(lib, first, hop, PART_PORT);
    bool secrets = options->user || options->bearer || options->cookie || options->netrc ||
                   (url && strchr(url, '@')) || items_find(options->headers, "authorization", 13).at ||
                   items_find(options->headers, "cookie", 6).at;
    url_release(easy, url, of_libcurl);
    if (first)
        lib->url_cleanup(first);
    if (same || options->unrestricted)
        return true;
    if (secrets)
        return false;
    easy->transfer->unrestricted = true;
    return set_number(easy, OPT_UNRESTRICTED_AUTH, 1);
}

/* Decides about the request that libcurl makes next, and gives it what shall leave. */
static void follow(struct easy *easy, const CURLU *hop, const char *authority, const char *target)
{
    struct decision decision;
    const char *why;
    bool https = true;
    if (!libcurl_layer_applies(easy->lib, &easy->options, https, &why))
        return;
    decide(&easy->options, span_of(NULL, 0), span_of(authority, strlen(authority)), span_of(target, strlen(target)),
           &decision);
    enum reason failure = REASON_NONE;
    if (decision.edits.count) {
        char *cut = cut_copy(&decision.edits, target, 0);
        bool given = cut && (!decision.enters || may_authorize(easy, hop));
        if (!given) {
            failure = cut ? REASON_CREDENTIALS : REASON_NO_MEMORY;
        } else {
            easy->transfer->target_cut = true;
            if (!enter_token(easy, &decision) || !set(easy, OPT_REQUEST_TARGET, cut)) {
                failure = REASON_NO_MEMORY;
                drop_token(easy);
            }
        }
        secret_free(cut);
    }
    if (decision.candidate) {
        decision.referer = false;
        report(easy, &decision, why, failure);
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
    url_release(easy, absolute, true);
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
    url_release(easy, path, true);
    url_release(easy, query, true);
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
                   : easy->options.request_target      ? secret_copy(easy->options.request_target)
                                                       : NULL;
    if (scheme && host && target && strcmp(scheme, "https") == 0)
        follow(easy, hop, host, target);
    secret_free(target);
    url_release(easy, scheme, true);
    url_release(easy, host, true);
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
            drop_token(easy);
    } else if (transfer->status >= 300 && transfer->status < 400 && easy->options.follow && !transfer->location_seen &&
               line.len >= sizeof name && span_is(span_of(line.at, sizeof name - 1), name, sizeof name - 1)) {
        struct span value = span_trim(span_from(line, sizeof name - 1));
        transfer->location_seen = value.len > 0;
        if (value.len)
            follow_location(easy, value);
    }
}

/* CURLOPT_HEADERFUNCTION: reads the line, then does what libcurl would do with it for the program. */
static size_t header_line(char *data, size_t size, size_t count, void *context)
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

bool transfer_option_set(struct easy *easy, int option)
{
    struct transfer *transfer = easy->transfer;
    if (option == OPT_URL)
        easy->url_owed = false;
    if (option == OPT_URL || option == OPT_CURLU)
        forget_shown(easy);
    if (!transfer)
        return false;
    int saved = errno;
    bool ours = false;
    if (option == OPT_HEADERFUNCTION || option == OPT_HEADERDATA) {
        ours = transfer->watches;
    } else if (option == OPT_HTTPHEADER) {
        struct span token = list_token(transfer->given);
        ours = transfer->given && give_list(easy, token.at ? &token : NULL, span_of(NULL, 0));
    } else if (option == OPT_URL || option == OPT_CURLU || option == OPT_REQUEST_TARGET) {
        drop_token(easy);
    }
    errno = saved;
    return ours;
}
