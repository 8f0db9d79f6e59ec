/* The tables of descriptors and handles: sharing, reuse, threads, and memory that comes back. */
#include "unit.h"

#include "../../shim/conn/fd_table.h"
#include "../../shim/conn/handle_table.h"

#include <pthread.h>
#include <sched.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
static bool no_memory;
void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

static const struct stat some_socket = {.st_dev = 8, .st_ino = 4711};

static struct fd_conn *entered(int fd)
{
    enum guard_entry entry;
    struct fd_conn *conn = fd_enter(fd, &entry);
    assert_non_null(conn);
    return conn;
}

static void a_new_number_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(fd_state(5), FD_UNKNOWN);
    assert_int_equal(fd_state(-1), FD_UNKNOWN);
    assert_int_equal(fd_state(70000), FD_UNKNOWN);
    assert_int_equal(fd_state(0x7fffffff), FD_UNKNOWN);
}

static void numbers_beyond_the_first_page_have_entries_too(void **state)
{
    (void)state;
    fd_set_plain(70000);
    assert_int_equal(fd_state(70000), FD_PLAIN);
    fd_forget(70000);
    assert_int_equal(fd_state(70000), FD_UNKNOWN);
    assert_non_null(fd_track(70001, &some_socket));
    assert_true(fd_is_tracked(70001));
    fd_forget_range(1, ~0u);
    assert_int_equal(fd_state(70001), FD_UNKNOWN);
}

static void numbers_beyond_the_table_are_never_tracked(void **state)
{
    (void)state;
    assert_null(fd_track(FD_PAGE * FD_PAGES, &some_socket));
    fd_set_plain(FD_PAGE * FD_PAGES);
    assert_int_equal(fd_state(FD_PAGE * FD_PAGES), FD_UNKNOWN);
}

static void a_duplicate_shares_the_connection_until_the_last_is_gone(void **state)
{
    (void)state;
    struct fd_conn *conn = fd_track(10, &some_socket);
    conn->conn.stream.state = STREAM_LENGTH;
    fd_copy(10, 11);
    fd_forget(10);
    assert_ptr_equal(entered(11), conn);
    assert_int_equal(conn->conn.stream.state, STREAM_LENGTH);
    fd_leave(11, conn);
    fd_copy(12, 11); /* a duplicate of something unknown is unknown */
    assert_int_equal(fd_state(11), FD_UNKNOWN);
    assert_int_equal(conn->references, 0);
}

static void a_duplicate_of_itself_changes_nothing(void **state)
{
    (void)state;
    struct fd_conn *conn = fd_track(10, &some_socket);
    fd_copy(10, 10);
    assert_int_equal(conn->references, 1);
    fd_forget(10);
}

static void a_connection_ends_only_when_its_visitor_leaves(void **state)
{
    (void)state;
    struct fd_conn *conn = fd_track(10, &some_socket);
    assert_ptr_equal(entered(10), conn);
    conn->conn.guard.owner++; /* as if the visitor were another thread */
    fd_forget(10);
    assert_true(conn->ended);
    struct fd_conn *other = fd_track(10, &some_socket);
    assert_ptr_not_equal(other, conn);
    fd_leave(10, conn);
    assert_false(conn->ended);
    assert_ptr_equal((void *)fd_state(10), other);
    fd_forget(10);
}

static void a_spent_connection_leaves_a_plain_descriptor(void **state)
{
    (void)state;
    struct fd_conn *conn = fd_track(10, &some_socket);
    entered(10);
    stream_end(&conn->conn.stream, REASON_NOT_HTTP);
    fd_leave(10, conn);
    assert_int_equal(fd_state(10), FD_PLAIN);
    assert_int_equal(conn->references, 0);
    fd_forget(10);
}

static void connections_are_used_again(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    uint32_t highest = 0;
    for (int round = 0; round < 3; round++) {
        for (int fd = 0; fd < MANY; fd++) {
            struct fd_conn *conn = fd_track(fd, &some_socket);
            assert_non_null(conn);
            if (conn->number > highest) {
                assert_int_equal(round, 0);
                highest = conn->number;
            }
        }
        fd_forget_range(0, MANY);
    }
}

static size_t visited;
static void visit(int fd)
{
    assert_true(fd_is_tracked(fd));
    visited++;
}

