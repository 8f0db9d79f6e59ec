/* One live connection: hold, commit, retry, and give the program its own length.
 * Knows bytes and a sink; nothing of sockets or TLS libraries, which say in a `struct sink` how they write for real. */
#ifndef JWTSHIM_CONN_CONN_H
#define JWTSHIM_CONN_CONN_H

#include "../http/stream.h"
#include "guard.h"

/* How a layer writes for real. */
struct sink {
    const char *layer; /* its name in events */

    /* Writes up to `len` bytes. Positive: that many were taken. Otherwise the library's own answer ("would block", an
     * error), which the program gets as it is, with errno and whatever else the library left behind. */
    ssize_t (*write)(void *ctx, const void *buf, size_t len);

    /* Whether this layer objects to a rewrite that http/ decided on, or, with a NULL decision, to holding bytes back;
     * REASON_NONE if not. Asked before anything but the program's own bytes can leave. May be NULL. */
    enum reason (*objects)(void *ctx, const struct decision *decision);

    /* Told of each decision worth an event. May be NULL. */
    void (*decided)(void *ctx, const struct decision *decision);

    /* True: a write takes all or nothing (SSL_write without partial mode), so the program must not see a short count. */
    bool whole_writes;
};

/* What conn_write() works by, for one call. */
struct conn_call {
    const struct sink *sink;
    void *ctx;
    const struct policy *policy;
    bool audit; /* look, report, change nothing and hold nothing */
};

struct buffer {
    char *at;
    size_t len, size;
};

struct conn {
    struct stream stream;
    struct buffer held; /* bytes the program was told were written, still in question (in audit mode: a copy) */
    struct buffer out;  /* a commit under way: bytes that go out before anything else */
    size_t shown;       /* how many of the held bytes are on the wire already: a request line's, before its query */
    size_t out_sent;
    size_t ahead; /* of the bytes the program shows next, how many went into a commit already */
    size_t due;   /* and how many of those behind were found to need no change, but were refused by a short write */
    bool holding; /* counted in conns_holding: of `held`, what is behind `shown` is on nobody's wire yet */

    /* The last write that was passed through and refused, for libraries that go on with it unseen. */
    struct stream refused_after;
    size_t refused_len;
    bool refused_ahead; /* it was of a request line, before its query: the library may have kept it, and gets it again first */
    bool refused_told; /* its decision was told then, and is not when it is shown again */

    /* For bytes that must be released when the library is not there to ask: how this layer does that, and by what. `release`,
     * `identity` and `writer` are asked from outside too. */
    void (*release)(struct conn *conn, const void *handle, enum reason reason);
    void *library_write;
    const void *way;      /* what the bytes came by, where that is more than the handle; never looked into */
    uint64_t identity;    /* of the socket that held bytes are for, where the layer knows one */
    unsigned long writer; /* guard_self() of the thread that wrote last */
    bool private_way; /* it leads by functions of the program's own, whose data may be gone: theirs to call, not ours */
    bool provisional; /* all bytes so far may be refused and shown again from their start (TLS early data) */

    struct guard guard;
    _Atomic bool disturbed; /* another thread wrote while somebody was inside */
};

/* How many connections hold bytes, in the whole process: 0 makes every release a single load. */
extern _Atomic(unsigned) conns_holding;

/* Two threads at once in one connection end its framing: nothing would say in which order their bytes leave. Both here, and
 * inlined, since every write of a tracked connection passes them. */
static inline enum guard_entry conn_enter(struct conn *conn)
{
    enum guard_entry entry = guard_enter(&conn->guard);
    if (__builtin_expect(entry == GUARD_CONCURRENT, 0))
        atomic_store_explicit(&conn->disturbed, true, memory_order_relaxed);
    return entry;
}

static inline void conn_leave(struct conn *conn)
{
    if (__builtin_expect(atomic_load_explicit(&conn->disturbed, memory_order_relaxed), 0)) {
        atomic_store_explicit(&conn->disturbed, false, memory_order_relaxed);
        if (!conn->holding && conn->out.len == 0)
            stream_end(&conn->stream, REASON_CONCURRENT);
    }
    guard_leave(&conn->guard);
}

/* Whether bytes that the program was told were written are not out yet. May be asked from outside: the answer is a hint. */
static inline bool conn_owes_bytes(const struct conn *conn)
{
    return __atomic_load_n(&conn->holding, __ATOMIC_ACQUIRE) || __atomic_load_n(&conn->out.len, __ATOMIC_ACQUIRE);
}

/* True if nothing that is written to it can need a look any more. */
bool conn_is_spent(const struct conn *conn);

/* True if what comes next on the wire is the start of a request. Asked from outside too: the answer is a hint then. */
static inline bool conn_is_between_requests(const struct conn *conn)
{
    return __atomic_load_n(&conn->stream.state, __ATOMIC_RELAXED) == STREAM_START &&
           (__atomic_load_n(&conn->held.len, __ATOMIC_RELAXED) | __atomic_load_n(&conn->out.len, __ATOMIC_RELAXED) |
            __atomic_load_n(&conn->ahead, __ATOMIC_RELAXED) | __atomic_load_n(&conn->due, __ATOMIC_RELAXED)) == 0;
}

/* In the child of a fork: nobody is inside but the thread that forked, and what could not be released before is the
 * parent's to send. `may_free`: libc has put its allocator right; else another thread may have had it in hand. */
void conn_after_fork(struct conn *conn, bool may_free);

/* Writes `len` bytes of the program's at `buf`. Returns what the program is to be told: how many it may take as written,
 * or the sink's own answer (zero or negative). Between entering and leaving. */
ssize_t conn_write(struct conn *conn, const struct conn_call *call, const void *buf, size_t len);

/* Whether the whole of `in` may go to the real write as it is, for it changes nothing that is known of the connection: a
 * quick look that says no wherever it is not sure. What the real write then answered is for conn_stayed(). */
bool conn_stays_over(const struct conn *conn, struct span in);
void conn_stayed(struct conn *conn, size_t len, ssize_t sent);

/* Sends what is held, unchanged, since something needs it on the wire now; the connection is opaque from here, for
 * `reason`. A commit under way stays: its bytes were not taken from the program yet. Returns a positive number when
 * nothing is held any more, else the sink's answer. */
ssize_t conn_release(struct conn *conn, const struct conn_call *call, enum reason reason);

/* Goes on with a commit. Positive when nothing of one is left, else the sink's answer. */
ssize_t conn_flush(struct conn *conn, const struct conn_call *call);

/* The program will not show the `len` bytes of its last, refused write again. What of them stands in a commit goes out
 * before anything else as ever; if others are lost, nothing behind them is understood. */
void conn_gives_up(struct conn *conn, size_t len);

/* For a library whose refused write is taken up again without showing the bytes: `resume` does that for real. Returns
 * what the program is to be told, as conn_write() does. */
ssize_t conn_resume(struct conn *conn, const struct conn_call *call, ssize_t (*resume)(void *ctx));

/* True if the next `len` bytes are body without a doubt, and nothing stands before them. */
static inline bool conn_is_in_body(const struct conn *conn, uint64_t len)
{
    return conn->out.len == 0 && conn->held.len == 0 && conn->ahead == 0 && stream_body_left(&conn->stream) >= len;
}

/* Tells the stream that `len` bytes of the program's went by unseen: fine in a body, else the stream is opaque. */
void conn_skip(struct conn *conn, uint64_t len);

/* Forgets everything, wipes and frees the buffers; the struct itself is the caller's. */
void conn_reset(struct conn *conn);

#endif
