#include "conn.h"

#include "../early.h"
#include "../http/quick.h"

#include <errno.h>
#include <stdlib.h>

/* Behind a rewritten head, this much of the same write goes out in the same real write, so that a request that was one
 * segment, or one TLS record, stays one. */
enum { TAIL_MAX = 16 * 1024 };

EARLY _Atomic(unsigned) conns_holding;

/* Out of the connection first: a handler that jumps out of here leaves nothing that is freed twice. */
static void buffer_free(struct buffer *buffer)
{
    const struct buffer old = *buffer;
    *buffer = (struct buffer){.at = NULL};
    if (old.at) {
        explicit_bzero(old.at, old.len);
        free(old.at);
    }
}

/* Room for `more` bytes behind those in `buffer`. A new block and a wiped old one: realloc would leave a token behind. */
static bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->size - buffer->len >= more)
        return true;
    size_t size = buffer->len + more;
    size += size / 2 + 256;
    char *at = malloc(size);
    if (!at)
        return false;
    if (buffer->len)
        memcpy(at, buffer->at, buffer->len);
    struct buffer old = *buffer;
    *buffer = (struct buffer){at, old.len, size};
    buffer_free(&old);
    return true;
}

static void buffer_append(struct buffer *buffer, const char *from, size_t len)
{
    if (len && from && buffer->at)
        memcpy(buffer->at + buffer->len, from, len);
    buffer->len += len;
}

static void set_holding(struct conn *conn, bool holding)
{
    if (conn->holding == holding)
        return;
    __atomic_store_n(&conn->holding, holding, __ATOMIC_RELEASE);
    atomic_fetch_add_explicit(&conns_holding, holding ? 1u : -1u, memory_order_relaxed);
}

static bool held_append(struct conn *conn, const char *from, size_t len)
{
    if (!buffer_reserve(&conn->held, len))
        return false;
    buffer_append(&conn->held, from, len);
    return true;
}

/* Its length is read from outside: conn_owes_bytes(). */
static void set_out(struct conn *conn, struct buffer out)
{
    conn->out.at = out.at;
    conn->out.size = out.size;
    __atomic_store_n(&conn->out.len, out.len, __ATOMIC_RELEASE);
}

static void end_out(struct conn *conn)
{
    struct buffer out = conn->out;
    set_out(conn, (struct buffer){.at = NULL});
    buffer_free(&out);
}

void conn_reset(struct conn *conn)
{
    set_holding(conn, false);
    buffer_free(&conn->held);
    end_out(conn);
    conn->shown = conn->out_sent = conn->ahead = conn->due = conn->refused_len = 0;
    conn->refused_ahead = conn->refused_told = false;
    stream_reset(&conn->stream);
    atomic_store_explicit(&conn->disturbed, false, memory_order_relaxed);
}

bool conn_is_spent(const struct conn *conn)
{
    return conn->stream.state == STREAM_OPAQUE && !conn->holding && conn->out.len == 0 && conn->ahead == 0 &&
           conn->due == 0;
}

/* Wiped, and left to nobody. */
static void buffer_leave(struct buffer *buffer)
{
    const struct buffer old = *buffer;
    *buffer = (struct buffer){.at = NULL};
    if (old.at)
        explicit_bzero(old.at, old.len);
}

void conn_after_fork(struct conn *conn, bool may_free)
{
    const bool loses = conn_owes_bytes(conn) || (!may_free && conn->held.len);
    if (guard_orphaned(&conn->guard))
        stream_end(&conn->stream, REASON_CONCURRENT);
    if (!may_free) {
        buffer_leave(&conn->held);
        buffer_leave(&conn->out);
    }
    if (loses) {
        conn_reset(conn);
        stream_end(&conn->stream, REASON_RELEASED);
    }
}

void conn_skip(struct conn *conn, uint64_t len)
{
    uint64_t due = conn->due < len ? conn->due : len;
    conn->due -= (size_t)due;
    len -= due;
    if (len <= stream_body_left(&conn->stream))
        stream_skip_body(&conn->stream, len);
    else
        stream_end(&conn->stream, REASON_UNSEEN_BYTES);
}

/* How one part of a write went. */
struct progress {
    size_t taken;     /* of the program's bytes */
    ssize_t answer;   /* the sink's, where it refused */
    bool short_write; /* it took less than it was shown: the program shall know */
};

