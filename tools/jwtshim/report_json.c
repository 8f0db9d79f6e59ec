/* The report as one JSON object, for programs. Times are RFC 3339, or null where no event had one. */
#include "report.h"

#include "text.h"
#include "time_text.h"

static json_t *json_time(int64_t time)
{
    char text[TIME_TEXT];
    if (time == EVENT_UNDATED)
        return json_null();
    time_write(text, time, true);
    return json_text(span_of_text(text));
}

static json_t *json_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *json_layers(const struct tally *tally, uint32_t layers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tally->layers; i++)
        if (layers & UINT32_C(1) << i)
            json_array_append_new(list, json_text(span_of_text(tally->layer[i])));
    return list;
}

static json_t *json_counts(const struct tally *tally, const struct row *row)
{
    json_t *json = json_object();
    json_object_set_new(json, "requests", json_number(row->requests));
    for (int s = 0; s < STANDINGS; s++)
        json_object_set_new(json, standing_id((enum standing)s), json_number(row->by_standing[s]));
    json_object_set_new(json, "first_seen", json_time(row->first));
    json_object_set_new(json, "last_seen", json_time(row->last));
    json_object_set_new(json, "layers", json_layers(tally, row->layers));
    return json;
}

static json_t *json_row(const struct tally *tally, const struct row *row)
{
    json_t *json = json_object();
    if (tally->by & BY_PROGRAM)
        json_object_set_new(json, "program", json_text(row->program));
    if (tally->by & BY_HOST)
        json_object_set_new(json, "host", json_text(row->host));
    if (tally->by & BY_LAYER)
        json_object_set_new(json, "layer", json_text(row->layer));
    if (tally->by & BY_FINDING)
        json_object_set_new(json, "reason", json_text(row->finding));
    json_object_update_new(json, json_counts(tally, row));
    return json;
}

static json_t *json_rows(const struct report *report)
{
    json_t *list = json_array();
    size_t place = 0;
    for (const struct row *row = report->tally->rows; row && place < report->top; row = row->hh.next, place++)
        json_array_append_new(list, json_row(report->tally, row));
    return list;
}

/* Only bins with a request. */
static json_t *json_timeline(const struct timeline *timeline)
{
    json_t *json = json_object(), *bins = json_array();
    for (size_t i = 0; i < timeline->used; i++) {
        json_t *bin = json_object();
        uint64_t total = 0;
        json_object_set_new(bin, "from", json_time(timeline_begin(timeline, i)));
        for (int s = 0; s < STANDINGS; s++) {
            total += timeline->bin[i][s];
            json_object_set_new(bin, standing_id((enum standing)s), json_number(timeline->bin[i][s]));
        }
        if (total)
            json_array_append(bins, bin);
        json_decref(bin);
    }
    json_object_set_new(json, "bin_seconds", json_integer(timeline_width(timeline) / 1000));
    json_object_set_new(json, "bins", bins);
    return json;
}

static json_t *json_settings(const struct tally *tally)
{
    json_t *list = json_array();
    for (const struct ignored_setting *each = tally->settings; each; each = each->hh.next) {
        json_t *json = json_object();
        json_object_set_new(json, "program", json_text(each->program));
        json_object_set_new(json, "setting", json_text(each->setting));
        json_object_set_new(json, "why", json_text(each->reason));
        json_object_set_new(json, "events", json_number(each->events));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *json_input(const struct report *report)
{
    const struct intake *intake = report->intake;
    json_t *json = json_object();
    json_object_set_new(json, "files", json_number(intake->files));
    json_object_set_new(json, "files_not_read", json_number(intake->unread_files));
    json_object_set_new(json, "lines", json_number(intake->lines));
    json_object_set_new(json, "lines_not_read", json_number(intake->bad_lines));
    json_object_set_new(json, "events", json_number(report->tally->events));
    json_object_set_new(json, "events_selected", json_number(report->tally->selected));
    json_object_set_new(json, "events_undated", json_number(report->tally->undated));
    return json;
}

void report_json(const struct report *report, FILE *to)
{
    struct row rest;
    json_t *json = json_object();
    report_rest(report, &rest);
    json_object_set_new(json, "input", json_input(report));
    json_object_set_new(json, "total", json_counts(report->tally, &report->tally->all));
    json_object_set_new(json, "steered_handshakes", json_number(report->tally->steered));
    json_object_set_new(json, "rows", json_rows(report));
    json_object_set_new(json, "others", json_counts(report->tally, &rest));
    json_object_set_new(json, "timeline", json_timeline(&report->tally->timeline));
    json_object_set_new(json, "ignored_settings", json_settings(report->tally));
    if (!json || json_dumpf(json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII) != 0)
        command_failed(report->intake->command, EX_OK, "the report could not be written whole");
    fputc('\n', to);
    json_decref(json);
}
