/* ld.so.cache, in the format of glibc 2.2 and later, which may follow one of the older format. */
#include "closure.h"

#include <string.h>

static const char magic[] = "glibc-ld.so.cache1.1";

enum { HEADER = 48, ROW = 24 };

static uint32_t number(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* A zero-terminated text at an offset from the table's begin, or NULL. */
static const char *text_at(const unsigned char *table, size_t len, uint32_t offset)
{
    if (offset >= len || !memchr(table + offset, '\0', len - offset))
        return NULL;
    return (const char *)table + offset;
}

const char *ldcache_path(const struct file *cache, const char *name, size_t index)
{
    const unsigned char *table = cache->bytes ? memmem(cache->bytes, cache->len, magic, sizeof magic - 1) : NULL;
    if (!table)
        return NULL;
    size_t len = cache->len - (size_t)(table - cache->bytes);
    if (len < HEADER)
        return NULL;
    size_t rows = number(table + sizeof magic - 1);
    size_t room = (len - HEADER) / ROW;
    for (size_t i = 0; i < rows && i < room; i++) {
        const unsigned char *row = table + HEADER + i * ROW;
        const char *key = text_at(table, len, number(row + 4));
        if (key && strcmp(key, name) == 0 && index-- == 0)
            return text_at(table, len, number(row + 8));
    }
    return NULL;
}
