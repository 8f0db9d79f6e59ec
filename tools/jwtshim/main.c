/* jwtshim: one command with subcommands, each in a file of its own. Here: which there are, help, and how they complain. */
#include "command.h"

#include "text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char version_text[] = "jwtshim " JWTSHIM_VERSION "\n";

/* clang-format off */
const struct command *const commands[] = {
    &doctor_command,
    &run_command,
    &inspect_command,
    &sign_command,
    &report_command,
    &status_command,
    &enable_command,
    &disable_command,
    NULL,
};
/* clang-format on */

/* File names, arguments and other programs' output may be in it: of their control characters, only line ends go to a terminal. */
static void complain(const struct command *command, const char *format, va_list arguments)
{
    char *text = NULL;
    const int len = vasprintf(&text, format, arguments);
    fflush(stdout);
    fprintf(stderr, "jwtshim %s: ", command->name);
    for (struct span rest = span_of(text, len < 0 ? 0 : (size_t)len); rest.len;) {
        const char *newline = memchr(rest.at, '\n', rest.len);
        const size_t line = newline ? (size_t)(newline - rest.at) : rest.len;
        put_visible(stderr, span_of(rest.at, line));
        if (newline)
            fputc('\n', stderr);
        rest = span_from(rest, line + (newline != NULL));
    }
    fputc('\n', stderr);
    if (len >= 0)
        free(text);
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
    fprintf(stderr, "`jwtshim %s --help` says how it is used.\n", command->name);
    return EX_USAGE;
}

int command_failed(const struct command *command, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(command, format, arguments);
    va_end(arguments);
    return code;
}

bool command_may_colour(FILE *stream)
{
    const char *unwanted = getenv("NO_COLOR");
    return isatty(fileno(stream)) && !(unwanted && *unwanted);
}

static void print_help(FILE *to)
{
    fputs("Usage: jwtshim COMMAND [OPTION]...\n\n"
          "Sees, tries out and rolls out libjwtshim.so, which moves the JWT of a program's requests to Atlassian from "
          "the\n"
          "query into the Authorization header.\n\n",
          to);
    for (const struct command *const *each = commands; *each; each++)
        fprintf(to, "  %-10s %s\n", (*each)->name, (*each)->summary);
    fputs("\n  --help     this text; `jwtshim COMMAND --help` says more of one\n"
          "  --version  the version\n",
          to);
}

static const struct command *command_named(const char *name)
{
    for (const struct command *const *each = commands; *each; each++)
        if (strcmp((*each)->name, name) == 0)
            return *each;
    return NULL;
}

/* Whether --help stands among a subcommand's first options; behind a word it may be another program's. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

/* Output that could not be written is an error of its own: a full disk must not look like success. */
static int with_output_written(int code)
{
    if ((ferror(stdout) | fclose(stdout)) == 0)
        return code;
    perror("jwtshim: cannot write the output");
    return code == 0 ? EX_IOERR : code;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return with_output_written(EX_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        fputs(version_text, stdout);
        return with_output_written(EX_OK);
    }
    const struct command *command = command_named(argv[1]);
    if (!command) {
        fputs("jwtshim: no such command: ", stderr);
        put_visible(stderr, span_of_text(argv[1]));
        fputs("\n`jwtshim --help` names them.\n", stderr);
        return EX_USAGE;
    }
    if (asks_for_help(argc - 1, argv + 1)) {
        fputs(command->help, stdout);
        return with_output_written(EX_OK);
    }
    return with_output_written(command->run(command, argc - 1, argv + 1));
}
