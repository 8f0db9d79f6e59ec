/* The exports of libcurl's API. Where its wire is visible (the usual case) each is the real call and nothing else; where it is
 * hidden, what the program sets is remembered, and a request is rewritten while it is made. */
#include "libcurl.h"

#include <stdarg.h>

enum { CURLE_FAILED_INIT = 2, CURLM_INTERNAL_ERROR = 4 };

typedef CURL *curl_easy_init_fn(void);
typedef CURLcode curl_easy_perform_fn(CURL *handle);
typedef void curl_easy_reset_fn(CURL *handle);
typedef CURL *curl_easy_duphandle_fn(CURL *handle);
typedef void curl_easy_cleanup_fn(CURL *handle);
typedef int curl_multi_add_handle_fn(CURLM *multi, CURL *handle);
typedef int curl_multi_remove_handle_fn(CURLM *multi, CURL *handle);
typedef int curl_multi_cleanup_fn(CURLM *multi);

/* An address that was a handle's becomes another's. */
static void forget(CURL *handle)
{
    easy_free(easy_take(handle));
}

EXPORT CURL *curl_easy_init(void)
{
    curl_easy_init_fn *real = REAL_OF_CALLER(curl_easy_init);
    CURL *handle = real ? real() : NULL;
    if (handle && libcurl_hidden((const void *)real))
        forget(handle);
    return handle;
}

/* Notes the option. True if libcurl must not be told of it, since one of ours is in its place. */
static bool note_option(const struct libcurl *lib, CURL *handle, int option, const void *value)
{
    struct easy *easy = option_is_noted(option) ? easy_of(handle, lib, true) : NULL;
    if (!easy)
        return false;
    options_note(&easy->options, option, value);
    return transfer_option_set(easy, option);
}

/* One argument follows, a long, a pointer or a curl_off_t: all of them fill one place of the variadic call where pointers
 * have 64 bits. Where they have 32, a curl_off_t fills two. */
EXPORT CURLcode curl_easy_setopt(CURL *handle, int option, ...)
{
    curl_easy_setopt_fn *real = REAL_OF_CALLER(curl_easy_setopt);
    va_list arguments;
    va_start(arguments, option);
    if (sizeof(void *) < sizeof(int64_t) && option / 10000 == 3) {
        int64_t number = va_arg(arguments, int64_t);
        va_end(arguments);
        return real ? real(handle, option, number) : CURLE_FAILED_INIT;
    }
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    if (!real)
        return CURLE_FAILED_INIT;
    const struct libcurl *lib = libcurl_hidden((const void *)real);
    if (__builtin_expect(lib != NULL, 0) && note_option(lib, handle, option, value))
        return 0;
    return real(handle, option, value);
}

/* The URL that the program set, where libcurl was given one without its token and has not been redirected since. */
EXPORT CURLcode curl_easy_getinfo(CURL *handle, int info, ...)
{
    curl_easy_getinfo_fn *real = REAL_OF_CALLER(curl_easy_getinfo);
    va_list arguments;
    va_start(arguments, info);
    void *to = va_arg(arguments, void *);
    va_end(arguments);
    if (!real)
        return CURLE_FAILED_INIT;
    CURLcode code = real(handle, info, to);
    const struct libcurl *lib = info == INFO_EFFECTIVE_URL ? libcurl_hidden((const void *)real) : NULL;
    if (lib && code == 0 && to)
        transfer_show(easy_of(handle, lib, false), to);
    return code;
}

EXPORT CURLcode curl_easy_perform(CURL *handle)
{
    curl_easy_perform_fn *real = REAL_OF_CALLER(curl_easy_perform);
    if (!real)
        return CURLE_FAILED_INIT;
    const struct libcurl *lib = libcurl_hidden((const void *)real);
    struct easy *easy = lib ? easy_of(handle, lib, false) : NULL;
    if (!easy || !transfer_begin(easy, TRANSFER_OF_EASY))
        return real(handle);
    CURLcode code = real(handle);
    transfer_end(easy);
    return code;
}

EXPORT void curl_easy_reset(CURL *handle)
{
    curl_easy_reset_fn *real = REAL_OF_CALLER(curl_easy_reset);
    if (!real)
        return;
    const struct libcurl *lib = libcurl_hidden((const void *)real);
    real(handle);
    struct easy *easy = lib ? easy_of(handle, lib, false) : NULL;
    if (!easy)
        return;
    transfer_forget(easy);
    options_reset(lib, &easy->options);
}

EXPORT CURL *curl_easy_duphandle(CURL *handle)
{
    curl_easy_duphandle_fn *real = REAL_OF_CALLER(curl_easy_duphandle);
    CURL *copy = real ? real(handle) : NULL;
    const struct libcurl *lib = copy ? libcurl_hidden((const void *)real) : NULL;
    if (!lib)
        return copy;
    forget(copy);
    struct easy *easy = easy_of(handle, lib, false);
    struct easy *of_copy = easy ? easy_of(copy, lib, true) : NULL;
    if (easy)
        transfer_restore_copy(easy, copy);
    if (of_copy)
        options_copy(&of_copy->options, &easy->options);
    return copy;
}

/* Out of the table before: another thread may get the address as soon as it is free. Wiped after: callbacks may still come. */
EXPORT void curl_easy_cleanup(CURL *handle)
{
    curl_easy_cleanup_fn *real = REAL_OF_CALLER(curl_easy_cleanup);
    if (!real)
        return;
    struct easy *easy = handle && libcurl_hidden((const void *)real) ? easy_take(handle) : NULL;
    real(handle);
    easy_free(easy);
}

EXPORT int curl_multi_add_handle(CURLM *multi, CURL *handle)
{
    curl_multi_add_handle_fn *real = REAL_OF_CALLER(curl_multi_add_handle);
    if (!real)
        return CURLM_INTERNAL_ERROR;
    const struct libcurl *lib = libcurl_hidden((const void *)real);
    struct easy *easy = lib ? easy_of(handle, lib, false) : NULL;
    bool begun = easy && transfer_begin(easy, multi);
    int code = real(multi, handle);
    if (begun && code != 0)
        transfer_end(easy);
    return code;
}

EXPORT int curl_multi_remove_handle(CURLM *multi, CURL *handle)
{
    curl_multi_remove_handle_fn *real = REAL_OF_CALLER(curl_multi_remove_handle);
    if (!real)
        return CURLM_INTERNAL_ERROR;
    const struct libcurl *lib = libcurl_hidden((const void *)real);
    int code = real(multi, handle);
    struct easy *easy = lib && code == 0 ? easy_of(handle, lib, false) : NULL;
    if (easy && transfer_is_of(easy, multi))
        transfer_end(easy);
    return code;
}

EXPORT int curl_multi_cleanup(CURLM *multi)
{
    curl_multi_cleanup_fn *real = REAL_OF_CALLER(curl_multi_cleanup);
    if (!real)
        return CURLM_INTERNAL_ERROR;
    const struct libcurl *lib = libcurl_hidden((const void *)real);
    int code = real(multi);
    for (struct easy *easy = lib && code == 0 && multi ? easy_in(multi) : NULL; easy; easy = easy_in(multi))
        transfer_end(easy);
    return code;
}
