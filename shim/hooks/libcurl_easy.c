/* What the program has set on each CURL handle, as far as it decides about a request. Kept only for a libcurl with a hidden
 * wire; never read but when a request is about to be made. */
#include "libcurl.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* Without memory a handle is left alone; the program is not ended for it. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
    const void *handle;
    struct easy easy;
    UT_hash_handle hh;
};

/* As in conn/handle_table: the guard is held for a look-up only, nobody waits long for it, and who cannot enter is told that
 * there is no record. */
enum { SHARDS = 8 };
static struct shard {
    struct guarded guarded;
    struct entry *entries;
} shards[SHARDS];

/* NULL if it cannot be entered. */
static struct shard *enter_shard(struct shard *shard)
{
    return guarded_enter(&shard->guarded) ? shard : NULL;
}

static struct shard *shard_of(const void *handle)
{
    return enter_shard(&shards[shard_number(handle, SHARDS)]);
}

static void after_fork_in_child(void)
{
    for (int i = 0; i < SHARDS; i++)
        guard_orphaned(&shards[i].guarded.guard);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

static struct entry *find(const struct shard *shard, const void *handle)
{
    struct entry *entry;
    HASH_FIND_PTR(shard->entries, &handle, entry);
    return entry;
}

struct easy *easy_of(CURL *handle, const struct libcurl *lib, bool make)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!handle)
        return NULL;
    int saved = errno;
    if (make)
        pthread_once(&once, watch_forks);
    struct shard *shard = shard_of(handle);
    struct entry *entry = shard ? find(shard, handle) : NULL;
    if (shard && !entry && make) {
        shard->guarded.changing = true;
        entry = calloc(1, sizeof *entry);
        if (entry) {
            entry->handle = handle;
            entry->easy.handle = handle;
            entry->easy.lib = lib;
            HASH_ADD_PTR(shard->entries, handle, entry);
            if (!entry->hh.tbl) { /* uthash's word for "no memory" */
                free(entry);
                entry = NULL;
            } else {
                options_reset(lib, &entry->easy.options);
            }
        }
        shard->guarded.changing = false;
    }
    if (shard)
        guarded_leave(&shard->guarded);
    errno = saved;
    return entry ? &entry->easy : NULL;
}

struct easy *easy_take(CURL *handle)
{
    struct shard *shard = shard_of(handle);
    if (!shard)
        return NULL;
    struct entry *entry = find(shard, handle);
    if (entry) {
        shard->guarded.changing = true;
        HASH_DEL(shard->entries, entry);
        shard->guarded.changing = false;
    }
    guarded_leave(&shard->guarded);
    return entry ? &entry->easy : NULL;
}

void easy_free(struct easy *easy)
{
    if (!easy)
        return;
    int saved = errno;
    transfer_forget(easy);
    options_reset(easy->lib, &easy->options);
    free((char *)easy - offsetof(struct entry, easy));
    errno = saved;
}

struct easy *easy_in(const CURLM *multi)
{
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = enter_shard(&shards[i]);
        if (!shard)
            continue;
        struct entry *entry = shard->entries;
        while (entry && atomic_load(&entry->easy.multi) != multi)
            entry = entry->hh.next;
        guarded_leave(&shard->guarded);
        if (entry)
            return &entry->easy;
    }
    return NULL;
}

void secret_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

char *secret_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void options_reset(const struct libcurl *lib, struct options *options)
{
    secret_free(options->url);
    secret_free(options->request_target);
    secret_free(options->referer);
    secret_free(options->method);
    /* Before 7.42.1 what is for the host went to proxies too. */
    *options = (struct options){.http_auth = AUTH_BASIC,
                                .header_opt = lib->version >= 0x072a01 ? HEADER_SEPARATE : HEADER_UNIFIED,
                                .default_method = "GET"};
}

static void note_text(struct options *options, char **to, const char *text)
{
    secret_free(*to);
    *to = text ? secret_copy(text) : NULL;
    if (text && !*to)
        options->unknown = true;
}

void options_copy(struct options *to, const struct options *from)
{
    *to = *from;
    to->url = to->request_target = to->referer = to->method = NULL;
    note_text(to, &to->url, from->url);
    note_text(to, &to->request_target, from->request_target);
    note_text(to, &to->referer, from->referer);
    note_text(to, &to->method, from->method);
}

