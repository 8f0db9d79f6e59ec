#include "report_chart.h"

#include "text.h"
#include "time_text.h"

/* The drawing's own units; the page scales it. */
enum {
    WIDTH = 1000,
    HEIGHT = 260,
    LEFT = 64,
    RIGHT = 12,
    TOP = 12,
    BOTTOM = 28,
    PLOT_W = WIDTH - LEFT - RIGHT,
    PLOT_H = HEIGHT - TOP - BOTTOM
};

/* The outermost is drawn last: what fails stands on the others' heads, where it is seen. */
static const enum standing order[STANDINGS] = {STANDING_LEFT, STANDING_MOVED, STANDING_AUDIT, STANDING_TOKEN,
                                               STANDING_FAILING};

static uint64_t bin_total(const struct timeline *timeline, size_t i)
{
    uint64_t total = 0;
    for (int s = 0; s < STANDINGS; s++)
        total += timeline->bin[i][s];
    return total;
}

/* The least number with one digit before its zeros that four steps of reach `most`. */
static uint64_t step_for(uint64_t most)
{
    for (uint64_t power = 1; power < UINT64_MAX / 100; power *= 10)
        for (uint64_t digit = 1; digit < 10; digit++)
            if (digit * power * 4 >= most)
                return digit * power;
    return most;
}

static void put_time(FILE *to, const struct timeline *timeline, int64_t time)
{
    char text[TIME_TEXT];
    time_write(text, time, false);
    if (timeline_width(timeline) >= 86400000)
        fprintf(to, "%.10s", text);
    else
        fprintf(to, "%.16s", text);
}

static void put_width(FILE *to, const struct timeline *timeline)
{
    const long minutes = (long)(timeline_width(timeline) / 60000);
    if (minutes >= 1440)
        fprintf(to, "%ld day%s", minutes / 1440, minutes == 1440 ? "" : "s");
    else if (minutes >= 60)
        fprintf(to, "%ld hour%s", minutes / 60, minutes == 60 ? "" : "s");
    else
        fprintf(to, "%ld minute%s", minutes, minutes == 1 ? "" : "s");
}

static void put_axes(FILE *to, const struct timeline *timeline, uint64_t step)
{
    char number[NUMBER_TEXT];
    for (int i = 0; i <= 4; i++) {
        const int y = TOP + PLOT_H - PLOT_H * i / 4;
        fprintf(to, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#888\"/>", LEFT,
                WIDTH - RIGHT, y, y);
        fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", LEFT - 8, y + 4,
                number_text(number, step * (uint64_t)i));
    }
    const size_t labels = timeline->used < 5 ? timeline->used : 5;
    for (size_t label = 0; label < labels; label++) {
        const size_t i = timeline->used * label / labels;
        fprintf(to, "<text x=\"%.1f\" y=\"%d\">", LEFT + (double)PLOT_W * (double)i / (double)timeline->used, HEIGHT - 8);
        put_time(to, timeline, timeline_begin(timeline, i));
        fputs("</text>\n", to);
    }
}

static void put_bin(FILE *to, const struct timeline *timeline, size_t i, uint64_t step)
{
    const double width = (double)PLOT_W / (double)timeline->used;
    const double gap = width > 3 ? 1 : 0;
    double y = TOP + PLOT_H;
    char number[NUMBER_TEXT];
    for (size_t place = 0; place < STANDINGS; place++) {
        const enum standing standing = order[place];
        const uint64_t count = timeline->bin[i][standing];
        double height = (double)PLOT_H * (double)count / (double)(4 * step);
        if (count == 0)
            continue;
        if (height < 1.5)
            height = 1.5; /* one request in a million is seen, and is the one that matters */
        y -= height;
        fprintf(to, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>",
                standing_id(standing), LEFT + width * (double)i, y, width - gap, height);
        put_time(to, timeline, timeline_begin(timeline, i));
        fprintf(to, ": %s %s</title></rect>\n", number_text(number, count), standing_name(standing));
    }
}

static void put_table(FILE *to, const struct timeline *timeline)
{
    fputs("<details><summary>The timeline as a table</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
          "aria-label=\"Timeline\"><table class=\"sortable\"><thead><tr><th scope=\"col\">From (UTC)</th>",
          to);
    for (int s = 0; s < STANDINGS; s++)
        fprintf(to, "<th scope=\"col\" class=\"number\">%s</th>", standing_name((enum standing)s));
    fputs("</tr></thead><tbody>\n", to);
    for (size_t i = 0; i < timeline->used; i++) {
        if (bin_total(timeline, i) == 0)
            continue;
        fputs("<tr><td class=\"time\">", to);
        put_time(to, timeline, timeline_begin(timeline, i));
        fputs("</td>", to);
        for (int s = 0; s < STANDINGS; s++)
            fprintf(to, "<td class=\"number\" data-value=\"%llu\">%llu</td>", (unsigned long long)timeline->bin[i][s],
                    (unsigned long long)timeline->bin[i][s]);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div></details>\n", to);
}

void report_chart(const struct timeline *timeline, FILE *to)
{
    uint64_t most = 1;
    if (timeline->used == 0)
        return;
    for (size_t i = 0; i < timeline->used; i++)
        if (bin_total(timeline, i) > most)
            most = bin_total(timeline, i);
    const uint64_t step = step_for(most);
    fputs("<h2 id=\"when\">When</h2>\n<p class=\"quiet\">Requests in each ", to);
    put_width(to, timeline);
    fprintf(to,
            ", UTC. The colours are those above; what fails is on top.</p>\n"
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"when chart\">\n<desc id=\"chart\">Stacked bars "
            "of requests "
            "over time, the highest with %llu; the same figures are in the table below.</desc>\n",
            WIDTH, HEIGHT, (unsigned long long)most);
    put_axes(to, timeline, step);
    for (size_t i = 0; i < timeline->used; i++)
        put_bin(to, timeline, i, step);
    fputs("</svg>\n", to);
    put_table(to, timeline);
}
