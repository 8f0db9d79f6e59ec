/* libcurl by its API, for requests whose bytes no other hook can see: a libcurl with a TLS or an HTTP/2 of its own inside, or
 * HTTP/3. No header of libcurl's is needed: option numbers and structures are part of its ABI and never change.
 *
 *   libcurl.c           the exports
 *   libcurl_wire.c      which requests of a libcurl are hidden, by what its object imports
 *   libcurl_easy.c      what the program has set on each CURL handle
 *   libcurl_request.c   one request, before it is made
 *   libcurl_list.c      header lists
 *   libcurl_transfer.c  what libcurl is given in the place of what the program set
 *   libcurl_redirect.c  and what becomes of that with redirects
 */
#ifndef JWTSHIM_HOOKS_LIBCURL_H
#define JWTSHIM_HOOKS_LIBCURL_H

#include "hooks.h"

typedef void CURL;
typedef void CURLM;
typedef void CURLU;
typedef int CURLcode;

struct curl_slist {
    char *data;
    struct curl_slist *next;
};

typedef CURLcode curl_easy_setopt_fn(CURL *easy, int option, ...);
typedef CURLcode curl_easy_getinfo_fn(CURL *easy, int info, ...);
typedef size_t curl_data_fn(char *data, size_t size, size_t count, void *context);

/* What of a libcurl's requests no other hook can see. */
enum hidden { HIDDEN_TLS = 1, HIDDEN_H2 = 2, HIDDEN_H3 = 4 };

/* One libcurl in the process. Its functions are NULL where it is too old to have them. */
struct libcurl {
    unsigned hidden;
    unsigned version; /* 0x075801 is 7.88.1 */
    curl_easy_setopt_fn *setopt;
    curl_easy_getinfo_fn *getinfo;
    CURLU *(*url)(void);
    void (*url_cleanup)(CURLU *url);
    int (*url_get)(const CURLU *url, int part, char **value, unsigned flags);
    int (*url_set)(CURLU *url, int part, const char *value, unsigned flags);
    void (*release)(void *memory);
};

/* The libcurl that `function` (a real one of its API) is of, if this layer has anything to do there. NULL: its wire is
 * visible (or the shim is off), and nothing of it is looked at. */
const struct libcurl *libcurl_hidden(const void *function);

/* An object may have been unmapped. */
void libcurl_forget_unmapped(void);

/* What the program has set on a handle, as far as it decides. */
struct options {
    char *url, *request_target, *referer, *method; /* copies, maybe with a token */
    CURLU *curlu;
    const struct curl_slist *headers, *proxy_headers; /* the program's, read only when a request is about to be made */
    curl_data_fn *header_function, *write_function;
    void *header_data;
    const char *default_method;
    long http_version, http_auth, header_opt, altsvc;
    bool default_https, follow, unrestricted, auto_referer, path_as_is;
    bool user, bearer, cookie, netrc; /* credentials of any kind */
    bool unknown;                     /* something could not be remembered: left alone until it is reset */
};

struct easy {
    CURL *handle;
    const struct libcurl *lib;
    struct options options;
    struct transfer *transfer;    /* NULL: libcurl has what the program set, but for `url_owed` */
    _Atomic(const CURLM *) multi; /* whose transfer goes on; NULL: none does */
    bool url_owed;                /* CURLOPT_URL is to be set back before it is next used */
    struct shown {
        char *ours, *programs; /* CURLINFO_EFFECTIVE_URL: where libcurl says the one, the program is told the other */
    } as_set, normalized;
};

/* The record of a handle; made if `make`. NULL: none, or no memory. A handle, and so its record, is one thread's at a time. */
struct easy *easy_of(CURL *handle, const struct libcurl *lib, bool make);

/* Takes the record out of the table, so that the address may become another's. */
struct easy *easy_take(CURL *handle);
void easy_free(struct easy *easy);

/* A handle with a transfer of that multi handle; NULL if there is none. */
struct easy *easy_in(const CURLM *multi);

/* Whether an option is one that decides; and remembers it. */
bool option_is_noted(int option);
void options_note(struct options *options, int option, const void *value);
void options_reset(const struct libcurl *lib, struct options *options);
void options_copy(struct options *to, const struct options *from);

