/* Threads in the connection layer, for the thread sanitizer: descriptors that are opened, written to, duplicated and closed by
 * several at once, and handles that begin and end while others release what is held. Prints TAP; what the sanitizer finds it
 * reports itself, and ends the program with its own status. */
#include "../../shim/config.h"
#include "../../shim/conn/fd_table.h"
#include "../../shim/conn/handle_table.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 6, ROUNDS = 3000, NUMBERS = 3 };

static const char request[] =
    "GET /rest/api/3/myself?jwt=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl HTTP/1.1\r\n"
    "Host: site.atlassian.net\r\n\r\n";
static const char moved_request[] = "GET /rest/api/3/myself HTTP/1.1\r\nHost: site.atlassian.net\r\n"
                                    "Authorization: JWT eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl\r\n\r\n";
static struct config config;
static _Atomic(unsigned long) written, releases;

static ssize_t take(void *ctx, const void *buf, size_t len)
{
    (void)ctx, (void)buf;
    atomic_fetch_add(&written, len);
    return (ssize_t)len;
}

static const struct sink sink = {.layer = "race", .write = take};
static const struct conn_call call = {.sink = &sink, .policy = &config.policy};

static void write_some(struct conn *conn, unsigned *seed)
{
    size_t at = rand_r(seed) % (sizeof request - 1);
    size_t len = (size_t)rand_r(seed) % (sizeof request - 1 - at) + 1;
    conn_write(conn, &call, request + (rand_r(seed) % 2 ? 0 : at), len);
}

/* Few numbers and many threads: every state meets every other. */
static void *with_descriptors(void *number)
{
    const struct stat status = {.st_dev = 1, .st_ino = 1};
    unsigned seed = (unsigned)(size_t)number;
    for (int i = 0; i < ROUNDS; i++) {
        enum guard_entry entry;
        const int fd = (int)(rand_r(&seed) % NUMBERS);
        struct fd_conn *conn = NULL;
        switch (rand_r(&seed) % 6) {
        case 0: fd_track(fd, &status); break;
        case 1: fd_forget(fd); break;
        case 2: conn = fd_enter_quickly(fd); break;
        case 3: fd_is_shared(fd); break;
        default: conn = fd_enter(fd, &entry); break;
        }
        if (!conn)
            continue;
        write_some(&conn->conn, &seed);
        fd_leave(fd, conn);
    }
    return NULL;
}

static void release(struct conn *conn, const void *handle, enum reason reason)
{
    (void)handle;
    atomic_fetch_add(&releases, 1);
    conn_release(conn, &call, reason);
}

/* A handle of its own for each, half a request, and its end; every now and then all that hold are released, as for a fork. */
static void *with_handles(void *number)
{
    unsigned seed = (unsigned)(size_t)number;
    for (int i = 0; i < ROUNDS; i++) {
        enum handle_entry entry;
        char *handle = malloc(64);
        struct conn *conn = handle_enter(handle, &entry);
        if (!conn)
            conn = handle_track(handle);
        if (conn) {
            __atomic_store_n(&conn->release, release, __ATOMIC_RELAXED);
            __atomic_store_n(&conn->identity, (uint64_t)(size_t)number, __ATOMIC_RELAXED);
            conn_write(conn, &call, request, 20 + rand_r(&seed) % 20);
            handle_leave(handle, conn);
        }
        if (rand_r(&seed) % 4 == 0)
            handle_release_holding(rand_r(&seed) % 2 ? 0 : (uint64_t)(size_t)number, false, REASON_RELEASED);
        handle_forget(handle);
        free(handle);
    }
    return NULL;
}

/* A wire for each thread, which writes requests in two halves while others release what it holds. */
struct wire {
    char at[1024];
    size_t len;
};
static _Atomic(unsigned long) torn;

static ssize_t record(void *ctx, const void *buf, size_t len)
{
    struct wire *wire = ctx;
    sched_yield(); /* what another thread might overtake */
    if (wire->len + len > sizeof wire->at)
        return -1;
    memcpy(wire->at + wire->len, buf, len);
    wire->len += len;
    return (ssize_t)len;
}

static const struct sink recorder = {.layer = "race", .write = record};

static void release_recorded(struct conn *conn, const void *handle, enum reason reason)
{
    const struct conn_call by = {.sink = &recorder, .ctx = (void *)(uintptr_t)handle, .policy = &config.policy};
    conn_release(conn, &by, reason);
}

static void write_recorded(struct wire *wire, const char *at, size_t len)
{
    enum handle_entry entry;
    const struct conn_call by = {.sink = &recorder, .ctx = wire, .policy = &config.policy};
    struct conn *conn = handle_enter(wire, &entry);
    if (!conn && entry == HANDLE_UNKNOWN)
        conn = handle_track(wire);
    if (!conn) {
        record(wire, at, len);
        return;
    }
    __atomic_store_n(&conn->release, release_recorded, __ATOMIC_RELAXED);
    conn_write(conn, &by, at, len);
    handle_leave(wire, conn);
}

static void *with_halves(void *number)
{
    static struct wire wires[THREADS + 1];
    struct wire *wire = &wires[(size_t)number];
    const size_t half = 40;
    for (int i = 0; i < ROUNDS; i++) {
        if ((size_t)number == 1) {
            handle_release_holding(0, false, REASON_RELEASED);
            sched_yield();
            continue;
        }
        wire->len = 0;
        write_recorded(wire, request, half);
        sched_yield();
        write_recorded(wire, request + half, sizeof request - 1 - half);
        const bool whole = wire->len == sizeof request - 1 && memcmp(wire->at, request, wire->len) == 0;
        const bool moved = wire->len == sizeof moved_request - 1 && memcmp(wire->at, moved_request, wire->len) == 0;
        if (!whole && !moved)
            atomic_fetch_add(&torn, 1);
        handle_forget(wire);
    }
    return NULL;
}

static void run_all(void *(*run)(void *))
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)(i + 1)) != 0)
            abort();
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    config_defaults(&config);
    run_all(with_descriptors);
    for (int fd = 0; fd < NUMBERS; fd++)
        fd_forget(fd);
    printf("%s 1 - descriptors: nothing is held behind the last of them\n", conns_holding ? "not ok" : "ok");
    run_all(with_handles);
    printf("%s 2 - handles: nothing is held behind the last of them, %s were released\n",
           conns_holding ? "not ok" : "ok", releases ? "some" : "none");
    printf("%s 3 - bytes were written\n", written && releases ? "ok" : "not ok");
    run_all(with_halves);
    printf("%s 4 - each request leaves as written or rewritten whatever others release\n1..4\n", torn ? "not ok" : "ok");
    return conns_holding || !written || !releases || torn;
}
