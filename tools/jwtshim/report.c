/* jwtshim report: the events of a fleet as a table. Here: the command line, and what the ways of writing it share. */
#include "report.h"

#include "output_file.h"
#include "time_text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: jwtshim report [OPTION]... [FILE]...\n"
    "\n"
    "Adds up the events that the shim logged (JWTSHIM_LOG), by program, host and finding: how many requests, when "
    "first\n"
    "and last, by which layers, and what still fails. Reads FILEs, plain or gzip, or standard input where there is "
    "none\n"
    "or it is -. Memory does not grow with the files.\n"
    "\n"
    "  --by LIST      tell rows apart by these: program, host, reason, layer (default: program,host,reason)\n"
    "  --since TIME   only events from this time on: 2026-11-23, 2026-11-23T10:15Z, or 90m, 12h, 7d, 2w ago\n"
    "  --until TIME   only events before this time\n"
    "  --top N        at most N rows, the others as one (default: 50 as text, 1000 as a page, all as JSON)\n"
    "  --json         JSON\n"
    "  --html[=FILE]  a page with a sortable table and a timeline, that needs nothing but itself; to FILE, or to\n"
    "                 standard output\n"
    "  --help         show this and end\n"
    "\n"
    "A reason is why a request was left as it was, or what the inspector found in its token. Times are UTC.\n"
    "Exit codes: 0 all was read; 64 wrong use; 65 some lines are no events; 66 a file cannot be read, or there is no\n"
    "event; 73 the page cannot be made; 74 reading or writing failed. What could be read is reported all the same.\n";

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML };

struct options {
    unsigned by;
    int64_t since, until;
    size_t top;
    enum format format;
    const char *page; /* NULL: standard output */
};

static bool read_dimensions(const char *list, unsigned *by)
{
    static const struct {
        const char *name;
        unsigned bit;
    } dimensions[] = {{"program", BY_PROGRAM}, {"host", BY_HOST}, {"reason", BY_FINDING}, {"layer", BY_LAYER}};
    *by = 0;
    while (*list) {
        const size_t len = strcspn(list, ",");
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++)
            if (strlen(dimensions[i].name) == len && memcmp(dimensions[i].name, list, len) == 0)
                bit = dimensions[i].bit;
        if (bit == 0)
            return false;
        *by |= bit;
        list += len + (list[len] == ',');
    }
    return *by != 0;
}

