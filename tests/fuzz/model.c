#include "model.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A string that may hold NULs. */
struct text {
    char at[MODEL_MAX + 1];
    size_t len;
};

/* The stream that is read, and what comes of it. */
struct reader {
    const char *in;
    size_t len, at;
    enum model_conflict conflict;
    struct model *model;
};

static void put(struct reader *r, const char *from, size_t len)
{
    memcpy(r->model->out + r->model->len, from, len);
    r->model->len += len;
}

static void put_string(struct reader *r, const char *from)
{
    put(r, from, strlen(from));
}

static void tell(struct reader *r, enum model_event event)
{
    if (r->model->told == MODEL_EVENTS)
        abort();
    r->model->events[r->model->told++] = (char)event;
    r->model->events[r->model->told] = '\0';
}

/* Takes the next `len` bytes as they are. */
static void copy(struct reader *r, size_t len)
{
    put(r, r->in + r->at, len);
    r->at += len;
}

static bool copy_opaque(struct reader *r)
{
    r->model->opaque = true;
    copy(r, r->len - r->at);
    return false;
}

/* The rest cannot be told yet. */
static bool copy_undecided(struct reader *r)
{
    r->model->held_from = r->at;
    copy(r, r->len - r->at);
    return false;
}

/* --- strings --------------------------------------------------------------------------------------------------------------- */

static void text_set(struct text *text, const char *from, size_t len)
{
    memcpy(text->at, from, len);
    text->at[len] = '\0';
    text->len = len;
}

static void text_copy(struct text *to, const struct text *from)
{
    text_set(to, from->at, from->len);
}

static bool text_is(const struct text *text, const char *word)
{
    return strlen(text->at) == text->len && strcasecmp(text->at, word) == 0;
}

static void text_trim(struct text *text)
{
    size_t from = 0;
    while (from < text->len && text->at[from] && strchr(" \t\r\n", text->at[from]))
        from++;
    while (text->len > from && text->at[text->len - 1] && strchr(" \t\r\n", text->at[text->len - 1]))
        text->len--;
    memmove(text->at, text->at + from, text->len - from);
    text->len -= from;
    text->at[text->len] = '\0';
}

static void text_decode(struct text *text)
{
    static struct text out;
    if (!memchr(text->at, '%', text->len))
        return;
    out.len = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (text->at[i] == '%' && i + 2 < text->len && isxdigit((unsigned char)text->at[i + 1]) &&
            isxdigit((unsigned char)text->at[i + 2])) {
            char digits[3] = {text->at[i + 1], text->at[i + 2], '\0'};
            out.at[out.len++] = (char)strtol(digits, NULL, 16);
            i += 2;
        } else
            out.at[out.len++] = text->at[i];
    }
    text_set(text, out.at, out.len);
}

static bool text_is_token(const struct text *text)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t parts = 0;
    size_t i = 0;
    if (strlen(text->at) != text->len)
        return false;
    for (; parts < 3; parts++) {
        size_t run = strspn(text->at + i, set);
        if (run == 0)
            return false;
        i += run;
        if (text->at[i] != '.')
            return parts == 2 && i == text->len;
        i++;
    }
    return false;
}

/* --- hosts ----------------------------------------------------------------------------------------------------------------- */

static bool is_atlassian(const struct text *authority)
{
    static const char *const ours[] = {"atlassian.net", "jira.com", "jira-dev.com", "atlassian-us-gov-mod.net"};
    char host[MODEL_MAX + 2];
    size_t from = 0;
    for (size_t i = 0; i < authority->len; i++)
        if (authority->at[i] == '@')
            from = i + 1;
    size_t n = 1;
    host[0] = '.';
    size_t i = from;
    for (; i < authority->len && authority->at[i] != ':'; i++) {
        char c = authority->at[i];
        if (!isalnum((unsigned char)c) && c != '-' && c != '.' && c != '_')
            return false;
        host[n++] = (char)tolower((unsigned char)c);
    }
    for (i++; i < authority->len; i++)
        if (!isdigit((unsigned char)authority->at[i]))
            return false;
    if (n > 1 && host[n - 1] == '.')
        n--;
    host[n] = '\0';
    if (n == 1 || host[1] == '.' || strcmp(host, ".api.media.atlassian.com") == 0)
        return false;
    for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++) {
        size_t suffix = strlen(ours[k]);
        if (n > suffix && strcmp(host + n - suffix, ours[k]) == 0 && host[n - suffix - 1] == '.')
            return true;
    }
    return false;
}

