/* What becomes of tables and connections where a life ends or doubles: forks, references, threads in the way, memory that
 * runs out at each allocation. */
#include "unit.h"

#include "../../shim/config.h"
#include "../../shim/conn/fd_table.h"
#include "../../shim/conn/handle_table.h"
#include "../../shim/conn/offer_table.h"

#include <errno.h>
#include <pthread.h>

static size_t allocations, fail_at;

static bool fails(void)
{
    return ++allocations == fail_at;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

static struct config config;
static const struct stat some_socket = {.st_dev = 8, .st_ino = 4711};
static const int handles[64];

/* A wire that takes `takes` bytes at a time; 0: "would block". */
static char wire[4096];
static size_t wire_len, takes;

static ssize_t to_wire(void *ctx, const void *buf, size_t len)
{
    (void)ctx;
    if (takes == 0) {
        errno = EAGAIN;
        return -1;
    }
    len = takes < len ? takes : len;
    memcpy(wire + wire_len, buf, len);
    wire_len += len;
    return (ssize_t)len;
}

static const struct sink sink = {.layer = "test", .write = to_wire};
static struct conn_call call = {.sink = &sink, .policy = &config.policy};

static void writes(struct conn *conn, const char *text)
{
    assert_int_equal(conn_write(conn, &call, text, strlen(text)), strlen(text));
}

static void fresh_wire(size_t takes_at_once)
{
    wire_len = 0;
    takes = takes_at_once;
}

#define HEAD "GET /?jwt=" TOKEN " HTTP/1.1\r\nHost: s.atlassian.net\r\n\r\n"
static const char half_a_head[] = "GET /?jwt=" TOKEN " HTTP/1.1\r\nHo";

/* --- forks --- */

static void a_child_forgets_what_is_held_and_changes_nothing_more(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(sizeof wire);
    writes(&conn, half_a_head);
    assert_true(conn_owes_bytes(&conn));
    conn_after_fork(&conn, true);
    assert_false(conn_owes_bytes(&conn));
    assert_int_equal(conns_holding, 0);
    writes(&conn, HEAD);
    assert_span_equal(span_of(wire, wire_len), HEAD);
    conn_reset(&conn);
}

static void a_child_forgets_a_commit_under_way(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(0);
    assert_int_equal(conn_write(&conn, &call, HEAD, strlen(HEAD)), -1);
    assert_true(conn_owes_bytes(&conn));
    conn_after_fork(&conn, true);
    assert_false(conn_owes_bytes(&conn));
    assert_int_equal(conn.stream.state, STREAM_OPAQUE);
    conn_reset(&conn);
}

/* fork() has libc's handlers put the allocator right; _Fork() has not, and whoever had it in hand is not in the child. */
static void a_child_of_a_bare_fork_frees_nothing(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(sizeof wire);
    writes(&conn, half_a_head);
    char *held = conn.held.at;
    conn_after_fork(&conn, false);
    assert_false(conn_owes_bytes(&conn));
    assert_null(conn.held.at);
    for (size_t i = 0; i < sizeof half_a_head - 1; i++)
        assert_int_equal(held[i], 0); /* wiped, and still there */
    free(held);
    fresh_wire(0);
    conn_reset(&conn);
    assert_int_equal(conn_write(&conn, &call, HEAD, strlen(HEAD)), -1);
    char *out = conn.out.at;
    conn_after_fork(&conn, false);
    assert_false(conn_owes_bytes(&conn));
    assert_null(conn.out.at);
    assert_int_equal(out[0], 0);
    free(out);
    conn_reset(&conn);
}

static void nor_what_is_held_for_a_descriptor(void **state)
{
    (void)state;
    struct fd_conn *conn = fd_track(7, &some_socket);
    fresh_wire(sizeof wire);
    writes(&conn->conn, half_a_head);
    char *held = conn->conn.held.at;
    fd_after_fork(false);
    assert_false(conn_owes_bytes(&conn->conn));
    assert_int_equal(held[0], 0);
    free(held);
    fd_forget(7);
}

/* The start of a request line is on the wire, and kept for what comes behind it. */
static void a_child_of_a_bare_fork_that_loses_what_was_shown_understands_nothing(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(sizeof wire);
    writes(&conn, "GET /");
    char *held = conn.held.at;
    conn_after_fork(&conn, false);
    writes(&conn, half_a_head);
    writes(&conn, "st: s.atlassian.net\r\n\r\n");
    assert_span_equal(span_of(wire, wire_len), "GET /" HEAD);
    free(held);
    conn_reset(&conn);
}

static void a_child_goes_on_where_nothing_is_owed(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    conn_after_fork(&conn, true);
    assert_int_equal(conn.stream.state, STREAM_START);
}

static void where_another_thread_was_inside_the_child_understands_nothing(void **state)
{
    (void)state;
    struct fd_conn *conn = fd_track(7, &some_socket);
    assert_int_equal(conn_enter(&conn->conn), GUARD_ENTERED);
    conn->conn.guard.owner++; /* as if it were another thread's */
    struct conn *of_handle = handle_track(&handles[0]);
    of_handle->guard.owner++;
    fd_after_fork(true);
    handle_after_fork(true);
    assert_int_equal(conn->conn.stream.opaque_reason, REASON_CONCURRENT);
    assert_int_equal(conn->conn.guard.owner, 0);
    assert_int_equal(of_handle->stream.opaque_reason, REASON_CONCURRENT);
    fd_forget(7);
    handle_forget(&handles[0]);
}

/* --- references and visits --- */

static void a_handle_lives_as_long_as_its_references(void **state)
{
    (void)state;
    handle_add_reference(&handles[1]);
    assert_false(handle_drop_reference(&handles[1]));
    assert_true(handle_drop_reference(&handles[1]));
    assert_true(handle_drop_reference(&handles[2]));
    handle_forget(&handles[1]);
}

static size_t descriptors_visited;
static void visit_descriptor(int fd)
{
    assert_int_equal(fd, 30);
    descriptors_visited++;
}

static void a_range_without_an_end_ends_with_the_table(void **state)
{
    (void)state;
    fd_track(30, &some_socket);
    fd_each(3, ~0u, visit_descriptor);
    assert_int_equal(descriptors_visited, 1);
    fd_forget(30);
}

static const void *released[2];
static size_t releases;

static void note_release(struct conn *conn, const void *handle, enum reason reason)
{
    assert_int_equal(reason, REASON_RELEASED);
    released[releases++] = handle;
    conn_release(conn, &call, reason);
}

static void holds(const void *handle, uint64_t identity)
{
    struct conn *conn = handle_track(handle);
    conn->release = note_release;
    conn->identity = identity;
    writes(conn, half_a_head);
    handle_leave(handle, conn);
}

static void only_handles_that_hold_for_the_socket_are_released(void **state)
{
    (void)state;
    fresh_wire(sizeof wire);
    handle_leave(&handles[2], handle_track(&handles[2]));
    holds(&handles[3], 7);
    holds(&handles[4], 8);
    releases = 0;
    handle_release_holding(8, false, REASON_RELEASED);
    assert_int_equal(releases, 1);
    assert_ptr_equal(released[0], &handles[4]);
    handle_release_holding(0, false, REASON_RELEASED);
    assert_int_equal(releases, 2);
    assert_ptr_equal(released[1], &handles[3]);
    for (int i = 2; i < 5; i++)
        handle_forget(&handles[i]);
}

static void what_another_thread_wrote_is_not_released_where_only_ones_own_is_wanted(void **state)
{
    (void)state;
    enum handle_entry entry;
    fresh_wire(sizeof wire);
    holds(&handles[3], 7);
    holds(&handles[4], 7);
    for (int i = 3; i < 5; i++) {
        struct conn *conn = handle_enter(&handles[i], &entry);
        conn->writer = guard_self() + (i == 3);
        handle_leave(&handles[i], conn);
    }
    releases = 0;
    handle_release_holding(0, true, REASON_RELEASED);
    assert_int_equal(releases, 1);
    assert_ptr_equal(released[0], &handles[4]);
    handle_release_holding(0, false, REASON_RELEASED);
    assert_int_equal(releases, 2);
    handle_forget(&handles[3]);
    handle_forget(&handles[4]);
}

static void a_connection_that_a_late_visitor_is_in_is_not_begun_anew(void **state)
{
    (void)state;
    struct fd_conn *first = fd_track(40, &some_socket);
    fd_forget(40);
    atomic_store(&first->conn.guard.owner, guard_self() + 1);
    struct fd_conn *second = fd_track(40, &some_socket);
    assert_non_null(second);
    assert_ptr_not_equal(second, first);
    fd_forget(40);
    atomic_store(&second->conn.guard.owner, guard_self() + 1);
    assert_null(fd_track(40, &some_socket));
    atomic_store(&first->conn.guard.owner, 0);
    atomic_store(&second->conn.guard.owner, 0);
    assert_non_null(fd_track(40, &some_socket));
    fd_forget(40);
}

static void whoever_comes_while_somebody_is_inside_passes(void **state)
{
    (void)state;
    enum handle_entry handle_entry;
    enum guard_entry entry;
    struct conn *conn = handle_track(&handles[5]);
    conn->guard.owner++;
    assert_null(handle_enter(&handles[5], &handle_entry));
    assert_int_equal(handle_entry, HANDLE_PLAIN);
    conn->guard.owner--;
    handle_leave(&handles[5], conn);
    handle_forget(&handles[5]);

    struct fd_conn *of_fd = fd_track(8, &some_socket);
    conn_enter(&of_fd->conn);
    of_fd->conn.guard.owner++;
    assert_null(fd_enter(8, &entry));
    assert_int_equal(entry, GUARD_CONCURRENT);
    of_fd->conn.guard.owner--;
    fd_leave(8, of_fd);
    fd_copy(8, 9);
    assert_true(fd_is_shared(8));
    fd_forget(9);
    assert_false(fd_is_shared(8));
    fd_copy(8, FD_PAGE * FD_PAGES); /* no number of the table's */
    assert_false(fd_is_shared(8));
    fd_set_socket(8);
    assert_int_equal(fd_state(8), FD_SOCKET);
    fd_forget(8);
}

static size_t asked_to_release;
static void refuses_to_release(struct conn *conn, const void *handle, enum reason reason)
{
    (void)handle;
    (void)reason;
    asked_to_release += conn->holding;
}

static void a_handle_that_cannot_release_keeps_no_other_from_it(void **state)
{
    (void)state;
    enum handle_entry entry;
    struct conn *holding[32];
    fresh_wire(sizeof wire);
    for (size_t i = 0; i < 32; i++) { /* more than there are tables */
        holding[i] = handle_track(&handles[i]);
        holding[i]->release = refuses_to_release;
        writes(holding[i], half_a_head);
        handle_leave(&handles[i], holding[i]);
    }
    asked_to_release = 0;
    handle_release_holding(0, false, REASON_RELEASED);
    assert_int_equal(asked_to_release, 32);
    /* Another thread that stays inside is not waited for without an end, even where bytes are held. */
    holding[0]->guard.owner = 1;
    assert_null(handle_enter(&handles[0], &entry));
    assert_int_equal(entry, HANDLE_PLAIN);
    holding[0]->guard.owner = 0;
    for (size_t i = 0; i < 32; i++)
        handle_forget(&handles[i]);
    assert_int_equal(conns_holding, 0);
}

static void *asks_on_its_own_stack(void *answers)
{
    const char *now = __builtin_frame_address(0);
    bool *was_left = answers;
    was_left[0] = guard_was_left(now - 512, now);
    was_left[1] = guard_was_left((const char *)&handles[0], now);
    return NULL;
}

static void a_frame_is_gone_only_where_it_was_on_the_threads_own_stack(void **state)
{
    (void)state;
    bool was_left[2] = {false, true};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, asks_on_its_own_stack, was_left), 0);
    pthread_join(thread, NULL);
    assert_true(was_left[0]);
    assert_false(was_left[1]);
}

