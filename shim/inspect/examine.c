#include "examine.h"

#include "base64url.h"
#include "inspect.h"
#include "libjwt.h"

#include <stdlib.h>
#include <sys/auxv.h>

enum { LEEWAY = 30, LONG_LIFETIME_SECONDS = 25 * 60 * 60, DEEPEST = 12, QUERY_TO_EXPLAIN = 2048 };

static const struct {
    const char *name, *text;
    bool fails;
} findings[FINDING_COUNT] = {
#define X(id, name, fails, text) [FINDING_##id] = {name, text, fails},
    FINDINGS(X)
#undef X
};

const char *finding_name(enum finding finding)
{
    return findings[finding].name;
}

const char *finding_text(enum finding finding)
{
    return findings[finding].text;
}

bool finding_fails(enum finding finding)
{
    return findings[finding].fails;
}

static void find(struct examination *examination, enum finding finding)
{
    examination->findings |= 1u << finding;
}

/* JSON parsers recurse: what is nested deeper than any token is not shown to one, since the stack may be a small one. */
static bool nests_too_deep(const char *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == '[' || text[i] == '{') && ++depth > DEEPEST)
            return true;
        else if (!in_string && (text[i] == ']' || text[i] == '}') && depth)
            depth--;
    }
    return false;
}

/* One of the first two parts as an object, by jansson alone. NULL if it is none. */
static json_t *object_of(struct span part)
{
    char *text = malloc(part.len + 1);
    size_t len = text ? base64url_decode(part.at, part.len, text) : (size_t)-1;
    bool fit = len != (size_t)-1 && !nests_too_deep(text, len);
    json_t *object = fit ? json_loadb(text, len, 0, NULL) : NULL;
    free(text);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static struct span next_part(struct span *token)
{
    const char *dot = token->len ? memchr(token->at, '.', token->len) : NULL;
    struct span part = span_of(token->at, dot ? (size_t)(dot - token->at) : token->len);
    *token = span_from(*token, part.len + (dot != NULL));
    return part;
}

/* What libjwt makes of it. It gets no signature: it would not be looked at, and what libjwt copies it does not wipe. */
static bool read_by_libjwt(struct span head_and_claims, struct examination *out)
{
    char *token = malloc(head_and_claims.len + sizeof ".");
    if (!token)
        return false;
    memcpy(token, head_and_claims.at, head_and_claims.len);
    memcpy(token + head_and_claims.len, ".", sizeof ".");
    bool read = libjwt_read(token, &out->header, &out->claims);
    free(token);
    return read;
}

/* Not 0, for which jansson would open /dev/urandom; and nobody's guess, since the seed is also that of the program's own objects,
 * whose names others may choose: from what the kernel gave the process. */
static size_t seed_for_jansson(void)
{
    char hex[QSH_LENGTH + 1] = "1";
    const char *random = (const char *)getauxval(AT_RANDOM); /* 16 bytes */
    if (random)
        qsh_hash(random, 16, hex);
    hex[8] = '\0';
    return strtoul(hex, NULL, 16) | 1;
}

static bool read_token(struct span token, struct examination *out)
{
    struct span rest = token;
    struct span header = next_part(&rest);
    struct span claims = next_part(&rest);
    if (token.len > INSPECT_TOKEN_MAX) {
        find(out, FINDING_TOO_LONG);
        return false;
    }
    json_object_seed(seed_for_jansson());
    json_t *plain_header = object_of(header);
    json_t *plain_claims = object_of(claims);
    if (!plain_header || !plain_claims) {
        find(out, FINDING_UNREADABLE);
    } else if (!read_by_libjwt(span_of(token.at, header.len + 1 + claims.len), out)) {
        find(out, FINDING_LIBJWT_REFUSES);
        out->header = json_incref(plain_header);
        out->claims = json_incref(plain_claims);
    }
    json_decref(plain_header);
    json_decref(plain_claims);
    return out->claims != NULL;
}

/* Bounded, so that differences of two cannot overflow. */
static struct claimed_time time_of(const json_t *claims, const char *name)
{
    const double most = 1e15;
    const json_t *value = json_object_get(claims, name);
    double seconds = json_number_value(value);
    if (!json_is_number(value))
        return (struct claimed_time){.known = false};
    return (struct claimed_time){true, (long long)(seconds > most ? most : seconds < -most ? -most : seconds)};
}

static bool is_milliseconds(struct claimed_time time)
{
    return time.known && time.at > 100000000000; /* as seconds, the year 5138 */
}

static void examine_times(struct examination *out, time_t now)
{
    out->iat = time_of(out->claims, "iat");
    out->exp = time_of(out->claims, "exp");
    out->nbf = time_of(out->claims, "nbf");
    if (!out->iat.known)
        find(out, FINDING_NO_IAT);
    if (!out->exp.known)
        find(out, FINDING_NO_EXP);
    if (is_milliseconds(out->iat) || is_milliseconds(out->exp)) {
        find(out, FINDING_MILLISECONDS);
        return;
    }
    if (out->exp.known && out->exp.at < now - LEEWAY)
        find(out, FINDING_EXPIRED);
    if (out->iat.known && out->iat.at > now + LEEWAY)
        find(out, FINDING_IAT_IN_FUTURE);
    if (out->nbf.known && out->nbf.at > now + LEEWAY)
        find(out, FINDING_NOT_YET_VALID);
    if (out->exp.known && out->exp.at - (out->iat.known ? out->iat.at : now) > LONG_LIFETIME_SECONDS)
        find(out, FINDING_LONG_LIFETIME);
}

static void examine_algorithm(struct examination *out)
{
    out->alg = json_string_value(json_object_get(out->header, "alg"));
    struct span alg = span_of(out->alg, out->alg ? strlen(out->alg) : 0);
    if (SPAN_IS(alg, "none"))
        find(out, FINDING_ALG_NONE);
    else if (!out->alg || strcmp(out->alg, "HS256") != 0)
        find(out, FINDING_ALG_NOT_HS256);
}

/* Whether the token's hash is that of `request` made by `form`. */
static bool matches(const struct examination *out, const struct signed_request *request, const struct qsh_form *form)
{
    size_t len;
    char hex[QSH_LENGTH + 1];
    char *canonical = qsh_canonical(request, form, &len);
    if (!canonical)
        return false;
    qsh_hash(canonical, len, hex);
    free(canonical);
    return strcmp(hex, out->claimed_qsh) == 0;
}

static bool matches_in_any_order(const struct examination *out, const struct signed_request *request, struct qsh_form form)
{
    for (form.order = QSH_BY_DECODED; form.order <= QSH_BY_ENCODED; form.order++)
        if (matches(out, request, &form))
            return true;
    return false;
}

/* The first segment of `path`, which a client may have taken for a context path. */
static struct span first_segment(struct span path)
{
    const char *slash = path.len > 1 ? memchr(path.at + 1, '/', path.len - 1) : NULL;
    return span_of(path.at, slash ? (size_t)(slash - path.at) : 0);
}

static bool was_made_for_another_method(const struct examination *out, const struct signed_request *request, struct span base)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"};
    struct signed_request other = *request;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        other.method = span_of(methods[i], strlen(methods[i]));
        if (matches_in_any_order(out, &other, (struct qsh_form){.base = base}))
            return true;
    }
    return false;
}

