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

/* One byte of a chunked body's own lines, RFC 9112 section 7.1: chunk-size [chunk-ext] CRLF, the CRLF behind the data, and
 * the trailer's lines, where no field that matters may stand. A bare LF ends a line too; a CR wants its LF. Anything else
 * means that the length was wrong, or that peers differ on it. */
static enum stream_state chunk_line_ends(const struct stream *stream)
{
    return stream->remaining ? STREAM_CHUNK_DATA : STREAM_TRAILER;
}

static enum stream_state after_chunk_size(struct stream *stream, char c)
{
    int digit = hex_digit(c);
    if (digit >= 0 && stream->remaining >> 58 == 0 && stream->state == STREAM_CHUNK_SIZE) {
        stream->remaining = stream->remaining << 4 | (uint64_t)digit;
        stream->digits = true;
        return STREAM_CHUNK_SIZE;
    }
    if (!stream->digits)
        return STREAM_OPAQUE;
    switch (c) {
    case ' ':
    case '\t': return STREAM_CHUNK_BLANK;
    case ';': return STREAM_CHUNK_EXTENSION;
    case '\r': return STREAM_CHUNK_LF;
    case '\n': return chunk_line_ends(stream);
    default: return STREAM_OPAQUE;
    }
}

static enum stream_state after_chunk_byte(struct stream *stream, char c)
{
    switch (stream->state) {
    case STREAM_CHUNK_SIZE:
    case STREAM_CHUNK_BLANK: return after_chunk_size(stream, c);
    case STREAM_CHUNK_EXTENSION:
        return c == '\r' ? STREAM_CHUNK_LF : c == '\n' ? chunk_line_ends(stream) : STREAM_CHUNK_EXTENSION;
    case STREAM_CHUNK_LF: return c == '\n' ? chunk_line_ends(stream) : STREAM_OPAQUE;
    case STREAM_CHUNK_END:
        stream->digits = false;
        return c == '\n' ? STREAM_CHUNK_SIZE : c == '\r' ? STREAM_CHUNK_END_LF : STREAM_OPAQUE;
    case STREAM_CHUNK_END_LF: return c == '\n' ? STREAM_CHUNK_SIZE : STREAM_OPAQUE;
    case STREAM_TRAILER: return c == '\n' ? STREAM_START : c == '\r' ? STREAM_TRAILER_LF : STREAM_TRAILER_REST;
    case STREAM_TRAILER_LF: return c == '\n' ? STREAM_START : STREAM_OPAQUE;
    default: return c == '\n' ? STREAM_TRAILER : STREAM_TRAILER_REST;
    }
}

static size_t pass_chunk_lines(struct stream *stream, struct span in)
{
    size_t i = 0;
    while (i < in.len && stream->state != STREAM_CHUNK_DATA && stream->state != STREAM_START) {
        stream->state = after_chunk_byte(stream, in.at[i++]);
        if (stream->state != STREAM_OPAQUE)
            continue;
        stream_end(stream, REASON_FRAMING_UNKNOWN);
        return in.len;
    }
    return i;
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

static bool ends_like_a_head(struct span in)
{
    return in.len >= 4 && memcmp(in.at + in.len - 4, "\r\n\r\n", 4) == 0;
}

/* A request whose target may carry a token, and whose request line of `line` bytes is `request`: nothing of it leaves before
 * its head is whole. Most come whole, and end there: such a one is not searched for its end before it is looked at. */
static void candidate_head(struct stream *stream, const struct policy *policy, struct span in,
                           const struct request_line *request, const struct target *target, size_t line,
                           struct stream_step *step)
{
    size_t whole = in.len;
    size_t len = 0;
    stream->scanned = stream->scanned ? stream->scanned : line;
    if (ends_like_a_head(in) || head_is_whole(stream, in, &whole))
        len = head_decide(policy, span_of(in.at, whole), request, target, line, &stream->framing, &step->decision);
    if (len == 0 && !head_is_whole(stream, in, &len)) {
        hold_or_give_up(stream, step, in.len);
        return;
    }
    if (len > HEAD_MAX) {
        give_up(stream, step, in.len, REASON_HEAD_TOO_LARGE);
        return;
    }
    step->verdict = step->decision.edits.count ? STREAM_REWRITE : STREAM_PASS;
    step->len = len;
    step->decided = true;
    stream->tunnel = SPAN_IS(step->decision.method, "connect");
    enter_body(stream);
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
    struct target target;
    target_parse(request.target, &target);
    if (query_has_jwt(target.query)) {
        candidate_head(stream, policy, in, &request, &target, len, step);
        return STEP_IS_MADE;
    }
    stream->state = STREAM_FIELD;
    stream->framing = (struct framing){.fault = REASON_NONE};
    stream->http_1_0 = request.http_1_0;
    stream->tunnel = SPAN_IS(request.method, "connect");
    stream->line_end = line_end_length(span_of(in.at, len));
    return (ssize_t)len;
}

/* Whether `in` begins with the field `name` (lower case), or is too short to say that it does not. What follows the name is
 * its colon, or something that makes the line malformed. */
static bool begins_like(struct span in, const char *name, size_t len)
{
    size_t common = in.len < len ? in.len : len;
    for (size_t i = 1; i < common; i++)
        if (ascii_lower(in.at[i]) != name[i])
            return false;
    return in.len <= len || in.at[len] == ':' || (unsigned char)in.at[len] <= ' ';
}

/* Whether the line at `in` may be one of the few fields that matter in a head without a token, or the empty one. Everything
 * else is passed by its line end alone, which is what makes such a head cheap; it is not even checked for being
 * well-formed. */
static inline bool line_may_matter(struct span in)
{
#define BEGINS_LIKE(name) begins_like(in, name, sizeof(name) - 1)
    /* clang-format off */
    switch (*in.at) {
    case 'C': case 'c': return BEGINS_LIKE("content-length");
    case 'T': case 't': return BEGINS_LIKE("transfer-encoding");
    case 'R': case 'r': return BEGINS_LIKE("referer");
    case 'U': case 'u': return BEGINS_LIKE("upgrade");
    case '\r': case '\n': return true;
    default: return false;
    }
/* clang-format on */
#undef BEGINS_LIKE
}

/* Passes the rest of a line that does not matter, and all such lines behind it. */
static size_t pass_lines(struct stream *stream, struct span in)
{
    const char *at = in.at;
    const char *end = in.at + in.len;
    do {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at) {
            stream->state = STREAM_FIELD_REST;
            return in.len;
        }
        at++;
    } while (at < end && !line_may_matter(span_of(at, (size_t)(end - at))));
    stream->state = STREAM_FIELD;
    return (size_t)(at - in.at);
}

static ssize_t field_line(struct stream *stream, const struct policy *policy, struct span in, struct stream_step *step,
                          bool first)
{
    if (!line_may_matter(in))
        return (ssize_t)pass_lines(stream, in);
    struct field field;
    ssize_t len = in.len >= 2 && in.at[0] == '\r' && in.at[1] == '\n' ? 2 : *in.at == '\n' ? 1 : 0;
    if (len == 0)
        len = field_next(in, &field);
    else
        field.name.len = 0;
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
        case STREAM_FIELD_REST: passed += pass_lines(stream, rest); break;
        case STREAM_LENGTH:
        case STREAM_CHUNK_DATA: passed += pass_body(stream, rest); break;
        case STREAM_OPAQUE: passed = in.len; break;
        default: passed += pass_chunk_lines(stream, rest); break;
        }
    }
pass:
    step->verdict = STREAM_PASS;
    step->len = passed;
    step->decided = false;
}
