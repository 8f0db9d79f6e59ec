/* The report as one page that needs nothing but itself. Its style and its script are allowed by their hashes alone, so that even
 * a text of an event that got through as markup could neither run nor load anything. Without the script it says the same. */
#include "report.h"

#include "report_chart.h"
#include "text.h"
#include "time_text.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define INCLUDED(name, file)                                                                                           \
    __asm__(".pushsection .rodata\n" #name "_begin: .incbin \"tools/jwtshim/" file "\"\n" #name "_end:\n.popsection"); \
    extern const char name##_begin[] __attribute__((visibility("hidden")));                                            \
    extern const char name##_end[] __attribute__((visibility("hidden")))

INCLUDED(page_css, "report_page.css");
INCLUDED(page_js, "report_page.js");

/* "sha256-…", as Content-Security-Policy wants it. */
static void put_hash(FILE *to, const char *begin, const char *end)
{
    unsigned char digest[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(begin, (size_t)(end - begin), digest, &len, EVP_sha256(), NULL) == 1) {
        EVP_EncodeBlock(text, digest, (int)len);
        fprintf(to, "'sha256-%s'", (const char *)text);
    }
}

static void put_head(FILE *to)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; base-uri 'none'; "
          "form-action 'none'; style-src ",
          to);
    put_hash(to, page_css_begin, page_css_end);
    fputs("; script-src ", to);
    put_hash(to, page_js_begin, page_js_end);
    fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
          "content=\"no-referrer\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>Requests to Atlassian: jwtshim report</title>\n<style>",
          to);
    fwrite(page_css_begin, 1, (size_t)(page_css_end - page_css_begin), to);
    fputs("</style>\n</head>\n", to);
}

static void put_time(FILE *to, int64_t time)
{
    char text[TIME_TEXT];
    time_write(text, time, false);
    fputs(text, to);
}

static void put_summary(const struct report *report, FILE *to)
{
    const struct row *all = &report->tally->all;
    char number[NUMBER_TEXT];
    fprintf(to, "<h1>Requests to Atlassian with a token</h1>\n<p>%s requests", number_text(number, all->requests));
    if (all->first != EVENT_UNDATED) {
        fputs(", from ", to);
        put_time(to, all->first);
        fputs(" to ", to);
        put_time(to, all->last);
        fputs(" UTC", to);
    }
    fputs(".</p>\n<ul class=\"tiles\">\n", to);
    for (int s = 0; s < STANDINGS; s++)
        fprintf(to, "<li class=\"%s\"><strong>%s</strong><b>%s</b><small>%s</small></li>\n",
                standing_id((enum standing)s), number_text(number, all->by_standing[s]),
                standing_name((enum standing)s), standing_meaning((enum standing)s));
    fputs("</ul>\n", to);
}

static void put_warnings(const struct report *report, FILE *to)
{
    const struct intake *intake = report->intake;
    char one[NUMBER_TEXT], other[NUMBER_TEXT];
    if (intake->unread_files || intake->bad_lines)
        fprintf(to, "<p class=\"warning\">Not everything could be read: %s lines and %s files are missing here.</p>\n",
                number_text(one, intake->bad_lines), number_text(other, intake->unread_files));
    if (report->tally->undated)
        fprintf(to, "<p class=\"warning\">%s events have no time that can be read; the timeline is without them.</p>\n",
                number_text(one, report->tally->undated));
}

static void put_findings(const struct report *report, FILE *to)
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
            fputs("<h2>What to look at</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th "
                  "scope=\"col\">Reason</th><th "
                  "scope=\"col\" "
                  "class=\"number\">Requests</th><th scope=\"col\">Standing</th><th scope=\"col\">What it "
                  "means</th></tr></thead><tbody>\n",
                  to);
        begun = true;
        fprintf(to, "<tr class=\"%s\"><td>", standing_id(list[i].standing));
        put_html(to, list[i].finding);
        fprintf(to, "</td><td class=\"number\">%s</td><td class=\"standing\">%s</td><td>%s</td></tr>\n",
                number_text(number, list[i].requests), standing_name(list[i].standing), meaning ? meaning : "");
    }
    if (begun)
        fputs("</tbody></table></div>\n", to);
    free(list);
}

static void put_cell(FILE *to, const char *kind, struct span text)
{
    fprintf(to, "<td%s>", kind);
    put_html(to, text);
    fputs("</td>", to);
}

static void put_count_cell(FILE *to, uint64_t count)
{
    char number[NUMBER_TEXT];
    fprintf(to, "<td class=\"number\" data-value=\"%llu\">%s</td>", (unsigned long long)count, number_text(number, count));
}

static void put_time_cell(FILE *to, int64_t time)
{
    fprintf(to, "<td class=\"time\" data-value=\"%lld\">", time == EVENT_UNDATED ? 0ll : (long long)time);
    if (time != EVENT_UNDATED)
        put_time(to, time);
    fputs("</td>", to);
}