/* --- targets --------------------------------------------------------------------------------------------------------------- */

/* A target in pieces: before + ['?' + query] + fragment. */
struct url {
    bool is_absolute, is_origin, has_query;
    struct text before, authority, query, fragment;
};

static void url_split(struct url *url, const struct text *target)
{
    struct text *const parts[] = {&url->before, &url->authority, &url->query, &url->fragment};
    size_t path = 0;
    for (size_t i = 0; i < 4; i++)
        text_set(parts[i], "", 0);
    url->has_query = false;
    if (target->len >= 7 && strncasecmp(target->at, "http://", 7) == 0)
        path = 7;
    if (target->len >= 8 && strncasecmp(target->at, "https://", 8) == 0)
        path = 8;
    url->is_absolute = path != 0;
    url->is_origin = target->len && target->at[0] == '/';
    if (!url->is_absolute && !url->is_origin)
        return;
    size_t end = path;
    while (url->is_absolute && end < target->len && target->at[end] != '/' && target->at[end] != '?' && target->at[end] != '#')
        end++;
    text_set(&url->authority, target->at + path, end - path);
    size_t hash = end;
    while (hash < target->len && target->at[hash] != '#')
        hash++;
    size_t mark = end;
    while (mark < hash && target->at[mark] != '?')
        mark++;
    url->has_query = mark < hash;
    text_set(&url->before, target->at, mark);
    if (url->has_query)
        text_set(&url->query, target->at + mark + 1, hash - mark - 1);
    text_set(&url->fragment, target->at + hash, target->len - hash);
}

/* What the parameters of a query say. */
struct parameters {
    bool any, good;    /* there is a `jwt`; the first is a token */
    struct text token; /* decoded */
    struct text rest;  /* the query without any `jwt` */
    bool rest_any;     /* some parameter is left, if only an empty one */
    size_t cuts;       /* how many separate runs of bytes leave */
};

static bool is_jwt(const char *parameter, size_t len, struct text *value)
{
    static struct text name;
    size_t equals = 0;
    while (equals < len && parameter[equals] != '=')
        equals++;
    text_set(&name, parameter, equals);
    text_decode(&name);
    if (name.len != 3 || memcmp(name.at, "jwt", 3) != 0)
        return false;
    if (equals < len)
        text_set(value, parameter + equals + 1, len - equals - 1);
    else
        text_set(value, "", 0);
    text_decode(value);
    return true;
}

static void parameters_read(struct parameters *p, const struct url *url)
{
    char gone[MODEL_MAX + 2]; /* which bytes of '?' + query leave */
    static struct text value;
    const struct text *query = &url->query;
    p->any = p->good = p->rest_any = false;
    p->rest.len = p->cuts = 0;
    memset(gone, 0, query->len + 2);
    if (!url->has_query)
        return;
    for (size_t start = 0; start <= query->len;) {
        size_t end = start;
        while (end < query->len && query->at[end] != '&')
            end++;
        if (is_jwt(query->at + start, end - start, &value)) {
            if (!p->any) {
                text_copy(&p->token, &value);
                p->good = text_is_token(&value);
            }
            p->any = true;
            for (size_t i = start; i < end; i++)
                gone[i + 1] = 1;
            if (p->rest_any)
                gone[start] = 1;
            else
                gone[end + 1] = 1;
        } else {
            if (p->rest_any)
                p->rest.at[p->rest.len++] = '&';
            memcpy(p->rest.at + p->rest.len, query->at + start, end - start);
            p->rest.len += end - start;
            p->rest_any = true;
        }
        start = end + 1;
    }
    p->rest.at[p->rest.len] = '\0';
    for (size_t i = 0; i <= query->len; i++)
        p->cuts += gone[i] && (i == 0 || !gone[i - 1]);
    if (!p->rest_any)
        p->cuts = 1;
}

/* The target again, with the parameters that are left. */
static void url_join(struct text *out, const struct url *url, const struct parameters *p)
{
    text_copy(out, &url->before);
    if (p->rest_any) {
        out->at[out->len++] = '?';
        memcpy(out->at + out->len, p->rest.at, p->rest.len);
        out->len += p->rest.len;
    }
    memcpy(out->at + out->len, url->fragment.at, url->fragment.len);
    out->len += url->fragment.len;
    out->at[out->len] = '\0';
}

/* --- field lines ----------------------------------------------------------------------------------------------------------- */