static void only_tracked_descriptors_of_the_range_are_visited(void **state)
{
    (void)state;
    fd_track(3, &some_socket);
    fd_set_plain(4);
    fd_track(5, &some_socket);
    fd_track(90000, &some_socket);
    visited = 0;
    fd_each(4, 90000, visit);
    assert_int_equal(visited, 2);
    fd_forget_range(0, ~0u);
}

/* Threads that open, use, share and close the same few numbers: run under the thread sanitizer as well. */
static void *churn(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 20000; i++) {
        int fd = 20 + (int)((seed = seed * 1103515245 + 12345) >> 16) % 8;
        switch (seed >> 8 & 3) {
        case 0: fd_track(fd, &some_socket); break;
        case 1: fd_copy(fd, 20 + (fd + 3) % 8); break;
        case 2: fd_forget(fd); break;
        default: {
            enum guard_entry entry;
            struct fd_conn *conn = fd_enter(fd, &entry);
            if (conn)
                fd_leave(fd, conn);
        }
        }
    }
    return NULL;
}

static void threads_on_the_same_numbers_leave_nothing_behind(void **state)
{
    (void)state;
    pthread_t thread[4];
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, churn, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    fd_forget_range(0, ~0u);
    for (int fd = 20; fd < 28; fd++)
        assert_int_equal(fd_state(fd), FD_UNKNOWN);
}

/* Each closes what the main thread is duplicating. */
static _Atomic int round_begun, round_ended;
enum { ROUNDS = 10000 };

static void *close_in_each_round(void *unused)
{
    (void)unused;
    for (int i = 1; i <= ROUNDS; i++) {
        while (round_begun < i)
            sched_yield();
        fd_forget(10);
        round_ended = i;
    }
    return NULL;
}

static void a_descriptor_closed_while_it_is_duplicated_shares_nothing_with_the_next(void **state)
{
    (void)state;
    pthread_t thread;
    int shared = 0;
    round_begun = round_ended = 0;
    assert_int_equal(pthread_create(&thread, NULL, close_in_each_round, NULL), 0);
    for (int i = 1; i <= ROUNDS; i++) {
        fd_track(10, &some_socket);
        round_begun = i;
        for (volatile int wait = i % 40; wait > 0;)
            wait--;
        fd_copy(10, 11);
        while (round_ended < i)
            sched_yield();
        shared += (uintptr_t)fd_track(12, &some_socket) == fd_state(11);
        fd_forget(11);
        fd_forget(12);
    }
    pthread_join(thread, NULL);
    assert_int_equal(shared, 0);
}

static const int handles[3000];

static void a_handle_is_unknown_then_tracked_then_forgotten(void **state)
{
    (void)state;
    enum handle_entry entry;
    assert_null(handle_enter(&handles[0], &entry));
    assert_int_equal(entry, HANDLE_UNKNOWN);
    struct conn *conn = handle_track(&handles[0]);
    assert_non_null(conn);
    handle_leave(&handles[0], conn);
    assert_ptr_equal(handle_enter(&handles[0], &entry), conn);
    handle_leave(&handles[0], conn);
    handle_forget(&handles[0]);
    assert_null(handle_enter(&handles[0], &entry));
    assert_int_equal(entry, HANDLE_UNKNOWN);
}

static void a_plain_handle_stays_plain_until_forgotten(void **state)
{
    (void)state;
    enum handle_entry entry;
    handle_set_plain(&handles[1]);
    assert_null(handle_enter(&handles[1], &entry));
    assert_int_equal(entry, HANDLE_PLAIN);
    handle_forget(&handles[1]);
    handle_enter(&handles[1], &entry);
    assert_int_equal(entry, HANDLE_UNKNOWN);
}

static void a_spent_handle_becomes_plain(void **state)
{
    (void)state;
    enum handle_entry entry;
    struct conn *conn = handle_track(&handles[2]);
    stream_end(&conn->stream, REASON_UPGRADE);
    handle_leave(&handles[2], conn);
    handle_enter(&handles[2], &entry);
    assert_int_equal(entry, HANDLE_PLAIN);
    handle_forget(&handles[2]);
}

