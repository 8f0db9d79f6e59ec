#include "head.h"

/* The methods of RFC 9110, PATCH, and those of WebDAV that HTTP clients use. A list, because anything that merely looks
 * like a method would be held back from the peer of another protocol. */
/* clang-format off */
static const struct method {
    unsigned char len;
    char name[10];
} methods[] = {
    {3, "GET"},  {4, "POST"},   {3, "PUT"},    {6, "DELETE"},   {4, "HEAD"},      {5, "PATCH"}, {7, "OPTIONS"},
    {5, "TRACE"}, {7, "CONNECT"}, {8, "PROPFIND"}, {9, "PROPPATCH"}, {5, "MKCOL"}, {4, "COPY"},  {4, "MOVE"},
    {4, "LOCK"}, {6, "UNLOCK"}, {6, "REPORT"}, {6, "SEARCH"},
};
/* clang-format on */

static bool target_may_begin_with(const struct method *method, char c)
{
    if (c == '/' || c == 'h' || c == 'H')
        return true;
    if (method->name[0] == 'O')
        return c == '*';
    return method->name[0] == 'C' && method->name[2] == 'N' && (unsigned char)c > ' ';
}

bool request_may_begin(struct span in)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const struct method *method = &methods[i];
        if (in.at[0] != method->name[0])
            continue;
        size_t common = in.len < method->len ? in.len : method->len;
        if (memcmp(in.at, method->name, common) != 0)
            continue;
        if (in.len <= method->len)
            return true;
        if (in.at[method->len] != ' ')
            continue;
        return in.len == method->len + 1u || target_may_begin_with(method, in.at[method->len + 1]);
    }
    return false;
}

size_t line_end_length(struct span line)
{
    return line.len >= 2 && line.at[line.len - 2] == '\r' ? 2 : 1;
}

bool request_line_parse(struct span line, struct request_line *out)
{
    struct span text = span_of(line.at, line.len - line_end_length(line));
    const size_t version = sizeof " HTTP/1.1" - 1;
    const char *space = text.len > version ? memchr(text.at, ' ', text.len - version) : NULL;
    if (!space)
        return false;
    const char *protocol = text.at + text.len - version;
    if (memcmp(protocol, " HTTP/1.", version - 1) != 0 || (protocol[8] != '1' && protocol[8] != '0'))
        return false;
    out->method = span_of(text.at, (size_t)(space - text.at));
    out->target = span_of(space + 1, (size_t)(protocol - space) - 1);
    out->http_1_0 = protocol[8] == '0';
    return space < protocol && out->target.len && !span_has_space_or_control(out->target);
}

/* tchar, RFC 9110 section 5.6.2 */
/* clang-format off */
static const bool is_tchar[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
    ['%'] = true,         ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true, ['-'] = true,
    ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true, ['|'] = true, ['~'] = true,
};
/* clang-format on */

/* A NUL, or a CR that is no part of a line end: peers differ on what these mean. `text` ends in '\n'. */
static bool has_stray_control(struct span text)
{
    if (memchr(text.at, '\0', text.len))
        return true;
    for (const char *cr = text.at; (cr = memchr(cr, '\r', (size_t)(text.at + text.len - cr))) != NULL; cr++)
        if (cr[1] != '\n')
            return true;
    return false;
}

ssize_t field_next(struct span in, struct field *out)
{
    size_t end = 0; /* behind the last line read */
    do {
        const char *newline = end < in.len ? memchr(in.at + end, '\n', in.len - end) : NULL;
        if (!newline)
            return FIELD_INCOMPLETE;
        size_t line = end;
        end = (size_t)(newline - in.at) + 1;
        if (line == 0 && (end == 1 || (end == 2 && in.at[0] == '\r'))) {
            *out = (struct field){span_of(in.at, 0), span_of(in.at, 0)};
            return (ssize_t)end;
        }
        if (end == in.len)
            return FIELD_INCOMPLETE; /* the next line may be a fold of this one */
    } while (in.at[end] == ' ' || in.at[end] == '\t');

    size_t name = 0;
    while (name < end && is_tchar[(unsigned char)in.at[name]])
        name++;
    if (name == 0 || in.at[name] != ':')
        return FIELD_MALFORMED;
    if (has_stray_control(span_of(in.at + name, end - name)))
        return FIELD_MALFORMED;
    out->name = span_of(in.at, name);
    out->value = span_trim(span_of(in.at + name + 1, end - name - 1));
    return (ssize_t)end;
}
