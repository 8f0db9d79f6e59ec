/* The model: heads, and what becomes of them. */
#include "model_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* The rest cannot be told yet. */
static bool copy_undecided(struct reader *r)
{
    r->model->held_from = r->at;
    copy(r, r->len - r->at);
    return false;
}

/* --- heads ----------------------------------------------------------------------------------------------------------------- */

struct request {
    struct text method, target;
    bool http_1_0;
    size_t line; /* its request line's length */
    const char *eol;
};

static const char *const methods[] = {"GET",   "POST",    "PUT",      "DELETE",    "HEAD",  "PATCH", "OPTIONS",
                                      "TRACE", "CONNECT", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",  "MOVE",
                                      "LOCK",  "UNLOCK",  "REPORT",   "SEARCH",    NULL};

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
static bool candidate_head(struct reader *r, const struct request *request, const struct url *url,
                           const struct parameters *p)
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
