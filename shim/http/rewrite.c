#include "rewrite.h"

static const char authorization_start[] = "Authorization: JWT ";

static void note_content_length(struct framing *framing, struct span value)
{
    if (framing->has_length)
        framing->fault = REASON_FRAMING_CONFLICT;
    framing->has_length = true;
    uint64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.at[i]) || length > (UINT64_MAX >> 1) / 10 - 1) {
            framing->fault = REASON_FRAMING_UNKNOWN;
            return;
        }
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (value.len == 0)
        framing->fault = REASON_FRAMING_UNKNOWN;
    framing->content_length = length;
}

/* Only a list whose one and last coding named chunked is `chunked` says where a request's body ends. */
static void note_transfer_encoding(struct framing *framing, struct span value)
{
    if (framing->has_coding)
        framing->fault = REASON_FRAMING_CONFLICT;
    framing->has_coding = true;
    while (value.len) {
        const char *comma = memchr(value.at, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.at) : value.len;
        struct span coding = span_trim(span_of(value.at, len));
        value = span_from(value, comma ? len + 1 : len);
        if (framing->chunked)
            framing->fault = REASON_FRAMING_UNKNOWN;
        framing->chunked = SPAN_IS(coding, "chunked");
    }
    if (!framing->chunked)
        framing->fault = REASON_FRAMING_UNKNOWN;
}

/* The fields that matter somewhere. */
enum field_kind {
    FIELD_OTHER,
    FIELD_HOST,
    FIELD_AUTHORIZATION,
    FIELD_REFERER,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_UPGRADE,
};

static enum field_kind field_kind(struct span name)
{
    switch (name.len) {
    case 4: return SPAN_IS(name, "host") ? FIELD_HOST : FIELD_OTHER;
    case 7: return SPAN_IS(name, "referer") ? FIELD_REFERER : SPAN_IS(name, "upgrade") ? FIELD_UPGRADE : FIELD_OTHER;
    case 13: return SPAN_IS(name, "authorization") ? FIELD_AUTHORIZATION : FIELD_OTHER;
    case 14: return SPAN_IS(name, "content-length") ? FIELD_CONTENT_LENGTH : FIELD_OTHER;
    case 17: return SPAN_IS(name, "transfer-encoding") ? FIELD_TRANSFER_ENCODING : FIELD_OTHER;
    default: return FIELD_OTHER;
    }
}

void framing_note(struct framing *framing, const struct field *field)
{
    switch (field_kind(field->name)) {
    case FIELD_CONTENT_LENGTH: note_content_length(framing, field->value); break;
    case FIELD_TRANSFER_ENCODING: note_transfer_encoding(framing, field->value); break;
    case FIELD_UPGRADE:
        framing->upgrade |= !SPAN_IS(field->value, "h2c"); /* whose preface, if it is accepted, is no request of ours */
        break;
    default: break;
    }
}

void framing_settle(struct framing *framing, bool http_1_0)
{
    if (framing->has_length && framing->has_coding)
        framing->fault = REASON_FRAMING_CONFLICT;
    else if (framing->has_coding && http_1_0)
        framing->fault = REASON_FRAMING_UNKNOWN;
}

bool referer_scrub(const struct policy *policy, const struct field *field, const char *base, struct edits *edits)
{
    struct target url;
    struct span token;
    if (!SPAN_IS(field->name, "referer"))
        return false;
    target_parse(field->value, &url);
    if (url.form != TARGET_ABSOLUTE || !host_matches(&policy->hosts, authority_host(url.authority)))
        return false;
    return query_find_jwt(url.query, base, &token, edits) == JWT_TOKEN;
}

/* What the fields of a candidate's head say, gathered in one pass over them. */
struct fields_seen {
    struct span host;
    size_t hosts;
    size_t authorizations;
    size_t end;  /* where the empty line begins */
    size_t head; /* how long the head is, with that line; 0: it is not all there */
    bool referer;
    bool malformed;
    bool same_token; /* an Authorization carries the very token of the target, and is the only one */
};

static bool carries_token(struct span value, struct span token)
{
    const size_t scheme = sizeof "JWT " - 1;
    return value.len > scheme && memcmp(value.at, "JWT ", scheme) == 0 && token_equals(token, span_from(value, scheme));
}