/* --- a table that somebody left half changed --- */

static void a_table_left_half_changed_is_never_entered_again(void **state)
{
    (void)state;
    struct guarded guarded = {.changing = true};
    assert_false(guarded_enter(&guarded));
    assert_int_equal(guarded.guard.owner, 0);
    guarded.changing = false;
    assert_true(guarded_enter(&guarded));
    guarded.guard.owner++; /* another thread, which never leaves: nobody waits for ever */
    assert_false(guarded_enter(&guarded));
    guarded_leave(&guarded);
}

static __attribute__((noinline)) bool enters_deeper(struct guarded *guarded)
{
    volatile char room[256];
    room[0] = 0;
    return guarded_enter(guarded) || room[0];
}

static void a_table_is_not_entered_twice_by_one_thread(void **state)
{
    (void)state;
    struct guarded guarded = {.changing = false};
    assert_true(guarded_enter(&guarded));
    assert_false(enters_deeper(&guarded));
    guarded_leave(&guarded);
}

/* --- short and refused writes of a head that stays --- */

#define PLAIN_HEAD                                                                                                     \
    "GET /rest/api/3/myself HTTP/1.1\r\nHost: s.atlassian.net\r\nAccept: */*\r\nUser-Agent: "                          \
    "xxxxxxxxxxxxxxxxxxxxxxx\r\n"                                                                                      \
    "X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n"