static bool read_count(const char *text, size_t *count)
{
    if (*text == '\0' || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
        return false;
    *count = (size_t)strtoul(text, NULL, 10);
    return *count > 0;
}

/* EX_OK, or after a complaint EX_USAGE. */
static int read_options(const struct command *command, int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"by", required_argument, NULL, 'b'},
        {"since", required_argument, NULL, 's'},
        {"until", required_argument, NULL, 'u'},
        {"top", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},
        {"html", optional_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const int64_t now = time_now();
    int option;
    *options = (struct options){.by = BY_PROGRAM | BY_HOST | BY_FINDING, .since = INT64_MIN, .until = INT64_MAX};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (option == 'b' && !read_dimensions(optarg, &options->by))
            return command_misused(command, "--by needs a list of program, host, reason and layer, not '%s'", optarg);
        if (option == 's' && !time_read_option(optarg, now, &options->since))
            return command_misused(command, "--since needs a time, not '%s'", optarg);
        if (option == 'u' && !time_read_option(optarg, now, &options->until))
            return command_misused(command, "--until needs a time, not '%s'", optarg);
        if (option == 't' && !read_count(optarg, &options->top))
            return command_misused(command, "--top needs a number of rows, not '%s'", optarg);
        if ((option == 'j' && options->format == FORMAT_HTML) || (option == 'h' && options->format == FORMAT_JSON))
            return command_misused(command, "--json and --html are two reports");
        if (option == 'j')
            options->format = FORMAT_JSON;
        if (option == 'h') {
            options->format = FORMAT_HTML;
            options->page = optarg;
        }
        if (option == ':')
            return command_misused(command, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return command_misused(command, "unknown option: %s", argv[optind - 1]);
    }
    if (options->page && *options->page == '\0')
        return command_misused(command, "--html= needs a file");
    return EX_OK;
}

size_t report_rest(const struct report *report, struct row *rest)
{
    size_t rows = 0, place = 0;
    *rest = (struct row){.first = EVENT_UNDATED, .last = EVENT_UNDATED};
    for (const struct row *row = report->tally->rows; row; row = row->hh.next)
        if (place++ >= report->top) {
            row_add(rest, row);
            rows++;
        }
    row_add(rest, &report->tally->others);
    return rows;
}

static int more_requests(const void *one, const void *other)
{
    const struct finding_sum *a = one, *b = other;
    if (a->standing != b->standing)
        return a->standing < b->standing ? -1 : 1;
    return a->requests < b->requests ? 1 : a->requests > b->requests ? -1 : 0;
}

/* A list of what the rows hold is short but for a hostile log: FINDINGS_MAX bounds the search. */
enum { FINDINGS_MAX = 100 };

/* The next of a text of findings, which moves behind it. */
static struct span next_finding(struct span *findings)
{
    const char *comma = memmem(findings->at, findings->len, ", ", 2);
    const size_t len = comma ? (size_t)(comma - findings->at) : findings->len;
    const struct span finding = span_of(findings->at, len);
    *findings = span_from(*findings, comma ? len + 2 : len);
    return finding;
}

static void add_finding(struct finding_sum *list, size_t *count, struct span finding, enum standing standing,
                        uint64_t requests)
{
    size_t i = 0;
    while (i < *count && (list[i].standing != standing || list[i].finding.len != finding.len ||
                          memcmp(list[i].finding.at, finding.at, finding.len) != 0))
        i++;
    if (i == FINDINGS_MAX)
        return;
    *count += i == *count;
    list[i].finding = finding;
    list[i].standing = standing;
    list[i].requests += requests;
}

size_t report_findings(const struct report *report, struct finding_sum **list)
{
    size_t count = 0;
    *list = calloc(FINDINGS_MAX, sizeof **list);
    if (!*list || !(report->tally->by & BY_FINDING))
        return 0;
    for (const struct row *row = report->tally->rows; row; row = row->hh.next) {
        for (struct span left = row->finding; left.len;) {
            const struct span finding = next_finding(&left);
            for (int s = 0; s < STANDINGS; s++)
                if (row->by_standing[s])
                    add_finding(*list, &count, finding, (enum standing)s, row->by_standing[s]);
        }
    }
    qsort(*list, count, sizeof **list, more_requests);
    return count;
}

static int write_page(const struct command *command, const struct options *options, const struct report *report)
{
    if (!options->page) {
        report_html(report, stdout);
        return EX_OK;
    }
    struct output_file page;
    int code = output_begin(&page, command, options->page);
    if (code != EX_OK)
        return code;
    report_html(report, page.stream);
    return output_end(&page, command);
}

static int write_report(const struct command *command, const struct options *options, struct report *report)
{
    static const size_t tops[] = {[FORMAT_TEXT] = 50, [FORMAT_JSON] = SIZE_MAX, [FORMAT_HTML] = 1000};
    report->top = options->top ? options->top : tops[options->format];
    if (options->format == FORMAT_HTML)
        return write_page(command, options, report);
    if (options->format == FORMAT_JSON)
        report_json(report, stdout);
    else
        report_text(report, stdout);
    return EX_OK;
}

static int run(const struct command *command, int argc, char **argv)
{
    static struct tally tally;
    struct options options;
    struct intake intake;
    int code = read_options(command, argc, argv, &options);
    if (code != EX_OK)
        return code;
    tally_begin(&tally, options.by, options.since, options.until);
    intake_begin(&intake, command, &tally);
    for (int i = optind; i < argc; i++)
        intake_read(&intake, argv[i]);
    if (optind == argc)
        intake_read(&intake, "-");
    intake_end(&intake);
    tally_sort(&tally);
    if (tally.events == 0 && intake.code < EX_NOINPUT)
        intake.code = command_failed(command, EX_NOINPUT, "there is no event in what was read");
    else if (tally.events && tally.selected == 0)
        command_failed(command, EX_OK, "none of the events is of that time");
    struct report report = {.intake = &intake, .tally = &tally, .colour = command_may_colour(stdout)};
    code = write_report(command, &options, &report);
    tally_end(&tally);
    return code > intake.code ? code : intake.code;
}

const struct command report_command = {
    .name = "report", .summary = "adds up the logged events of many programs", .help = help, .run = run};
