/* Text of unknown origin, made fit for a terminal, a page or JSON: nothing in it can move a cursor, change what stands around it,
 * or become an element. */
#ifndef JWTSHIM_TOOLS_TEXT_H
#define JWTSHIM_TOOLS_TEXT_H

#include "../../shim/http/span.h"

#include <jansson.h>
#include <stdio.h>

/* Prints the text; control characters, marks that change the direction of writing, and bytes that are no UTF-8 as escapes. */
void put_visible(FILE *to, struct span text);

/* The same for HTML, in an element or a quoted attribute. */
void put_html(FILE *to, struct span text);

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
json_t *json_text(struct span text);

/* 1234567 as "1,234,567". */
enum { NUMBER_TEXT = 32 };
const char *number_text(char text[NUMBER_TEXT], uint64_t number);

/* So many columns a terminal needs for text that put_visible() wrote. */
size_t columns_of(const char *text);

static inline struct span span_of_text(const char *text)
{
    return span_of(text, strlen(text));
}

#endif
