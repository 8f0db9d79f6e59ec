/* What libjwtshim-inspect.so exports: an examination as members of an event. */
#include "examine.h"
#include "inspect.h"

#include <stdlib.h>

/* A request line that long is refused by every server: what it would hash to is of no use. */
enum { TARGET_MAX = 8 * 1024, ISS_MAX = 80, ALG_MAX = 16 };

inspect_fn INSPECT_FUNCTION __attribute__((visibility("default")));

/* At most `most` bytes of `text`, cut between characters. */
static json_t *cut_string(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);
    if (len > most)
        for (len = most; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
            continue;
    return json_stringn(text, len);
}

static void set_time(json_t *fields, const char *name, struct claimed_time time)
{
    if (time.known)
        json_object_set_new(fields, name, json_integer(time.at));
}

static json_t *fields_of(const struct examination *examination)
{
    static const char *const verdicts[] = {
        [QSH_MATCH] = "match", [QSH_MISMATCH] = "mismatch", [QSH_CONTEXT] = "context", [QSH_MISSING] = "missing"};
    json_t *fields = json_object();
    json_t *names = json_array();
    if (examination->iss)
        json_object_set_new(fields, "jwt.iss", cut_string(examination->iss, ISS_MAX));
    set_time(fields, "jwt.exp", examination->exp);
    set_time(fields, "jwt.iat", examination->iat);
    if (examination->alg)
        json_object_set_new(fields, "jwt.alg", cut_string(examination->alg, ALG_MAX));
    if (examination->qsh != QSH_NOT_COMPARED)
        json_object_set_new(fields, "jwt.qsh", json_string(verdicts[examination->qsh]));
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (examination_has(examination, i))
            json_array_append_new(names, json_string(finding_name(i)));
    if (json_array_size(names))
        json_object_set(fields, "jwt.findings", names);
    json_decref(names);
    return fields;
}

/* Prints `fields` without its braces, and with a comma before the first. */
static size_t print(const json_t *fields, char *out, size_t size)
{
    size_t len = json_dumpb(fields, out, size, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (len < sizeof "{}" || len > size)
        return 0;
    out[0] = ',';
    return len - 1;
}

size_t INSPECT_FUNCTION(const struct inspect_request *request, char *out, size_t size)
{
    if (request->version != INSPECT_VERSION)
        return 0;
    const struct signed_request to_sign = {request->method, request->path, request->query};
    const bool comparable = request->path.len + request->query.len <= TARGET_MAX;
    struct examination examination;
    examine(request->token, comparable ? &to_sign : NULL, span_of(NULL, 0), time(NULL), &examination);
    json_t *fields = fields_of(&examination);
    size_t len = print(fields, out, size);
    json_decref(fields);
    examination_end(&examination);
    return len;
}