/* Goes on with the commit. True when all of it is out; else the sink refused. */
static bool flush(struct conn *conn, const struct conn_call *call, struct progress *progress)
{
    while (conn->out_sent < conn->out.len) {
        ssize_t sent = call->sink->write(call->ctx, conn->out.at + conn->out_sent, conn->out.len - conn->out_sent);
        if (sent <= 0) {
            progress->answer = sent;
            return false;
        }
        conn->out_sent += (size_t)sent;
    }
    int saved = errno;
    end_out(conn);
    conn->out_sent = 0;
    errno = saved;
    return true;
}

static void commit(struct conn *conn, struct buffer out, size_t ahead)
{
    conn->out_sent = 0;
    conn->ahead = ahead;
    set_out(conn, out);
}

/* The beginning of a commit that is on the wire already, and the same in it as it was. */
static void drop_shown(struct conn *conn, struct buffer *out)
{
    if (conn->shown) {
        out->len -= conn->shown;
        memmove(out->at, out->at + conn->shown, out->len);
        explicit_bzero(out->at + out->len, conn->shown);
    }
    conn->shown = 0;
}

/* What is held goes out as it is, and nothing behind it is understood any more. Needs no memory. */
static void commit_held(struct conn *conn, size_t ahead, enum reason reason)
{
    stream_end(&conn->stream, reason);
    drop_shown(conn, &conn->held);
    commit(conn, conn->held, ahead);
    conn->held = (struct buffer){.at = NULL};
    set_holding(conn, false);
}

ssize_t conn_flush(struct conn *conn, const struct conn_call *call)
{
    struct progress progress;
    return flush(conn, call, &progress) ? 1 : progress.answer;
}

ssize_t conn_release(struct conn *conn, const struct conn_call *call, enum reason reason)
{
    if (!conn->holding)
        return 1;
    commit_held(conn, 0, reason);
    return conn_flush(conn, call);
}

static bool worth_telling(const struct stream_step *step)
{
    return step->decided && (step->decision.candidate || step->decision.referer);
}

static void tell(const struct conn_call *call, const struct stream_step *step)
{
    if (call->sink->decided && worth_telling(step))
        call->sink->decided(call->ctx, &step->decision);
}

/* The next step, with the layer's objection turned into a pass. */
static void next_step(struct stream *stream, const struct conn_call *call, const char *at, size_t len,
                      struct stream_step *step)
{
    stream_next(stream, call->policy, span_of(at, len), step);
    if (step->verdict != STREAM_REWRITE || !call->sink->objects)
        return;
    enum reason reason = call->sink->objects(call->ctx, &step->decision);
    if (reason == REASON_NONE)
        return;
    step->decision.reason = reason;
    step->verdict = STREAM_PASS;
}

/* Puts what becomes of `in` into `out`, from its start to at least `must` bytes, and on to a head that has to wait or to
 * TAIL_MAX of bytes that only pass. The first `passed` bytes and then `step` are decided already; `stream` is behind
 * them. Returns how many bytes of `in` that is; 0 without memory. */
static size_t assemble(struct stream *stream, const struct conn_call *call, struct span in, size_t must, size_t passed,
                       struct stream_step *step, struct buffer *out)
{
    size_t done = passed;
    size_t tail = 0;
    for (bool first = true;; first = false) {
        bool rewrite = step->verdict == STREAM_REWRITE;
        size_t before = first ? passed : 0;
        if (!buffer_reserve(out, before + (rewrite ? decision_bound(&step->decision, step->len) : step->len)))
            return 0;
        buffer_append(out, in.at, before);
        if (rewrite)
            out->len += decision_apply(&step->decision, in.at + done, step->len, out->at + out->len);
        else
            buffer_append(out, in.at + done, step->len);
        tell(call, step);
        done += step->len;
        tail = rewrite ? 0 : tail + step->len;
        if (done == in.len || (done >= must && tail >= TAIL_MAX))
            return done;
        size_t len = in.len - done;
        if (stream_body_left(stream) && len > TAIL_MAX)
            len = TAIL_MAX;
        next_step(stream, call, in.at + done, len, step);
        if (step->verdict == STREAM_HOLD)
            return done;
    }
}

