/* SHA256_Init and its like are the digest of OpenSSL that needs nothing else of it: no configuration file, no provider, no
 * handler at exit. */
#define OPENSSL_API_COMPAT 0x10101000L
#include "qsh.h"

#include <openssl/sha.h>
#include <stdlib.h>

struct parameter {
    struct span name, value; /* decoded */
};

struct parameters {
    struct parameter *at;
    size_t count;
    char *bytes; /* what they point into */
    size_t size;
};

static bool is_unreserved(unsigned char c)
{
    return is_digit((char)c) || (ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* A form's decoding, leniently: a '%' without two hex digits stands for itself. */
static struct span decode(struct span raw, bool plus_kept, char **to)
{
    struct span decoded = span_of(*to, 0);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i];
        if (c == '+' && !plus_kept) {
            c = ' ';
        } else if (c == '%' && raw.len - i > 2) {
            int high = hex_digit(raw.at[i + 1]);
            int low = hex_digit(raw.at[i + 2]);
            if (high >= 0 && low >= 0) {
                c = (char)(high << 4 | low);
                i += 2;
            }
        }
        *(*to)++ = c;
        decoded.len++;
    }
    return decoded;
}

static bool parse(struct span query, const struct qsh_form *form, struct parameters *out)
{
    size_t most = 1;
    for (size_t i = 0; i < query.len; i++)
        most += query.at[i] == '&';
    *out =
        (struct parameters){.at = malloc(most * sizeof *out->at), .bytes = malloc(query.len + 1), .size = query.len + 1};
    if (!out->at || !out->bytes)
        return false;
    char *to = out->bytes;
    while (query.len && !form->query_left_out) {
        const char *amp = memchr(query.at, '&', query.len);
        struct span part = span_of(query.at, amp ? (size_t)(amp - query.at) : query.len);
        query = span_from(query, part.len + (amp != NULL));
        if (part.len == 0)
            continue;
        const char *equals = memchr(part.at, '=', part.len);
        size_t name_len = equals ? (size_t)(equals - part.at) : part.len;
        struct parameter parameter;
        parameter.name = decode(span_of(part.at, name_len), form->plus_kept, &to);
        parameter.value = equals ? decode(span_from(part, name_len + 1), form->plus_kept, &to) : span_of(to, 0);
        if (parameter.name.len == 3 && memcmp(parameter.name.at, "jwt", 3) == 0) {
            if (!form->jwt_kept)
                continue;
            parameter.value.len = 0;
        }
        out->at[out->count++] = parameter;
    }
    return true;
}

static void parameters_end(struct parameters *parameters)
{
    if (parameters->bytes)
        explicit_bzero(parameters->bytes, parameters->size); /* the token was among them */
    free(parameters->at);
    free(parameters->bytes);
}

/* JavaScript and Java compare UTF-16: characters beyond its first plane come before U+E000. */
static int weight_decoded(unsigned char c)
{
    return c == 0xee || c == 0xef ? c + 0x10 : c;
}

/* An escape begins with '%', which is less than anything unreserved. */
static int weight_encoded(unsigned char c)
{
    return is_unreserved(c) ? c + 0x100 : c;
}

static int compare(struct span a, struct span b, int (*weight)(unsigned char))
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (a.at[i] != b.at[i])
            return weight((unsigned char)a.at[i]) - weight((unsigned char)b.at[i]);
    return a.len < b.len ? -1 : a.len > b.len;
}

static int by_decoded(const void *left, const void *right)
{
    const struct parameter *a = left;
    const struct parameter *b = right;
    int order = compare(a->name, b->name, weight_decoded);
    return order ? order : compare(a->value, b->value, weight_decoded);
}

static int by_encoded(const void *left, const void *right)
{
    const struct parameter *a = left;
    const struct parameter *b = right;
    int order = compare(a->name, b->name, weight_encoded);
    return order ? order : compare(a->value, b->value, weight_encoded);
}

static void put(char **to, const char *text, size_t len)
{
    memcpy(*to, text, len);
    *to += len;
}

static void put_encoded(char **to, struct span text, bool marks_kept)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (is_unreserved(c) || (marks_kept && c && strchr("!'()*", c)))
            put(to, &text.at[i], 1);
        else
            put(to, (const char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}

static void put_query(char **to, const struct parameters *parameters, const struct qsh_form *form)
{
    for (size_t i = 0; i < parameters->count; i++) {
        const struct parameter *parameter = &parameters->at[i];
        bool repeated = i && compare(parameter->name, parameter[-1].name, weight_decoded) == 0;
        if (repeated && !form->repeats_apart) {
            put(to, ",", 1);
        } else {
            if (i)
                put(to, "&", 1);
            put_encoded(to, parameter->name, form->marks_kept);
            put(to, "=", 1);
        }
        put_encoded(to, parameter->value, form->marks_kept);
    }
}

bool qsh_path_is_below(struct span path, struct span base)
{
    return base.len && path.len >= base.len && memcmp(path.at, base.at, base.len) == 0 &&
           (path.len == base.len || path.at[base.len] == '/');
}

static void put_path(char **to, struct span path, const struct qsh_form *form)
{
    if (qsh_path_is_below(path, form->base))
        path = span_from(path, form->base.len);
    if (path.len == 0 || *path.at != '/')
        put(to, "/", 1);
    if (path.len > 1 && path.at[path.len - 1] == '/' && !form->slash_kept)
        path.len--;
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] == '&')
            put(to, "%26", 3);
        else
            put(to, &path.at[i], 1);
    }
}

static void put_method(char **to, struct span method)
{
    for (size_t i = 0; i < method.len; i++) {
        char c = method.at[i];
        *(*to)++ = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
}

char *qsh_canonical(const struct signed_request *request, const struct qsh_form *form, size_t *len)
{
    struct parameters parameters;
    /* Every byte becomes three at most, and a name without '=' gets one. */
    char *canonical = malloc(request->method.len + 3 * request->path.len + 4 * request->query.len + 8);
    bool parsed = parse(request->query, form, &parameters);
    if (!canonical || !parsed) {
        free(canonical);
        parameters_end(&parameters);
        return NULL;
    }
    if (form->order != QSH_UNSORTED && parameters.count > 1)
        qsort(parameters.at, parameters.count, sizeof *parameters.at,
              form->order == QSH_BY_DECODED ? by_decoded : by_encoded);
    char *to = canonical;
    put_method(&to, request->method);
    put(&to, "&", 1);
    put_path(&to, request->path, form);
    put(&to, "&", 1);
    put_query(&to, &parameters, form);
    parameters_end(&parameters);
    *len = (size_t)(to - canonical);
    return canonical;
}

void qsh_hash(const char *canonical, size_t len, char hex[QSH_LENGTH + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, canonical, len);
    SHA256_Final(digest, &context);
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[QSH_LENGTH] = '\0';
}