static void put_layers_cell(const struct tally *tally, FILE *to, uint32_t layers)
{
    bool begun = false;
    fputs("<td>", to);
    for (size_t i = 0; i < tally->layers; i++) {
        if (!(layers & UINT32_C(1) << i))
            continue;
        fputs(begun ? ", " : "", to);
        put_html(to, span_of_text(tally->layer[i]));
        begun = true;
    }
    fputs("</td>", to);
}

static void put_standing_cell(FILE *to, const struct row *row)
{
    const enum standing worst = row_standing(row);
    char number[NUMBER_TEXT];
    fputs("<td class=\"standing\">", to);
    fputs(standing_name(worst), to);
    if (row->by_standing[worst] != row->requests)
        fprintf(to, " (%s)", number_text(number, row->by_standing[worst]));
    fputs("</td>", to);
}

static void put_counts(const struct report *report, FILE *to, const struct row *row)
{
    put_standing_cell(to, row);
    put_count_cell(to, row->requests);
    put_time_cell(to, row->first);
    put_time_cell(to, row->last);
    if (!(report->tally->by & BY_LAYER))
        put_layers_cell(report->tally, to, row->layers);
    fputs("</tr>\n", to);
}

static void put_table_head(unsigned by, FILE *to)
{
    fputs("<h2 id=\"all-requests\">All requests</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
          "aria-labelledby=\"all-requests\">"
          "<table class=\"sortable\" id=\"all\"><thead><tr>",
          to);
    if (by & BY_PROGRAM)
        fputs("<th scope=\"col\">Program</th>", to);
    if (by & BY_HOST)
        fputs("<th scope=\"col\">Host</th>", to);
    if (by & BY_LAYER)
        fputs("<th scope=\"col\">Layer</th>", to);
    if (by & BY_FINDING)
        fputs("<th scope=\"col\">Reason</th>", to);
    fputs("<th scope=\"col\">Standing</th><th scope=\"col\" class=\"number\" aria-sort=\"descending\">Requests</th>"
          "<th scope=\"col\">First seen (UTC)</th><th scope=\"col\">Last seen (UTC)</th>",
          to);
    if (!(by & BY_LAYER))
        fputs("<th scope=\"col\">Layers</th>", to);
    fputs("</tr></thead>\n<tbody>\n", to);
}

static void put_rest(const struct report *report, FILE *to)
{
    struct row rest;
    if (report_rest(report, &rest) == 0 && rest.requests == 0)
        return;
    int columns = 0;
    for (unsigned by = report->tally->by; by; by &= by - 1)
        columns++;
    fprintf(to, "</tbody><tfoot><tr class=\"%s\"><td colspan=\"%d\">All others</td>", standing_id(row_standing(&rest)),
            columns);
    put_counts(report, to, &rest);
    fputs("</tfoot>", to);
}

static void put_table(const struct report *report, FILE *to)
{
    static const char name[] = " class=\"name\"";
    const unsigned by = report->tally->by;
    size_t place = 0;
    put_table_head(by, to);
    for (const struct row *row = report->tally->rows; row && place < report->top; row = row->hh.next, place++) {
        fprintf(to, "<tr class=\"%s\">", standing_id(row_standing(row)));
        if (by & BY_PROGRAM)
            put_cell(to, name, row->program);
        if (by & BY_HOST)
            put_cell(to, name, row->host);
        if (by & BY_LAYER)
            put_cell(to, "", row->layer);
        if (by & BY_FINDING)
            put_cell(to, "", row->finding);
        put_counts(report, to, row);
    }
    put_rest(report, to);
    fputs("</table></div>\n", to);
}

static void put_settings(const struct report *report, FILE *to)
{
    size_t place = 0;
    if (!report->tally->settings)
        return;
    fputs("<h2>Settings that programs could not use</h2>\n<div class=\"scroll\" tabindex=\"0\"><table "
          "class=\"sortable\"><thead><tr><th scope=\"col\">Program</th>"
          "<th scope=\"col\">Setting</th><th scope=\"col\">Why</th><th scope=\"col\" "
          "class=\"number\">Events</th></tr></thead><tbody>\n",
          to);
    for (const struct ignored_setting *each = report->tally->settings; each && place < report->top;
         each = each->hh.next, place++) {
        fputs("<tr>", to);
        put_cell(to, " class=\"name\"", each->program);
        put_cell(to, "", each->setting);
        put_cell(to, "", each->reason);
        put_count_cell(to, each->events);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n", to);
}

void report_html(const struct report *report, FILE *to)
{
    put_head(to);
    fputs("<body>\n<main>\n", to);
    put_summary(report, to);
    put_warnings(report, to);
    put_findings(report, to);
    report_chart(&report->tally->timeline, to);
    if (report->tally->all.requests)
        put_table(report, to);
    put_settings(report, to);
    fputs("</main>\n<footer>Made by jwtshim " JWTSHIM_VERSION ", ", to);
    put_time(to, time_now());
    fputs(" UTC, from what the shim logged. No token, signature or query is in it.</footer>\n<script>", to);
    fwrite(page_js_begin, 1, (size_t)(page_js_end - page_js_begin), to);
    fputs("</script>\n</body>\n</html>\n", to);
}
