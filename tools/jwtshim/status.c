/* jwtshim status: whether the shim is active on this machine, where, with which settings, and what is wrong. Looks only. */
#include "status.h"

#include "command.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>

static const char help[] = "Usage: jwtshim status [OPTION]...\n"
                           "\n"
                           "Says whether the shim is in /etc/ld.so.preload and fits, which running processes have it "
                           "and in which version, which\n"
                           "settings are in /etc/jwtshim.conf and in the processes' environments, and the last events "
                           "of the log. Changes nothing.\n"
                           "\n"
                           "  --last N    show so many of the last events (default: 5)\n"
                           "  --root DIR  look at the root file system below DIR, and at no processes\n"
                           "  --json      JSON\n"
                           "  --help      show this and end\n"
                           "\n"
                           "Exit codes: 0 active: in /etc/ld.so.preload or in a process; 1 not; 2 something is wrong, "
                           "and said; 64 wrong use;\n"
                           "66 there is no such root.\n";

enum { ACTIVE = 0, NOT_ACTIVE = 1, TROUBLE = 2 };

void status_trouble(struct status *status, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    const int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0)
        return;
    json_array_append_new(status->troubles, json_text(span_of(text, (size_t)len)));
    free(text);
}

void status_set(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_text(span_of_text(text)));
}

static struct span text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return json_is_string(text) ? span_of(json_string_value(text), json_string_length(text)) : span_of("", 0);
}

static void print_preload(const json_t *found)
{
    const json_t *entries = json_object_get(json_object_get(found, "preload"), "entries");
    const json_t *entry;
    size_t i;
    if (json_array_size(entries) == 0)
        puts("/etc/ld.so.preload   the shim is not in it");
    json_array_foreach(entries, i, entry)
    {
        const struct span version = text_of(entry, "version");
        fputs("/etc/ld.so.preload   ", stdout);
        put_visible(stdout, text_of(entry, "name"));
        fputs(version.len ? ", version " : ", of unknown version", stdout);
        put_visible(stdout, version);
        putchar('\n');
    }
}

static void print_list(const json_t *list)
{
    const json_t *each;
    size_t i;
    json_array_foreach(list, i, each)
    {
        fputs(i ? ", " : "", stdout);
        put_visible(stdout, span_of(json_string_value(each), json_string_length(each)));
    }
}

static void print_settings(json_t *found)
{
    json_t *settings = json_object_get(found, "settings");
    const char *name;
    json_t *value;
    printf("/etc/jwtshim.conf    %s\n",
           json_is_true(json_object_get(settings, "exists")) ? "" : "is not there: the defaults are");
    json_object_foreach(json_object_get(settings, "values"), name, value)
    {
        if (json_is_array(value) && json_array_size(value) == 0)
            continue;
        printf("  %-21s", name);
        if (json_is_array(value))
            print_list(value);
        else
            put_visible(stdout, span_of_text(json_string_value(value)));
        putchar('\n');
    }
}

static char *settings_text(json_t *settings)
{
    char *text = NULL;
    size_t size;
    const char *name;
    json_t *value;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    json_object_foreach(settings, name, value)
        fprintf(to, "%s%s=%s", ftell(to) ? " " : "", name, json_string_value(value));
    return fclose(to) == 0 ? text : NULL;
}

static void print_processes(const json_t *found, bool colour)
{
    const json_t *processes = json_object_get(found, "processes");
    const json_t *list = json_object_get(processes, "with_shim"), *each;
    struct table table = {.columns = 0};
    size_t i;
    if (!processes)
        return;
    printf("\nProcesses            %zu of %lld have it", json_array_size(list),
           json_integer_value(json_object_get(processes, "looked_at")));
    if (json_integer_value(json_object_get(processes, "not_permitted")))
        printf("; %lld belong to others, and may not be looked at",
               json_integer_value(json_object_get(processes, "not_permitted")));
    putchar('\n');
    if (json_array_size(list) == 0)
        return;
    table_column(&table, "PID", true);
    table_column(&table, "PROGRAM", false);
    table_column(&table, "VERSION", false);
    table_column(&table, "OBJECT", false);
    table_column(&table, "SETTINGS", false);
    json_array_foreach(list, i, each)
    {
        char pid[32];
        char *settings = settings_text(json_object_get(each, "settings"));
        snprintf(pid, sizeof pid, "%lld", json_integer_value(json_object_get(each, "pid")));
        table_cell(&table, span_of_text(pid));
        table_cell(&table, text_of(each, "program"));
        table_cell(&table, text_of(each, "version"));
        table_cell(&table, text_of(each, "object_state"));
        table_cell(&table, span_of_text(settings ? settings : ""));
        free(settings);
    }
    table_print(&table, stdout, colour);
}