static void a_head_that_stays_may_be_taken_in_part_or_refused(void **state)
{
    (void)state;
    for (size_t at_once = 0; at_once < 40; at_once++) {
        struct conn conn = {.holding = false};
        fresh_wire(at_once);
        ssize_t sent = conn_write(&conn, &call, PLAIN_HEAD, strlen(PLAIN_HEAD));
        assert_int_equal(sent, at_once ? (ssize_t)at_once : -1);
        takes = sizeof wire;
        writes(&conn, PLAIN_HEAD + at_once);
        writes(&conn, HEAD);
        assert_span_equal(span_of(wire, wire_len),
                          PLAIN_HEAD "GET / HTTP/1.1\r\nHost: s.atlassian.net\r\nAuthorization: JWT " TOKEN "\r\n\r\n");
        conn_reset(&conn);
    }
}

static void an_empty_write_is_the_librarys(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(sizeof wire);
    assert_int_equal(conn_write(&conn, &call, "", 0), 0);
    fresh_wire(0);
    assert_int_equal(conn_write(&conn, &call, "", 0), -1);
}

static ssize_t resumes(void *ctx)
{
    (void)ctx;
    return takes ? (ssize_t)takes : -1;
}

static void a_refused_write_is_resumed_by_the_library_alone(void **state)
{
    (void)state;
    static const char body[] = "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n";
    struct conn conn = {.holding = false};
    fresh_wire(0);
    assert_int_equal(conn_write(&conn, &call, body, strlen(body)), -1);
    assert_int_equal(conn_resume(&conn, &call, resumes), -1);
    takes = strlen(body);
    assert_int_equal(conn_resume(&conn, &call, resumes), strlen(body));
    assert_int_equal(stream_body_left(&conn.stream), 10);
    takes = 10; /* a body's bytes, refused and resumed, are not remembered: they are counted */
    assert_int_equal(conn_resume(&conn, &call, resumes), 10);
    assert_int_equal(conn.stream.state, STREAM_START);
    takes = 1; /* more than anybody knows of */
    conn_resume(&conn, &call, resumes);
    assert_int_equal(conn.stream.opaque_reason, REASON_UNSEEN_BYTES);
}

