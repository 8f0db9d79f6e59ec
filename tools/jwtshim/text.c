#include "text.h"

#include "utf8.h"

static unsigned long point_at(const char *at, size_t len)
{
    const unsigned char *c = (const unsigned char *)at;
    unsigned long point = len == 1 ? c[0] : c[0] & (0x7f >> len);
    for (size_t i = 1; i < len; i++)
        point = point << 6 | (c[i] & 0x3f);
    return point;
}

/* Controls of both sets, line and paragraph separators, what is written but not seen, and the marks by which text can be made to
 * read in another order than it stands (Unicode TR 36). */
static bool is_treacherous(unsigned long point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb);
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static void put(FILE *to, struct span text, bool html)
{
    while (text.len) {
        const size_t len = utf8_len(text.at, text.len);
        const char *entity = html ? entity_of(*text.at) : NULL;
        if (len == 0)
            fprintf(to, "\\x%02x", (unsigned char)*text.at);
        else if (is_treacherous(point_at(text.at, len)))
            fprintf(to, "\\u%04lx", point_at(text.at, len));
        else if (entity)
            fputs(entity, to);
        else
            fwrite(text.at, 1, len, to);
        text = span_from(text, len ? len : 1);
    }
}

void put_visible(FILE *to, struct span text)
{
    put(to, text, false);
}

void put_html(FILE *to, struct span text)
{
    put(to, text, true);
}

json_t *json_text(struct span text)
{
    char *repaired = NULL;
    size_t size = 0;
    json_t *json = text.at ? json_stringn(text.at, text.len) : json_null();
    if (json)
        return json;
    FILE *to = open_memstream(&repaired, &size);
    if (!to)
        return NULL;
    while (text.len) {
        const size_t len = utf8_len(text.at, text.len);
        if (len)
            fwrite(text.at, 1, len, to);
        else
            fputs("\xef\xbf\xbd", to);
        text = span_from(text, len ? len : 1);
    }
    if (fclose(to) == 0)
        json = json_stringn(repaired, size);
    free(repaired);
    return json;
}

const char *number_text(char text[NUMBER_TEXT], uint64_t number)
{
    char *at = text + NUMBER_TEXT - 1;
    *at = '\0';
    for (int digits = 0; number || digits == 0; digits++) {
        if (digits && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + number % 10);
        number /= 10;
    }
    return at;
}

size_t columns_of(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}
