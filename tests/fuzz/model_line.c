/* The model: field lines and what they say of a body, and passing that. */
#include "model_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void put(struct reader *r, const char *from, size_t len)
{
    memcpy(r->model->out + r->model->len, from, len);
    r->model->len += len;
}

/* Takes the next `len` bytes as they are. */
void copy(struct reader *r, size_t len)
{
    put(r, r->in + r->at, len);
    r->at += len;
}

bool copy_opaque(struct reader *r)
{
    r->model->opaque = true;
    copy(r, r->len - r->at);
    return false;
}

/* --- field lines ----------------------------------------------------------------------------------------------------------- */

size_t line_end(const struct reader *r, size_t from)
{
    const char *lf = from < r->len ? memchr(r->in + from, '\n', r->len - from) : NULL;
    return lf ? (size_t)(lf - r->in) + 1 : 0;
}

enum line_found line_read(const struct reader *r, size_t from, struct line *line)
{
    static const char tchar[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t end = line_end(r, from);
    if (end == 0)
        return LINE_UNFINISHED;
    line->at = from;
    line->len = end - from;
    if (line->len == 1 || (line->len == 2 && r->in[from] == '\r'))
        return LINE_EMPTY;
    for (;;) {
        if (end == r->len)
            return LINE_UNFINISHED;
        if (r->in[end] != ' ' && r->in[end] != '\t')
            break;
        end = line_end(r, end);
        if (end == 0)
            return LINE_UNFINISHED;
    }
    line->len = end - from;
    line->well_formed = true;
    for (size_t i = from; i < end; i++)
        if (r->in[i] == '\0' || (r->in[i] == '\r' && r->in[i + 1] != '\n'))
            line->well_formed = false;
    size_t colon = from;
    while (colon < end && r->in[colon] && strchr(tchar, r->in[colon]))
        colon++;
    if (colon == from || colon == end || r->in[colon] != ':')
        line->well_formed = false;
    if (!line->well_formed)
        return LINE_FIELD;
    text_set(&line->name, r->in + from, colon - from);
    text_set(&line->value, r->in + colon + 1, end - colon - 1);
    text_trim(&line->value);
    line->value_at = colon + 1;
    while (line->value_at < end && strchr(" \t\r\n", r->in[line->value_at]))
        line->value_at++;
    line->value_len = line->value.len;
    return LINE_FIELD;
}

static void body_length(struct body *body, const struct text *value)
{
    uint64_t length = 0;
    body->lengths++;
    if (value->len == 0)
        body->fault = true;
    for (size_t i = 0; i < value->len; i++) {
        if (!isdigit((unsigned char)value->at[i]) || length >= UINT64_MAX / 2 / 10) {
            body->fault = true;
            return;
        }
        length = length * 10 + (uint64_t)(value->at[i] - '0');
    }
    body->length = length;
}

/* The list's last member is chunked, and no other one. A comma at the very end is forgiven. */
static void body_coding(struct body *body, const struct text *value)
{
    size_t members = 0;
    size_t chunked = 0;
    bool last = false;
    for (size_t at = 0; at < value->len; members++) {
        static struct text member;
        size_t end = at;
        while (end < value->len && value->at[end] != ',')
            end++;
        text_set(&member, value->at + at, end - at);
        text_trim(&member);
        last = text_is(&member, "chunked");
        chunked += last;
        at = end + 1;
    }
    body->codings++;
    body->chunked = last;
    if (!last || chunked != 1)
        body->fault = true;
}

void body_note(struct body *body, const struct line *line)
{
    if (text_is(&line->name, "content-length"))
        body_length(body, &line->value);
    if (text_is(&line->name, "transfer-encoding"))
        body_coding(body, &line->value);
    if (text_is(&line->name, "upgrade") && !text_is(&line->value, "h2c"))
        body->upgrade = true;
}

bool body_is_faulty(const struct body *body, bool http_1_0)
{
    return body->fault || body->lengths + body->codings > 1 || (body->codings && http_1_0);
}

/* A line of a chunked body; false where it is not there as it should be. */
static bool chunk_size(struct reader *r, uint64_t *size)
{
    size_t digits = 0;
    *size = 0;
    while (r->at < r->len && isxdigit((unsigned char)r->in[r->at])) {
        char digit[2] = {r->in[r->at], '\0'};
        if (*size >= (uint64_t)1 << 58)
            return false;
        *size = *size * 16 + strtoul(digit, NULL, 16);
        digits++;
        copy(r, 1);
    }
    if (digits == 0)
        return false;
    while (r->at < r->len && (r->in[r->at] == ' ' || r->in[r->at] == '\t'))
        copy(r, 1);
    if (r->at < r->len && r->in[r->at] == ';')
        while (r->at < r->len && r->in[r->at] != '\r' && r->in[r->at] != '\n')
            copy(r, 1);
    return true;
}

/* CRLF or LF. False if there is something else; at the stream's end true. */
static bool chunk_line_end(struct reader *r)
{
    if (r->at < r->len && r->in[r->at] == '\r')
        copy(r, 1);
    if (r->at == r->len)
        return true;
    if (r->in[r->at] != '\n')
        return false;
    copy(r, 1);
    return true;
}

static bool chunks_pass(struct reader *r)
{
    uint64_t size;
    for (;;) {
        if (r->at == r->len)
            return true;
        bool is_size = chunk_size(r, &size);
        if (r->at == r->len)
            return true;
        if (!is_size || !chunk_line_end(r))
            return copy_opaque(r);
        if (size == 0)
            break;
        copy(r, size < r->len - r->at ? (size_t)size : r->len - r->at);
        if (!chunk_line_end(r))
            return copy_opaque(r);
    }
    while (r->at < r->len) {
        bool empty = r->in[r->at] == '\n' || r->in[r->at] == '\r';
        if (empty)
            return chunk_line_end(r) || copy_opaque(r);
        size_t end = line_end(r, r->at);
        copy(r, (end ? end : r->len) - r->at);
    }
    return true;
}

bool body_pass(struct reader *r, const struct body *body)
{
    if (body->upgrade)
        return copy_opaque(r);
    if (body->connect)
        return true;
    if (body->codings)
        return chunks_pass(r);
    copy(r, body->length < r->len - r->at ? (size_t)body->length : r->len - r->at);
    return true;
}
