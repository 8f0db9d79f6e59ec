// Five parallel transfers with libcurl's multi interface, four rounds on the same handles, each handle to one host and the other in turn.
// Prints a line a transfer. Does nothing that a shim would need to be told of.
//
//     multi URL OTHER_URL            CA names the PEM file; HTTP_VERSION=1 speaks HTTP/1.1
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HANDLES = 5, ROUNDS = 4, SECONDS_AT_MOST = 15 };

struct transfer {
    CURL *easy;
    struct curl_slist *fields;
    const char *url;
};

static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static CURL *new_handle(void)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CA"));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)SECONDS_AT_MOST);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    if (getenv("HTTP_VERSION"))
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    return easy;
}

// Fields before the URL, after it, and a body on every third: nothing may depend on the order of options.
static void prepare(struct transfer *transfer, int number, int round, const char *url)
{
    char field[32];
    snprintf(field, sizeof(field), "X-Transfer: %d.%d", round, number);
    curl_slist_free_all(transfer->fields);
    transfer->fields = curl_slist_append(NULL, field);
    transfer->url = url;
    if (number % 2 == 0)
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
    if (number % 2 != 0)
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
}

static int finish(CURLM *multi)
{
    int left, failed = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        struct transfer *transfer;
        char *effective = NULL;
        long status = 0, version = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
        curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &effective);
        failed |= message->data.result != CURLE_OK;
        printf("%ld/%ld/%s/%s\n", status, version, strstr(transfer->url, "atlassian.net/") ? "site" : "other",
               effective && strcmp(effective, transfer->url) == 0 ? "own-url" : "another-url");
        curl_multi_remove_handle(multi, transfer->easy);
    }
    return failed;
}

static int run_round(CURLM *multi, struct transfer *transfers, int round, char **urls)
{
    for (int i = 0; i < HANDLES; i++) {
        prepare(&transfers[i], i, round, urls[(round + i) % 2]);
        curl_multi_add_handle(multi, transfers[i].easy);
    }
    int running = 1;
    for (int turn = 0; running && turn < 10000; turn++) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return 1;
        if (running && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK)
            return 1;
    }
    return finish(multi) || running;
}

int main(int argc, char **argv)
{
    if (argc != 3 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return 2;
    CURLM *multi = curl_multi_init();
    struct transfer transfers[HANDLES] = {0};
    int failed = 0;
    for (int i = 0; i < HANDLES; i++)
        transfers[i].easy = new_handle();
    for (int round = 0; round < ROUNDS; round++) {
        if (round == 2) { // a duplicate goes on in the place of the last one
            CURL *copy = curl_easy_duphandle(transfers[HANDLES - 1].easy);
            curl_easy_cleanup(transfers[HANDLES - 1].easy);
            transfers[HANDLES - 1].easy = copy;
        }
        failed |= run_round(multi, transfers, round, argv + 1);
    }
    for (int i = 0; i < HANDLES; i++) {
        curl_easy_cleanup(transfers[i].easy);
        curl_slist_free_all(transfers[i].fields);
    }
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    return failed;
}