static ssize_t resumes_a_part(void *ctx)
{
    (void)ctx;
    return 3;
}

static void a_commit_that_is_resumed_in_part_is_refused_again(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(0);
    assert_int_equal(conn_write(&conn, &call, HEAD, strlen(HEAD)), -1);
    assert_int_equal(conn_resume(&conn, &call, resumes_a_part), -1);
    assert_int_equal(conn.out_sent, 3);
    conn_reset(&conn);
}

static enum reason has_no_objection(void *ctx, const struct decision *decision)
{
    (void)ctx;
    (void)decision;
    return REASON_NONE;
}

static void a_layer_that_is_asked_and_has_no_objection_rewrites(void **state)
{
    (void)state;
    static const struct sink asked = {.layer = "test", .write = to_wire, .objects = has_no_objection};
    struct conn_call by = {.sink = &asked, .policy = &config.policy};
    struct conn conn = {.holding = false};
    fresh_wire(sizeof wire);
    assert_int_equal(conn_write(&conn, &by, HEAD, strlen(HEAD)), strlen(HEAD));
    assert_span_equal(span_of(wire, wire_len),
                      "GET / HTTP/1.1\r\nHost: s.atlassian.net\r\nAuthorization: JWT " TOKEN "\r\n\r\n");
}

/* --- memory --- */

