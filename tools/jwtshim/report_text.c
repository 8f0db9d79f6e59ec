/* The report for a terminal: how requests stand, what still fails and why, and the table. */
#include "report.h"

#include "table.h"
#include "text.h"
#include "time_text.h"

#include <stdlib.h>

static const char *colour_of(enum standing standing)
{
    static const char *const colours[STANDINGS] = {
        [STANDING_FAILING] = "\033[31m", [STANDING_TOKEN] = "\033[33m", [STANDING_AUDIT] = "\033[34m", [STANDING_MOVED] = "\033[32m", [STANDING_LEFT] = "\033[2m"};
    return colours[standing];
}

static void print_totals(const struct report *report, FILE *to)
{
    const struct row *all = &report->tally->all;
    char number[NUMBER_TEXT], from[TIME_TEXT], until[TIME_TEXT];
    fprintf(to, "%s requests with a token", number_text(number, all->requests));
    if (all->first != EVENT_UNDATED) {
        time_write(from, all->first, false);
        time_write(until, all->last, false);
        fprintf(to, ", %s to %s UTC", from, until);
    }
    fputs("\n\n", to);
    for (int s = 0; s < STANDINGS; s++) {
        if (all->by_standing[s] == 0)
            continue;
        fprintf(to, "%s%15s  %-23s%s%s\n", report->colour ? colour_of((enum standing)s) : "",
                number_text(number, all->by_standing[s]), standing_name((enum standing)s),
                report->colour ? "\033[0m" : "", standing_meaning((enum standing)s));
    }
    if (report->tally->steered)
        fprintf(to, "%15s  TLS handshakes were steered from HTTP/2 to HTTP/1.1.\n",
                number_text(number, report->tally->steered));
    if (report->tally->undated)
        fprintf(to, "%15s  events have no time that can be read.\n", number_text(number, report->tally->undated));
}

static void print_findings(const struct report *report, FILE *to)
{
    struct finding_sum *list;
    char number[NUMBER_TEXT];
    const size_t count = report_findings(report, &list);
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        const char *meaning = finding_meaning(list[i].finding);
        if (list[i].standing == STANDING_LEFT) /* as it should be */
            continue;
        if (!begun)
            fputs("\nWhat to look at:\n", to);
        begun = true;
        fprintf(to, "%15s  ", number_text(number, list[i].requests));
        put_visible(to, list[i].finding);
        fprintf(to, "%s%s\n", meaning ? ": " : "", meaning ? meaning : "");
    }
    free(list);
}

static void layers_cell(const struct report *report, struct table *table, uint32_t layers)
{
    char text[512];
    size_t len = 0;
    for (size_t i = 0; i < report->tally->layers && len < sizeof text; i++)
        if (layers & UINT32_C(1) << i)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len ? ", " : "", report->tally->layer[i]);
    table_cell(table, span_of(text, len < sizeof text ? len : sizeof text - 1));
}

static void add_columns(const struct report *report, struct table *table)
{
    static const char *const headings[STANDINGS] = {"FAILING", "DOUBTFUL", "AUDIT", "MOVED", "LEFT"};
    const unsigned by = report->tally->by;
    if (by & BY_PROGRAM)
        table_column(table, "PROGRAM", false);
    if (by & BY_HOST)
        table_column(table, "HOST", false);
    if (by & BY_LAYER)
        table_column(table, "LAYER", false);
    if (by & BY_FINDING)
        table_column(table, "REASON", false);
    table_column(table, "REQUESTS", true);
    for (int s = 0; s < STANDINGS; s++)
        if (report->tally->all.by_standing[s]) /* no column of nothing but dashes */
            table_column(table, headings[s], true);
    table_column(table, "FIRST SEEN", false);
    table_column(table, "LAST SEEN", false);
    if (!(by & BY_LAYER))
        table_column(table, "LAYERS", false);
}

static void add_counts(const struct report *report, struct table *table, const struct row *row)
{
    table_number(table, row->requests);
    for (int s = 0; s < STANDINGS; s++)
        if (row->by_standing[s])
            table_number(table, row->by_standing[s]);
        else if (report->tally->all.by_standing[s])
            table_cell(table, span_of("", 0));
    table_time(table, row->first);
    table_time(table, row->last);
    if (!(report->tally->by & BY_LAYER))
        layers_cell(report, table, row->layers);
}

static void add_row(const struct report *report, struct table *table, const struct row *row)
{
    const unsigned by = report->tally->by;
    if (by & BY_PROGRAM)
        table_cell(table, row->program);
    if (by & BY_HOST)
        table_cell(table, row->host);
    if (by & BY_LAYER)
        table_cell(table, row->layer);
    if (by & BY_FINDING)
        table_cell(table, row->finding);
    add_counts(report, table, row);
}

static void add_rest(const struct report *report, struct table *table)
{
    struct row rest;
    report_rest(report, &rest);
    if (rest.requests == 0)
        return;
    table_cell(table, span_of_text("(others)"));
    for (unsigned by = report->tally->by & (report->tally->by - 1); by; by &= by - 1)
        table_cell(table, span_of("", 0));
    add_counts(report, table, &rest);
}

static void print_settings(const struct report *report, FILE *to)
{
    struct table table = {.columns = 0};
    if (!report->tally->settings)
        return;
    fputs("\nSettings that programs could not use:\n", to);
    table_column(&table, "PROGRAM", false);
    table_column(&table, "SETTING", false);
    table_column(&table, "EVENTS", true);
    table_column(&table, "WHY", false);
    size_t place = 0;
    for (const struct ignored_setting *each = report->tally->settings; each && place < report->top; each = each->hh.next) {
        table_cell(&table, each->program);
        table_cell(&table, each->setting);
        table_number(&table, each->events);
        table_cell(&table, each->reason);
        place++;
    }
    table_print(&table, to, report->colour);
}

void report_text(const struct report *report, FILE *to)
{
    struct table table = {.columns = 0};
    print_totals(report, to);
    print_findings(report, to);
    if (report->tally->all.requests) {
        size_t place = 0;
        add_columns(report, &table);
        for (const struct row *row = report->tally->rows; row && place < report->top; row = row->hh.next, place++)
            add_row(report, &table, row);
        add_rest(report, &table);
        fputc('\n', to);
        table_print(&table, to, report->colour);
    }
    print_settings(report, to);
}
