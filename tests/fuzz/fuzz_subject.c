/* What `jwtshim inspect` takes apart, for any text somebody pastes: what it makes a request of is a whole head. */
#include "../../shim/http/head.h"
#include "../../tools/jwtshim/subject.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void broken_promise(const char *what)
{
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* so that one byte too far is seen */
    struct subject subject;
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    for (int i = 0; i < 2; i++) {
        subject_of(span_of(text, size), i ? "DELETE" : NULL, &subject);
        if (!subject.wrong && !subject.head && !subject.token.len)
            broken_promise("neither a request, nor a token, nor a fault");
        if (!subject.wrong && subject.head &&
            (subject.head_len < 4 || memcmp(subject.head + subject.head_len - 4, "\r\n\r\n", 4) != 0))
            broken_promise("a head without its end");
        if (!subject.wrong && subject.head && i && memcmp(subject.head, "DELETE ", 7) != 0)
            broken_promise("another method than was asked for");
        subject_end(&subject);
    }
    free(text);
    return 0;
}