static void many_handles_are_kept_apart(void **state)
{
    (void)state;
    enum handle_entry entry;
    for (int i = 0; i < 3000; i++) {
        struct conn *conn = handle_track(&handles[i]);
        conn->identity = (uint64_t)i;
        handle_leave(&handles[i], conn);
    }
    for (int i = 0; i < 3000; i++) {
        struct conn *conn = handle_enter(&handles[i], &entry);
        assert_int_equal(conn->identity, i);
        handle_leave(&handles[i], conn);
        handle_forget(&handles[i]);
    }
}

/* Handles whose connections hold bytes, for the sockets 1, 2 and 3 in turn. */
static void hold(int count, void (*release)(struct conn *conn, const void *handle, enum reason reason))
{
    for (int i = 0; i < count; i++) {
        struct conn *conn = handle_track(&handles[i]);
        conn->identity = (uint64_t)(i % 3 + 1);
        conn->release = release;
        conn->holding = true;
        conns_holding++;
        handle_leave(&handles[i], conn);
    }
}

static int releases;

static void let_go(struct conn *conn, const void *handle, enum reason reason)
{
    (void)handle, (void)reason;
    releases++;
    conn_reset(conn);
}

static void all_that_hold_for_a_socket_are_released_once(void **state)
{
    (void)state;
    releases = 0;
    hold(3000, let_go);
    handle_release_holding(2, false, REASON_RELEASED);
    assert_int_equal(releases, 1000);
    handle_release_holding(0, false, REASON_RELEASED);
    assert_int_equal(releases, 3000);
    assert_int_equal(conns_holding, 0);
    for (int i = 0; i < 3000; i++)
        handle_forget(&handles[i]);
}

static void *forget(void *handle)
{
    handle_forget(handle);
    return NULL;
}

static struct conn *left_behind; /* a connection is not freed under somebody's feet */

static void another_thread_ends_it(struct conn *conn, const void *handle, enum reason reason)
{
    pthread_t thread;
    pthread_create(&thread, NULL, forget, (void *)(uintptr_t)handle);
    pthread_join(thread, NULL);
    let_go(conn, handle, reason);
    left_behind = conn;
}

static void a_handle_may_end_while_it_is_released(void **state)
{
    (void)state;
    enum handle_entry entry;
    releases = 0;
    hold(1, another_thread_ends_it);
    handle_release_holding(0, false, REASON_RELEASED);
    assert_int_equal(releases, 1);
    assert_null(handle_enter(&handles[0], &entry));
    assert_int_equal(entry, HANDLE_UNKNOWN);
    free(left_behind);
}

static void without_memory_a_handle_is_not_tracked(void **state)
{
    (void)state;
    enum handle_entry entry;
    no_memory = true; /* uthash's own tables */
    struct conn *conn = handle_track(&handles[0]);
    no_memory = false;
    if (conn)
        handle_leave(&handles[0], conn);
    handle_forget(&handles[0]);
    assert_null(handle_enter(&handles[0], &entry));
    assert_int_equal(entry, HANDLE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_number_is_unknown),
        cmocka_unit_test(numbers_beyond_the_first_page_have_entries_too),
        cmocka_unit_test(numbers_beyond_the_table_are_never_tracked),
        cmocka_unit_test(a_duplicate_shares_the_connection_until_the_last_is_gone),
        cmocka_unit_test(a_duplicate_of_itself_changes_nothing),
        cmocka_unit_test(a_connection_ends_only_when_its_visitor_leaves),
        cmocka_unit_test(a_spent_connection_leaves_a_plain_descriptor),
        cmocka_unit_test(connections_are_used_again),
        cmocka_unit_test(only_tracked_descriptors_of_the_range_are_visited),
        cmocka_unit_test(threads_on_the_same_numbers_leave_nothing_behind),
        cmocka_unit_test(a_descriptor_closed_while_it_is_duplicated_shares_nothing_with_the_next),
        cmocka_unit_test(a_handle_is_unknown_then_tracked_then_forgotten),
        cmocka_unit_test(a_plain_handle_stays_plain_until_forgotten),
        cmocka_unit_test(a_spent_handle_becomes_plain),
        cmocka_unit_test(many_handles_are_kept_apart),
        cmocka_unit_test(all_that_hold_for_a_socket_are_released_once),
        cmocka_unit_test(a_handle_may_end_while_it_is_released),
        cmocka_unit_test(without_memory_a_handle_is_not_tracked),
    };
    return cmocka_run_group_tests_name("the tables", tests, NULL, NULL);
}