static void print_events(const json_t *found, bool colour)
{
    static const char *const names[] = {"timestamp", "action", "reason", "program", "host", "path"};
    static const char *const headings[] = {"TIME", "ACTION", "REASON", "PROGRAM", "HOST", "PATH"};
    const json_t *list = json_object_get(found, "last_events"), *each;
    struct table table = {.columns = 0};
    size_t i;
    if (json_array_size(list) == 0)
        return;
    puts("\nLast events");
    for (size_t column = 0; column < sizeof names / sizeof names[0]; column++)
        table_column(&table, headings[column], false);
    json_array_foreach(list, i, each) for (size_t column = 0; column < sizeof names / sizeof names[0]; column++)
        table_cell(&table, text_of(each, names[column]));
    table_print(&table, stdout, colour);
}

static void print_troubles(const json_t *troubles, bool colour)
{
    const json_t *each;
    size_t i;
    if (json_array_size(troubles))
        puts("\nWhat is wrong");
    json_array_foreach(troubles, i, each)
    {
        fputs(colour ? "  \033[31m" : "  ", stdout);
        put_visible(stdout, span_of(json_string_value(each), json_string_length(each)));
        fputs(colour ? "\033[0m\n" : "\n", stdout);
    }
}

static int look(const struct directory_root *root, size_t last, bool as_json)
{
    struct status status = {.root = root, .found = json_object(), .troubles = json_array(), .last = last};
    const bool colour = command_may_colour(stdout);
    const size_t entries = status_preload(&status);
    const size_t processes = root->ours ? status_processes(&status) : 0;
    status_settings(&status);
    status_events(&status);
    json_object_set_new(status.found, "active", json_boolean(entries || processes));
    json_object_set(status.found, "troubles", status.troubles);
    if (as_json) {
        json_dumpf(status.found, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
    } else {
        print_preload(status.found);
        print_settings(status.found);
        print_processes(status.found, colour);
        print_events(status.found, colour);
        print_troubles(status.troubles, colour);
    }
    const int code = json_array_size(status.troubles) ? TROUBLE : entries || processes ? ACTIVE : NOT_ACTIVE;
    json_decref(status.troubles);
    json_decref(status.found);
    return code;
}

static int run(const struct command *command, int argc, char **argv)
{
    static const struct option long_options[] = {{"last", required_argument, NULL, 'l'},
                                                 {"root", required_argument, NULL, 'r'},
                                                 {"json", no_argument, NULL, 'j'},
                                                 {NULL, 0, NULL, 0}};
    const char *directory = NULL;
    size_t last = 5;
    bool as_json = false;
    struct directory_root root;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
        if (option == ':')
            return command_misused(command, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return command_misused(command, "unknown option: %s", argv[optind - 1]);
        if (option == 'l' && (strspn(optarg, "0123456789") != strlen(optarg) || !*optarg || strlen(optarg) > 4))
            return command_misused(command, "--last needs a number up to 9999, not '%s'", optarg);
        if (option == 'l')
            last = (size_t)strtoul(optarg, NULL, 10);
        if (option == 'r')
            directory = optarg;
        as_json |= option == 'j';
    }
    if (optind < argc)
        return command_misused(command, "no argument is expected: %s", argv[optind]);
    if (!root_begin(&root, directory))
        return command_failed(command, EX_NOINPUT, "%s: %s", directory ? directory : "/", strerror(errno));
    const int code = look(&root, last, as_json);
    root_end(&root);
    return code;
}

const struct command status_command = {
    .name = "status", .summary = "whether the shim is active, where, and what is wrong", .help = help, .run = run};