static void in_audit_mode_lost_memory_loses_nothing_but_the_view(void **state)
{
    (void)state;
    const char *pieces[] = {"GET /?jwt=" TOKEN, " HTTP/1.1\r\nHost: s.atl", "assian.net\r\n\r\nGET /?jw",
                            "t=" TOKEN " HTTP/1.1\r\n", NULL};
    static char field[2000];
    memset(field, 'x', sizeof field - 1); /* needs a larger buffer than there is */
    pieces[4] = field;
    struct conn_call audit = call;
    audit.audit = true;
    for (fail_at = 1; fail_at < 8; fail_at++) {
        struct conn conn = {.holding = false};
        char all[4096] = "";
        fresh_wire(sizeof wire);
        allocations = 0;
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(conn_write(&conn, &audit, pieces[i], strlen(pieces[i])), strlen(pieces[i]));
            strcat(all, pieces[i]);
        }
        if (allocations >= fail_at)
            assert_int_equal(conn.stream.opaque_reason, REASON_NO_MEMORY);
        assert_span_equal(span_of(wire, wire_len), all);
        conn_reset(&conn);
    }
    fail_at = 0;
}

static void without_memory_for_more_what_is_held_leaves_and_so_does_the_rest(void **state)
{
    (void)state;
    static char filler[3000];
    memset(filler, 'x', sizeof filler - 1);
    struct conn conn = {.holding = false};
    fresh_wire(sizeof wire);
    writes(&conn, half_a_head);
    allocations = 0;
    fail_at = 1;
    writes(&conn, filler);
    fail_at = 0;
    assert_int_equal(wire_len, strlen(half_a_head) + strlen(filler));
    assert_memory_equal(wire, half_a_head, strlen(half_a_head));
    assert_int_equal(conn.stream.opaque_reason, REASON_NO_MEMORY);
    conn_reset(&conn);
}

static void without_memory_to_hold_a_refused_write_is_as_if_it_had_never_been(void **state)
{
    (void)state;
    struct conn conn = {.holding = false};
    fresh_wire(0);
    allocations = 0;
    fail_at = 1;
    assert_int_equal(conn_write(&conn, &call, half_a_head, strlen(half_a_head)), -1);
    fail_at = 0;
    assert_int_equal(conn.stream.state, STREAM_START);
    takes = sizeof wire;
    writes(&conn, HEAD);
    assert_span_equal(span_of(wire, wire_len),
                      "GET / HTTP/1.1\r\nHost: s.atlassian.net\r\nAuthorization: JWT " TOKEN "\r\n\r\n");
    conn_reset(&conn);
}

static void without_memory_nothing_is_tracked(void **state)
{
    (void)state;
    enum { PAGE_OF_ITS_OWN = 900000 };
    enum handle_entry entry;
    static struct fd_conn *tracked[200];
    bool failed_once = false;
    for (fail_at = 1; fail_at < 3; fail_at++) {
        allocations = 0;
        assert_true(fd_track(PAGE_OF_ITS_OWN + (int)fail_at * FD_PAGE, &some_socket) != NULL || allocations >= fail_at);
    }
    for (int i = 0; i < 200; i++) { /* until a new block of connections is needed */
        allocations = 0;
        fail_at = 1;
        tracked[i] = fd_track(100 + i, &some_socket);
        failed_once |= !tracked[i];
    }
    fail_at = 0;
    assert_true(failed_once);
    fd_forget_range(0, ~0u);
    for (fail_at = 1; fail_at < 6; fail_at++) {
        allocations = 0;
        struct conn *conn = handle_track(&handles[10 + fail_at]);
        assert_true(!conn == (allocations >= fail_at));
        if (conn)
            handle_leave(&handles[10 + fail_at], conn);
        handle_forget(&handles[10 + fail_at]);
        handle_enter(&handles[10 + fail_at], &entry);
        assert_int_equal(entry, HANDLE_UNKNOWN);
    }
    fail_at = 0;
}

/* --- offers --- */

