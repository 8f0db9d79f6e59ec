#define uthash_fatal(why) tally_out_of_memory()
static void tally_out_of_memory(void) __attribute__((noreturn));

#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static void tally_out_of_memory(void)
{
    fputs("jwtshim report: out of memory\n", stderr);
    exit(EX_OSERR);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        tally_out_of_memory();
    return memory;
}

static void row_begin(struct row *row)
{
    row->first = row->last = EVENT_UNDATED;
}

void tally_begin(struct tally *tally, unsigned by, int64_t since, int64_t until)
{
    memset(tally, 0, sizeof *tally);
    tally->by = by;
    tally->since = since;
    tally->until = until;
    row_begin(&tally->all);
    row_begin(&tally->others);
}

static void count(struct row *row, const struct event *event, enum standing standing, uint32_t layer)
{
    row->requests++;
    row->by_standing[standing]++;
    row->layers |= layer;
    if (event->time == EVENT_UNDATED)
        return;
    if (row->first == EVENT_UNDATED || event->time < row->first)
        row->first = event->time;
    if (row->last == EVENT_UNDATED || event->time > row->last)
        row->last = event->time;
}

void row_add(struct row *sum, const struct row *row)
{
    sum->requests += row->requests;
    sum->layers |= row->layers;
    for (int s = 0; s < STANDINGS; s++)
        sum->by_standing[s] += row->by_standing[s];
    if (row->first == EVENT_UNDATED)
        return;
    if (sum->first == EVENT_UNDATED || row->first < sum->first)
        sum->first = row->first;
    if (sum->last == EVENT_UNDATED || row->last > sum->last)
        sum->last = row->last;
}

/* The layer's bit. The last bit is for all that find no room. */
static uint32_t layer_bit(struct tally *tally, struct span layer)
{
    static const char others[] = "others";
    if (!layer.at)
        return 0;
    if (layer.len > 64)
        layer.len = 64;
    for (size_t i = 0; i < tally->layers; i++)
        if (strlen(tally->layer[i]) == layer.len && memcmp(tally->layer[i], layer.at, layer.len) == 0)
            return UINT32_C(1) << i;
    if (tally->layers == TALLY_LAYERS_MAX - 1) {
        layer = span_of(others, sizeof others - 1);
    } else if (tally->layers == TALLY_LAYERS_MAX) {
        return UINT32_C(1) << (TALLY_LAYERS_MAX - 1);
    }
    tally->layer[tally->layers] = allocate(layer.len + 1);
    memcpy(tally->layer[tally->layers], layer.at, layer.len);
    return UINT32_C(1) << tally->layers++;
}

/* A key under construction: the parts, each behind its length, so that no two lists of parts give the same bytes. */
struct key {
    char text[4 * (TALLY_VALUE_MAX + sizeof(uint16_t))];
    size_t len;
};

/* Where in the key the part begins; it is cut to what a row may hold. */
static struct span put_part(struct key *key, struct span part)
{
    const uint16_t len = part.len > TALLY_VALUE_MAX ? TALLY_VALUE_MAX : (uint16_t)part.len;
    memcpy(key->text + key->len, &len, sizeof len);
    key->len += sizeof len;
    const struct span put = span_of(key->text + key->len, len);
    if (len)
        memcpy(key->text + key->len, part.at, len);
    key->len += len;
    return put;
}

/* The same place in the row's own copy of the key. */
static struct span moved(struct span part, const struct key *key, const char *copy)
{
    return span_of(copy + (part.at - key->text), part.len);
}

static struct row *row_of(struct tally *tally, struct span program, struct span host, struct span finding, struct span layer)
{
    static const struct span none = {"", 0};
    struct key key = {.len = 0};
    struct row *row;
    const struct span parts[] = {
        put_part(&key, tally->by & BY_PROGRAM ? program : none), put_part(&key, tally->by & BY_HOST ? host : none),
        put_part(&key, tally->by & BY_FINDING ? finding : none), put_part(&key, tally->by & BY_LAYER ? layer : none)};
    HASH_FIND(hh, tally->rows, key.text, key.len, row);
    if (row)
        return row;
    if (HASH_COUNT(tally->rows) == TALLY_ROWS_MAX)
        return &tally->others;
    row = allocate(sizeof *row + key.len);
    row_begin(row);
    row->key = (char *)(row + 1);
    memcpy(row->key, key.text, key.len);
    if (tally->by & BY_PROGRAM)
        row->program = moved(parts[0], &key, row->key);
    if (tally->by & BY_HOST)
        row->host = moved(parts[1], &key, row->key);
    if (tally->by & BY_FINDING)
        row->finding = moved(parts[2], &key, row->key);
    if (tally->by & BY_LAYER)
        row->layer = moved(parts[3], &key, row->key);
    HASH_ADD_KEYPTR(hh, tally->rows, row->key, key.len, row);
    return row;
}

