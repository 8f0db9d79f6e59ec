/* A curl command as a request: as much of curl's command line as changes method, target or Authorization. */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum kind { IGNORED, METHOD, HEADER, DATA, DATA_URLENCODED, UPLOAD, URL };

/* Options with a value; those without one that matter are looked at where words are read. */
static const struct option_row {
    const char *name;
    char letter;
    enum kind kind;
} rows[] = {
    {"request", 'X', METHOD},
    {"header", 'H', HEADER},
    {"data", 'd', DATA},
    {"data-raw", 0, DATA},
    {"data-binary", 0, DATA},
    {"data-ascii", 0, DATA},
    {"json", 0, DATA},
    {"form", 'F', DATA},
    {"data-urlencode", 0, DATA_URLENCODED},
    {"upload-file", 'T', UPLOAD},
    {"url", 0, URL},
    {"user", 'u', IGNORED},
    {"user-agent", 'A', IGNORED},
    {"output", 'o', IGNORED},
    {"write-out", 'w', IGNORED},
    {"cacert", 0, IGNORED},
    {"cert", 'E', IGNORED},
    {"key", 0, IGNORED},
    {"max-time", 'm', IGNORED},
    {"connect-timeout", 0, IGNORED},
    {"retry", 0, IGNORED},
    {"cookie", 'b', IGNORED},
    {"cookie-jar", 'c', IGNORED},
    {"referer", 'e', IGNORED},
    {"proxy", 'x', IGNORED},
    {"resolve", 0, IGNORED},
    {"dump-header", 'D', IGNORED},
    {"config", 'K', IGNORED},
    {"range", 'r', IGNORED},
    {"limit-rate", 0, IGNORED},
    {"connect-to", 0, IGNORED},
    {"interface", 0, IGNORED},
    {"ciphers", 0, IGNORED},
};

struct line {
    const char *method, *url;
    FILE *query, *fields;
    bool data, get, head, upload, many;
};

static void put_urlencoded(FILE *to, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals)
        fprintf(to, "%.*s=", (int)(equals - text), text);
    for (const char *at = equals ? equals + 1 : text; *at; at++) {
        char c = ascii_lower(*at);
        if (is_digit(c) || (c >= 'a' && c <= 'z') || strchr("-._~", c))
            fputc(*at, to);
        else
            fprintf(to, "%%%02X", (unsigned char)*at);
    }
}

static void take(struct line *line, enum kind kind, const char *value)
{
    if (kind == METHOD)
        line->method = value;
    else if (kind == HEADER && strchr(value, ':') && !strpbrk(value, "\r\n"))
        fprintf(line->fields, "%s\r\n", value);
    else if (kind == UPLOAD)
        line->upload = true;
    else if (kind == URL)
        line->many |= line->url != NULL, line->url = value;
    if (kind != DATA && kind != DATA_URLENCODED)
        return;
    if (line->data)
        fputc('&', line->query);
    line->data = true;
    if (kind == DATA)
        fputs(value, line->query);
    else
        put_urlencoded(line->query, value);
}

static const struct option_row *row_named(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static const struct option_row *row_lettered(char letter)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* -sSXPOST: letters, of which the first with a value has the rest of the word, or the next one. Returns whether that was used. */
static bool take_letters(struct line *line, const char *letters, const char *next)
{
    for (; *letters; letters++) {
        const struct option_row *row = row_lettered(*letters);
        line->get |= *letters == 'G';
        line->head |= *letters == 'I';
        if (!row)
            continue;
        const char *value = letters[1] ? letters + 1 : next;
        if (value)
            take(line, row->kind, value);
        return !letters[1];
    }
    return false;
}

static void read_words(struct line *line, char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        const char *next = i + 1 < count ? words[i + 1] : NULL;
        if (word[0] != '-' || word[1] == '\0') {
            take(line, URL, word);
        } else if (word[1] != '-') {
            i += take_letters(line, word + 1, next);
        } else {
            const struct option_row *row = row_named(word + 2);
            line->get |= strcmp(word, "--get") == 0;
            line->head |= strcmp(word, "--head") == 0;
            if (row && next)
                take(line, row->kind, next);
            i += row != NULL;
        }
    }
}

void subject_of_curl(char **words, size_t count, const char *method, struct subject *subject)
{
    struct line line = {.url = NULL};
    char *query = NULL;
    char *fields = NULL;
    size_t query_len, fields_len;
    line.query = open_memstream(&query, &query_len);
    line.fields = open_memstream(&fields, &fields_len);
    if (line.query && line.fields)
        read_words(&line, words, count);
    const bool written = line.query && fclose(line.query) == 0;
    if (!line.fields || fclose(line.fields) != 0 || !written)
        subject->wrong = "there is not enough memory";
    else if (!line.url || line.many)
        subject->wrong = line.url ? "the curl command has more than one URL" : "the curl command has no URL";
    if (!method)
        method = line.method              ? line.method
                 : line.head              ? "HEAD"
                 : line.upload            ? "PUT"
                 : line.data && !line.get ? "POST"
                                          : "GET";
    if (!subject->wrong)
        subject_set_url(subject, method, span_of(line.url, strlen(line.url)), span_of(query, line.get ? query_len : 0),
                        span_of(fields, fields_len));
    free(query);
    free(fields);
}
