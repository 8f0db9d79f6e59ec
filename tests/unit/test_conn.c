/* The connection layer against a sink that misbehaves: every short write, refusal and error at every position, and every
 * allocation failing in turn. What left must be what the program wrote, or that with its token moved: whole, in order,
 * never a mixture, never twice. */
#include "unit.h"

#include "../../shim/config.h"
#include "../../shim/conn/conn.h"

#include <errno.h>
#include <stdio.h>

static struct config config;

/* Allocations that fail: the `fail_at`th from now (0: none), and all behind it if `fail_on`. */
static size_t allocations;
static size_t fail_at;
static bool fail_on;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    allocations++;
    if (fail_at && (allocations == fail_at || (fail_on && allocations > fail_at)))
        return NULL;
    return __real_malloc(size);
}

/* A sink with a plan: how much each call takes. */
enum { PLAN_MAX = 64, WIRE_MAX = 512 * 1024 };
enum { TAKE_ALL = 1 << 30, REFUSE = -1, INTERRUPT = -2, BREAK = -3 };
struct fake {
    char wire[WIRE_MAX];
    size_t len;
    int plan[PLAN_MAX]; /* bytes to take, or one of the above; behind its end everything is taken */
    size_t planned, calls;
    size_t break_at;   /* a wire that breaks behind so many bytes; 0: never */
    const void *retry; /* a library that wants the same bytes again after a refusal */
    size_t retry_len;
    bool insists;
    bool retried_wrongly;
    size_t decided;
};

static ssize_t refuse(struct fake *fake, const void *buf, size_t len, int error)
{
    fake->retry = buf;
    fake->retry_len = len;
    errno = error;
    return -1;
}

static ssize_t fake_write(void *ctx, const void *buf, size_t len)
{
    struct fake *fake = ctx;
    int take = fake->calls < fake->planned ? fake->plan[fake->calls] : TAKE_ALL;
    fake->calls++;
    if (fake->insists && fake->retry && (fake->retry != buf || len < fake->retry_len))
        fake->retried_wrongly = true;
    fake->retry = NULL;
    if (take == BREAK || (fake->break_at && fake->len >= fake->break_at))
        return refuse(fake, NULL, 0, EPIPE);
    if (take == REFUSE)
        return refuse(fake, buf, len, EAGAIN);
    if (take == INTERRUPT)
        return refuse(fake, NULL, 0, EINTR);
    if ((size_t)take < len)
        len = (size_t)take;
    if (fake->break_at && fake->len + len > fake->break_at)
        len = fake->break_at - fake->len;
    assert_true(fake->len + len <= WIRE_MAX);
    memcpy(fake->wire + fake->len, buf, len);
    fake->len += len;
    return (ssize_t)len;
}

static void fake_decided(void *ctx, const struct decision *decision)
{
    (void)decision;
    ((struct fake *)ctx)->decided++;
}

static const struct sink stream_sink = {.layer = "fake", .write = fake_write, .decided = fake_decided};
static const struct sink whole_sink = {.layer = "fake", .write = fake_write, .decided = fake_decided, .whole_writes = true};

static struct fake fake; /* too large for a stack */

static struct conn_call call_by(const struct sink *sink)
{
    return (struct conn_call){.sink = sink, .ctx = &fake, .policy = &config.policy, .audit = config.mode == MODE_AUDIT};
}

static void fresh_fake(void)
{
    memset(&fake, 0, offsetof(struct fake, len));
    fake.len = fake.planned = fake.calls = fake.break_at = fake.retry_len = fake.decided = 0;
    fake.retry = NULL;
    fake.insists = fake.retried_wrongly = false;
    errno = 0;
}

/* Writes all of `in` as a program does that knows short writes, "would block" and EINTR, in pieces of `piece`. False if
 * the wire broke. */
static bool program_writes(struct conn *conn, const struct sink *sink, const char *in, size_t len, size_t piece)
{
    struct conn_call call = call_by(sink);
    size_t done = 0;
    for (int tries = 0; done < len; tries++) {
        assert_true(tries < 1000000);
        size_t want = piece < len - done ? piece : len - done;
        ssize_t sent = conn_write(conn, &call, in + done, want);
        if (sent < 0 && errno == EPIPE)
            return false;
        if (sent < 0)
            assert_true(errno == EAGAIN || errno == EINTR);
        else
            assert_true(sent > 0 && (size_t)sent <= want);
        if (sent > 0 && sink->whole_writes)
            assert_int_equal(sent, want);
        if (sent > 0)
            done += (size_t)sent;
    }
    return true;
}