/* A field line with its folds. */
struct line {
    size_t at, len;   /* in the stream, with all line ends */
    bool well_formed; /* and these are set only then */
    struct text name, value;
    size_t value_at, value_len; /* in the stream, trimmed */
};

enum line_found { LINE_UNFINISHED, LINE_EMPTY, LINE_FIELD };

static size_t line_end(const struct reader *r, size_t from)
{
    const char *lf = from < r->len ? memchr(r->in + from, '\n', r->len - from) : NULL;
    return lf ? (size_t)(lf - r->in) + 1 : 0;
}

static enum line_found line_read(const struct reader *r, size_t from, struct line *line)
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

/* What a head says of its body. */
struct body {
    bool fault, chunked, upgrade, connect;
    size_t lengths, codings;
    uint64_t length;
};

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

static void body_note(struct body *body, const struct line *line)
{
    if (text_is(&line->name, "content-length"))
        body_length(body, &line->value);
    if (text_is(&line->name, "transfer-encoding"))
        body_coding(body, &line->value);
    if (text_is(&line->name, "upgrade") && !text_is(&line->value, "h2c"))
        body->upgrade = true;
}

static bool body_is_faulty(const struct body *body, bool http_1_0)
{
    return body->fault || body->lengths + body->codings > 1 || (body->codings && http_1_0);
}

/* Passes the body. False if nothing behind it is understood, or if the stream ends in it. */
static bool body_pass(struct reader *r, const struct body *body);

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

static bool body_pass(struct reader *r, const struct body *body)
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

/* --- heads ----------------------------------------------------------------------------------------------------------------- */

struct request {
    struct text method, target;
    bool http_1_0;
    size_t line; /* its request line's length */
    const char *eol;
};

static const char *const methods[] = {"GET",   "POST",    "PUT",      "DELETE",    "HEAD",  "PATCH", "OPTIONS", "TRACE",  "CONNECT",
                                      "PROPFIND", "PROPPATCH", "MKCOL", "COPY",  "MOVE",    "LOCK",   "UNLOCK",
                                      "REPORT",   "SEARCH",    NULL};

/* Whether what is left of the stream may begin a request. */
static bool may_be_request(const struct reader *r)
{
    const char *rest = r->in + r->at;
    size_t left = r->len - r->at;
    for (const char *const *method = methods; *method; method++) {
        char want[16];
        strcat(strcpy(want, *method), " ");
        size_t len = strlen(want);
        if (memcmp(rest, want, left < len ? left : len) != 0)
            continue;
        if (left <= len)
            return true;
        char c = rest[len];
        if (c == '/' || c == 'h' || c == 'H' || (c == '*' && strcmp(*method, "OPTIONS") == 0) ||
            ((unsigned char)c > ' ' && strcmp(*method, "CONNECT") == 0))
            return true;
    }
    return false;
}

static bool request_read(const struct reader *r, struct request *request)
{
    static struct text line;
    text_set(&line, r->in + r->at, request->line - 1);
    request->eol = "\n";
    if (line.len && line.at[line.len - 1] == '\r') {
        line.at[--line.len] = '\0';
        request->eol = "\r\n";
    }
    if (line.len < 9)
        return false;
    const char *version = line.at + line.len - 9;
    request->http_1_0 = strcmp(version, " HTTP/1.0") == 0;
    if (!request->http_1_0 && strcmp(version, " HTTP/1.1") != 0)
        return false;
    const char *space = memchr(line.at, ' ', line.len);
    if (space >= version)
        return false;
    text_set(&request->method, line.at, (size_t)(space - line.at));
    text_set(&request->target, space + 1, (size_t)(version - space - 1));
    for (size_t i = 0; i < request->target.len; i++)
        if ((unsigned char)request->target.at[i] <= ' ' || request->target.at[i] == 0x7f)
            return false;
    return request->target.len > 0;
}

/* A Referer of an Atlassian site with a token: how many cuts it takes; 0 if it stays. `out` is the value that is left. */
static size_t referer_cuts(const struct line *line, struct text *out)
{
    static struct url url;
    static struct parameters p;
    if (!text_is(&line->name, "referer"))
        return 0;
    url_split(&url, &line->value);
    if (!url.is_absolute || !is_atlassian(&url.authority))
        return 0;
    parameters_read(&p, &url);
    if (!p.good)
        return 0;
    url_join(out, &url, &p);
    return p.cuts;
}

