#include "head.h"

#include "bytes.h"
#include "wide.h"

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
    return space < protocol && out->target.len && bytes_before(&space_and_controls, out->target) == out->target.len;
}

static const struct field no_field = {.name = {"", 0}, .value = {"", 0}}; /* an empty line */

static inline __attribute__((always_inline)) ssize_t field_between(struct span in, size_t name, size_t text, size_t len,
                                                                   struct field *out)
{
    if (name == 0 || name == text || in.at[name] != ':')
        return FIELD_MALFORMED;
    out->name = span_of(in.at, name);
    out->value = span_trim(span_of(in.at + name + 1, text - name - 1));
    return (ssize_t)len;
}

/* Length of the line at the start of `in` with its line end; 0 if that is not there yet. Sets `*text` to its length without,
 * and `*stray` if a NUL, or a CR that is no part of a line end, stands in it: peers differ on what these mean. */
static size_t line_length(struct span in, size_t *text, bool *stray)
{
    for (size_t at = 0;; at++) {
        at += bytes_before(&line_controls, span_from(in, at));
        *text = at;
        if (at == in.len)
            return 0;
        if (in.at[at] == '\r' && at + 1 < in.len && in.at[at + 1] == '\n')
            at++;
        if (in.at[at] == '\n')
            return at + 1;
        *stray = true;
    }
}

static ssize_t field_next_any(struct span in, struct field *out)
{
    bool stray = false;
    size_t text = 0;
    size_t end = 0; /* behind the last line read */
    do {
        size_t text_of_line;
        size_t line = line_length(span_from(in, end), &text_of_line, &stray);
        if (line == 0)
            return FIELD_INCOMPLETE;
        text = end + text_of_line;
        end += line;
        if (text == 0) {
            *out = no_field;
            return (ssize_t)end;
        }
        if (end == in.len)
            return FIELD_INCOMPLETE; /* the next line may be a fold of this one, RFC 9112 section 5.2 */
    } while (in.at[end] == ' ' || in.at[end] == '\t');
    if (stray)
        return FIELD_MALFORMED;
    return field_between(in, bytes_in(&name_characters, span_of(in.at, text)), text, end, out);
}

#ifdef WIDE
/* A bit for each byte that is a NUL, a CR or an LF. */
WIDE unsigned line_controls_in(wide bytes)
{
    return wide_bits(wide_or(wide_any_of(bytes, '\r', '\n'), wide_equal(bytes, '\0')));
}

/* The same for a line that is like most. */
static WIDE_FUNCTION ssize_t field_next_wide(struct span in, struct field *out)
{
    const wide first = wide_load(in.at);
    const unsigned beyond_name = wide_not_in(first, wide_rows(&name_characters));
    unsigned ends = line_controls_in(first);
    size_t text = 0;
    while (!ends) {
        text += WIDE_BYTES;
        /* The last bytes are looked at with those before them. */
        const size_t seen = text;
        if (seen == in.len)
            return FIELD_INCOMPLETE;
        if (in.len - text < WIDE_BYTES)
            text = in.len - WIDE_BYTES;
        ends = line_controls_in(wide_load(in.at + text)) & ~0u << (seen - text);
        if (!ends && seen != text)
            return field_next_any(in, out);
    }
    text += wide_lowest(ends);
    if (in.len - text < 3 || in.at[text] != '\r' || in.at[text + 1] != '\n' || !beyond_name)
        return field_next_any(in, out);
    size_t len = text + 2;
    if (text == 0 || in.at[len] == ' ' || in.at[len] == '\t')
        return field_next_any(in, out);
    return field_between(in, wide_lowest(beyond_name), text, len, out);
}
#endif

ssize_t field_next(struct span in, struct field *out)
{
#ifdef WIDE
    if (in.len >= WIDE_BYTES && wide_is_there())
        return field_next_wide(in, out);
#endif
    return field_next_any(in, out);
}