struct sample {
    const char *in, *out;
};

static const struct sample one = {
    "GET /a?x=1&jwt=" TOKEN " HTTP/1.1\r\nHost: s.atlassian.net\r\nAccept: */*\r\n\r\n",
    "GET /a?x=1 HTTP/1.1\r\nHost: s.atlassian.net\r\nAccept: */*\r\nAuthorization: JWT " TOKEN "\r\n\r\n",
};

static const struct sample three = {
    "POST /p?jwt=" TOKEN " HTTP/1.1\r\nHost: s.atlassian.net\r\nContent-Length: 5\r\n\r\nhello"
    "GET /b HTTP/1.1\r\nHost: app.example.com\r\nReferer: https://s.atlassian.net/q?jwt=" TOKEN "&a=1\r\nX: y\r\n\r\n"
    "PUT /c?jwt=" TOKEN
    "&z HTTP/1.1\r\nHost: s.atlassian.net\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: s.atlassian.net\r\nContent-Length: 5\r\nAuthorization: JWT " TOKEN "\r\n\r\nhello"
    "GET /b HTTP/1.1\r\nHost: app.example.com\r\nReferer: https://s.atlassian.net/q?a=1\r\nX: y\r\n\r\n"
    "PUT /c?z HTTP/1.1\r\nHost: s.atlassian.net\r\nTransfer-Encoding: chunked\r\nAuthorization: JWT " TOKEN
    "\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
};

static const struct sample *const samples[] = {&one, &three};

static void assert_wire(const char *expected)
{
    assert_int_equal(fake.len, strlen(expected));
    assert_memory_equal(fake.wire, expected, fake.len);
}

/* A connection that is all zero, for one scenario. */
static struct conn scratch;
static struct conn *fresh_conn(void)
{
    conn_reset(&scratch);
    memset(&scratch, 0, sizeof scratch);
    return &scratch;
}

/* After a scenario nothing may be left behind. */
static void assert_settled(void)
{
    assert_int_equal(scratch.out.len, 0);
    assert_int_equal(scratch.held.len, 0);
    assert_int_equal(scratch.ahead, 0);
    assert_int_equal(conns_holding, 0);
}

typedef void plan_fn(size_t number);

static void every_sample_in_every_piece_size(const struct sink *sink, plan_fn *plan, size_t plans, bool insists)
{
    static const size_t pieces[] = {1, 2, 7, 33, 100, 100000};
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++)
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++)
            for (size_t number = 0; number < plans; number++) {
                fresh_fake();
                fake.insists = insists;
                plan(number);
                struct conn *conn = fresh_conn();
                assert_true(program_writes(conn, sink, samples[s]->in, strlen(samples[s]->in), pieces[p]));
                assert_wire(samples[s]->out);
                assert_false(fake.retried_wrongly);
                assert_settled();
            }
}

static void plan_nothing(size_t number)
{
    (void)number;
}

static void rewrites_whatever_the_piece_size(void **state)
{
    (void)state;
    every_sample_in_every_piece_size(&stream_sink, plan_nothing, 1, false);
    every_sample_in_every_piece_size(&whole_sink, plan_nothing, 1, true);
}

static void plan_short(size_t number)
{
    fake.planned = PLAN_MAX;
    for (size_t i = 0; i < PLAN_MAX; i++)
        fake.plan[i] = (int)number + 1;
}

static void survives_every_short_write_length(void **state)
{
    (void)state;
    every_sample_in_every_piece_size(&stream_sink, plan_short, 600, false);
}

static void plan_one_refusal(size_t number)
{
    fake.planned = number + 1;
    for (size_t i = 0; i < number; i++)
        fake.plan[i] = TAKE_ALL;
    fake.plan[number] = REFUSE;
}

