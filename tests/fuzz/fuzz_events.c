/* The reader of events, for any bytes: jansson is the judge of what is JSON and of what a member says, and no log adds up to other
 * sums than its rows. */
#include "../../tools/jwtshim/tally.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void broken(const char *promise)
{
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

/* Whether jansson gave up at something that is its own limit, not JSON's. */
static bool is_own_limit(const json_error_t *error)
{
    const enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key || code == json_error_stack_overflow;
}

static void compare_member(const json_t *object, const char *name, struct span text)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_string(member)) {
        if (text.at)
            broken("what is no string is no member's text");
        return;
    }
    if (!text.at || json_string_length(member) != text.len || memcmp(json_string_value(member), text.at, text.len) != 0)
        broken("a member's text is what jansson reads");
}

static void compare_findings(const json_t *object, const struct event *event)
{
    const json_t *list = json_object_get(object, "jwt.findings"), *each;
    size_t i, strings = 0;
    json_array_foreach(list, i, each)
    {
        if (!json_is_string(each) || strings == EVENT_FINDINGS_MAX)
            continue;
        if (strings >= event->findings || event->finding[strings].len != json_string_length(each) ||
            memcmp(event->finding[strings].at, json_string_value(each), json_string_length(each)) != 0)
            broken("findings are what jansson reads");
        strings++;
    }
    if (event->findings != strings)
        broken("there are no other findings");
}

static void compare(const char *line, size_t len, enum event_kind kind, const struct event *event, const char *why)
{
    json_error_t error;
    json_t *json = json_loadb(line, len, JSON_ALLOW_NUL, &error);
    if (kind == EVENT_NO_JSON) {
        if (json_is_object(json) && strcmp(why, "nested too deeply") != 0)
            broken("what jansson takes for an object is one");
    } else if (!json_is_object(json)) {
        if (json || (!is_own_limit(&error) && strspn(line, " \t\r") != len))
            broken("what jansson takes for no object is none");
    } else {
        compare_member(json, "process.executable.path", event->program);
        compare_member(json, "server.address", event->host);
        compare_member(json, "jwtshim.action", event->action);
        compare_member(json, "jwtshim.reason", event->reason);
        compare_member(json, "jwt.qsh", event->qsh);
        compare_findings(json, event);
        if ((kind == EVENT) != (event->action.at != NULL))
            broken("an event is what has an action");
    }
    json_decref(json);
}

static void take_line(struct tally *tally, const char *line, size_t len)
{
    struct event event;
    const char *why = NULL;
    /* A copy of exactly its length, for the sanitizer; with a NUL behind the original, for strspn(). */
    char *copy = malloc(len ? len : 1), *original = calloc(1, len + 1);
    if (len) {
        memcpy(copy, line, len);
        memcpy(original, line, len);
    }
    const enum event_kind kind = event_read(&event, copy, len, &why);
    if (len == 0 || *line == '{' || !memmem(line, len, "jwtshim: {", 10))
        compare(original, len, kind, &event, why);
    if (kind == EVENT)
        tally_add(tally, &event);
    free(copy);
    free(original);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tally tally;
    struct row sum = {.first = EVENT_UNDATED, .last = EVENT_UNDATED};
    const char *text = (const char *)data;
    uint64_t in_bins = 0;
    tally_begin(&tally, BY_PROGRAM | BY_HOST | BY_FINDING, INT64_MIN, INT64_MAX);
    while (size) {
        const char *newline = memchr(text, '\n', size);
        const size_t len = newline ? (size_t)(newline - text) : size;
        take_line(&tally, text, len);
        text += len + (newline != NULL);
        size -= len + (newline != NULL);
    }
    tally_sort(&tally);
    for (const struct row *row = tally.rows; row; row = row->hh.next)
        row_add(&sum, row);
    row_add(&sum, &tally.others);
    if (sum.requests != tally.all.requests || sum.first != tally.all.first || sum.last != tally.all.last)
        broken("rows add up to the total");
    for (size_t i = 0; i < tally.timeline.used; i++)
        for (int s = 0; s < STANDINGS; s++)
            in_bins += tally.timeline.bin[i][s];
    if (in_bins > tally.all.requests || in_bins + tally.undated < tally.all.requests)
        broken("the timeline has every request with a time once");
    tally_end(&tally);
    return 0;
}
