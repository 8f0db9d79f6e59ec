/* Scenarios of the easy interface. */
#include "client.h"

#include <setjmp.h>

static void each_by_one_handle(void (*prepare)(CURL *easy))
{
    CURL *easy = new_handle();
    for (int i = 0; i < url_count; i++) {
        curl_easy_setopt(easy, CURLOPT_URL, urls[i]);
        if (prepare)
            prepare(easy);
        perform(easy, urls[i]);
    }
    curl_easy_cleanup(easy);
}

static void get(void)
{
    each_by_one_handle(NULL);
}

static void post_body(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"fields\":{\"summary\":\"jwt=a.b.c\"}}");
}

static void post(void)
{
    each_by_one_handle(post_body);
}

struct upload {
    long left;
};

static size_t read_upload(char *data, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t len = size * count < (size_t)upload->left ? size * count : (size_t)upload->left;
    memset(data, 'u', len);
    upload->left -= (long)len;
    return len;
}

/* A body by callback, of a length that is told as a curl_off_t; long enough for an Expect: 100-continue. */
static void put(void)
{
    CURL *easy = new_handle();
    for (int i = 0; i < url_count; i++) {
        struct upload upload = {1200000};
        curl_easy_setopt(easy, CURLOPT_URL, urls[i]);
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_upload);
        curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload.left);
        perform(easy, urls[i]);
    }
    curl_easy_cleanup(easy);
}

static const char *const lines[] = {"X-First: 1", "Accept: application/json", "X-Empty;"};

static void unmodified(const struct curl_slist *list)
{
    for (int i = 0; i < 3; i++, list = list->next)
        check(list && strcmp(list->data, lines[i]) == 0, "the program's list as it was");
    check(!list, "the program's list as long as it was");
}

/* The list is set before the URL, or behind it; it is as it was, and is freed and made anew between the requests. */
static void lists(bool before)
{
    CURL *easy = new_handle();
    for (int i = 0; i < url_count; i++) {
        struct curl_slist *list = list_of(lines[0], lines[1], lines[2]);
        if (before)
            curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
        curl_easy_setopt(easy, CURLOPT_URL, urls[i]);
        if (!before)
            curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
        perform(easy, urls[i]);
        unmodified(list);
        curl_slist_free_all(list);
    }
    curl_easy_cleanup(easy);
}

static void header_before(void)
{
    lists(true);
}

static void header_after(void)
{
    lists(false);
}

/* A list that grows while it is set: what counts is what it is when the request is made. */
static void list_changed(void)
{
    CURL *easy = new_handle();
    struct curl_slist *list = list_of("X-First: 1", NULL, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    for (int i = 0; i < url_count; i++) {
        curl_easy_setopt(easy, CURLOPT_URL, urls[i]);
        curl_slist_append(list, i ? "X-Third: 3" : "X-Second: 2");
        perform(easy, urls[i]);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
}

static void own_authorization(void)
{
    CURL *easy = new_handle();
    struct curl_slist *list = list_of("X-First: 1", "authorization: Basic dXNlcjpwYXNz", "X-Last: 1");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    perform(easy, urls[0]);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
}

/* The same handle and URL again, with an Authorization of the program's own from then on; and so by a duplicate. */
static void authorization_later(void)
{
    CURL *easy = new_handle();
    struct curl_slist *list = list_of("Authorization: Basic dXNlcjpwYXNz", NULL, NULL);
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    perform(easy, urls[0]);
    CURL *copy = curl_easy_duphandle(easy);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(copy, CURLOPT_HTTPHEADER, list);
    perform(easy, urls[0]);
    perform(copy, urls[0]);
    curl_easy_cleanup(easy);
    curl_easy_cleanup(copy);
    curl_slist_free_all(list);
}

/* The duplicate is used after the original is gone, and the other way round. */
static void duplicate(void)
{
    CURL *easy = new_handle();
    struct curl_slist *list = list_of(lines[0], lines[1], lines[2]);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    CURL *first = curl_easy_duphandle(easy);
    perform(easy, urls[0]);
    CURL *second = curl_easy_duphandle(easy);
    curl_easy_cleanup(easy);
    perform(first, urls[0]);
    curl_easy_cleanup(first);
    curl_easy_setopt(second, CURLOPT_URL, urls[1]);
    perform(second, urls[1]);
    curl_easy_cleanup(second);
    unmodified(list);
    curl_slist_free_all(list);
}

/* A duplicate that is made by a callback, in the middle of the original's transfer. */
static CURL *made_inside;

static size_t duplicate_inside(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    if (!made_inside)
        made_inside = curl_easy_duphandle(context);
    return size * count;
}

static void duplicate_in_callback(void)
{
    CURL *easy = new_handle();
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, duplicate_inside);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, easy);
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    perform(easy, urls[0]);
    check(made_inside, "a duplicate");
    perform(made_inside, urls[0]);
    curl_easy_setopt(made_inside, CURLOPT_URL, urls[1]);
    perform(made_inside, urls[1]);
    curl_easy_cleanup(made_inside);
    curl_easy_cleanup(easy);
}

static void reset(void)
{
    CURL *easy = new_handle();
    struct curl_slist *list = list_of(lines[0], lines[1], lines[2]);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    perform(easy, urls[0]);
    curl_easy_reset(easy);
    curl_slist_free_all(list);
    printf("without an URL: %s\n", curl_easy_strerror(curl_easy_perform(easy)));
    CURL *like = new_handle();
    curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CA"));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, tmpfile());
    curl_easy_setopt(easy, CURLOPT_URL, urls[1]);
    perform(easy, urls[1]);
    curl_easy_cleanup(like);
    curl_easy_cleanup(easy);
}