/* What each option sets; one table, so that which are noted is said once. */
enum meaning { TEXT, BOOL, LONG, POINTER, GIVEN, METHOD, DEFAULT_HTTPS };
struct noted {
    int option;
    enum meaning meaning;
    size_t at;
    const char *method;
};
#define AT(member) offsetof(struct options, member)
/* clang-format off */
static const struct noted noted[] = {
    {OPT_URL, TEXT, AT(url), NULL},
    {OPT_REQUEST_TARGET, TEXT, AT(request_target), NULL},
    {OPT_REFERER, TEXT, AT(referer), NULL},
    {OPT_CUSTOMREQUEST, TEXT, AT(method), NULL},
    {OPT_CURLU, POINTER, AT(curlu), NULL},
    {OPT_HTTPHEADER, POINTER, AT(headers), NULL},
    {OPT_PROXYHEADER, POINTER, AT(proxy_headers), NULL},
    {OPT_HEADERFUNCTION, POINTER, AT(header_function), NULL},
    {OPT_HEADERDATA, POINTER, AT(header_data), NULL},
    {OPT_WRITEFUNCTION, POINTER, AT(write_function), NULL},
    {OPT_HTTP_VERSION, LONG, AT(http_version), NULL},
    {OPT_HTTPAUTH, LONG, AT(http_auth), NULL},
    {OPT_HEADEROPT, LONG, AT(header_opt), NULL},
    {OPT_ALTSVC_CTRL, LONG, AT(altsvc), NULL},
    {OPT_FOLLOWLOCATION, BOOL, AT(follow), NULL},
    {OPT_AUTOREFERER, BOOL, AT(auto_referer), NULL},
    {OPT_PATH_AS_IS, BOOL, AT(path_as_is), NULL},
    {OPT_UNRESTRICTED_AUTH, BOOL, AT(unrestricted), NULL},
    {OPT_NETRC, BOOL, AT(netrc), NULL},
    {OPT_USERPWD, GIVEN, AT(user), NULL},
    {OPT_USERNAME, GIVEN, AT(user), NULL},
    {OPT_XOAUTH2_BEARER, GIVEN, AT(bearer), NULL},
    {OPT_COOKIE, GIVEN, AT(cookie), NULL},
    {OPT_DEFAULT_PROTOCOL, DEFAULT_HTTPS, AT(default_https), NULL},
    {OPT_HTTPGET, METHOD, 0, "GET"},
    {OPT_POST, METHOD, 0, "POST"},
    {OPT_POSTFIELDS, METHOD, 0, "POST"},
    {OPT_COPYPOSTFIELDS, METHOD, 0, "POST"},
    {OPT_MIMEPOST, METHOD, 0, "POST"},
    {OPT_HTTPPOST, METHOD, 0, "POST"},
    {OPT_PUT, METHOD, 0, "PUT"},
    {OPT_UPLOAD, METHOD, 0, "PUT"},
    {OPT_NOBODY, METHOD, 0, "HEAD"},
};
/* clang-format on */

static const struct noted *find_noted(int option)
{
    for (size_t i = 0; i < sizeof noted / sizeof noted[0]; i++)
        if (noted[i].option == option)
            return &noted[i];
    return NULL;
}

bool option_is_noted(int option)
{
    return find_noted(option) != NULL;
}

void options_note(struct options *options, int option, const void *value)
{
    const struct noted *row = find_noted(option);
    const long number = (long)(intptr_t)value;
    void *to = (char *)options + row->at;
    int saved = errno;
    switch (row->meaning) {
    case TEXT: note_text(options, to, value); break;
    case BOOL: *(bool *)to = number != 0; break;
    case LONG: *(long *)to = number; break;
    case POINTER: memcpy(to, &value, sizeof value); break;
    case GIVEN: *(bool *)to = value != NULL; break;
    case METHOD: options->default_method = number ? row->method : "GET"; break;
    case DEFAULT_HTTPS: *(bool *)to = value && span_is(span_of(value, strlen(value)), "https", 5); break;
    }
    errno = saved;
}