static void note_authorization(struct fields_seen *seen, struct span value, struct span token)
{
    seen->authorizations++;
    seen->same_token = seen->authorizations == 1 && token.at && carries_token(value, token);
}

/* First pass over the fields: facts only, so that the second may add its edits in order. */
static void fields_scan(struct span in, size_t fields_at, const struct decision *decision, struct framing *framing,
                        struct fields_seen *seen)
{
    struct field field;
    for (size_t at = fields_at;;) {
        ssize_t len = at < in.len ? field_next(span_from(in, at), &field) : FIELD_INCOMPLETE;
        if (len <= 0) {
            seen->malformed = len == FIELD_MALFORMED;
            return;
        }
        seen->end = at;
        at += (size_t)len;
        if (field.name.len == 0) {
            seen->head = at;
            return;
        }
        switch (field_kind(field.name)) {
        case FIELD_OTHER: break;
        case FIELD_HOST:
            seen->hosts++;
            seen->host = field.value;
            break;
        case FIELD_AUTHORIZATION: note_authorization(seen, field.value, decision->token); break;
        case FIELD_REFERER: seen->referer = true; break;
        default: framing_note(framing, &field); break;
        }
    }
}

/* Second pass, for the few heads with one of them: Referers, and the Authorization lines if the token enters. */
static void fields_edit(const struct policy *policy, struct span head, size_t fields_at, struct decision *decision)
{
    struct field field;
    bool entered = !decision->enters;
    for (size_t at = fields_at; at < head.len;) {
        size_t len = (size_t)field_next(span_from(head, at), &field);
        if (field.name.len == 0) {
            if (!entered)
                edits_add(&decision->edits, at, 0, true);
            return;
        }
        if (referer_scrub(policy, &field, head.at, &decision->edits)) {
            decision->referer = true;
        } else if (decision->enters && SPAN_IS(field.name, "authorization")) {
            edits_add(&decision->edits, at, len, !entered);
            entered = true;
        }
        at += len;
    }
}

/* Whether the token of `target` may move, once all fields are seen. */
static enum reason judge(const struct policy *policy, const struct target *target, enum jwt_found found,
                         const struct fields_seen *seen, struct decision *out)
{
    if (target->form == TARGET_ABSOLUTE)
        out->host = authority_host(target->authority);
    else if (seen->hosts)
        out->host = authority_host(seen->host);
    if (found == JWT_NONE)
        return REASON_NONE;
    if (target->form != TARGET_ORIGIN && target->form != TARGET_ABSOLUTE)
        return REASON_TARGET_FORM;
    if (seen->hosts > 1)
        return REASON_HOST_REPEATED;
    if (seen->hosts == 0 && (out->protocol != PROTOCOL_1_0 || target->form == TARGET_ORIGIN))
        return REASON_HOST_MISSING;
    if (!host_matches(&policy->hosts, out->host))
        return REASON_HOST_NOT_ATLASSIAN;
    if (found == JWT_NO_TOKEN)
        return REASON_NOT_A_TOKEN;
    if (seen->authorizations && !seen->same_token && policy->on_conflict == ON_CONFLICT_LEAVE)
        return REASON_CONFLICT_LEFT;
    return REASON_NONE;
}

/* Sets reason and `enters`; what was found to cut in the target stays only if the token moves. */
static void settle(const struct policy *policy, const struct target *target, enum jwt_found found,
                   const struct fields_seen *seen, struct decision *out)
{
    out->reason = judge(policy, target, found, seen, out);
    bool moves = found == JWT_TOKEN && out->reason == REASON_NONE;
    bool keeps = seen->same_token || (seen->authorizations && policy->on_conflict == ON_CONFLICT_HEADER);
    out->enters = moves && !keeps;
    if (!moves)
        out->edits.count = 0;
}

static void decision_reset(struct decision *out)
{
    out->reason = REASON_NONE;
    out->candidate = out->referer = out->enters = false;
    out->protocol = PROTOCOL_1_1;
    out->form = TARGET_OTHER;
    out->method = out->host = out->path = out->query = out->token = span_of(NULL, 0);
    edits_reset(&out->edits);
}