/* The mistake that gives this hash, if it is one of the usual ones. */
static enum finding likely_cause(const struct examination *out, const struct signed_request *request, struct span base)
{
    const struct {
        enum finding finding;
        struct qsh_form form;
    } mistakes[] = {
        {FINDING_CONTEXT_PATH_CUT, {.base = first_segment(request->path)}},
        {FINDING_SLASH_KEPT, {.base = base, .slash_kept = true}},
        {FINDING_JWT_HASHED, {.base = base, .jwt_kept = true}},
        {FINDING_UNSORTED, {.base = base, .order = QSH_UNSORTED}},
        {FINDING_UNSORTED, {.base = base, .order = QSH_UNSORTED, .repeats_apart = true}},
        {FINDING_QUERY_LEFT_OUT, {.base = base, .query_left_out = true}},
        {FINDING_REPEATS_APART, {.base = base, .repeats_apart = true}},
        {FINDING_MARKS_KEPT, {.base = base, .marks_kept = true}},
        {FINDING_PLUS_KEPT, {.base = base, .plus_kept = true}},
    };
    if (request->query.len > QUERY_TO_EXPLAIN)
        return FINDING_MISMATCH; /* each look sorts all of it again */
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const struct qsh_form *form = &mistakes[i].form;
        bool found = form->order == QSH_UNSORTED ? matches(out, request, form) : matches_in_any_order(out, request, *form);
        if (found)
            return mistakes[i].finding;
    }
    return was_made_for_another_method(out, request, base) ? FINDING_METHOD : FINDING_MISMATCH;
}

struct span context_path_of(struct span path)
{
    static const struct span wiki = {"/wiki", sizeof "/wiki" - 1};
    return qsh_path_is_below(path, wiki) ? wiki : span_of("", 0);
}

static void compute_qsh(struct examination *out, const struct signed_request *request, struct span base)
{
    size_t len;
    char *canonical = qsh_canonical(request, &(struct qsh_form){.base = base}, &len);
    if (!canonical)
        return;
    qsh_hash(canonical, len, out->computed_qsh);
    free(canonical);
}

static void examine_qsh(struct examination *out, const struct signed_request *request, struct span base)
{
    out->claimed_qsh = json_string_value(json_object_get(out->claims, "qsh"));
    if (!out->claimed_qsh) {
        out->qsh = QSH_MISSING;
        find(out, FINDING_NO_QSH);
        return;
    }
    if (strcmp(out->claimed_qsh, "context-qsh") == 0) {
        out->qsh = QSH_CONTEXT;
        find(out, FINDING_CONTEXT_QSH);
        return;
    }
    if (!request)
        return;
    if (matches_in_any_order(out, request, (struct qsh_form){.base = base})) {
        out->qsh = QSH_MATCH;
        return;
    }
    if (base.len && matches_in_any_order(out, request, (struct qsh_form){.order = QSH_BY_DECODED})) {
        out->qsh = QSH_MATCH;
        find(out, FINDING_CONTEXT_PATH_KEPT);
        return;
    }
    out->qsh = QSH_MISMATCH;
    find(out, likely_cause(out, request, base));
}

void examine(struct span token, const struct signed_request *request, struct span base, time_t now, struct examination *out)
{
    *out = (struct examination){.qsh = QSH_NOT_COMPARED};
    if (request && !base.at)
        base = context_path_of(request->path);
    if (request)
        compute_qsh(out, request, base);
    if (!read_token(token, out))
        return;
    out->iss = json_string_value(json_object_get(out->claims, "iss"));
    if (!out->iss || !*out->iss)
        find(out, FINDING_NO_ISS);
    examine_algorithm(out);
    examine_times(out, now);
    examine_qsh(out, request, base);
}

void examination_end(struct examination *examination)
{
    json_decref(examination->header);
    json_decref(examination->claims);
    examination->header = examination->claims = NULL;
}
