#include "subject.h"

#include "words.h"

#include "../../shim/http/head.h"
#include "../../shim/http/target.h"

#include <stdlib.h>

static const char no_memory[] = "there is not enough memory";

static char *put(char *to, struct span text)
{
    return text.at ? (char *)mempcpy(to, text.at, text.len) : to;
}

static bool names_host(struct span fields)
{
    struct field field;
    for (ssize_t len; fields.len && (len = field_next(fields, &field)) > 0; fields = span_from(fields, (size_t)len))
        if (SPAN_IS(field.name, "host"))
            return true;
    return false;
}

void subject_set_url(struct subject *subject, const char *method, struct span url, struct span query, struct span fields)
{
    struct target target;
    target_parse(url, &target);
    if (target.form != TARGET_ABSOLUTE || target.authority.len == 0) {
        subject->wrong = "the URL does not begin with http:// or https:// and a host";
        return;
    }
    if (has_blank_or_control(url)) {
        subject->wrong = "the URL holds a space or a control character";
        return;
    }
    size_t size = strlen(method) + url.len + query.len + target.authority.len + fields.len + 64;
    subject->head = malloc(size);
    if (!subject->head) {
        subject->wrong = no_memory;
        return;
    }
    char *to = subject->head;
    to = stpcpy(stpcpy(to, method), target.path.len ? " " : " /");
    to = put(to, target.path);
    if (target.query.at || query.len)
        *to++ = '?';
    to = put(to, target.query);
    if (target.query.len && query.len)
        *to++ = '&';
    to = stpcpy(put(to, query), " HTTP/1.1\r\n");
    if (!names_host(fields))
        to = stpcpy(put(stpcpy(to, "Host: "), target.authority), "\r\n");
    to = stpcpy(put(to, fields), "\r\n");
    subject->head_len = (size_t)(to - subject->head);
    subject->plain = ascii_lower(url.at[4]) != 's';
}

/* A head as it was written, with what a copy may have lost: CRs, and the empty line at its end. What stands behind that line is
 * its body. */
static void set_head(struct subject *subject, struct span text, const char *method)
{
    const char *space = memchr(text.at, ' ', text.len);
    size_t given_method = (size_t)(space - text.at);
    size_t size = 2 * text.len + (method ? strlen(method) : 0) + 8;
    char *to = subject->head = malloc(size);
    if (!to) {
        subject->wrong = no_memory;
        return;
    }
    if (method) {
        to = stpcpy(to, method);
        text = span_from(text, given_method);
    }
    for (bool empty = false; !empty;) {
        const char *end = text.len ? memchr(text.at, '\n', text.len) : NULL;
        size_t len = end ? (size_t)(end - text.at) : text.len;
        struct span line = span_of(text.at, len);
        text = span_from(text, end ? len + 1 : len);
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        empty = line.len == 0;
        memcpy(to, line.at, line.len);
        to = stpcpy(to + line.len, "\r\n");
    }
    subject->head_len = (size_t)(to - subject->head);
    struct request_line request;
    const char *first_end = memchr(subject->head, '\n', subject->head_len);
    if (!request_line_parse(span_of(subject->head, (size_t)(first_end - subject->head) + 1), &request))
        subject->wrong = "its first line is no HTTP/1.1 request line";
    else
        subject->plain = request.target.len > 5 && span_is(span_of(request.target.at, 5), "http:", 5);
}

/* Splits a command as a shell does: quotes, backslashes, and lines that go on. Returns how many words; SIZE_MAX where a quote
 * does not end. */
static size_t split_words(struct span text, char *to, char **words, size_t most)
{
    size_t count = 0;
    char quote = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const bool escapes = c == '\\' && quote != '\'' && i + 1 < text.len;
        if (!quote && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            if (inside)
                *to++ = '\0';
            inside = false;
            continue;
        }
        if (escapes && text.at[i + 1] == '\n') {
            i++;
            continue;
        }
        if (!inside) {
            if (count == most)
                return SIZE_MAX;
            words[count++] = to;
            inside = true;
        }
        if (escapes && (!quote || strchr("\"\\$`", text.at[i + 1])))
            *to++ = text.at[++i];
        else if (quote ? c == quote : c == '\'' || c == '"')
            quote = quote ? 0 : c;
        else
            *to++ = c;
    }
    *to = '\0';
    return quote ? SIZE_MAX : count;
}

static void set_curl(struct subject *subject, struct span text, const char *method)
{
    enum { WORDS = 512 };
    char *words[WORDS];
    subject->words = malloc(text.len + 1);
    if (!subject->words) {
        subject->wrong = no_memory;
        return;
    }
    size_t count = split_words(text, subject->words, words, WORDS);
    if (count == SIZE_MAX)
        subject->wrong = "the curl command has a quote that does not end, or too many words";
    else
        subject_of_curl(words + 1, count - 1, method, subject);
}

static bool begins_with(struct span text, const char *start)
{
    size_t len = strlen(start);
    return text.len >= len && span_is(span_of(text.at, len), start, len);
}

void subject_of(struct span text, const char *method, struct subject *subject)
{
    *subject = (struct subject){.head = NULL};
    text = span_trim(text);
    if (begins_with(text, "jwt ") || begins_with(text, "authorization: jwt "))
        text = span_trim(span_from(text, text.at[3] == ' ' ? 4 : sizeof "authorization: jwt " - 1));
    if (text.len == 0)
        subject->wrong = "there is nothing in it";
    else if (memchr(text.at, '\0', text.len))
        subject->wrong = "it is binary";
    else if (begins_with(text, "http://") || begins_with(text, "https://"))
        subject_set_url(subject, method ? method : "GET", text, span_of(NULL, 0), span_of(NULL, 0));
    else if (begins_with(text, "curl "))
        set_curl(subject, text, method);
    else if (token_is_well_formed(text) && !memchr(text.at, '%', text.len))
        subject->token = text;
    else if (request_may_begin(text) && memchr(text.at, ' ', text.len))
        set_head(subject, text, method);
    else
        subject->wrong =
            "it is neither a URL nor a token (three parts of letters, digits, - and _, joined by dots), nor a curl "
            "command, nor a request's head";
}

void subject_end(struct subject *subject)
{
    if (subject->head)
        explicit_bzero(subject->head, subject->head_len);
    free(subject->head);
    free(subject->words);
}
