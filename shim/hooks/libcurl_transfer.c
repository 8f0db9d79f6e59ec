/* What libcurl is given in the place of what the program set, while a request is made: the URL without its token, and a
 * header list of our own. Nothing of the program's is ever written to. */
#include "libcurl_transfer.h"

#include <errno.h>
#include <stdlib.h>

const char transfer_of_easy;

char *text_cut(const struct edits *edits, const char *text, size_t at)
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

bool transfer_set(const struct easy *easy, int option, const void *value)
{
    return easy->lib->setopt(easy->handle, option, value) == 0;
}

bool transfer_set_number(const struct easy *easy, int option, long value)
{
    return easy->lib->setopt(easy->handle, option, value) == 0;
}

bool transfer_give_list(struct easy *easy, const struct span *token, struct span referer)
{
    struct transfer *transfer = easy->transfer;
    struct list *list = NULL;
    if (!list_make(&config_get()->policy, easy->options.headers, token, referer, &list))
        return false;
    const void *head = list ? list_head(list) : easy->options.headers;
    if ((list || transfer->given) && !transfer_set(easy, OPT_HTTPHEADER, head)) {
        list_free(list);
        return false;
    }
    if (list)
        list_put(&transfer->lists, list);
    transfer->given = list;
    return true;
}

static bool watch(struct easy *easy)
{
    struct transfer *transfer = easy->transfer;
    transfer->watches = true;
    return transfer_set(easy, OPT_HEADERFUNCTION, (const void *)transfer_header_line) &&
           transfer_set(easy, OPT_HEADERDATA, easy);
}

/* Credentials whose scheme waits for a challenge would add a second Authorization beside ours. */
static bool silence_credentials(struct easy *easy)
{
    const long harmless = AUTH_BASIC | AUTH_BEARER | AUTH_AWS_SIGV4;
    const struct options *options = &easy->options;
    if ((options->http_auth & ~harmless) == 0)
        return true;
    easy->transfer->auth_off = true;
    return transfer_set_number(easy, OPT_HTTPAUTH, 0);
}

/* Where what is for the host goes to proxies too, these get the program's own list. */
static bool keep_from_proxies(struct easy *easy)
{
    if (easy->options.header_opt == HEADER_SEPARATE)
        return true;
    easy->transfer->headers_apart = true;
    return transfer_set(easy, OPT_PROXYHEADER, easy->options.headers) &&
           transfer_set_number(easy, OPT_HEADEROPT, HEADER_SEPARATE);
}

bool transfer_enter_token(struct easy *easy, const struct decision *decision)
{
    const struct span *token = decision->enters ? &decision->token : NULL;
    if (token && (!silence_credentials(easy) || !keep_from_proxies(easy)))
        return false;
    return (!token && !decision->referer) || transfer_give_list(easy, token, span_of(NULL, 0));
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
    char *cut = text_cut(&edits, referer, 0);
    easy->transfer->referer_cut = true;
    bool done = cut && transfer_set(easy, OPT_REFERER, cut);
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
           transfer_set(easy, OPT_CURLU, curlu);
}

/* Gives libcurl the target without its token, by the option that the program set it with. */
static bool cut_target(struct easy *easy, const struct decision *decision, const struct request *request)
{
    struct transfer *transfer = easy->transfer;
    if (decision->edits.count == 0)
        return true;
    if (easy->options.request_target) {
        char *cut = text_cut(&decision->edits, easy->options.request_target, 0);
        transfer->target_cut = true;
        bool done = cut && transfer_set(easy, OPT_REQUEST_TARGET, cut);
        secret_free(cut);
        return done;
    }
    transfer->url = text_cut(&decision->edits, request->url, request->target_at);
    if (!transfer->url)
        return false;
    return easy->options.curlu ? give_curlu(easy, transfer->url) : transfer_set(easy, OPT_URL, transfer->url);
}

/* Remembers what the program is to be told of the URL in the place of what libcurl says. */
static void show(struct easy *easy, const char *programs)
{
    const char *ours = easy->transfer->url;
    if (!ours)
        return;
    easy->as_set = (struct shown){secret_copy(ours), secret_copy(programs)};
    easy->normalized = (struct shown){request_url_normalized(easy, ours), request_url_normalized(easy, programs)};
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

void transfer_report(const struct easy *easy, struct decision *decision, const char *why, enum reason failure)
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
    if (moves && (!cut_target(easy, decision, request) || !transfer_enter_token(easy, decision) || !cut_referer(easy)))
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
        request_decide(options, items_find(options->headers, "host", 4), request->authority,
                       span_of(target, strlen(target)), &decision);
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
    transfer_report(easy, &decision, why, failure);
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
        transfer_set(easy, OPT_URL, easy->options.url);
    easy->url_owed = false;
    forget_shown(easy);
    char *url = easy->options.unknown ? NULL : request_url(easy, &of_libcurl);
    if (url) {
        if (request_take_apart(url, easy->options.default_https, &request))
            begin(easy, &request, url);
        request_end(&request);
        request_url_release(easy, url, of_libcurl);
    }
    atomic_store(&easy->multi, multi);
    errno = saved;
    return true;
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
        ours = transfer->given && transfer_give_list(easy, token.at ? &token : NULL, span_of(NULL, 0));
    } else if (option == OPT_URL || option == OPT_CURLU || option == OPT_REQUEST_TARGET) {
        transfer_drop_token(easy);
    }
    errno = saved;
    return ours;
}