/* Writes a Referer's line with another value. */
static void put_referer(struct reader *r, const struct line *line, const struct text *value)
{
    put(r, r->in + line->at, line->value_at - line->at);
    put(r, value->at, value->len);
    size_t behind = line->value_at + line->value_len;
    put(r, r->in + behind, line->at + line->len - behind);
}

/* Fields that are looked at in a head without a token, by the first bytes of their line. */
static bool is_looked_at(const struct reader *r, size_t at)
{
    static const char *const names[] = {"content-length", "transfer-encoding", "referer", "upgrade"};
    size_t left = r->len - at;
    if (r->in[at] == '\r' || r->in[at] == '\n')
        return true;
    for (size_t k = 0; k < 4; k++) {
        size_t len = strlen(names[k]);
        if (strncasecmp(r->in + at, names[k], left < len ? left : len) == 0 &&
            (left <= len || r->in[at + len] == ':' || (unsigned char)r->in[at + len] <= ' '))
            return true;
    }
    return false;
}

/* A head whose target has no `jwt`. */
static bool plain_head(struct reader *r, const struct request *request)
{
    static struct line line;
    static struct text referer;
    struct body body = {.connect = strcmp(request->method.at, "CONNECT") == 0};
    copy(r, request->line);
    for (;;) {
        if (r->at == r->len)
            return true;
        if (!is_looked_at(r, r->at)) {
            size_t end = line_end(r, r->at);
            copy(r, (end ? end : r->len) - r->at);
            continue;
        }
        enum line_found found = line_read(r, r->at, &line);
        if (found == LINE_UNFINISHED)
            return copy_undecided(r);
        if (found == LINE_EMPTY)
            break;
        if (!line.well_formed)
            return copy_opaque(r);
        size_t cuts = referer_cuts(&line, &referer);
        if (cuts && cuts <= 48) {
            put_referer(r, &line, &referer);
            r->at += line.len;
            tell(r, MODEL_REFERER);
            continue;
        }
        body_note(&body, &line);
        copy(r, line.len);
    }
    copy(r, line.len);
    if (body_is_faulty(&body, request->http_1_0))
        return copy_opaque(r);
    return body_pass(r, &body);
}

/* What a candidate's fields say. */
struct seen {
    struct body body;
    bool malformed;
    size_t hosts, authorizations;
    struct text host, authorization;
    size_t end; /* of the head, in the stream */
};

static bool fields_read(struct reader *r, const struct request *request, struct seen *seen)
{
    static struct line line;
    seen->malformed = false;
    seen->hosts = seen->authorizations = 0;
    memset(&seen->body, 0, sizeof seen->body);
    seen->body.connect = strcmp(request->method.at, "CONNECT") == 0;
    /* The head ends at its first empty line, whatever stands before it. */
    for (size_t at = r->at + request->line, end;; at = end) {
        end = line_end(r, at);
        if (end == 0)
            return false;
        if (end - at == 1 || (end - at == 2 && r->in[at] == '\r')) {
            seen->end = end;
            break;
        }
    }
    for (size_t at = r->at + request->line; line_read(r, at, &line) == LINE_FIELD; at += line.len) {
        if (!line.well_formed) {
            seen->malformed = true;
            break;
        }
        body_note(&seen->body, &line);
        if (text_is(&line.name, "host")) {
            seen->hosts++;
            text_copy(&seen->host, &line.value);
        }
        if (text_is(&line.name, "authorization")) {
            seen->authorizations++;
            text_copy(&seen->authorization, &line.value);
        }
    }
    return true;
}

static bool is_same_token(const struct seen *seen, const struct text *token)
{
    const struct text *value = &seen->authorization;
    return seen->authorizations == 1 && value->len == token->len + 4 && memcmp(value->at, "JWT ", 4) == 0 &&
           memcmp(value->at + 4, token->at, token->len) == 0;
}

static enum model_event judge(const struct reader *r, const struct request *request, const struct url *url,
                              const struct parameters *p, const struct seen *seen)
{
    if (seen->malformed || body_is_faulty(&seen->body, request->http_1_0))
        return MODEL_FAULT;
    if (p->good && p->cuts > 48)
        return MODEL_MANY;
    if (seen->hosts > 1)
        return MODEL_TWO_HOSTS;
    if (seen->hosts == 0 && !(request->http_1_0 && url->is_absolute))
        return MODEL_NO_HOST;
    if (!is_atlassian(url->is_absolute ? &url->authority : &seen->host))
        return MODEL_OTHER_HOST;
    if (!p->good)
        return MODEL_NO_TOKEN;
    if (seen->authorizations && r->conflict == MODEL_LEAVE && !is_same_token(seen, &p->token))
        return MODEL_CONFLICT;
    return MODEL_MOVED;
}

