#include "target.h"

#include "bytes.h"

/* The byte at s[*i], percent-decoded, and *i moved behind it. A '%' without two hex digits stands for itself. */
static inline char next_decoded(struct span s, size_t *i)
{
    char c = s.at[(*i)++];
    if (c != '%' || s.len - *i < 2)
        return c;
    int high = hex_digit(s.at[*i]);
    int low = hex_digit(s.at[*i + 1]);
    if (high < 0 || low < 0)
        return c;
    *i += 2;
    return (char)(high << 4 | low);
}

static size_t scheme_length(struct span target)
{
    if (target.len >= 8 && span_is(span_of(target.at, 8), "https://", 8))
        return 8;
    if (target.len >= 7 && span_is(span_of(target.at, 7), "http://", 7))
        return 7;
    return 0;
}

void target_parse(struct span target, struct target *out)
{
    *out = (struct target){.form = TARGET_OTHER, .path = target};
    struct span rest = target;
    if (rest.len == 1 && *rest.at == '*') {
        out->form = TARGET_ASTERISK;
        return;
    }
    if (rest.len && *rest.at == '/') {
        out->form = TARGET_ORIGIN;
    } else {
        size_t scheme = scheme_length(rest);
        if (scheme == 0) {
            if (rest.len && memchr(rest.at, ':', rest.len))
                out->form = TARGET_AUTHORITY;
            return;
        }
        out->form = TARGET_ABSOLUTE;
        rest = span_from(rest, scheme);
        size_t end = 0;
        while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?' && rest.at[end] != '#')
            end++;
        out->authority = span_of(rest.at, end);
        rest = span_from(rest, end);
    }

    const char *fragment = rest.len ? memchr(rest.at, '#', rest.len) : NULL;
    if (fragment)
        rest.len = (size_t)(fragment - rest.at);
    const char *mark = rest.len ? memchr(rest.at, '?', rest.len) : NULL;
    out->path = rest;
    if (mark) {
        out->path.len = (size_t)(mark - rest.at);
        out->query = span_from(rest, out->path.len + 1);
    }
}

static bool is_three_runs(struct span token)
{
    for (int part = 0; part < 3; part++) {
        size_t run = bytes_in(&token_characters, token);
        bool ends_right = part < 2 ? run < token.len && token.at[run] == '.' : run == token.len;
        if (run == 0 || !ends_right)
            return false;
        token = span_from(token, part < 2 ? run + 1 : run);
    }
    return true;
}

/* The same, decoding as it goes. */
static bool is_three_runs_encoded(struct span raw)
{
    size_t dots = 0;
    size_t run = 0;
    for (size_t i = 0; i < raw.len;) {
        char c = next_decoded(raw, &i);
        if (c != '.' && !byte_is_in(&token_characters, c))
            return false;
        if (c == '.' && (run == 0 || ++dots > 2))
            return false;
        run = c == '.' ? 0 : run + 1;
    }
    return dots == 2 && run > 0;
}

bool token_is_well_formed(struct span raw)
{
    return raw.len && memchr(raw.at, '%', raw.len) ? is_three_runs_encoded(raw) : is_three_runs(raw);
}

bool token_equals(struct span raw, struct span plain)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.len; n++)
        if (n == plain.len || next_decoded(raw, &i) != plain.at[n])
            return false;
    return n == plain.len;
}

size_t token_decode(struct span raw, char *out)
{
    size_t n = 0;
    if (!memchr(raw.at, '%', raw.len)) {
        memcpy(out, raw.at, raw.len);
        return raw.len;
    }
    for (size_t i = 0; i < raw.len;)
        out[n++] = next_decoded(raw, &i);
    return n;
}

/* How long the name at the start of `parameter` is if its first three characters, decoded, are "jwt"; else 0. */
static size_t jwt_prefix(struct span parameter)
{
    const char want[] = "jwt";
    if (parameter.len < 3)
        return 0;
    if (memcmp(parameter.at, want, 3) == 0)
        return 3;
    if (!memchr(parameter.at, '%', 3))
        return 0;
    size_t i = 0;
    for (size_t k = 0; k < 3; k++)
        if (i >= parameter.len || parameter.at[i] == '=' || next_decoded(parameter, &i) != want[k])
            return 0;
    return i;
}

/* Splits one `name[=value]` and says whether the name, decoded, is exactly `jwt`. */
static bool parameter_is_jwt(struct span parameter, struct span *value)
{
    size_t name = jwt_prefix(parameter);
    if (name == 0 || (name < parameter.len && parameter.at[name] != '='))
        return false;
    *value = name < parameter.len ? span_from(parameter, name + 1) : span_of(parameter.at + name, 0);
    return true;
}

/* The parameter at `start`, up to its '&' or the query's end. */
static struct span parameter_at(struct span query, size_t start)
{
    const char *amp = start < query.len ? memchr(query.at + start, '&', query.len - start) : NULL;
    return span_of(query.at + start, (amp ? (size_t)(amp - query.at) : query.len) - start);
}

bool query_has_jwt(struct span query)
{
    struct span value;
    if (!query.at)
        return false;
    for (size_t at = bytes_jwt_name(query, 0); at < query.len; at = bytes_jwt_name(query, at)) {
        struct span parameter = parameter_at(query, at);
        if (parameter_is_jwt(parameter, &value))
            return true;
        at += parameter.len;
        at += at < query.len;
    }
    return false;
}

enum jwt_found query_find_jwt(struct span query, const char *base, struct span *token, struct edits *edits)
{
    if (!query.at)
        return JWT_NONE;

    enum jwt_found found = JWT_NONE;
    bool kept_any = false;
    const size_t first_edit = edits->count;
    const size_t query_at = (size_t)(query.at - base);

    for (size_t start = 0; start <= query.len;) {
        struct span parameter = parameter_at(query, start);
        struct span value;
        if (parameter_is_jwt(parameter, &value)) {
            if (found == JWT_NONE) {
                if (!token_is_well_formed(value))
                    return JWT_NO_TOKEN;
                found = JWT_TOKEN;
                *token = value;
            }
            /* Behind a parameter that stays, the '&' in front leaves too; before all that stay, the one behind. */
            bool last = start + parameter.len == query.len;
            if (kept_any)
                edits_add(edits, query_at + start - 1, parameter.len + 1, false);
            else
                edits_add(edits, query_at + start, parameter.len + (last ? 0 : 1), false);
        } else {
            kept_any = true;
        }
        start += parameter.len + 1;
    }

    if (found == JWT_TOKEN && !kept_any) {
        edits->count = first_edit;
        edits_add(edits, query_at - 1, query.len + 1, false);
    }
    return found;
}
