/* The model: strings, hosts, targets and their parameters. */
#include "model_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- strings --------------------------------------------------------------------------------------------------------------- */

void text_set(struct text *text, const char *from, size_t len)
{
    memcpy(text->at, from, len);
    text->at[len] = '\0';
    text->len = len;
}

void text_copy(struct text *to, const struct text *from)
{
    text_set(to, from->at, from->len);
}

bool text_is(const struct text *text, const char *word)
{
    return strlen(text->at) == text->len && strcasecmp(text->at, word) == 0;
}

void text_trim(struct text *text)
{
    size_t from = 0;
    while (from < text->len && text->at[from] && strchr(" \t\r\n", text->at[from]))
        from++;
    while (text->len > from && text->at[text->len - 1] && strchr(" \t\r\n", text->at[text->len - 1]))
        text->len--;
    memmove(text->at, text->at + from, text->len - from);
    text->len -= from;
    text->at[text->len] = '\0';
}

static void text_decode(struct text *text)
{
    static struct text out;
    if (!memchr(text->at, '%', text->len))
        return;
    out.len = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (text->at[i] == '%' && i + 2 < text->len && isxdigit((unsigned char)text->at[i + 1]) &&
            isxdigit((unsigned char)text->at[i + 2])) {
            char digits[3] = {text->at[i + 1], text->at[i + 2], '\0'};
            out.at[out.len++] = (char)strtol(digits, NULL, 16);
            i += 2;
        } else
            out.at[out.len++] = text->at[i];
    }
    text_set(text, out.at, out.len);
}

static bool text_is_token(const struct text *text)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t parts = 0;
    size_t i = 0;
    if (strlen(text->at) != text->len)
        return false;
    for (; parts < 3; parts++) {
        size_t run = strspn(text->at + i, set);
        if (run == 0)
            return false;
        i += run;
        if (text->at[i] != '.')
            return parts == 2 && i == text->len;
        i++;
    }
    return false;
}

/* --- hosts ----------------------------------------------------------------------------------------------------------------- */

bool is_atlassian(const struct text *authority)
{
    static const char *const ours[] = {"atlassian.net", "jira.com", "jira-dev.com", "atlassian-us-gov-mod.net"};
    char host[MODEL_MAX + 2];
    size_t from = 0;
    for (size_t i = 0; i < authority->len; i++)
        if (authority->at[i] == '@')
            from = i + 1;
    size_t n = 1;
    host[0] = '.';
    size_t i = from;
    for (; i < authority->len && authority->at[i] != ':'; i++) {
        char c = authority->at[i];
        if (!isalnum((unsigned char)c) && c != '-' && c != '.' && c != '_')
            return false;
        host[n++] = (char)tolower((unsigned char)c);
    }
    for (i++; i < authority->len; i++)
        if (!isdigit((unsigned char)authority->at[i]))
            return false;
    if (n > 1 && host[n - 1] == '.')
        n--;
    host[n] = '\0';
    if (n == 1 || host[1] == '.' || strcmp(host, ".api.media.atlassian.com") == 0)
        return false;
    for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++) {
        size_t suffix = strlen(ours[k]);
        if (n > suffix && strcmp(host + n - suffix, ours[k]) == 0 && host[n - suffix - 1] == '.')
            return true;
    }
    return false;
}

/* --- targets --------------------------------------------------------------------------------------------------------------- */

void url_split(struct url *url, const struct text *target)
{
    struct text *const parts[] = {&url->before, &url->authority, &url->query, &url->fragment};
    size_t path = 0;
    for (size_t i = 0; i < 4; i++)
        text_set(parts[i], "", 0);
    url->has_query = false;
    if (target->len >= 7 && strncasecmp(target->at, "http://", 7) == 0)
        path = 7;
    if (target->len >= 8 && strncasecmp(target->at, "https://", 8) == 0)
        path = 8;
    url->is_absolute = path != 0;
    url->is_origin = target->len && target->at[0] == '/';
    if (!url->is_absolute && !url->is_origin)
        return;
    size_t end = path;
    while (url->is_absolute && end < target->len && target->at[end] != '/' && target->at[end] != '?' &&
           target->at[end] != '#')
        end++;
    text_set(&url->authority, target->at + path, end - path);
    size_t hash = end;
    while (hash < target->len && target->at[hash] != '#')
        hash++;
    size_t mark = end;
    while (mark < hash && target->at[mark] != '?')
        mark++;
    url->has_query = mark < hash;
    text_set(&url->before, target->at, mark);
    if (url->has_query)
        text_set(&url->query, target->at + mark + 1, hash - mark - 1);
    text_set(&url->fragment, target->at + hash, target->len - hash);
}

static bool is_jwt(const char *parameter, size_t len, struct text *value)
{
    static struct text name;
    size_t equals = 0;
    while (equals < len && parameter[equals] != '=')
        equals++;
    text_set(&name, parameter, equals);
    text_decode(&name);
    if (name.len != 3 || memcmp(name.at, "jwt", 3) != 0)
        return false;
    if (equals < len)
        text_set(value, parameter + equals + 1, len - equals - 1);
    else
        text_set(value, "", 0);
    text_decode(value);
    return true;
}

void parameters_read(struct parameters *p, const struct url *url)
{
    char gone[MODEL_MAX + 2]; /* which bytes of '?' + query leave */
    static struct text value;
    const struct text *query = &url->query;
    p->any = p->good = p->rest_any = false;
    p->rest.len = p->cuts = 0;
    memset(gone, 0, query->len + 2);
    if (!url->has_query)
        return;
    for (size_t start = 0; start <= query->len;) {
        size_t end = start;
        while (end < query->len && query->at[end] != '&')
            end++;
        if (is_jwt(query->at + start, end - start, &value)) {
            if (!p->any) {
                text_copy(&p->token, &value);
                p->good = text_is_token(&value);
            }
            p->any = true;
            for (size_t i = start; i < end; i++)
                gone[i + 1] = 1;
            if (p->rest_any)
                gone[start] = 1;
            else
                gone[end + 1] = 1;
        } else {
            if (p->rest_any)
                p->rest.at[p->rest.len++] = '&';
            memcpy(p->rest.at + p->rest.len, query->at + start, end - start);
            p->rest.len += end - start;
            p->rest_any = true;
        }
        start = end + 1;
    }
    p->rest.at[p->rest.len] = '\0';
    for (size_t i = 0; i <= query->len; i++)
        p->cuts += gone[i] && (i == 0 || !gone[i - 1]);
    if (!p->rest_any)
        p->cuts = 1;
}

/* The target again, with the parameters that are left. */
void url_join(struct text *out, const struct url *url, const struct parameters *p)
{
    text_copy(out, &url->before);
    if (p->rest_any) {
        out->at[out->len++] = '?';
        memcpy(out->at + out->len, p->rest.at, p->rest.len);
        out->len += p->rest.len;
    }
    memcpy(out->at + out->len, url->fragment.at, url->fragment.len);
    out->len += url->fragment.len;
    out->at[out->len] = '\0';
}
