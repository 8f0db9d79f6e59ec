/* An inspection as text for a person, and as JSON for a program. */
#include "inspection.h"

#include "../../shim/report/events.h"
#include "words.h"

#include <stdlib.h>

const char *signature_text(enum signature signature)
{
    static const char *const texts[] = {
        [SIGNATURE_NOT_ASKED] = "not verified",
        [SIGNATURE_RIGHT] = "right",
        [SIGNATURE_RIGHT_WITHOUT_LINE_END] = "right, by the secret without the line end that the file ends in",
        [SIGNATURE_RIGHT_WITH_LINE_END] =
            "right, by the secret with the line end that the file ends in: the app signs with it",
        [SIGNATURE_WRONG] = "wrong: another secret, or a changed token"};
    return texts[signature];
}

/* A query with the value of every `jwt` taken out, however it is written; `without`: with the parameters themselves. */
static void put_query(FILE *to, struct span query, bool without)
{
    char separator = '?';
    for (bool more = query.at != NULL; more;) {
        const char *amp = query.len ? memchr(query.at, '&', query.len) : NULL;
        struct span part = span_of(query.at, amp ? (size_t)(amp - query.at) : query.len);
        const bool is_jwt = query_has_jwt(part);
        more = amp != NULL;
        query = span_from(query, part.len + more);
        if (is_jwt && without)
            continue;
        fputc(separator, to);
        separator = '&';
        if (is_jwt)
            fputs("jwt=<token>", to);
        else
            fwrite(part.at, 1, part.len, to);
    }
}

char *inspection_target(const struct inspection *inspection, bool after)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    if (!to)
        return NULL;
    fwrite(inspection->decision.path.at, 1, inspection->decision.path.len, to);
    put_query(to, inspection->decision.query, after);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

static bool moves(const struct inspection *inspection)
{
    return inspection->decision.candidate && inspection->reason == REASON_NONE;
}

static const char *fate(const struct inspection *inspection)
{
    const enum mode mode = inspection->config.mode;
    if (!inspection->decision.candidate)
        return "nothing: its query has no jwt";
    if (mode == MODE_OFF)
        return "nothing: the settings say off";
    if (!moves(inspection))
        return "leaves it as it is";
    return mode == MODE_AUDIT ? "reports what it would move: the settings say audit"
                              : "moves the token into the Authorization header";
}

/* --- text ------------------------------------------------------------------------------------------------------------------------ */

static void put_row(FILE *to, const char *name)
{
    fprintf(to, "%-11s ", name);
}

static void put_time(FILE *to, const char *name, struct claimed_time time, time_t now, const char *past, const char *future)
{
    char when[64], distance[64];
    if (!time.known)
        return;
    const bool milliseconds = time.at > 100000000000;
    const long long at = milliseconds ? time.at / 1000 : time.at;
    words_of_time(when, sizeof when, at);
    words_of_span(distance, sizeof distance, at - now);
    put_row(to, name);
    fprintf(to, "%lld: %s, %s %s%s%s\n", time.at, when, at > now ? future : past, at > now ? "in " : "", distance,
            at > now ? "" : " ago");
    if (milliseconds)
        fprintf(to, "            (read as milliseconds)\n");
}

static void put_json_row(FILE *to, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    if (!text)
        return;
    put_row(to, name);
    fprintf(to, "%s\n", text);
    free(text);
}

static void put_request(FILE *to, const struct inspection *inspection)
{
    const struct decision *decision = &inspection->decision;
    char *before = inspection_target(inspection, false);
    char *after = inspection_target(inspection, true);
    put_row(to, "request");
    put_escaped(to, decision->method);
    fprintf(to, " %s://", inspection->subject.plain ? "http" : "https");
    put_escaped(to, decision->host);
    put_escaped(to, span_of(before, before ? strlen(before) : 0));
    fputc('\n', to);
    put_row(to, "shim");
    fputs(fate(inspection), to);
    if (inspection->reason != REASON_NONE)
        fprintf(to, " (%s)", reason_name(inspection->reason));
    fputc('\n', to);
    if (moves(inspection) && inspection->config.mode != MODE_OFF) {
        put_row(to, "sends");
        put_escaped(to, decision->method);
        fputc(' ', to);
        put_escaped(to, span_of(after, after ? strlen(after) : 0));
        fprintf(to, "%s\n", decision->enters ? ", Authorization: JWT <token>" : ", the Authorization that is there");
    }
    free(before);
    free(after);
}

static void put_token(FILE *to, const struct inspection *inspection)
{
    const struct examination *examination = &inspection->examination;
    const char *signature = strrchr(inspection->token, '.');
    put_row(to, "token");
    fprintf(to, "%zu bytes%s\n", inspection->token_len, inspection->in_header ? ", in the Authorization header" : "");
    if (examination->header)
        put_json_row(to, "header", examination->header);
    if (examination->claims)
        put_json_row(to, "claims", examination->claims);
    put_time(to, "iat", examination->iat, inspection->now, "issued", "to be issued");
    put_time(to, "nbf", examination->nbf, inspection->now, "valid since", "valid");
    put_time(to, "exp", examination->exp, inspection->now, "expired", "expires");
    put_row(to, "signature");
    fprintf(to, "%s", signature_text(inspection->signature));
    if (inspection->show_signature && signature)
        fprintf(to, ": %s", signature + 1);
    fputc('\n', to);
}

static void put_qsh(FILE *to, const struct inspection *inspection)
{
    static const char *const verdicts[] = {
        [QSH_NOT_COMPARED] = "", [QSH_MATCH] = ": the token's", [QSH_MISMATCH] = ": not the token's", [QSH_CONTEXT] = ": the token has context-qsh", [QSH_MISSING] = ": the token has none"};
    if (!inspection->canonical)
        return;
    put_row(to, "canonical");
    put_escaped(to, span_of(inspection->canonical, inspection->canonical_len));
    fputc('\n', to);
    put_row(to, "qsh");
    fprintf(to, "%s%s\n", inspection->examination.computed_qsh, verdicts[inspection->examination.qsh]);
}