/* Sends the commit, which stands for `ahead` of the program's bytes. */
static bool send_commit(struct conn *conn, const struct conn_call *call, struct progress *progress)
{
    if (!flush(conn, call, progress))
        return false;
    progress->taken = conn->ahead;
    conn->ahead = 0;
    return true;
}

/* `sent` of `len` bytes that need no change are out; `after` is the stream behind all of them. */
static void went_through(struct conn *conn, size_t len, size_t sent, const struct stream *after)
{
    conn->stream = *after;
    conn->due = len - sent;
}

/* The program's own buffer goes to the real write. */
static bool write_through(struct conn *conn, const struct conn_call *call, const char *buf, size_t len,
                          const struct stream *after, struct progress *progress)
{
    ssize_t sent = call->sink->write(call->ctx, buf, len);
    if (sent <= 0) {
        conn->refused_after = *after;
        conn->refused_len = len;
        progress->answer = sent;
        return false;
    }
    went_through(conn, len, (size_t)sent, after);
    progress->taken = (size_t)sent;
    progress->short_write = (size_t)sent < len;
    return true;
}

/* Bytes of a body, and those that were decided on before a short write refused them. */
static bool write_unseen(struct conn *conn, const struct conn_call *call, const char *buf, size_t len,
                         struct progress *progress)
{
    if (conn->due && conn->due < len)
        len = conn->due;
    ssize_t sent = call->sink->write(call->ctx, buf, len);
    if (sent <= 0) {
        conn->refused_len = 0;
        progress->answer = sent;
        return false;
    }
    conn_skip(conn, (uint64_t)sent);
    progress->taken = (size_t)sent;
    progress->short_write = (size_t)sent < len;
    return true;
}

/* Whether nothing of an unfinished request line can change: what may is behind its '?'. */
static bool is_before_query(const struct stream *stream, struct span in)
{
    return stream->state == STREAM_START && in.at && !memchr(in.at, '?', in.len);
}

/* `len` bytes, of which all behind the first `passed` are the last that are held, need not wait: they go out at once, and the held
 * ones are kept for what comes behind them. A peer of another protocol may answer to a single byte. */
static bool write_ahead(struct conn *conn, const struct conn_call *call, const char *buf, size_t len, size_t passed,
                        const struct stream *next, struct progress *progress)
{
    const size_t before = conn->held.len - (len - passed);
    ssize_t sent = call->sink->write(call->ctx, buf, len);
    conn->held.len = conn->shown = before + (sent > (ssize_t)passed ? (size_t)sent - passed : 0);
    if (sent <= 0) {
        conn->refused_after = conn->stream;
        stream_end(&conn->refused_after, REASON_UNSEEN_BYTES);
        conn->refused_len = len;
        conn->refused_ahead = true;
        progress->answer = sent;
        return false;
    }
    conn->stream = *next;
    conn->due = (size_t)sent < passed ? passed - (size_t)sent : 0;
    progress->taken = (size_t)sent;
    progress->short_write = (size_t)sent < len;
    return true;
}

/* The same behind a commit: what is left of the write goes out with it. Returns what is to be kept of it. */
static struct buffer add_ahead(const struct stream *next, const struct stream_step *step, struct span rest,
                               struct buffer *out)
{
    struct buffer kept = {.at = NULL};
    if (step->verdict == STREAM_HOLD && is_before_query(next, rest) && buffer_reserve(out, rest.len) &&
        buffer_reserve(&kept, rest.len)) {
        buffer_append(out, rest.at, rest.len);
        buffer_append(&kept, rest.at, rest.len);
    }
    return kept;
}

/* How many of `len` bytes that the program shows now are looked at together. */
static size_t shown_again(struct conn *conn, size_t len)
{
    const bool again = conn->refused_ahead && conn->refused_len < len;
    conn->refused_ahead = false;
    return again ? conn->refused_len : len;
}

/* Nothing is held: passes on all that needs no change, or commits a rewrite, or holds. */
static bool write_fresh(struct conn *conn, const struct conn_call *call, const char *buf, size_t len,
                        struct progress *progress)
{
    struct stream next = conn->stream;
    struct stream_step step;
    enum reason trouble = REASON_NO_MEMORY;
    size_t passed = 0;
    len = shown_again(conn, len);
    do {
        next_step(&next, call, buf + passed, len - passed, &step);
        if (step.verdict != STREAM_PASS)
            break;
        passed += step.len;
    } while (passed < len && passed <= TAIL_MAX && !worth_telling(&step));

