/* Names compared without libc: a sanitizer or an allocator that starts asks for symbols by their names before its own
 * strcmp(), which is in libc's place, can be called. */
#ifndef JWTSHIM_LOADER_TEXT_H
#define JWTSHIM_LOADER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

static inline bool text_begins(const char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return false;
    return true;
}

static inline bool text_is(const char *text, const char *other)
{
    for (; *text == *other; text++, other++)
        if (!*text)
            return true;
    return false;
}

#endif