static void put_findings(FILE *to, const struct inspection *inspection)
{
    const bool colour = command_may_colour(to);
    bool any = false;
    for (unsigned i = 0; i < FINDING_COUNT; i++) {
        if (!examination_has(&inspection->examination, i))
            continue;
        put_row(to, any ? "" : "findings");
        fprintf(to, "%s%s%s: %s\n", colour ? finding_fails(i) ? "\033[31m" : "\033[33m" : "", finding_name(i),
                colour ? "\033[m" : "", finding_text(i));
        any = true;
    }
    if (!any) {
        put_row(to, "findings");
        fputs("none\n", to);
    }
}

void inspection_print(const struct inspection *inspection, FILE *to)
{
    if (inspection->subject.head)
        put_request(to, inspection);
    if (inspection->token)
        put_token(to, inspection);
    put_qsh(to, inspection);
    if (inspection->token)
        put_findings(to, inspection);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------------ */

static json_t *request_object(const struct inspection *inspection)
{
    const struct decision *decision = &inspection->decision;
    char *target = inspection_target(inspection, false);
    json_t *object = json_object();
    json_object_set_new(object, "method", json_of_bytes(decision->method));
    json_object_set_new(object, "scheme", json_string(inspection->subject.plain ? "http" : "https"));
    json_object_set_new(object, "host", json_of_bytes(decision->host));
    json_object_set_new(object, "target", json_of_bytes(span_of(target, target ? strlen(target) : 0)));
    free(target);
    return object;
}

static json_t *shim_object(const struct inspection *inspection)
{
    static const char *const modes[] = {[MODE_REWRITE] = "rewrite", [MODE_AUDIT] = "audit", [MODE_OFF] = "off"};
    char *target = inspection_target(inspection, true);
    json_t *object = json_object();
    json_object_set_new(object, "mode", json_string(modes[inspection->config.mode]));
    json_object_set_new(object, "moves", json_boolean(moves(inspection)));
    if (inspection->reason != REASON_NONE)
        json_object_set_new(object, "reason", json_string(reason_name(inspection->reason)));
    if (moves(inspection))
        json_object_set_new(object, "target", json_of_bytes(span_of(target, target ? strlen(target) : 0)));
    free(target);
    return object;
}

static void set_time(json_t *object, const char *name, struct claimed_time time, time_t now)
{
    char when[64];
    if (!time.known)
        return;
    words_of_time(when, sizeof when, time.at);
    json_object_set_new(object, name,
                        json_pack("{s:I, s:s, s:I}", "at", (json_int_t)time.at, "time", when, "seconds_from_now",
                                  (json_int_t)(time.at - now)));
}

static json_t *token_object(const struct inspection *inspection)
{
    const struct examination *examination = &inspection->examination;
    const char *signature = strrchr(inspection->token, '.');
    json_t *object = json_object();
    json_object_set_new(object, "length", json_integer((json_int_t)inspection->token_len));
    json_object_set_new(object, "place",
                        json_string(!inspection->subject.head ? "alone"
                                    : inspection->in_header   ? "header"
                                                              : "query"));
    if (examination->header)
        json_object_set(object, "header", examination->header);
    if (examination->claims)
        json_object_set(object, "claims", examination->claims);
    set_time(object, "iat", examination->iat, inspection->now);
    set_time(object, "nbf", examination->nbf, inspection->now);
    set_time(object, "exp", examination->exp, inspection->now);
    json_object_set_new(object, "signature", json_string(signature_text(inspection->signature)));
    if (inspection->signature != SIGNATURE_NOT_ASKED)
        json_object_set_new(object, "verified", json_boolean(inspection->signature != SIGNATURE_WRONG));
    if (inspection->show_signature && signature)
        json_object_set_new(object, "signature_bytes", json_string(signature + 1));
    return object;
}

static json_t *qsh_object(const struct inspection *inspection)
{
    static const char *const verdicts[] = {
        [QSH_NOT_COMPARED] = "not-compared", [QSH_MATCH] = "match", [QSH_MISMATCH] = "mismatch", [QSH_CONTEXT] = "context", [QSH_MISSING] = "missing"};
    json_t *object = json_object();
    json_object_set_new(object, "canonical", json_of_bytes(span_of(inspection->canonical, inspection->canonical_len)));
    json_object_set_new(object, "computed", json_string(inspection->examination.computed_qsh));
    json_object_set_new(object, "verdict", json_string(verdicts[inspection->examination.qsh]));
    return object;
}

static json_t *findings_array(const struct inspection *inspection)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (examination_has(&inspection->examination, i))
            json_array_append_new(array, json_pack("{s:s, s:b, s:s}", "id", finding_name(i), "fails", finding_fails(i),
                                                   "text", finding_text(i)));
    return array;
}

void inspection_print_json(const struct inspection *inspection, FILE *to)
{
    json_t *object = json_object();
    if (inspection->subject.head) {
        json_object_set_new(object, "request", request_object(inspection));
        json_object_set_new(object, "shim", shim_object(inspection));
    }
    if (inspection->token)
        json_object_set_new(object, "token", token_object(inspection));
    if (inspection->canonical)
        json_object_set_new(object, "qsh", qsh_object(inspection));
    json_object_set_new(object, "findings", findings_array(inspection));
    json_object_set_new(object, "fails", json_boolean(inspection_fails(inspection)));
    json_dumpf(object, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    fputc('\n', to);
    json_decref(object);
}
