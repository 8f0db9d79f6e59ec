#include "stream.h"

/* What follows a head, once all its fields are known. */
static void enter_body(struct stream *stream)
{
    const struct framing *framing = &stream->framing;
    stream->scanned = 0;
    stream->remaining = 0;
    stream->digits = false;
    if (framing->fault != REASON_NONE)
        stream_end(stream, framing->fault);
    else if (framing->upgrade)
        stream_end(stream, REASON_UPGRADE);
    else if (stream->tunnel)
        stream->state = STREAM_START;
    else if (framing->chunked)
        stream->state = STREAM_CHUNK_SIZE;
    else if (framing->content_length) {
        stream->state = STREAM_LENGTH;
        stream->remaining = framing->content_length;
    } else
        stream->state = STREAM_START;
}

void stream_skip_body(struct stream *stream, uint64_t len)
{
    if (stream->state == STREAM_OPAQUE || len == 0)
        return;
    stream->remaining -= len;
    if (stream->remaining == 0)
        stream->state = stream->state == STREAM_LENGTH ? STREAM_START : STREAM_CHUNK_END;
}

static size_t pass_body(struct stream *stream, struct span in)
{
    size_t len = stream->remaining < in.len ? (size_t)stream->remaining : in.len;
    stream_skip_body(stream, len);
    return len;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* chunk-size [chunk-ext] CRLF, RFC 9112 section 7.1; a bare LF ends the line too. */
static size_t pass_chunk_line(struct stream *stream, struct span in)
{
    size_t i = 0;
    for (; i < in.len && stream->state == STREAM_CHUNK_SIZE; i++) {
        int digit = hex_value(in.at[i]);
        if (digit < 0) {
            stream->state = STREAM_CHUNK_EXTENSION;
            if (!stream->digits || !strchr(";\r\n \t", in.at[i]) || in.at[i] == '\0')
                stream_end(stream, REASON_FRAMING_UNKNOWN);
            break;
        }
        if (stream->remaining >> 58) {
            stream_end(stream, REASON_FRAMING_UNKNOWN);
            break;
        }
        stream->remaining = stream->remaining << 4 | (uint64_t)digit;
        stream->digits = true;
    }
    if (stream->state == STREAM_OPAQUE || i == in.len)
        return in.len;
    const char *newline = memchr(in.at + i, '\n', in.len - i);
    if (!newline)
        return in.len;
    stream->state = stream->remaining ? STREAM_CHUNK_DATA : STREAM_TRAILER;
    return (size_t)(newline - in.at) + 1;
}

/* The CRLF behind a chunk's data: anything else means that the length was wrong. */
static size_t pass_chunk_end(struct stream *stream, struct span in)
{
    if (*in.at == '\n') {
        stream->state = STREAM_CHUNK_SIZE;
        stream->digits = false;
    } else if (*in.at != '\r') {
        stream_end(stream, REASON_FRAMING_UNKNOWN);
    }
    return 1;
}

/* Trailer lines up to the empty one. They are never looked at: no field that matters may stand there. */
static size_t pass_trailer(struct stream *stream, struct span in)
{
    if (stream->state == STREAM_TRAILER) {
        if (*in.at == '\n')
            stream->state = STREAM_START;
        else if (*in.at != '\r')
            stream->state = STREAM_TRAILER_REST;
        return 1;
    }
    const char *newline = memchr(in.at, '\n', in.len);
    if (!newline)
        return in.len;
    stream->state = STREAM_TRAILER;
    return (size_t)(newline - in.at) + 1;
}

static void give_up(struct stream *stream, struct stream_step *step, size_t len, enum reason reason)
{
    stream_end(stream, reason);
    *step = (struct stream_step){.verdict = STREAM_PASS, .len = len};
    step->decided = reason != REASON_NOT_HTTP;
    step->decision.reason = reason;
    step->decision.candidate = stream->scanned != 0;
}

static void hold_or_give_up(struct stream *stream, struct stream_step *step, size_t len)
{
    if (len > HEAD_MAX) {
        give_up(stream, step, len, REASON_HEAD_TOO_LARGE);
        return;
    }
    step->verdict = STREAM_HOLD;
    step->len = len;
    step->decided = false;
}

/* Whether the whole head is in `in`; `*end` is its length then. Remembers how far it looked. */
static bool head_is_whole(struct stream *stream, struct span in, size_t *end)
{
    for (size_t at = stream->scanned; at < in.len;) {
        const char *newline = memchr(in.at + at, '\n', in.len - at);
        if (!newline)
            break;
        size_t next = (size_t)(newline - in.at) + 1;
        if (next - at == 1 || (next - at == 2 && in.at[at] == '\r')) {
            *end = next;
            return true;
        }
        at = stream->scanned = next;
    }
    return false;
}

/* A request whose target may carry a token: nothing of it leaves before its head is whole. */
static void candidate_head(struct stream *stream, const struct policy *policy, struct span in, struct stream_step *step)
{
    size_t len;
    if (!head_is_whole(stream, in, &len)) {
        hold_or_give_up(stream, step, in.len);
        return;
    }
    if (len > HEAD_MAX) {
        give_up(stream, step, in.len, REASON_HEAD_TOO_LARGE);
        return;
    }
    head_decide(policy, span_of(in.at, len), &stream->framing, &step->decision);
    step->verdict = step->decision.edits.count ? STREAM_REWRITE : STREAM_PASS;
    step->len = len;
    step->decided = true;
    stream->tunnel = SPAN_IS(step->decision.method, "connect");
    enter_body(stream);
}

static bool line_has_jwt(const struct request_line *request)
{
    struct target target;
    struct span token;
    struct edits edits;
    edits_reset(&edits);
    target_parse(request->target, &target);
    return query_find_jwt(target.query, request->target.at, &token, &edits) != JWT_NONE;
}

enum { STEP_IS_MADE = -1, STEP_ENDS_BEFORE = 0 };

/* At a request line, or at an empty line before one: passes a request line without a token, and returns its length.
 * Where the step is to be something else, it is made here only if nothing was passed in it before (`first`); otherwise
 * nothing changes, and the next step comes back to it. So does field_line(). */
static ssize_t start_line(struct stream *stream, const struct policy *policy, struct span in, struct stream_step *step,
                          bool first)
{
    if (*in.at == '\r' || *in.at == '\n')
        return 1;
    if (!first)
        return STEP_ENDS_BEFORE;
    if (!request_may_begin(in)) {
        give_up(stream, step, in.len, REASON_NOT_HTTP);
        return STEP_IS_MADE;
    }
    if (stream->scanned) {
        candidate_head(stream, policy, in, step);
        return STEP_IS_MADE;
    }
    const char *newline = memchr(in.at, '\n', in.len);
    if (!newline) {
        hold_or_give_up(stream, step, in.len);
        return STEP_IS_MADE;
    }
    size_t len = (size_t)(newline - in.at) + 1;
    struct request_line request;
    if (!request_line_parse(span_of(in.at, len), &request)) {
        give_up(stream, step, in.len, REASON_HEAD_MALFORMED);
        return STEP_IS_MADE;
    }
    if (line_has_jwt(&request)) {
        stream->scanned = len;
        candidate_head(stream, policy, in, step);
        return STEP_IS_MADE;
    }
    stream->state = STREAM_FIELD;
    stream->framing = (struct framing){.fault = REASON_NONE};
    stream->http_1_0 = request.http_1_0;
    stream->tunnel = SPAN_IS(request.method, "connect");
    stream->line_end = line_end_length(span_of(in.at, len));
    return (ssize_t)len;
}

/* Only these fields can matter in a head without a token: Content-Length, Referer, Transfer-Encoding, Upgrade. The rest
 * is passed by its line ends alone, which is what makes such a head cheap. */
static bool field_may_matter(char first)
{
    switch (first) {
    case 'C': case 'c': case 'R': case 'r': case 'T': case 't': case 'U': case 'u': case '\r': case '\n':
        return true;
    default:
        return false;
    }
}

static size_t field_rest(struct stream *stream, struct span in)
{
    const char *newline = memchr(in.at, '\n', in.len);
    stream->state = newline ? STREAM_FIELD : STREAM_FIELD_REST;
    return newline ? (size_t)(newline - in.at) + 1 : in.len;
}

static ssize_t field_line(struct stream *stream, const struct policy *policy, struct span in, struct stream_step *step,
                          bool first)
{
    if (!field_may_matter(*in.at))
        return (ssize_t)field_rest(stream, in);
    struct field field;
    ssize_t len = field_next(in, &field);
    if (len > 0 && field.name.len == 0) {
        framing_settle(&stream->framing, stream->http_1_0);
        enter_body(stream);
        return len;
    }
    struct edits edits;
    edits_reset(&edits);
    bool scrub = len > 0 && referer_scrub(policy, &field, in.at, &edits) && !edits.overflow;
    if (len > 0 && !scrub) {
        framing_note(&stream->framing, &field);
        return len;
    }
    if (!first)
        return STEP_ENDS_BEFORE;
    if (len == FIELD_INCOMPLETE) {
        hold_or_give_up(stream, step, in.len);
    } else if (len == FIELD_MALFORMED) {
        give_up(stream, step, in.len, REASON_HEAD_MALFORMED);
    } else {
        *step = (struct stream_step){.verdict = STREAM_REWRITE, .len = (size_t)len, .decided = true};
        step->decision.referer = true;
        step->decision.line_end = stream->line_end;
        step->decision.edits = edits;
    }
    return STEP_IS_MADE;
}

void stream_next(struct stream *stream, const struct policy *policy, struct span in, struct stream_step *step)
{
    size_t passed = 0;
    while (passed < in.len) {
        struct span rest = span_from(in, passed);
        ssize_t line;
        switch (stream->state) {
        case STREAM_START:
        case STREAM_FIELD:
            line = stream->state == STREAM_START ? start_line(stream, policy, rest, step, passed == 0)
                                                 : field_line(stream, policy, rest, step, passed == 0);
            if (line == STEP_IS_MADE)
                return;
            if (line == STEP_ENDS_BEFORE)
                goto pass;
            passed += (size_t)line;
            break;
        case STREAM_FIELD_REST: passed += field_rest(stream, rest); break;
        case STREAM_LENGTH:
        case STREAM_CHUNK_DATA: passed += pass_body(stream, rest); break;
        case STREAM_CHUNK_SIZE:
        case STREAM_CHUNK_EXTENSION: passed += pass_chunk_line(stream, rest); break;
        case STREAM_CHUNK_END: passed += pass_chunk_end(stream, rest); break;
        case STREAM_TRAILER:
        case STREAM_TRAILER_REST: passed += pass_trailer(stream, rest); break;
        case STREAM_OPAQUE: passed = in.len; break;
        }
    }
pass:
    step->verdict = STREAM_PASS;
    step->len = passed;
    step->decided = false;
}
