/* Threads that are canceled in the middle of a TLS write, while another writes on. */
#include "tls_scenarios.h"

#include <stdatomic.h>

static int type;
static struct tls canceled;
static _Atomic pid_t blocked_thread;

/* In the middle of libc's write, as the kernel would have been asked for it: no lock is held and nothing half done but that write,
 * so that asynchronous cancellation is legal here too. */
static void cancel_self(void)
{
    int before;
    pthread_setcanceltype(type, &before);
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void *write_and_be_canceled(void *blocks)
{
    int before;
    if (!blocks)
        arrange(cancel_self, 2);
    else
        pthread_setcanceltype(type, &before);
    blocked_thread = gettid();
    tls_write(&canceled, given[0].at, given[0].len);
    return NULL;
}

static bool takes_no_more(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    return poll(&entry, 1, 0) == 0;
}

/* Returns when the thread is in a write that its peer keeps waiting. */
static void wait_until_blocked(void)
{
    for (int i = 0; i < 20000; i++) {
        if (blocked_thread && takes_no_more(canceled.fd) && sleeps(getpid(), blocked_thread))
            return;
        usleep(500);
    }
    die("a write that blocks");
}

static void cancel(int rounds, bool blocks, bool drops)
{
    start_writers(1);
    for (int round = 0; round < rounds; round++) {
        pthread_t thread;
        void *result;
        blocked_thread = 0;
        canceled = tls_open(host, port, blocks ? 4096 : 0);
        check(pthread_create(&thread, NULL, write_and_be_canceled, blocks ? &blocked_thread : NULL) == 0,
              "pthread_create");
        if (blocks) {
            wait_until_blocked();
            pthread_cancel(thread);
        }
        check(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "a canceled thread");
        if (drops)
            tls_drop(&canceled);
        else
            close(canceled.fd);
        request_on_its_own(given[1]);
    }
    join_writers(1);
    tell_descriptors();
}

static void cancel_rounds(int of_type, int rounds, bool blocks, bool drops)
{
    type = of_type;
    written = &given[1];
    cancel(rounds, blocks, drops);
}

static void cancel_deferred(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_DEFERRED, 20, false, true);
}

static void cancel_asynchronous(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_ASYNCHRONOUS, 20, false, true);
}

static void cancel_blocked(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_DEFERRED, 4, true, true);
}

static void cancel_blocked_asynchronous(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_ASYNCHRONOUS, 4, true, true);
}

/* The library's own connection stays, as in a program that leaves it to the process's end. */
static void cancel_and_keep(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_DEFERRED, 5, false, false);
}

const struct scenario cancellations[] = {
    {"cancel-deferred", cancel_deferred}, {"cancel-asynchronous", cancel_asynchronous},
    {"cancel-blocked", cancel_blocked},   {"cancel-blocked-asynchronous", cancel_blocked_asynchronous},
    {"cancel-and-keep", cancel_and_keep}, {NULL, NULL},
};
