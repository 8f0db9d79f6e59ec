/* Scenarios of the multi interface: by curl_multi_perform(), and by sockets with an event loop of the program's own. */
#include "client.h"

#include <poll.h>

static void run_to_the_end(CURLM *multi)
{
    int running = 1;
    while (running) {
        check(curl_multi_perform(multi, &running) == CURLM_OK, "curl_multi_perform");
        if (running)
            check(curl_multi_poll(multi, NULL, 0, 1000, NULL) == CURLM_OK, "curl_multi_poll");
    }
}

/* Each handle's result, in the handles' order: which one ends first is the network's business. */
static void take_results(CURLM *multi, CURL **handles, bool remove)
{
    int left;
    int done = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        check(message->msg == CURLMSG_DONE && message->data.result == CURLE_OK, "a transfer without an error");
        done++;
    }
    printf("%d transfers\n", done);
    for (int i = 0; i < url_count; i++) {
        tell(handles[i], urls[i]);
        if (!remove)
            continue;
        curl_multi_remove_handle(multi, handles[i]);
        tell(handles[i], urls[i]);
    }
}

static void add_all(CURLM *multi, CURL **handles)
{
    for (int i = 0; i < url_count; i++) {
        handles[i] = new_handle();
        curl_easy_setopt(handles[i], CURLOPT_URL, urls[i]);
        check(curl_multi_add_handle(multi, handles[i]) == CURLM_OK, "curl_multi_add_handle");
    }
}

static void clean_up(CURL **handles)
{
    for (int i = 0; i < url_count; i++)
        curl_easy_cleanup(handles[i]);
}

/* All at once; over HTTP/2 on one connection. Then each handle once more, for the next one's URL. */
static void parallel(void)
{
    CURL *handles[URLS_MAX];
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    add_all(multi, handles);
    run_to_the_end(multi);
    take_results(multi, handles, true);
    for (int i = 0; i < url_count; i++) {
        curl_easy_setopt(handles[i], CURLOPT_URL, urls[(i + 1) % url_count]);
        curl_multi_add_handle(multi, handles[i]);
    }
    run_to_the_end(multi);
    for (int i = 0; i < url_count; i++) {
        tell(handles[i], urls[(i + 1) % url_count]);
        curl_multi_remove_handle(multi, handles[i]);
    }
    clean_up(handles);
    curl_multi_cleanup(multi);
}

/* The multi handle ends first; the easy handles go on by themselves, each for the next one's host. */
static void multi_ends_first(void)
{
    CURL *handles[URLS_MAX];
    CURLM *multi = curl_multi_init();
    add_all(multi, handles);
    run_to_the_end(multi);
    take_results(multi, handles, false);
    curl_multi_cleanup(multi);
    for (int i = 0; i < url_count; i++) {
        curl_easy_setopt(handles[i], CURLOPT_URL, urls[(i + 1) % url_count]);
        perform(handles[i], urls[(i + 1) % url_count]);
    }
    clean_up(handles);
}

/* The easy handles end first, still inside, and one before its request is made. */
static void cleaned_inside(void)
{
    CURL *handles[URLS_MAX];
    CURLM *multi = curl_multi_init();
    add_all(multi, handles);
    curl_easy_cleanup(handles[0]);
    handles[0] = new_handle();
    curl_easy_setopt(handles[0], CURLOPT_URL, urls[0]);
    curl_multi_add_handle(multi, handles[0]);
    run_to_the_end(multi);
    take_results(multi, handles, false);
    clean_up(handles);
    curl_multi_cleanup(multi);
}

/* The list is set behind curl_multi_add_handle(), and again by a callback of the request that it is for. */
static struct curl_slist *late_lists[2];

static size_t set_again(char *data, size_t size, size_t count, void *context)
{
    if (size * count > 5 && memcmp(data, "HTTP/", 5) == 0)
        curl_easy_setopt(context, CURLOPT_HTTPHEADER, late_lists[1]);
    return size * count;
}

static void late_list(void)
{
    CURL *handles[URLS_MAX];
    CURLM *multi = curl_multi_init();
    late_lists[0] = list_of("X-Late: 1", NULL, NULL);
    late_lists[1] = list_of("X-Later: 1", NULL, NULL);
    add_all(multi, handles);
    for (int i = 0; i < url_count; i++) {
        curl_easy_setopt(handles[i], CURLOPT_HTTPHEADER, late_lists[0]);
        curl_easy_setopt(handles[i], CURLOPT_HEADERFUNCTION, set_again);
        curl_easy_setopt(handles[i], CURLOPT_HEADERDATA, handles[i]);
    }
    run_to_the_end(multi);
    take_results(multi, handles, true);
    clean_up(handles);
    curl_multi_cleanup(multi);
    curl_slist_free_all(late_lists[0]);
    curl_slist_free_all(late_lists[1]);
}

/* An event loop: poll() and one timer. */
enum { SOCKETS = 64 };
static struct pollfd sockets[SOCKETS];
static nfds_t socket_count;
static long timer = -1;

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
    nfds_t i = 0;
    (void)easy, (void)context, (void)of_socket;
    while (i < socket_count && sockets[i].fd != fd)
        i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < socket_count)
            sockets[i] = sockets[--socket_count];
        return 0;
    }
    check(i < SOCKETS, "room for a socket");
    short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
    sockets[i] = (struct pollfd){.fd = fd, .events = events};
    if (i == socket_count)
        socket_count++;
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *context)
{
    (void)multi, (void)context;
    timer = milliseconds;
    return 0;
}

static void loop(CURLM *multi)
{
    int running = 1;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    while (running) {
        struct pollfd now[SOCKETS];
        nfds_t count = socket_count;
        memcpy(now, sockets, sizeof now);
        int ready = poll(now, count, timer >= 0 ? (int)timer : 1000);
        if (ready <= 0)
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        for (nfds_t i = 0; i < count; i++) {
            int events = (now[i].revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
                         (now[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
                         (now[i].revents & POLLERR ? CURL_CSELECT_ERR : 0);
            if (events)
                curl_multi_socket_action(multi, now[i].fd, events, &running);
        }
    }
}

static void multi_socket(void)
{
    CURL *handles[URLS_MAX];
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    add_all(multi, handles);
    loop(multi);
    take_results(multi, handles, true);
    clean_up(handles);
    curl_multi_cleanup(multi);
}

const struct scenario multi_scenarios[] = {
    {"parallel", parallel},   {"multi-ends-first", multi_ends_first}, {"cleaned-inside", cleaned_inside},
    {"late-list", late_list}, {"multi-socket", multi_socket},         {NULL, NULL},
};
