/* Header lists: reading the program's, and making our own of it, as libcurl reads one (Curl_add_custom_headers): "Name: value"
 * is a line, "Name:" takes libcurl's own line of that name out, "Name;" is a line with an empty value. */
#include "libcurl_list.h"

#include <stdlib.h>

struct list {
    struct list *next;
    size_t size;
    struct span token;
    size_t count;
    struct curl_slist nodes[];
};

static struct span item_name(const struct curl_slist *item)
{
    return span_of(item->data, strcspn(item->data, ":;"));
}

static bool item_is(const struct curl_slist *item, const char *name, size_t len)
{
    if (!item->data)
        return false;
    struct span own = item_name(item);
    return span_is(own, name, len) && own.at[own.len] != '\0';
}

static struct span item_value(const struct curl_slist *item)
{
    struct span name = item_name(item);
    const char *value = name.at + name.len + 1;
    return span_trim(span_of(value, strlen(value)));
}

struct field item_field(const struct curl_slist *item)
{
    const struct field none = {span_of("", 0), span_of("", 0)};
    if (!item->data)
        return none;
    struct span name = item_name(item);
    char end = name.at[name.len];
    if (end == '\0')
        return none;
    struct span value = item_value(item);
    bool is_line = end == ':' ? value.len > 0 : value.len == 0;
    return is_line ? (struct field){name, value} : none;
}

size_t items_count(const struct curl_slist *items)
{
    size_t count = 0;
    for (; items; items = items->next)
        count++;
    return count;
}

struct span items_find(const struct curl_slist *items, const char *name, size_t len)
{
    for (; items; items = items->next)
        if (item_is(items, name, len))
            return item_value(items);
    return span_of(NULL, 0);
}

/* A list that is being made: where its next node and its next byte go. */
struct maker {
    struct list *list;
    char *to;
};

static void put(struct maker *maker, const char *at, size_t len)
{
    memcpy(maker->to, at, len);
    maker->to += len;
}

static void begin_item(struct maker *maker)
{
    struct list *list = maker->list;
    list->nodes[list->count] = (struct curl_slist){.data = maker->to};
    if (list->count)
        list->nodes[list->count - 1].next = &list->nodes[list->count];
    list->count++;
}

static void put_item(struct maker *maker, const char *text)
{
    begin_item(maker);
    put(maker, text, strlen(text) + 1);
}

static void put_authorization(struct maker *maker, struct span token)
{
    static const char start[] = "Authorization: JWT ";
    begin_item(maker);
    put(maker, start, sizeof start - 1);
    size_t len = token_decode(token, maker->to);
    maker->list->token = span_of(maker->to, len);
    maker->to += len;
    *maker->to++ = '\0';
}

static void put_referer(struct maker *maker, struct span referer)
{
    static const char start[] = "Referer: ";
    begin_item(maker);
    put(maker, start, sizeof start - 1);
    put(maker, referer.at, referer.len);
    *maker->to++ = '\0';
}

/* Whether the item is a Referer that loses its token; `edits` are relative to its text then. */
static bool is_cut(const struct policy *policy, const struct curl_slist *item, struct edits *edits)
{
    edits_reset(edits);
    struct field field = item_field(item);
    return SPAN_IS(field.name, "referer") && referer_scrub(policy, &field, item->data, edits) && !edits->overflow;
}

static void put_program_item(struct maker *maker, const struct policy *policy, const struct curl_slist *item)
{
    struct edits edits;
    if (!is_cut(policy, item, &edits)) {
        put_item(maker, item->data);
        return;
    }
    begin_item(maker);
    maker->to += edits_cut(&edits, item->data, strlen(item->data) + 1, maker->to);
}

static bool any_is_cut(const struct policy *policy, const struct curl_slist *items)
{
    struct edits edits;
    for (; items; items = items->next)
        if (is_cut(policy, items, &edits))
            return true;
    return false;
}

static size_t bytes_for(const struct curl_slist *items, const struct span *token, struct span referer)
{
    size_t bytes = sizeof "Authorization: JWT " + (token ? token->len : 0) + sizeof "Referer: " + referer.len;
    for (; items; items = items->next)
        bytes += items->data ? strlen(items->data) + 1 : 0;
    return bytes;
}

bool list_make(const struct policy *policy, const struct curl_slist *items, const struct span *token,
               struct span referer, struct list **list)
{
    *list = NULL;
    if (!token && !referer.at && !any_is_cut(policy, items))
        return true;
    size_t nodes = items_count(items) + 2;
    size_t size = sizeof **list + nodes * sizeof(struct curl_slist) + bytes_for(items, token, referer);
    struct maker maker = {.list = malloc(size)};
    if (!maker.list)
        return false;
    *maker.list = (struct list){.size = size};
    maker.to = (char *)&maker.list->nodes[nodes];

    bool entered = !token;
    for (; items; items = items->next) {
        if (!items->data)
            continue;
        if (!token || !item_is(items, "authorization", 13))
            put_program_item(&maker, policy, items);
        else if (!entered)
            put_authorization(&maker, *token);
        entered = entered || item_is(items, "authorization", 13);
    }
    if (!entered)
        put_authorization(&maker, *token);
    if (referer.at)
        put_referer(&maker, referer);
    *list = maker.list;
    return true;
}

struct curl_slist *list_head(struct list *list)
{
    return list->count ? list->nodes : NULL;
}

struct span list_token(const struct list *list)
{
    return list ? list->token : span_of(NULL, 0);
}

void list_put(struct list **lists, struct list *list)
{
    list->next = *lists;
    *lists = list;
}

void list_free(struct list *list)
{
    if (!list)
        return;
    explicit_bzero(list, list->size);
    free(list);
}

void lists_free(struct list *lists)
{
    while (lists) {
        struct list *next = lists->next;
        list_free(lists);
        lists = next;
    }
}