    const bool ahead = step.verdict == STREAM_HOLD && is_before_query(&next, span_of(buf + passed, len - passed));
    if (step.verdict == STREAM_REWRITE) {
        struct buffer out = {.at = NULL};
        size_t done = assemble(&next, call, span_of(buf, len), 0, passed, &step, &out);
        if (done) {
            buffer_free(&conn->held); /* empty: of a write that was refused */
            conn->held = add_ahead(&next, &step, span_of(buf + done, len - done), &out);
            conn->shown = conn->held.len;
            conn->stream = next;
            commit(conn, out, done + conn->held.len);
            return send_commit(conn, call, progress);
        }
        buffer_free(&out);
    } else if (ahead && held_append(conn, buf + passed, len - passed)) {
        return write_ahead(conn, call, buf, len, passed, &next, progress);
    } else if (passed) {
        /* A refused write may be taken up without being shown again, so its decision is told now, and then not once more. */
        bool told = conn->refused_told;
        bool through = write_through(conn, call, buf, passed, &next, progress);
        if (step.verdict == STREAM_PASS && !told)
            tell(call, &step);
        conn->refused_told = !through;
        return through;
    } else if (ahead || (call->sink->objects && (trouble = call->sink->objects(call->ctx, NULL)) != REASON_NONE)) {
        /* without memory, or not to be held: passed on below */
    } else if (held_append(conn, buf, len)) {
        set_holding(conn, true);
        conn->stream = next;
        progress->taken = len;
        return true;
    }
    const struct stream before = conn->stream;
    stream_end(&conn->stream, trouble ? trouble : REASON_NO_MEMORY);
    if (write_unseen(conn, call, buf, len, progress))
        return true;
    conn->stream = before; /* nothing left: the program will show it again */
    return false;
}

/* The same with bytes held, which come first. */
static bool write_behind_held(struct conn *conn, const struct conn_call *call, const char *buf, size_t len,
                              struct progress *progress)
{
    const size_t before = conn->held.len;
    const size_t room = (size_t)2 * HEAD_MAX - before;
    len = shown_again(conn, len);
    const size_t take = len < room ? len : room;
    if (!held_append(conn, buf, take)) {
        commit_held(conn, 0, REASON_NO_MEMORY);
        return send_commit(conn, call, progress);
    }

    struct span in = span_of(conn->held.at, conn->held.len);
    struct stream next = conn->stream;
    struct stream_step step;
    next_step(&next, call, in.at, in.len, &step);
    if (step.verdict == STREAM_HOLD) {
        enum reason trouble = REASON_NONE;
        if (is_before_query(&next, in))
            return write_ahead(conn, call, buf, take, 0, &next, progress);
        if (!conn->holding && call->sink->objects)
            trouble = call->sink->objects(call->ctx, NULL);
        if (trouble != REASON_NONE) {
            commit_held(conn, take, trouble);
            return send_commit(conn, call, progress);
        }
        set_holding(conn, true);
        conn->stream = next;
        progress->taken = take;
        return true;
    }
    struct buffer out = {.at = NULL};
    size_t done = assemble(&next, call, in, before, 0, &step, &out);
    if (done < before) {
        /* Without memory. (A step that leaves bytes held before in question cannot be: they were one unfinished line
         * or head. It would end here too, with nothing lost.) */
        buffer_free(&out);
        commit_held(conn, take, REASON_NO_MEMORY);
        return send_commit(conn, call, progress);
    }
    struct buffer kept = add_ahead(&next, &step, span_from(in, done), &out);
    conn->stream = next;
    drop_shown(conn, &out);
    /* before nothing is held any more: conn_owes_bytes() is asked from outside */
    commit(conn, out, done + kept.len - before);
    buffer_free(&conn->held);
    conn->held = kept;
    conn->shown = kept.len;
    set_holding(conn, false);
    return send_commit(conn, call, progress);
}