static void survives_a_refusal_of_each_call(void **state)
{
    (void)state;
    every_sample_in_every_piece_size(&stream_sink, plan_one_refusal, PLAN_MAX, true);
    every_sample_in_every_piece_size(&whole_sink, plan_one_refusal, PLAN_MAX, true);
}

static void plan_one_interrupt(size_t number)
{
    plan_one_refusal(number);
    fake.plan[number] = INTERRUPT;
}

static void survives_a_signal_in_each_call(void **state)
{
    (void)state;
    every_sample_in_every_piece_size(&stream_sink, plan_one_interrupt, PLAN_MAX, false);
}

/* Short, then refused, then short, … at each byte. */
static void plan_short_and_refused(size_t number)
{
    fake.planned = PLAN_MAX;
    for (size_t i = 0; i < PLAN_MAX; i++)
        fake.plan[i] = i % 2 ? REFUSE : (int)number + 1;
}

static void survives_short_writes_and_refusals_in_turn(void **state)
{
    (void)state;
    every_sample_in_every_piece_size(&stream_sink, plan_short_and_refused, 400, false);
}

static void plan_refusals(size_t number)
{
    fake.planned = PLAN_MAX;
    for (size_t i = 0; i < PLAN_MAX; i++)
        fake.plan[i] = (i + number) % 3 ? REFUSE : TAKE_ALL;
}

static void repeats_the_same_bytes_to_a_library_that_insists(void **state)
{
    (void)state;
    every_sample_in_every_piece_size(&whole_sink, plan_refusals, 3, true);
}

static void breaks_off_behind_a_prefix_of_what_should_have_left(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++)
        for (size_t at = 1; at < strlen(samples[s]->out); at++)
            for (size_t piece = 1; piece < 1000; piece = piece * 5 + 2) {
                fresh_fake();
                fake.break_at = at;
                struct conn *conn = fresh_conn();
                assert_false(program_writes(conn, &stream_sink, samples[s]->in, strlen(samples[s]->in), piece));
                assert_int_equal(fake.len, at);
                assert_memory_equal(fake.wire, samples[s]->out, at);
            }
}