/* Finds the token of a target; `base` is what the edits are relative to. */
static enum jwt_found examine_target(const struct target *target, const char *base, struct decision *out)
{
    out->form = target->form;
    out->path = target->path;
    out->query = target->query;
    enum jwt_found found = query_find_jwt(target->query, base, &out->token, &out->edits);
    out->candidate = found != JWT_NONE;
    return found;
}

size_t head_decide(const struct policy *policy, struct span in, const struct request_line *request,
                   const struct target *target, size_t line, struct framing *framing, struct decision *out)
{
    struct fields_seen seen = {.hosts = 0};
    decision_reset(out);
    *framing = (struct framing){.fault = REASON_NONE};
    out->line_end = line_end_length(span_of(in.at, line));
    out->method = request->method;
    out->protocol = request->http_1_0 ? PROTOCOL_1_0 : PROTOCOL_1_1;

    enum jwt_found found = examine_target(target, in.at, out);
    fields_scan(in, line, out, framing, &seen);
    framing_settle(framing, request->http_1_0);
    if (seen.malformed)
        framing->fault = REASON_HEAD_MALFORMED;
    settle(policy, target, found, &seen, out);
    if (framing->fault != REASON_NONE) {
        out->reason = framing->fault;
        out->edits.count = 0;
        return seen.head;
    }
    if (seen.head == 0)
        return 0;

    /* A Referer is scrubbed whatever becomes of the target; the reason then still says why the token stayed. */
    if (out->enters && !seen.authorizations && !seen.referer)
        edits_add(&out->edits, seen.end, 0, true);
    else if (seen.authorizations || seen.referer)
        fields_edit(policy, span_of(in.at, seen.head), line, out);
    if (out->edits.overflow) {
        out->reason = REASON_TOO_MANY_EDITS;
        out->edits.count = 0;
    }
    return seen.head;
}

void fields_decide(const struct policy *policy, field_at_fn *at, const void *list, size_t count, struct decision *out)
{
    struct fields_seen seen = {.hosts = 0};
    struct target target = {.form = TARGET_OTHER};
    struct span path = span_of(NULL, 0);
    enum jwt_found found = JWT_NONE;
    bool authority = false;

    decision_reset(out);
    out->protocol = PROTOCOL_2;
    for (size_t i = 0; i < count; i++) {
        struct field field = at(list, i);
        if (SPAN_IS(field.name, ":path") && !path.at)
            path = field.value;
        else if (SPAN_IS(field.name, ":method"))
            out->method = field.value;
    }
    if (path.at) {
        target_parse(path, &target);
        found = examine_target(&target, path.at, out);
    }
    for (size_t i = 0; i < count; i++) {
        struct field field = at(list, i);
        bool is_authority = SPAN_IS(field.name, ":authority");
        if (is_authority || (!authority && SPAN_IS(field.name, "host"))) {
            seen.hosts = is_authority && !authority ? 1 : seen.hosts + 1;
            seen.host = field.value;
            authority = is_authority;
        } else if (SPAN_IS(field.name, "authorization")) {
            note_authorization(&seen, field.value, out->token);
        } else if (SPAN_IS(field.name, "referer")) {
            struct edits edits;
            edits_reset(&edits);
            out->referer |= referer_scrub(policy, &field, field.value.at, &edits) && !edits.overflow;
        }
    }
    settle(policy, &target, found, &seen, out);
    if (out->edits.overflow) {
        out->reason = REASON_TOO_MANY_EDITS;
        out->edits.count = 0;
        out->enters = false;
    }
}

size_t decision_bound(const struct decision *decision, size_t len)
{
    return len + sizeof authorization_start + decision->token.len + 2;
}

size_t decision_apply(const struct decision *decision, const char *in, size_t len, char *out)
{
    size_t from = 0;
    char *to = out;
    for (size_t i = 0; i < decision->edits.count; i++) {
        const struct edit *edit = &decision->edits.edit[i];
        memcpy(to, in + from, edit->at - from);
        to += edit->at - from;
        from = edit->at + edit->cut;
        if (!edit->authorization)
            continue;
        memcpy(to, authorization_start, sizeof authorization_start - 1);
        to += sizeof authorization_start - 1;
        to += token_decode(decision->token, to);
        if (decision->line_end == 2)
            *to++ = '\r';
        *to++ = '\n';
    }
    memcpy(to, in + from, len - from);
    return (size_t)(to - out) + len - from;
}