static void an_offer_is_known_until_it_is_forgotten(void **state)
{
    (void)state;
    struct offer offer;
    assert_false(offer_get(&handles[20], &offer));
    assert_int_equal(offer.state, OFFER_OPEN);
    offer.len = 9;
    assert_true(offer_put(&handles[20], &offer));
    assert_int_equal(offers_known, 1);
    assert_int_equal(offers_open, 1);
    offer.state = OFFER_DECIDED;
    assert_true(offer_put(&handles[20], &offer));
    assert_int_equal(offers_open, 0);
    memset(&offer, 0, sizeof offer);
    assert_true(offer_get(&handles[20], &offer));
    assert_int_equal(offer.len, 9);
    assert_int_equal(offer.state, OFFER_DECIDED);
    offer_after_fork();
    offer_forget(&handles[21]);
    offer_forget(&handles[20]);
    assert_int_equal(offers_known, 0);
    assert_false(offer_get(&handles[20], &offer));
    offer_forget(&handles[20]);
}

static void without_memory_an_offer_is_unknown_and_errno_as_it_was(void **state)
{
    (void)state;
    struct offer offer;
    offer_get(&handles[22], &offer);
    for (fail_at = 1; fail_at < 4; fail_at++) {
        allocations = 0;
        errno = 77;
        bool put = offer_put(&handles[22], &offer);
        assert_true(put == (allocations < fail_at));
        assert_int_equal(errno, 77);
        assert_int_equal(offers_known, put);
        offer_forget(&handles[22]);
    }
    fail_at = 0;
}

static int set_up(void **state)
{
    (void)state;
    config_defaults(&config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_forgets_what_is_held_and_changes_nothing_more),
        cmocka_unit_test(a_child_forgets_a_commit_under_way),
        cmocka_unit_test(a_child_of_a_bare_fork_frees_nothing),
        cmocka_unit_test(nor_what_is_held_for_a_descriptor),
        cmocka_unit_test(a_child_of_a_bare_fork_that_loses_what_was_shown_understands_nothing),
        cmocka_unit_test(a_child_goes_on_where_nothing_is_owed),
        cmocka_unit_test(where_another_thread_was_inside_the_child_understands_nothing),
        cmocka_unit_test(a_handle_lives_as_long_as_its_references),
        cmocka_unit_test(a_range_without_an_end_ends_with_the_table),
        cmocka_unit_test(only_handles_that_hold_for_the_socket_are_released),
        cmocka_unit_test(what_another_thread_wrote_is_not_released_where_only_ones_own_is_wanted),
        cmocka_unit_test(a_connection_that_a_late_visitor_is_in_is_not_begun_anew),
        cmocka_unit_test(whoever_comes_while_somebody_is_inside_passes),
        cmocka_unit_test(a_handle_that_cannot_release_keeps_no_other_from_it),
        cmocka_unit_test(a_frame_is_gone_only_where_it_was_on_the_threads_own_stack),
        cmocka_unit_test(a_table_left_half_changed_is_never_entered_again),
        cmocka_unit_test(a_table_is_not_entered_twice_by_one_thread),
        cmocka_unit_test(a_head_that_stays_may_be_taken_in_part_or_refused),
        cmocka_unit_test(an_empty_write_is_the_librarys),
        cmocka_unit_test(a_refused_write_is_resumed_by_the_library_alone),
        cmocka_unit_test(a_commit_that_is_resumed_in_part_is_refused_again),
        cmocka_unit_test(a_layer_that_is_asked_and_has_no_objection_rewrites),
        cmocka_unit_test(in_audit_mode_lost_memory_loses_nothing_but_the_view),
        cmocka_unit_test(without_memory_for_more_what_is_held_leaves_and_so_does_the_rest),
        cmocka_unit_test(without_memory_to_hold_a_refused_write_is_as_if_it_had_never_been),
        cmocka_unit_test(without_memory_nothing_is_tracked),
        cmocka_unit_test(an_offer_is_known_until_it_is_forgotten),
        cmocka_unit_test(without_memory_an_offer_is_unknown_and_errno_as_it_was),
    };
    return cmocka_run_group_tests_name("lives and deaths", tests, set_up, NULL);
}
