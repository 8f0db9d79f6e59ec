/* The inspector's function, for any token beside any request, and what `jwtshim inspect` takes apart. Input: a token, a method, a
 * path and a query, a line each; the last may hold anything. */
#include "../../shim/inspect/examine.h"
#include "../../shim/inspect/inspect.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span next_line(struct span *rest)
{
    const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
    struct span line = span_of(rest->at, end ? (size_t)(end - rest->at) : rest->len);
    *rest = span_from(*rest, line.len + (end != NULL));
    return line;
}

static void broken_promise(const char *what)
{
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

/* Members of an object, in ASCII, each with a comma before it. */
static void check_fields(const char *fields, size_t len)
{
    char object[INSPECT_FIELDS_MAX + 16];
    snprintf(object, sizeof object, "{\"x\":1%.*s}", (int)len, fields);
    json_t *parsed = json_loads(object, JSON_REJECT_DUPLICATES, NULL);
    if (!parsed)
        broken_promise("the fields are no JSON");
    for (size_t i = 0; i < len; i++)
        if (fields[i] < ' ') /* a control character, or beyond ASCII */
            broken_promise("a field is not printable ASCII");
    json_decref(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    inspect_fn INSPECT_FUNCTION;
    char *text = malloc(size + 1); /* so that one byte too far is seen */
    char out[INSPECT_FIELDS_MAX];
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    struct span rest = span_of(text, size);
    struct inspect_request request = {.version = INSPECT_VERSION};
    request.token = next_line(&rest);
    request.method = next_line(&rest);
    request.path = next_line(&rest);
    request.query = rest;
    size_t len = INSPECT_FUNCTION(&request, out, sizeof out);
    if (len > sizeof out)
        broken_promise("the fields are longer than their room");
    if (len)
        check_fields(out, len);
    free(text);
    return 0;
}
