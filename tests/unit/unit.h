/* What the cmocka programs share. */
#ifndef JWTSHIM_TESTS_UNIT_H
#define JWTSHIM_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../shim/http/span.h"

#define TOKEN "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"

static inline struct span text_span(const char *text)
{
    return span_of(text, strlen(text));
}

#define assert_span_equal(given, text)                                                                                 \
    do {                                                                                                               \
        struct span seen_ = (given);                                                                                   \
        assert_int_equal(seen_.len, strlen(text));                                                                     \
        assert_memory_equal(seen_.at, text, seen_.len);                                                                \
    } while (0)

#endif
