/* The framing of one direction of an HTTP/1 connection: where heads begin and end, what is body, and from where on
 * nothing is understood. A plain value: copy it to look ahead, assign it to commit. */
#ifndef JWTSHIM_HTTP_STREAM_H
#define JWTSHIM_HTTP_STREAM_H

#include "rewrite.h"

enum stream_state {
    STREAM_START,           /* a request line is next */
    STREAM_FIELD,           /* at the start of a field line of a head whose target needs no change */
    STREAM_FIELD_REST,      /* inside a field line that does not matter */
    STREAM_LENGTH,          /* `remaining` bytes of body by Content-Length */
    STREAM_CHUNK_SIZE,      /* its hexadecimal digits */
    STREAM_CHUNK_BLANK,     /* blanks behind them */
    STREAM_CHUNK_EXTENSION, /* behind a ';' */
    STREAM_CHUNK_LF,        /* the LF that a CR in this line wants */
    STREAM_CHUNK_DATA,      /* `remaining` bytes of a chunk's data */
    STREAM_CHUNK_END,       /* the line end behind the data */
    STREAM_CHUNK_END_LF,
    STREAM_TRAILER, /* at the start of a trailer line */
    STREAM_TRAILER_REST,
    STREAM_TRAILER_LF, /* the LF of the last, empty one */
    STREAM_OPAQUE,     /* to the connection's end */
};

struct stream {
    enum stream_state state;
    enum reason opaque_reason;
    bool tunnel;     /* the head is CONNECT's: another stream begins behind it */
    bool http_1_0;   /* the head's version */
    bool digits;     /* a chunk size has begun */
    size_t line_end; /* of the head's request line */
    size_t scanned;  /* of a head that is not whole yet: no empty line before this offset */
    uint64_t remaining;
    struct framing framing;
};

enum stream_verdict {
    STREAM_PASS,    /* `len` bytes leave as they are */
    STREAM_HOLD,    /* all there is must wait for more; show it again from its start, with more behind it */
    STREAM_REWRITE, /* `len` bytes leave with the decision's edits */
};

struct stream_step {
    enum stream_verdict verdict;
    size_t len;
    struct decision decision; /* set if the verdict is REWRITE, or if `decided` */
    bool decided;             /* PASS of a candidate, or of all from here on: decision.reason says why */
};

/* A new connection's stream is all zero. */
static inline void stream_reset(struct stream *stream)
{
    *stream = (struct stream){.state = STREAM_START};
}

/* From here on nothing is understood. */
static inline void stream_end(struct stream *stream, enum reason reason)
{
    stream->state = STREAM_OPAQUE;
    stream->opaque_reason = reason;
}

/* Looks at `in` (not empty), the bytes that follow what was passed or rewritten before, says what becomes of the first
 * of them and moves on past those. */
void stream_next(struct stream *stream, const struct policy *policy, struct span in, struct stream_step *step);

/* How many of `len` coming bytes are body without a doubt, whatever they hold. */
static inline uint64_t stream_body_left(const struct stream *stream)
{
    if (stream->state == STREAM_OPAQUE)
        return UINT64_MAX;
    return stream->state == STREAM_LENGTH || stream->state == STREAM_CHUNK_DATA ? stream->remaining : 0;
}

/* Moves past `len` bytes of body without looking at them; at most stream_body_left(). */
void stream_skip_body(struct stream *stream, uint64_t len);

#endif
