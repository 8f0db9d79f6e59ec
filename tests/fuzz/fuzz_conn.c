/* What a program may write on one connection, through the core and the connection layer, with promises that hold for any
 * bytes at all: the same leaves however the writes are cut, however the wire misbehaves and on either kind of processor; in audit mode exactly what was
 * written leaves; what left once needs no change again. The golden inputs are the seed corpus. */
#include "../../shim/config.h"
#include "../../shim/conn/conn.h"
#include "../../shim/http/wide.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config config;

struct wire {
    char *at;
    size_t len, size;
    uint32_t dice; /* 0: takes everything */
};

/* xorshift: the splits and refusals follow from the input alone. */
static uint32_t roll(uint32_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 17;
    *dice ^= *dice << 5;
    return *dice;
}

static ssize_t to_wire(void *ctx, const void *buf, size_t len)
{
    struct wire *wire = ctx;
    if (wire->dice) {
        uint32_t side = roll(&wire->dice) % 8;
        if (side == 0) {
            errno = EAGAIN;
            return -1;
        }
        if (side < 4)
            len = 1 + roll(&wire->dice) % len;
    }
    if (wire->len + len > wire->size) {
        wire->size = 2 * (wire->len + len);
        wire->at = realloc(wire->at, wire->size);
        if (!wire->at)
            abort();
    }
    memcpy(wire->at + wire->len, buf, len);
    wire->len += len;
    return (ssize_t)len;
}

static const struct sink sink = {.layer = "fuzz", .write = to_wire};

static struct wire feed(const char *in, size_t len, uint32_t cuts, uint32_t trouble, bool audit)
{
    struct wire wire = {.dice = trouble};
    struct conn conn;
    memset(&conn, 0, sizeof conn);
    struct conn_call call = {.sink = &sink, .ctx = &wire, .policy = &config.policy, .audit = audit};
    for (size_t done = 0; done < len;) {
        size_t want = len - done;
        if (cuts)
            want = 1 + roll(&cuts) % (roll(&cuts) % 3 ? 8 : want);
        if (want > len - done)
            want = len - done;
        ssize_t sent = conn_write(&conn, &call, in + done, want);
        if (sent > (ssize_t)want || (sent < 0 && errno != EAGAIN))
            abort();
        if (sent > 0)
            done += (size_t)sent;
    }
    wire.dice = 0;
    if (conn_flush(&conn, &call) <= 0 || conn_release(&conn, &call, REASON_RELEASED) <= 0)
        abort();
    conn_reset(&conn);
    if (conns_holding)
        abort();
    return wire;
}

static void expect(const struct wire *wire, const char *at, size_t len, const char *promise)
{
    if (wire->len == len && (len == 0 || memcmp(wire->at, at, len) == 0))
        return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready)
        config_defaults(&config);
    ready = true;
    if (size == 0)
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

    struct wire whole = feed(in, size, 0, 0, false);
#ifdef WIDE
    wide_answer = -1;
    struct wire narrow = feed(in, size, 0, 0, false);
    wide_answer = 0;
    expect(&narrow, whole.at, whole.len, "the same leaves on a processor that looks at one byte at a time");
    free(narrow.at);
#endif
    struct wire cut = feed(in, size, seed, 0, false);
    expect(&cut, whole.at, whole.len, "the same leaves however the writes are cut");
    struct wire troubled = feed(in, size, seed * 3 | 1, seed, false);
    expect(&troubled, whole.at, whole.len, "the same leaves however the wire misbehaves");
    struct wire audited = feed(in, size, seed, seed, true);
    expect(&audited, in, size, "in audit mode exactly what was written leaves");
    struct wire again = feed(whole.at, whole.len, 0, 0, false);
    expect(&again, whole.at, whole.len, "what left once needs no change again");

    free(whole.at);
    free(cut.at);
    free(troubled.at);
    free(audited.at);
    free(again.at);
    free(in);
    return 0;
}