/* Frees a string of libcurl's or ours that may hold a token, wiped. */
void secret_free(char *text);
char *secret_copy(const char *text);

/* Whether a request of this handle leaves where only this layer can see it. `*why` says why or why not, as in the log. */
bool libcurl_layer_applies(const struct libcurl *lib, const struct options *options, bool https, const char **why);

/* Says once in the log why this layer has something to do in that libcurl. */
void libcurl_report_layer(const struct libcurl *lib, const char *why);

/* Whose transfer it is, for curl_easy_perform(). */
extern const char transfer_of_easy;
#define TRANSFER_OF_EASY ((const CURLM *)&transfer_of_easy)

/* A request is about to be made: gives libcurl what shall leave in the place of what the program set. False where one is
 * being made already: libcurl's own lower calls come by here too. */
bool transfer_begin(struct easy *easy, const CURLM *multi);
bool transfer_is_of(const struct easy *easy, const CURLM *multi);

/* It has been made: libcurl gets the program's values back, but for CURLOPT_URL: setting that would take away what
 * CURLINFO_EFFECTIVE_URL tells, so it waits until the handle is used again. */
void transfer_end(struct easy *easy);

/* CURLINFO_EFFECTIVE_URL: what the program is to be told in the place of *url. `easy` may be NULL. */
void transfer_show(const struct easy *easy, const char **url);

/* The same where the handle's options are gone already. */
void transfer_forget(struct easy *easy);

/* `copy` is a new duplicate of the handle: it gets the program's values. */
void transfer_restore_copy(const struct easy *easy, CURL *copy);

/* The program has set an option (noted already) in the middle of a transfer. True if libcurl must not be told. */
bool transfer_option_set(struct easy *easy, int option);

/* clang-format off */
enum option {
    OPT_NETRC = 51, OPT_FOLLOWLOCATION = 52, OPT_NOBODY = 44, OPT_UPLOAD = 46, OPT_POST = 47, OPT_PUT = 54,
    OPT_AUTOREFERER = 58, OPT_HTTPGET = 80, OPT_HTTP_VERSION = 84, OPT_UNRESTRICTED_AUTH = 105, OPT_HTTPAUTH = 107,
    OPT_HEADEROPT = 229, OPT_PATH_AS_IS = 234, OPT_ALTSVC_CTRL = 286,
    OPT_URL = 10002, OPT_USERPWD = 10005, OPT_POSTFIELDS = 10015, OPT_REFERER = 10016, OPT_COOKIE = 10022,
    OPT_HTTPHEADER = 10023, OPT_HTTPPOST = 10024, OPT_HEADERDATA = 10029, OPT_CUSTOMREQUEST = 10036,
    OPT_COPYPOSTFIELDS = 10165, OPT_USERNAME = 10173, OPT_XOAUTH2_BEARER = 10220, OPT_PROXYHEADER = 10228,
    OPT_DEFAULT_PROTOCOL = 10238, OPT_REQUEST_TARGET = 10266, OPT_MIMEPOST = 10269, OPT_CURLU = 10282,
    OPT_WRITEFUNCTION = 20011, OPT_HEADERFUNCTION = 20079,
};
enum { INFO_EFFECTIVE_URL = 0x100001,  };
enum { AUTH_BASIC = 1, AUTH_AWS_SIGV4 = 128, AUTH_BEARER = 64 };
enum { HTTP_1_0 = 1, HTTP_1_1 = 2, HTTP_3 = 30, HTTP_3_ONLY = 31 };
enum { HEADER_UNIFIED = 0, HEADER_SEPARATE = 1 };
enum { PART_URL = 0, PART_SCHEME = 1, PART_HOST = 5, PART_PORT = 6, PART_PATH = 7, PART_QUERY = 8 };
enum { URL_DEFAULT_PORT = 1, URL_DEFAULT_SCHEME = 4, URL_NON_SUPPORT_SCHEME = 8, URL_PATH_AS_IS = 16, URL_URLENCODE = 128,
       URL_GUESS_SCHEME = 512, URL_ALLOW_SPACE = 2048 };
/* clang-format on */

#endif