static void put_authorization(struct reader *r, const struct request *request, const struct text *token)
{
    put_string(r, "Authorization: JWT ");
    put(r, token->at, token->len);
    put_string(r, request->eol);
}

/* Prints the fields anew; returns how many changes that took. */
static size_t put_fields(struct reader *r, const struct request *request, const struct text *token)
{
    static struct line line;
    static struct text referer;
    bool entered = false;
    bool cut_before = false; /* the line before left whole, without anything in its place */
    size_t changes = 0;
    size_t at = r->at + request->line;
    for (; line_read(r, at, &line) == LINE_FIELD; at += line.len) {
        size_t cuts = referer_cuts(&line, &referer);
        bool is_authorization = token && text_is(&line.name, "authorization");
        if (cuts) {
            put_referer(r, &line, &referer);
            changes += cuts;
        } else if (is_authorization) {
            if (!entered)
                put_authorization(r, request, token);
            changes += !(entered && cut_before);
            cut_before = entered;
            entered = true;
            continue;
        } else {
            put(r, r->in + line.at, line.len);
        }
        cut_before = false;
    }
    if (token && !entered) {
        put_authorization(r, request, token);
        changes++;
    }
    put(r, r->in + at, line.len);
    return changes;
}

/* A head whose target has one. */
static bool candidate_head(struct reader *r, const struct request *request, const struct url *url, const struct parameters *p)
{
    static struct seen seen;
    static struct text target;
    if (!fields_read(r, request, &seen))
        return copy_undecided(r);
    enum model_event event = judge(r, request, url, p, &seen);
    if (event == MODEL_FAULT) {
        tell(r, event);
        return copy_opaque(r);
    }
    const size_t before = r->model->len;
    bool moves = event == MODEL_MOVED;
    bool enters = moves && !is_same_token(&seen, &p->token) && !(seen.authorizations && r->conflict == MODEL_HEADER);
    put(r, r->in + r->at, request->method.len + 1);
    if (moves)
        url_join(&target, url, p);
    else
        text_copy(&target, &request->target);
    put(r, target.at, target.len);
    size_t behind = request->method.len + 1 + request->target.len;
    put(r, r->in + r->at + behind, request->line - behind);
    size_t changes = put_fields(r, request, enters ? &p->token : NULL);
    if (event == MODEL_MANY || changes + (moves ? p->cuts : 0) > 48) {
        r->model->len = before;
        put(r, r->in + r->at, seen.end - r->at);
        event = MODEL_MANY;
    }
    tell(r, event);
    r->at = seen.end;
    return body_pass(r, &seen.body);
}

static bool message(struct reader *r)
{
    static struct request request;
    static struct url url;
    static struct parameters p;
    if (r->in[r->at] == '\r' || r->in[r->at] == '\n') {
        copy(r, 1);
        return true;
    }
    if (!may_be_request(r))
        return copy_opaque(r);
    size_t end = line_end(r, r->at);
    if (end == 0)
        return copy_undecided(r);
    request.line = end - r->at;
    if (!request_read(r, &request))
        return copy_opaque(r);
    url_split(&url, &request.target);
    parameters_read(&p, &url);
    return p.any ? candidate_head(r, &request, &url, &p) : plain_head(r, &request);
}

void model_run(struct model *model, const char *in, size_t len, enum model_conflict conflict)
{
    struct reader r = {.in = in, .len = len, .conflict = conflict, .model = model};
    if (len > MODEL_MAX)
        abort();
    model->len = model->told = 0;
    model->events[0] = '\0';
    model->opaque = false;
    model->held_from = len;
    while (r.at < r.len && message(&r))
        ;
}

bool model_path(const char *path, const char *authority, char *out, char *token)
{
    static struct text target, host, joined;
    static struct url url;
    static struct parameters p;
    text_set(&target, path, strlen(path));
    text_set(&host, authority, strlen(authority));
    url_split(&url, &target);
    parameters_read(&p, &url);
    if (!p.good || !is_atlassian(url.is_absolute ? &url.authority : &host) || p.cuts > 48)
        return false;
    url_join(&joined, &url, &p);
    strcpy(out, joined.at);
    strcpy(token, p.token.at);
    return true;
}