/* Each request of `wire` must be the sample's own or its rewritten form: tried as a walk over both. */
static bool is_a_mix_of_whole_requests(const char *wire, size_t len)
{
    static const char *const in[] = {
        "POST /p?jwt=" TOKEN " HTTP/1.1\r\nHost: s.atlassian.net\r\nContent-Length: 5\r\n\r\nhello",
        "GET /b HTTP/1.1\r\nHost: app.example.com\r\nReferer: https://s.atlassian.net/q?jwt=" TOKEN
        "&a=1\r\nX: y\r\n\r\n",
        "PUT /c?jwt=" TOKEN
        "&z HTTP/1.1\r\nHost: s.atlassian.net\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    };
    static const char *const out[] = {
        "POST /p HTTP/1.1\r\nHost: s.atlassian.net\r\nContent-Length: 5\r\nAuthorization: JWT " TOKEN "\r\n\r\nhello",
        "GET /b HTTP/1.1\r\nHost: app.example.com\r\nReferer: https://s.atlassian.net/q?a=1\r\nX: y\r\n\r\n",
        "PUT /c?z HTTP/1.1\r\nHost: s.atlassian.net\r\nTransfer-Encoding: chunked\r\nAuthorization: JWT " TOKEN
        "\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    };
    for (int i = 0; i < 3; i++) {
        const char *form = len >= strlen(in[i]) && memcmp(wire, in[i], strlen(in[i])) == 0 ? in[i] : out[i];
        if (len < strlen(form) || memcmp(wire, form, strlen(form)) != 0)
            return false;
        wire += strlen(form);
        len -= strlen(form);
    }
    return len == 0;
}

static void without_memory(bool for_good)
{
    static const size_t pieces[] = {1, 9, 64, 100000};
    const struct sink *const sinks[] = {&stream_sink, &whole_sink};
    for (size_t s = 0; s < 2; s++)
        for (size_t p = 0; p < 4; p++) {
            size_t needed = 0;
            for (size_t number = 0; number <= needed; number++) {
                fresh_fake();
                struct conn *conn = fresh_conn();
                allocations = 0;
                fail_at = number; /* 0: none, which counts how many there are */
                fail_on = for_good;
                assert_true(program_writes(conn, sinks[s], three.in, strlen(three.in), pieces[p]));
                fail_at = 0;
                if (number == 0)
                    needed = allocations;
                assert_true(is_a_mix_of_whole_requests(fake.wire, fake.len));
                assert_settled();
            }
            assert_true(needed > 0);
        }
}

static void loses_nothing_when_any_one_allocation_fails(void **state)
{
    (void)state;
    without_memory(false);
}

static void loses_nothing_when_memory_runs_out_for_good(void **state)
{
    (void)state;
    without_memory(true);
}

static void releases_what_is_held_unchanged_at_every_position(void **state)
{
    (void)state;
    struct conn_call call = call_by(&stream_sink);
    size_t head = strlen(one.in);
    for (size_t at = 1; at < head; at++) {
        fresh_fake();
        struct conn *conn = fresh_conn();
        assert_int_equal(conn_write(conn, &call, one.in, at), at);
        assert_true(conn_release(conn, &call, REASON_RELEASED) > 0);
        assert_int_equal(fake.len, at);
        assert_int_equal(conns_holding, 0);
        assert_int_equal(conn_write(conn, &call, one.in + at, head - at), head - at);
        const bool held = memchr(one.in, '?', at); /* what came before the query was out already */
        assert_wire(held ? one.in : one.out);
        assert_int_equal(conn->stream.state, held ? STREAM_OPAQUE : STREAM_START);
    }
}

/* Whatever is written before the query goes out at once: a peer of another protocol may answer to a single byte. */
static void holds_nothing_of_a_request_line_before_its_query(void **state)
{
    (void)state;
    struct conn_call call = call_by(&stream_sink);
    const size_t query = (size_t)(strchr(one.in, '?') - one.in);
    fresh_fake();
    struct conn *conn = fresh_conn();
    for (size_t at = 0; at < query; at++) {
        assert_int_equal(conn_write(conn, &call, one.in + at, 1), 1);
        assert_int_equal(fake.len, at + 1);
        assert_int_equal(conns_holding, 0);
    }
    assert_int_equal(conn_write(conn, &call, one.in + query, 1), 1);
    assert_int_equal(fake.len, query);
    assert_int_equal(conns_holding, 1);
    const size_t rest = strlen(one.in) - query - 1;
    assert_int_equal(conn_write(conn, &call, one.in + query + 1, rest), rest);
    assert_wire(one.out);
    assert_settled();
}

/* Behind a request that changes, or one that does not, or half of one that was held. */
static void the_start_of_a_request_goes_out_in_the_same_write(void **state)
{
    (void)state;
    struct conn_call call = call_by(&stream_sink);
    static const char plain[] = "GET /b HTTP/1.1\r\nHost: app.example.com\r\n\r\n";
    const char *const before[] = {one.in, plain};
    for (size_t i = 0; i < 2; i++)
        for (size_t cut = 0; cut < 2; cut++) {
            char both[1000];
            const size_t half = cut * strlen(before[i]) / 2;
            const size_t len = (size_t)snprintf(both, sizeof both, "%s%s", before[i], one.in);
            const size_t start = strlen(before[i]) + 2;
            fresh_fake();
            struct conn *conn = fresh_conn();
            if (half)
                assert_int_equal(conn_write(conn, &call, both, half), half);
            const size_t calls = fake.calls;
            assert_int_equal(conn_write(conn, &call, both + half, start - half), start - half);
            assert_int_equal(fake.calls, calls + 1);
            assert_int_equal(conn_write(conn, &call, both + start, len - start), len - start);
            snprintf(both, sizeof both, "%s%s", i ? plain : one.out, one.out);
            assert_wire(both);
            assert_settled();
        }
}

/* A library that kept the bytes of a refused write gets the same again, though the program shows the query too by then. */
static void what_was_refused_before_the_query_goes_first(void **state)
{
    (void)state;
    struct conn_call call = call_by(&stream_sink);
    fresh_fake();
    fake.insists = true;
    fake.planned = 1;
    fake.plan[0] = REFUSE;
    struct conn *conn = fresh_conn();
    assert_int_equal(conn_write(conn, &call, one.in, 4), -1);
    const size_t len = strlen(one.in);
    assert_int_equal(conn_write(conn, &call, one.in, len), len);
    assert_false(fake.retried_wrongly);
    assert_wire(one.out);
    assert_settled();
}

static void a_release_that_is_refused_goes_on_with_the_next_write(void **state)
{
    (void)state;
    struct conn_call call = call_by(&stream_sink);
    fresh_fake();
    fake.planned = 2;
    fake.plan[0] = 3;
    fake.plan[1] = REFUSE;
    struct conn *conn = fresh_conn();
    assert_int_equal(conn_write(conn, &call, one.in, 10), 10);
    assert_int_equal(conn_release(conn, &call, REASON_RELEASED), -1);
    assert_int_equal(fake.len, 3);
    assert_int_equal(conn_write(conn, &call, one.in + 10, 5), 5);
    assert_int_equal(fake.len, 15);
    assert_memory_equal(fake.wire, one.in, 15);
}

static void the_program_may_retry_with_fewer_or_more_bytes(void **state)
{
    (void)state;
    const char *in = three.in;
    size_t len = strlen(in);
    for (size_t again = 1; again < 200; again++) {
        struct conn_call call = call_by(&stream_sink);
        fresh_fake();
        fake.planned = 2;
        fake.plan[0] = 20;
        fake.plan[1] = REFUSE;
        struct conn *conn = fresh_conn();
        ssize_t sent = conn_write(conn, &call, in, 150);
        assert_int_equal(sent, -1);
        assert_true(program_writes(conn, &stream_sink, in, again, again));
        assert_true(program_writes(conn, &stream_sink, in + again, len - again, 1000));
        assert_wire(three.out);
        assert_settled();
    }
}

/* stdio: what its buffer held is never shown again. The commit goes out all the same, and nothing of what follows stands
 * for it. */
static void a_commit_goes_out_whole_for_a_program_that_gives_up(void **state)
{
    (void)state;
    const size_t len = strlen(one.in);
    char expected[4096];
    snprintf(expected, sizeof expected, "%s%s", one.out, one.out);
    for (int first = 1; first < (int)strlen(one.out); first++) {
        struct conn_call call = call_by(&stream_sink);
        fresh_fake();
        fake.planned = 2;
        fake.plan[0] = first;
        fake.plan[1] = REFUSE;
        struct conn *conn = fresh_conn();
        assert_int_equal(conn_write(conn, &call, one.in, len), -1);
        conn_gives_up(conn, len);
        assert_true(program_writes(conn, &stream_sink, one.in, len, 20));
        assert_wire(expected);
        assert_settled();
    }
}

/* Where others are lost too, a body's for one, what follows leaves as it was written. */
static void nothing_is_understood_behind_bytes_that_were_given_up(void **state)
{
    (void)state;
    const char head[] = "PUT /p HTTP/1.1\r\nHost: s.atlassian.net\r\nContent-Length: 10\r\n\r\n";
    char expected[4096];
    struct conn_call call = call_by(&stream_sink);
    fresh_fake();
    fake.planned = 2;
    fake.plan[0] = TAKE_ALL;
    fake.plan[1] = REFUSE;
    struct conn *conn = fresh_conn();
    assert_true(program_writes(conn, &stream_sink, head, strlen(head), 1000));
    assert_int_equal(conn_write(conn, &call, "0123456789", 10), -1);
    conn_gives_up(conn, 10);
    assert_true(program_writes(conn, &stream_sink, "abcdefghij", 10, 1000));
    assert_true(program_writes(conn, &stream_sink, one.in, strlen(one.in), 1000));
    snprintf(expected, sizeof expected, "%sabcdefghij%s", head, one.in);
    assert_wire(expected);
    assert_settled();
}

static void decides_once_however_often_it_is_retried(void **state)
{
    (void)state;
    fresh_fake();
    fake.planned = 5;
    for (int i = 0; i < 5; i++)
        fake.plan[i] = REFUSE;
    struct conn *conn = fresh_conn();
    assert_true(program_writes(conn, &stream_sink, one.in, strlen(one.in), 1000));
    assert_int_equal(fake.decided, 1);
}

static ssize_t fake_resume(void *ctx)
{
    struct fake *resumed = ctx;
    const void *buf = resumed->retry;
    resumed->retry = NULL;
    return fake_write(ctx, buf, resumed->retry_len);
}

/* GnuTLS: a refused write is taken up again with no data at all, any number of times. */
static void resumes_a_refused_write_that_shows_no_bytes(void **state)
{
    (void)state;
    const char *in = three.in;
    size_t len = strlen(in);
    for (size_t refusals = 1; refusals < 6; refusals++) {
        struct conn_call call = call_by(&stream_sink);
        fresh_fake();
        fake.insists = true;
        fake.planned = refusals;
        for (size_t i = 0; i < refusals; i++)
            fake.plan[i] = REFUSE;
        struct conn *conn = fresh_conn();
        size_t done = 0;
        ssize_t sent = conn_write(conn, &call, in, len);
        for (int tries = 0; done < len && tries < 100; tries++) {
            if (sent > 0)
                done += (size_t)sent;
            if (done < len)
                sent = sent < 0 ? conn_resume(conn, &call, fake_resume) : conn_write(conn, &call, in + done, len - done);
        }
        assert_int_equal(done, len);
        assert_wire(three.out);
        assert_false(fake.retried_wrongly);
    }
}

static void audit_changes_nothing_and_holds_nothing(void **state)
{
    (void)state;
    config.mode = MODE_AUDIT;
    struct conn_call call = call_by(&stream_sink);
    for (size_t piece = 1; piece < 400; piece += 13) {
        fresh_fake();
        struct conn *conn = fresh_conn();
        size_t len = strlen(three.in);
        for (size_t done = 0; done < len; done += piece) {
            size_t want = piece < len - done ? piece : len - done;
            assert_int_equal(conn_write(conn, &call, three.in + done, want), want);
            assert_int_equal(fake.len, done + want);
            assert_int_equal(conns_holding, 0);
        }
        assert_wire(three.in);
        assert_int_equal(fake.decided, 3);
    }
    config.mode = MODE_REWRITE;
}

static enum reason objecting(void *ctx, const struct decision *decision)
{
    (void)ctx;
    return decision ? REASON_PLAINTEXT : REASON_NONE;
}

static void a_layer_that_objects_has_its_way(void **state)
{
    (void)state;
    const struct sink sink = {.layer = "fake", .write = fake_write, .objects = objecting, .decided = fake_decided};
    fresh_fake();
    struct conn *conn = fresh_conn();
    assert_true(program_writes(conn, &sink, three.in, strlen(three.in), 50));
    assert_wire(three.in);
}

static enum reason refusing_to_hold(void *ctx, const struct decision *decision)
{
    (void)ctx;
    return decision ? REASON_NONE : REASON_DESCRIPTOR_CHANGED;
}

static void nothing_is_held_where_the_layer_forbids_it(void **state)
{
    (void)state;
    const struct sink sink = {.layer = "fake", .write = fake_write, .objects = refusing_to_hold};
    struct conn_call call = call_by(&sink);
    /* At once, or behind a beginning that was not to be held. */
    for (size_t first = 0; first < 4; first += 3) {
        fresh_fake();
        struct conn *conn = fresh_conn();
        if (first)
            assert_int_equal(conn_write(conn, &call, one.in, first), first);
        assert_int_equal(conn_write(conn, &call, one.in + first, 10 - first), 10 - first);
        assert_int_equal(fake.len, 10);
        assert_int_equal(conn->stream.opaque_reason, REASON_DESCRIPTOR_CHANGED);
        const size_t rest = strlen(one.in) - 10;
        assert_int_equal(conn_write(conn, &call, one.in + 10, rest), rest);
        assert_wire(one.in);
        assert_settled();
    }
}

static void a_large_body_is_written_from_the_programs_own_memory(void **state)
{
    (void)state;
    static char body[300000];
    char head[128];
    struct conn_call call = call_by(&stream_sink);
    memset(body, 'b', sizeof body);
    fresh_fake();
    struct conn *conn = fresh_conn();
    int len = snprintf(head, sizeof head, "POST /x HTTP/1.1\r\nHost: s.atlassian.net\r\nContent-Length: %zu\r\n\r\n",
                       sizeof body);
    assert_int_equal(conn_write(conn, &call, head, (size_t)len), len);
    fake.planned = 2;
    fake.plan[1] = REFUSE; /* the head was call 0 */
    fake.insists = true;
    allocations = 0;
    assert_int_equal(conn_write(conn, &call, body, sizeof body), -1);
    assert_ptr_equal(fake.retry, body);
    assert_int_equal(conn_write(conn, &call, body, sizeof body), sizeof body);
    assert_int_equal(allocations, 0);
    assert_int_equal(conn->stream.state, STREAM_START);
}

static void the_same_thread_on_a_deeper_stack_is_nested(void **state)
{
    (void)state;
    struct conn *conn = fresh_conn();
    assert_int_equal(conn_enter(conn), GUARD_ENTERED);
    /* as seen from a call the entered one makes */
    conn->guard.frame = (const char *)__builtin_frame_address(0) + 4096;
    assert_int_equal(conn_enter(conn), GUARD_NESTED);
    /* and after longjmp left it, from a stack that is shallower */
    conn->guard.frame = (const char *)__builtin_frame_address(0) - 65536;
    assert_int_equal(conn_enter(conn), GUARD_ENTERED);
    conn_leave(conn);
}

/* Where stacks are switched, how high they lie says nothing. */
static void the_same_thread_on_another_stack_is_nested(void **state)
{
    (void)state;
    static char other_stack[64];
    struct conn *conn = fresh_conn();
    assert_int_equal(conn_enter(conn), GUARD_ENTERED);
    assert_true((const char *)__builtin_frame_address(0) > other_stack);
    conn->guard.frame = other_stack;
    assert_int_equal(conn_enter(conn), GUARD_NESTED);
    conn_leave(conn);
}

static void a_second_thread_ends_the_framing(void **state)
{
    (void)state;
    struct conn *conn = fresh_conn();
    conn->guard.owner = 1; /* some other thread */
    assert_int_equal(conn_enter(conn), GUARD_CONCURRENT);
    conn_leave(conn);
    assert_int_equal(conn->stream.state, STREAM_OPAQUE);
    assert_int_equal(conn->stream.opaque_reason, REASON_CONCURRENT);
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
        cmocka_unit_test(rewrites_whatever_the_piece_size),
        cmocka_unit_test(survives_every_short_write_length),
        cmocka_unit_test(survives_a_refusal_of_each_call),
        cmocka_unit_test(survives_a_signal_in_each_call),
        cmocka_unit_test(survives_short_writes_and_refusals_in_turn),
        cmocka_unit_test(repeats_the_same_bytes_to_a_library_that_insists),
        cmocka_unit_test(breaks_off_behind_a_prefix_of_what_should_have_left),
        cmocka_unit_test(loses_nothing_when_any_one_allocation_fails),
        cmocka_unit_test(loses_nothing_when_memory_runs_out_for_good),
        cmocka_unit_test(releases_what_is_held_unchanged_at_every_position),
        cmocka_unit_test(holds_nothing_of_a_request_line_before_its_query),
        cmocka_unit_test(the_start_of_a_request_goes_out_in_the_same_write),
        cmocka_unit_test(what_was_refused_before_the_query_goes_first),
        cmocka_unit_test(a_release_that_is_refused_goes_on_with_the_next_write),
        cmocka_unit_test(the_program_may_retry_with_fewer_or_more_bytes),
        cmocka_unit_test(a_commit_goes_out_whole_for_a_program_that_gives_up),
        cmocka_unit_test(nothing_is_understood_behind_bytes_that_were_given_up),
        cmocka_unit_test(decides_once_however_often_it_is_retried),
        cmocka_unit_test(resumes_a_refused_write_that_shows_no_bytes),
        cmocka_unit_test(audit_changes_nothing_and_holds_nothing),
        cmocka_unit_test(a_layer_that_objects_has_its_way),
        cmocka_unit_test(nothing_is_held_where_the_layer_forbids_it),
        cmocka_unit_test(a_large_body_is_written_from_the_programs_own_memory),
        cmocka_unit_test(the_same_thread_on_a_deeper_stack_is_nested),
        cmocka_unit_test(the_same_thread_on_another_stack_is_nested),
        cmocka_unit_test(a_second_thread_ends_the_framing),
    };
    return cmocka_run_group_tests_name("the connection layer", tests, set_up, NULL);
}
