/* What a program writes on one connection, through the connection layer and onto a wire that misbehaves: cut anywhere,
 * taken in part, refused, broken off, forked in the middle. What leaves is held against the model each time. */
#include "../../shim/config.h"
#include "../../shim/conn/conn.h"
#include "../../shim/http/wide.h"
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config config;

struct wire {
    char at[2 * MODEL_MAX + 1024];
    size_t len;
    uint32_t dice; /* 0: takes everything */
    bool whole;    /* takes all or nothing, as SSL_write does */
    size_t room;   /* then it is broken */
    bool broken;
};

/* xorshift: the splits and refusals follow from the input alone. */
static uint32_t roll(uint32_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 17;
    *dice ^= *dice << 5;
    return *dice;
}

static void broken(const char *promise)
{
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

static ssize_t to_wire(void *ctx, const void *buf, size_t len)
{
    struct wire *wire = ctx;
    if (wire->broken || wire->len >= wire->room) {
        wire->broken = true;
        errno = EPIPE;
        return -1;
    }
    if (wire->dice) {
        uint32_t side = roll(&wire->dice) % 8;
        if (side == 0) {
            errno = EAGAIN;
            return -1;
        }
        if (side < 4 && !wire->whole)
            len = 1 + roll(&wire->dice) % len;
    }
    if (wire->len + len > sizeof wire->at)
        broken("no more leaves than what was written, and a line for each token");
    memcpy(wire->at + wire->len, buf, len);
    wire->len += len;
    return (ssize_t)len;
}

static const struct sink in_part = {.layer = "fuzz", .write = to_wire};
static const struct sink in_whole = {.layer = "fuzz", .write = to_wire, .whole_writes = true};

/* A program that writes. */
struct program {
    const char *in;
    size_t len, done;
    size_t shown; /* how far the library has seen, refused bytes included */
    struct conn conn;
    struct conn_call call;
    struct wire *wire;
    bool given_up; /* what was held was released: all behind `given_up_at` leaves as it is */
    size_t given_up_at;
};

static void begin(struct program *program, const char *in, size_t len, struct wire *wire, bool audit)
{
    *program = (struct program){.in = in, .len = len, .wire = wire};
    program->call = (struct conn_call){
        .sink = wire->whole ? &in_whole : &in_part, .ctx = wire, .policy = &config.policy, .audit = audit};
    wire->len = 0;
    wire->broken = false;
}

/* One write of up to `want` bytes, shown again until something of it is taken or the wire breaks. A library that takes all
 * or nothing is shown the very same again; elsewhere it may be more, or less. */
static void write_some(struct program *program, size_t want, uint32_t *cuts)
{
    for (;;) {
        size_t left = program->len - program->done;
        if (want > left)
            want = left;
        if (program->shown < program->done + want)
            program->shown = program->done + want;
        ssize_t sent = conn_write(&program->conn, &program->call, program->in + program->done, want);
        if (sent > (ssize_t)want)
            broken("a program is never told of more than it wrote");
        if (sent > 0 && program->wire->whole && sent != (ssize_t)want)
            broken("a library that takes all or nothing is never seen to take a part");
        if (sent > 0) {
            program->done += (size_t)sent;
            return;
        }
        if (program->wire->broken)
            return;
        if (sent == 0 || errno != EAGAIN)
            broken("what a program is told of a refusal is the library's own answer");
        if (!program->wire->whole && *cuts && roll(cuts) % 4 == 0)
            want = 1 + roll(cuts) % left;
    }
}

static void write_all(struct program *program, uint32_t cuts)
{
    while (program->done < program->len && !program->wire->broken) {
        size_t left = program->len - program->done;
        size_t want = cuts ? 1 + roll(&cuts) % (roll(&cuts) % 3 ? 8 : left) : left;
        write_some(program, want, &cuts);
    }
}

static void end(struct program *program)
{
    program->wire->dice = 0;
    if (!program->wire->broken &&
        (conn_flush(&program->conn, &program->call) <= 0 ||
         conn_release(&program->conn, &program->call, REASON_RELEASED) <= 0) &&
        !program->wire->broken)
        broken("a wire that takes everything gets what is held");
    conn_reset(&program->conn);
    if (conns_holding)
        broken("no connection is counted as holding behind its end");
}

static void expect(const struct wire *wire, const char *at, size_t len, const char *promise)
{
    if (wire->len != len || memcmp(wire->at, at, len) != 0)
        broken(promise);
}

/* --- forks ------------------------------------------------------------------------------------------------------------------- */

static struct buffer copy_of(struct buffer buffer)
{
    struct buffer copy = buffer;
    if (!buffer.at)
        return copy;
    copy.at = malloc(buffer.size);
    if (!copy.at)
        abort();
    memcpy(copy.at, buffer.at, buffer.len);
    return copy;
}

/* The child's side: it has copies of all, and writes the rest to a wire of its own. */
static void child(const struct program *parent, const struct model *model)
{
    static struct wire wire;
    wire = (struct wire){.dice = 0, .whole = parent->wire->whole, .room = SIZE_MAX};
    struct program program = *parent;
    const unsigned counted = conns_holding;
    const bool owes = parent->conn.holding || parent->conn.out.len;
    program.conn.held = copy_of(parent->conn.held);
    program.conn.out = copy_of(parent->conn.out);
    program.wire = program.call.ctx = &wire;
    conn_after_fork(&program.conn, true);
    uint32_t cuts = (uint32_t)(parent->done * 2654435761u) | 1;
    write_all(&program, cuts);
    if (conn_flush(&program.conn, &program.call) <= 0 || conn_release(&program.conn, &program.call, REASON_RELEASED) <= 0)
        broken("a child's wire that takes everything gets what is held");
    conn_reset(&program.conn);
    conns_holding = counted;
    if (owes || parent->given_up)
        expect(&wire, parent->in + parent->done, parent->len - parent->done,
               "a child forgets what is its parent's to send, and changes nothing from there");
    else
        expect(&wire, model->out + parent->wire->len, model->len - parent->wire->len,
               "a child goes on where its parent was");
}

/* As at a fork: what is held is released first, unless nobody sees the fork come. */
static void fork_here(struct program *program, const struct model *model, bool seen)
{
    struct conn *conn = &program->conn;
    if (seen && conn->holding) {
        if (!program->given_up)
            program->given_up_at = program->done;
        program->given_up = true;
        conn_release(conn, &program->call, REASON_RELEASED);
    }
    if (!program->wire->broken)
        child(program, model);
}

static void expect_holding(const struct program *program, enum model_conflict conflict)
{
    static struct model model;
    const struct conn *conn = &program->conn;
    if (program->given_up || conn->out.len || conn->ahead || conn->due || program->shown != program->done)
        return;
    model_run(&model, program->in, program->done, conflict);
    const size_t open = program->done - model.held_from;
    if (conn->held.len != open)
        broken("what is still in question is known");
    /* Of a request line all is on the wire that came before its query did. */
    const bool goes_ahead = open && conn->stream.state == STREAM_START && !memchr(conn->held.at, '?', open);
    if (open && conn->holding == goes_ahead)
        broken("no byte more is held back than must be, and none less");
    if (!open && conn->holding)
        broken("nothing is held where nothing is in question");
}

static void with_forks(const char *in, size_t len, struct wire *wire, const struct model *model, uint32_t dice)
{
    static struct model part;
    static struct program program;
    const enum model_conflict conflict = (enum model_conflict)config.policy.on_conflict;
    uint32_t forks = 0;
    begin(&program, in, len, wire, false);
    while (program.done < len) {
        write_some(&program, 1 + roll(&dice) % (roll(&dice) % 2 ? 16 : len - program.done), &dice);
        expect_holding(&program, conflict);
        if (forks < 3 && roll(&dice) % 4 == 0) {
            fork_here(&program, model, roll(&dice) % 4 != 0);
            forks++;
        }
    }
    end(&program);
    if (!program.given_up) {
        expect(wire, model->out, model->len, "forks change nothing of what the parent sends, where nothing was held");
        return;
    }
    model_run(&part, in, program.given_up_at, conflict);
    if (wire->len < part.len || memcmp(wire->at, part.out, part.len) != 0 ||
        wire->len - part.len != len - program.given_up_at ||
        memcmp(wire->at + part.len, in + program.given_up_at, len - program.given_up_at) != 0)
        broken("what is held leaves unchanged before a fork, and so does all behind it");
}

/* --- all of it --------------------------------------------------------------------------------------------------------------- */

static void feed(const char *in, size_t len, struct wire *wire, uint32_t cuts, bool audit)
{
    static struct program program;
    begin(&program, in, len, wire, audit);
    write_all(&program, cuts);
    end(&program);
}

static void all_of_it(const char *in, size_t size, uint32_t seed)
{
    static struct model model;
    static struct wire wire;
    model_run(&model, in, size, (enum model_conflict)config.policy.on_conflict);

    wire = (struct wire){.room = SIZE_MAX};
    feed(in, size, &wire, 0, false);
    expect(&wire, model.out, model.len, "the same leaves as by the model");
    wire.room = SIZE_MAX;
    feed(in, size, &wire, seed, false);
    expect(&wire, model.out, model.len, "the same leaves however the writes are cut");
    wire = (struct wire){.room = SIZE_MAX, .dice = seed, .whole = seed >> 5 & 1};
    feed(in, size, &wire, seed * 3 | 1, false);
    expect(&wire, model.out, model.len, "the same leaves however the wire misbehaves");
    wire = (struct wire){.room = SIZE_MAX, .dice = seed, .whole = seed >> 5 & 1};
    feed(in, size, &wire, seed, true);
    expect(&wire, in, size, "in audit mode exactly what was written leaves");
    wire = (struct wire){.room = SIZE_MAX, .dice = seed * 7 | 1, .whole = seed >> 6 & 1};
    with_forks(in, size, &wire, &model, seed * 5 | 1);
    wire = (struct wire){.room = seed % (model.len + 1), .dice = seed, .whole = seed >> 7 & 1};
    feed(in, size, &wire, seed * 11 | 1, false);
    expect(&wire, model.out, wire.len, "a wire that breaks has had a beginning of what should leave");
    wire = (struct wire){.room = SIZE_MAX};
    if (model.len <= MODEL_MAX) {
        static char again[MODEL_MAX];
        memcpy(again, model.out, model.len);
        feed(again, model.len, &wire, 0, false);
        expect(&wire, again, model.len, "what left once needs no change again");
    }
}

#ifdef WIDE
static signed char wide_here;
#endif

/* The processor is asked once: that costs more than all the rest. */
static void get_ready(void)
{
    config_defaults(&config);
#ifdef WIDE
    wide_here = wide_is_there() ? 1 : -1;
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready)
        get_ready();
    ready = true;
    if (size == 0 || size > MODEL_MAX)
        return 0;

    /* A copy of the very size, so that a read behind its end is seen. */
    char *in = malloc(size);
    if (!in)
        return 0;
    memcpy(in, data, size);
    uint32_t seed = 2166136261u;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * 16777619u;
    seed |= 1;
    config.policy.on_conflict = (enum on_conflict)(seed >> 8 & 1 ? 0 : (seed >> 9) % 3);
#ifdef WIDE
    wide_answer = seed >> 12 & 1 ? -1 : wide_here;
#endif
    all_of_it(in, size, seed);
    free(in);
    return 0;
}
