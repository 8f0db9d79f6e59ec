#include "preload_text.h"

#include <stdlib.h>

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == ':';
}

bool preload_next(struct span *rest, struct span *entry)
{
    const char *at = rest->at, *const end = rest->at + rest->len;
    while (at < end && (is_separator(*at) || *at == '#')) {
        if (*at == '#')
            while (at < end && *at != '\n')
                at++;
        else
            at++;
    }
    const char *begin = at;
    while (at < end && !is_separator(*at) && *at != '#')
        at++;
    *entry = span_of(begin, (size_t)(at - begin));
    *rest = span_of(at, (size_t)(end - at));
    return entry->len > 0;
}

/* The first name of ours that is not `kept`. */
static bool find_ours(struct span text, struct span kept, preload_is_ours *is_ours, const void *context, struct span *found)
{
    while (preload_next(&text, found))
        if (found->at != kept.at && is_ours(*found, context))
            return true;
    return false;
}

static bool find_exactly(struct span text, struct span object, struct span *found)
{
    while (preload_next(&text, found))
        if (found->len == object.len && memcmp(found->at, object.at, object.len) == 0)
            return true;
    return false;
}

/* What goes with a name: its whole line if nothing else is on it, else the separators behind it, else those before it. */
static struct span surroundings(struct span text, struct span entry)
{
    const char *begin = entry.at, *end = entry.at + entry.len;
    const char *const text_end = text.at + text.len;
    while (begin > text.at && begin[-1] != '\n' && is_separator(begin[-1]))
        begin--;
    while (end < text_end && *end != '\n' && is_separator(*end))
        end++;
    const bool first = begin == text.at || begin[-1] == '\n';
    const bool last = end == text_end || *end == '\n';
    if (first && last)
        return span_of(begin, (size_t)(end - begin) + (end < text_end));
    if (last)
        return span_of(begin, (size_t)(entry.at + entry.len - begin));
    return span_of(entry.at, (size_t)(end - entry.at));
}

static void cut(char *text, size_t *len, struct span out)
{
    const size_t at = (size_t)(out.at - text);
    memmove(text + at, text + at + out.len, *len - at - out.len);
    *len -= out.len;
}

char *preload_without(struct span text, preload_is_ours *is_ours, const void *context, size_t *len)
{
    static const struct span none = {NULL, 0};
    struct span found;
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.at, text.len);
    *len = text.len;
    while (find_ours(span_of(copy, *len), none, is_ours, context, &found))
        cut(copy, len, surroundings(span_of(copy, *len), found));
    return copy;
}

static void put(char *text, size_t *len, struct span object)
{
    memcpy(text + *len, object.at, object.len);
    *len += object.len;
}

static void append(char *text, size_t *len, struct span object)
{
    if (*len && text[*len - 1] != '\n')
        text[(*len)++] = '\n';
    put(text, len, object);
    text[(*len)++] = '\n';
}

/* Puts `object` where `found` is; the text has room for it. */
static void replace(char *text, size_t *len, struct span found, struct span object)
{
    const size_t at = (size_t)(found.at - text);
    const size_t behind = at + found.len;
    memmove(text + at + object.len, text + behind, *len - behind);
    memcpy(text + at, object.at, object.len);
    *len = *len - found.len + object.len;
}

char *preload_with(struct span text, struct span object, preload_is_ours *is_ours, const void *context, size_t *len)
{
    static const struct span none = {NULL, 0};
    struct span kept, found;
    char *copy = malloc(text.len + object.len + 2);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.at, text.len);
    *len = text.len;
    if (!find_exactly(span_of(copy, *len), object, &kept)) {
        if (find_ours(span_of(copy, *len), none, is_ours, context, &found))
            replace(copy, len, found, object);
        else
            append(copy, len, object);
        find_exactly(span_of(copy, *len), object, &kept);
    }
    /* All others go: two in one process would each hold what the other releases. What is cut lies behind the first or before it. */
    while (find_ours(span_of(copy, *len), kept, is_ours, context, &found)) {
        cut(copy, len, surroundings(span_of(copy, *len), found));
        find_exactly(span_of(copy, *len), object, &kept);
    }
    return copy;
}