/* Audit mode: the stream is shown a copy of what the sink took. */
static void watch(struct conn *conn, const struct conn_call *call, const char *buf, size_t len)
{
    struct span in = span_of(buf, len);
    if (stream_body_left(&conn->stream) >= len) {
        stream_skip_body(&conn->stream, len);
        return;
    }
    if (conn->held.len) {
        if (!held_append(conn, buf, len)) {
            stream_end(&conn->stream, REASON_NO_MEMORY);
            buffer_free(&conn->held);
            return;
        }
        in = span_of(conn->held.at, conn->held.len);
    }
    while (in.len) {
        struct stream_step step;
        next_step(&conn->stream, call, in.at, in.len, &step);
        if (step.verdict == STREAM_HOLD)
            break;
        if (step.verdict == STREAM_REWRITE && step.decision.reason == REASON_NONE)
            step.decision.reason = REASON_AUDIT;
        tell(call, &step);
        in = span_from(in, step.len);
    }
    struct buffer rest = {.at = NULL};
    if (in.len && in.len == conn->held.len)
        return;
    if (in.len && !buffer_reserve(&rest, in.len))
        stream_end(&conn->stream, REASON_NO_MEMORY);
    else if (in.len)
        buffer_append(&rest, in.at, in.len);
    buffer_free(&conn->held);
    conn->held = rest;
}

static ssize_t write_audited(struct conn *conn, const struct conn_call *call, const void *buf, size_t len)
{
    ssize_t sent = call->sink->write(call->ctx, buf, len);
    int saved = errno;
    if (sent > 0)
        watch(conn, call, buf, (size_t)sent);
    errno = saved;
    return sent;
}

bool conn_stays_over(const struct conn *conn, struct span in)
{
    return (conn->out.len | conn->held.len | conn->ahead | conn->due | conn->refused_ahead | conn->refused_told) == 0 &&
           conn->stream.state == STREAM_START && !conn->stream.scanned && quick_head_stays(in);
}

void conn_stayed(struct conn *conn, size_t len, ssize_t sent)
{
    if (sent == (ssize_t)len)
        return;
    if (sent > 0) {
        conn->due = len - (size_t)sent;
    } else {
        conn->refused_after = conn->stream;
        conn->refused_len = len;
    }
}

ssize_t conn_write(struct conn *conn, const struct conn_call *call, const void *buf, size_t len)
{
    struct progress progress = {.taken = 0};
    if (!call->audit && conn_stays_over(conn, span_of(buf, len))) {
        ssize_t sent = call->sink->write(call->ctx, buf, len);
        conn_stayed(conn, len, sent);
        return sent;
    }
    if (call->audit)
        return write_audited(conn, call, buf, len);
    if (!flush(conn, call, &progress))
        return progress.answer;
    if (len == 0)
        return call->sink->write(call->ctx, buf, 0);

    const char *at = buf;
    size_t done = conn->ahead < len ? conn->ahead : len;
    conn->ahead -= done;
    while (done < len && !progress.short_write) {
        const char *rest = at + done;
        size_t left = len - done;
        bool taken_up;
        progress.taken = 0;
        if (conn->held.len)
            taken_up = write_behind_held(conn, call, rest, left, &progress);
        else if (conn->due || stream_body_left(&conn->stream) >= left)
            taken_up = write_unseen(conn, call, rest, left, &progress);
        else
            taken_up = write_fresh(conn, call, rest, left, &progress);
        if (!taken_up && (call->sink->whole_writes || done == 0)) {
            /* The program will show all of it again, with what went out of it already. */
            conn->ahead += done;
            return progress.answer;
        }
        if (!taken_up)
            break;
        done += progress.taken;
    }
    return (ssize_t)done;
}

void conn_gives_up(struct conn *conn, size_t len)
{
    if (len > conn->ahead)
        stream_end(&conn->stream, REASON_UNSEEN_BYTES);
    conn->ahead = conn->due = conn->refused_len = 0;
    conn->refused_ahead = conn->refused_told = false;
}

ssize_t conn_resume(struct conn *conn, const struct conn_call *call, ssize_t (*resume)(void *ctx))
{
    struct progress progress;
    ssize_t sent = resume(call->ctx);
    if (sent <= 0 || call->audit)
        return sent;
    if (conn->out.len == 0) {
        if ((size_t)sent <= conn->refused_len)
            went_through(conn, conn->refused_len, (size_t)sent, &conn->refused_after);
        else
            conn_skip(conn, (uint64_t)sent);
        conn->refused_len = 0;
        conn->refused_ahead = conn->refused_told = false;
        return sent;
    }
    conn->out_sent += (size_t)sent;
    if (!send_commit(conn, call, &progress))
        return progress.answer;
    return (ssize_t)progress.taken;
}