static void curlu(void)
{
    CURL *easy = new_handle();
    for (int i = 0; i < url_count; i++) {
        CURLU *parsed = curl_url();
        char *before, *after;
        check(curl_url_set(parsed, CURLUPART_URL, urls[i], 0) == CURLUE_OK, "curl_url_set");
        curl_url_get(parsed, CURLUPART_URL, &before, 0);
        curl_easy_setopt(easy, CURLOPT_CURLU, parsed);
        perform(easy, urls[i]);
        curl_url_get(parsed, CURLUPART_URL, &after, 0);
        check(strcmp(before, after) == 0, "the program's CURLU as it was");
        curl_free(before);
        curl_free(after);
        curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
        curl_easy_setopt(easy, CURLOPT_URL, NULL);
        curl_url_cleanup(parsed);
    }
    curl_easy_cleanup(easy);
}

/* The target that leaves is another than the URL's. */
static void request_target(void)
{
    CURL *easy = new_handle();
    for (int i = 0; i < url_count; i++) {
        char url[256];
        const char *path = strchr(strstr(urls[i], "://") + 3, '/');
        snprintf(url, sizeof url, "%.*s/elsewhere", (int)(path - urls[i]), urls[i]);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, path);
        perform(easy, url);
    }
    curl_easy_cleanup(easy);
}

/* 64 bits by the variadic call: a range that begins behind 4 GiB, and a limit of speed that would be felt if it were cut. */
static void off_t_options(void)
{
    CURL *easy = new_handle();
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0x123456789a);
    curl_easy_setopt(easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)0x7000000000000001);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    CURLcode code = curl_easy_perform(easy);
    printf("the answer is no range: %s\n",
           code == CURLE_RANGE_ERROR || code == CURLE_OK ? "yes" : curl_easy_strerror(code));
    tell(easy, urls[0]);
    curl_easy_cleanup(easy);
}

/* "site/…" without a scheme, where https is the default one. */
static void default_protocol(void)
{
    CURL *easy = new_handle();
    curl_easy_setopt(easy, CURLOPT_DEFAULT_PROTOCOL, "https");
    curl_easy_setopt(easy, CURLOPT_URL, urls[0] + strlen("https://"));
    perform(easy, urls[0]);
    curl_easy_cleanup(easy);
}

/* The first URL is the referer of the second request, by the option and by the program's own line. */
static void referer(void)
{
    CURL *easy = new_handle();
    char line[1 << 14];
    curl_easy_setopt(easy, CURLOPT_URL, urls[1]);
    curl_easy_setopt(easy, CURLOPT_REFERER, urls[0]);
    perform(easy, urls[1]);
    curl_easy_setopt(easy, CURLOPT_REFERER, NULL);
    snprintf(line, sizeof line, "Referer: %s", urls[0]);
    struct curl_slist *list = list_of(line, NULL, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    perform(easy, urls[1]);
    check(strcmp(list->data, line) == 0, "the program's list as it was");
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
}

static size_t count_lines(char *data, size_t size, size_t count, void *context)
{
    struct {
        int status_lines, ends;
    } *seen = context;
    seen->status_lines += size * count > 5 && memcmp(data, "HTTP/", 5) == 0;
    seen->ends += size * count == 2;
    return size * count;
}

/* The program's own header callbacks, by each of the ways that libcurl has; and one that ends the transfer. */
static size_t refuse(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)size, (void)count, (void)context;
    return 0;
}

static void header_callbacks(void)
{
    struct {
        int status_lines, ends;
    } seen[3] = {{0, 0}};
    CURL *easy = new_handle();
    FILE *file = tmpfile();
    char line[64] = "";
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, count_lines);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &seen[0]);
    perform(easy, urls[0]);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_lines);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &seen[2]);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &seen[1]);
    perform(easy, urls[0]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, tmpfile());
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, file);
    perform(easy, urls[0]);
    rewind(file);
    check(fgets(line, sizeof line, file), "lines in the file");
    line[strcspn(line, " ")] = '\0';
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, refuse);
    printf("refused: %s\n", curl_easy_strerror(curl_easy_perform(easy)));
    printf("callbacks: %d of %d, %d of %d, file: %s\n", seen[0].status_lines, seen[0].ends, seen[1].status_lines,
           seen[1].ends, line);
    curl_easy_cleanup(easy);
    fclose(file);
}

/* A callback leaves by longjmp(); the handle is used for another host then. What libcurl itself loses by that is lost. */
static jmp_buf outside;

static size_t leap(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)size, (void)count, (void)context;
    longjmp(outside, 1);
}

static void leave_by_longjmp(void)
{
    CURL *easy = new_handle();
    curl_easy_setopt(easy, CURLOPT_URL, urls[0]);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, leap);
    if (setjmp(outside) == 0)
        perform(easy, urls[0]);
    CURL *copy = curl_easy_duphandle(easy);
    curl_easy_setopt(copy, CURLOPT_HEADERFUNCTION, NULL);
    curl_easy_setopt(copy, CURLOPT_URL, urls[1]);
    perform(copy, urls[1]);
    curl_easy_cleanup(copy);
}

const struct scenario easy_scenarios[] = {
    {"get", get},
    {"post", post},
    {"put", put},
    {"header-before", header_before},
    {"header-after", header_after},
    {"list-changed", list_changed},
    {"own-authorization", own_authorization},
    {"authorization-later", authorization_later},
    {"duplicate", duplicate},
    {"duplicate-in-callback", duplicate_in_callback},
    {"reset", reset},
    {"curlu", curlu},
    {"request-target", request_target},
    {"off-t-options", off_t_options},
    {"default-protocol", default_protocol},
    {"referer", referer},
    {"header-callbacks", header_callbacks},
    {"longjmp", leave_by_longjmp},
    {NULL, NULL},
};