static void count_setting(struct tally *tally, const struct event *event)
{
    struct key key = {.len = 0};
    struct ignored_setting *found;
    const struct span parts[] = {put_part(&key, event->program), put_part(&key, event->setting),
                                 put_part(&key, event->reason)};
    HASH_FIND(hh, tally->settings, key.text, key.len, found);
    if (!found && HASH_COUNT(tally->settings) == TALLY_SETTINGS_MAX) {
        tally->other_settings++;
        return;
    }
    if (!found) {
        found = allocate(sizeof *found + key.len);
        found->key = (char *)(found + 1);
        memcpy(found->key, key.text, key.len);
        found->program = moved(parts[0], &key, found->key);
        found->setting = moved(parts[1], &key, found->key);
        found->reason = moved(parts[2], &key, found->key);
        HASH_ADD_KEYPTR(hh, tally->settings, found->key, key.len, found);
    }
    found->events++;
}

static bool action_is(const struct event *event, const char *text)
{
    return event->action.len == strlen(text) && memcmp(event->action.at, text, event->action.len) == 0;
}

static bool is_selected(const struct tally *tally, const struct event *event)
{
    if (tally->since == INT64_MIN && tally->until == INT64_MAX)
        return true;
    return event->time != EVENT_UNDATED && event->time >= tally->since && event->time < tally->until;
}

void tally_add(struct tally *tally, const struct event *event)
{
    char finding[FINDING_TEXT];
    size_t finding_len;
    tally->events++;
    if (!is_selected(tally, event))
        return;
    tally->selected++;
    tally->undated += event->time == EVENT_UNDATED;
    const enum standing standing = finding_of(event, finding, &finding_len);
    if (standing == STANDING_NONE) {
        if (action_is(event, "setting-ignored"))
            count_setting(tally, event);
        else if (action_is(event, "steered") || action_is(event, "would-steer"))
            tally->steered++;
        return;
    }
    const uint32_t layer = layer_bit(tally, event->layer);
    count(row_of(tally, event->program, event->host, span_of(finding, finding_len), event->layer), event, standing, layer);
    count(&tally->all, event, standing, layer);
    if (event->time != EVENT_UNDATED)
        timeline_add(&tally->timeline, event->time, standing);
}

enum standing row_standing(const struct row *row)
{
    int standing = 0;
    while (standing < STANDING_LEFT && row->by_standing[standing] == 0)
        standing++;
    return (enum standing)standing;
}

static int compare_keys(const struct row *one, const struct row *other)
{
    const unsigned shorter = one->hh.keylen < other->hh.keylen ? one->hh.keylen : other->hh.keylen;
    const int order = memcmp(one->key, other->key, shorter);
    return order ? order : (one->hh.keylen > other->hh.keylen) - (one->hh.keylen < other->hh.keylen);
}

static int compare(const struct row *one, const struct row *other)
{
    if (one->requests != other->requests)
        return one->requests < other->requests ? 1 : -1;
    const int standings = (int)row_standing(one) - (int)row_standing(other);
    return standings ? standings : compare_keys(one, other);
}

void tally_sort(struct tally *tally)
{
    HASH_SORT(tally->rows, compare);
}

size_t tally_rows(const struct tally *tally)
{
    return HASH_COUNT(tally->rows);
}

void tally_end(struct tally *tally)
{
    struct row *row = tally->rows;
    struct ignored_setting *setting = tally->settings;
    HASH_CLEAR(hh, tally->rows);
    while (row) {
        struct row *next = row->hh.next;
        free(row);
        row = next;
    }
    HASH_CLEAR(hh, tally->settings);
    while (setting) {
        struct ignored_setting *next = setting->hh.next;
        free(setting);
        setting = next;
    }
    for (size_t i = 0; i < tally->layers; i++)
        free(tally->layer[i]);
}
