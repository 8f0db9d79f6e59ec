#include "intake.h"

#include "source.h"
#include "text.h"
#include "time_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Complaints about one file's lines; further ones are counted. */
enum { COMPLAINTS_MAX = 10, BUFFER = 1024 * 1024 };
_Static_assert(BUFFER > 2 * EVENT_LINE_MAX,
               "a line that is looked at fits twice: whole, and with the next read behind it");

struct file {
    const char *name;
    uint64_t line, bad_lines;
    uint64_t size; /* 0: not known */
    bool in_long_line;
    struct source source;
};

void intake_begin(struct intake *intake, const struct command *command, struct tally *tally)
{
    *intake = (struct intake){.command = command, .tally = tally, .shows = isatty(STDERR_FILENO)};
}

static void clear_progress(struct intake *intake)
{
    if (intake->shown)
        fputs("\r\033[K", stderr);
    intake->shown = false;
}

static void trouble(struct intake *intake, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void trouble(struct intake *intake, int code, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    clear_progress(intake);
    command_failed(intake->command, code, "%s", text);
    if (code > intake->code)
        intake->code = code;
}

static void bad_line(struct intake *intake, struct file *file, const char *why)
{
    intake->bad_lines++;
    if (++file->bad_lines <= COMPLAINTS_MAX)
        trouble(intake, EX_DATAERR, "%s:%llu: not an event: %s", file->name, (unsigned long long)file->line, why);
}

static void show_progress(struct intake *intake, const struct file *file)
{
    const int64_t now = intake->shows ? time_now() : 0;
    if (now - intake->shown_at < 200)
        return;
    char bytes[NUMBER_TEXT], events[NUMBER_TEXT], part[32] = "";
    intake->shown_at = now;
    if (file->size)
        snprintf(part, sizeof part, ", %d %% of it", (int)(file->source.taken * 100 / file->size));
    fprintf(stderr, "\r\033[Kfile %llu: %s MB read%s, %s events", (unsigned long long)intake->files,
            number_text(bytes, intake->bytes / 1000000), part, number_text(events, intake->tally->events));
    intake->shown = true;
}

static void take_line(struct intake *intake, struct file *file, char *line, size_t len)
{
    struct event event;
    const char *why = NULL;
    file->line++;
    intake->lines++;
    if (len > EVENT_LINE_MAX) {
        bad_line(intake, file, "the line is longer than 256 KiB");
        return;
    }
    static const char mark[] = "\xef\xbb\xbf"; /* U+FEFF: some editors begin a file with it */
    if (file->line == 1 && len >= 3 && memcmp(line, mark, 3) == 0) {
        line += 3;
        len -= 3;
    }
    switch (event_read(&event, line, len, &why)) {
    case EVENT: tally_add(intake->tally, &event); break;
    case EVENT_NONE: break;
    case EVENT_NO_JSON: bad_line(intake, file, why); break;
    }
}

/* Takes the complete lines from the buffer; returns how many bytes of an incomplete one are left, moved to its front. */
static size_t take_lines(struct intake *intake, struct file *file, char *buffer, size_t len)
{
    char *at = buffer, *const end = buffer + len, *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        if (file->in_long_line)
            file->in_long_line = false;
        else
            take_line(intake, file, at, (size_t)(newline - at));
        at = newline + 1;
    }
    size_t left = (size_t)(end - at);
    if (left > EVENT_LINE_MAX && !file->in_long_line) {
        take_line(intake, file, at, left);
        file->in_long_line = true;
    }
    if (file->in_long_line)
        left = 0;
    memmove(buffer, at, left);
    return left;
}

static void take_all(struct intake *intake, struct file *file)
{
    static char buffer[BUFFER];
    const char *why = NULL;
    size_t len = 0;
    ssize_t got;
    while ((got = source_read(&file->source, buffer + len, sizeof buffer - len, &why)) > 0) {
        intake->bytes += (uint64_t)got;
        len = take_lines(intake, file, buffer, len + (size_t)got);
        show_progress(intake, file);
    }
    const int error = errno;
    if (len && got == 0)
        take_line(intake, file, buffer, len);
    if (got == 0)
        return;
    file->line += !file->in_long_line;
    trouble(intake, why ? EX_DATAERR : EX_IOERR, "%s:%llu: %s", file->name, (unsigned long long)file->line,
            why ? why : strerror(error));
}

/* A descriptor, or -1 after a complaint. */
static int open_file(struct intake *intake, struct file *file)
{
    struct stat status;
    const bool standard = strcmp(file->name, "-") == 0;
    const int fd = standard ? dup(STDIN_FILENO) : open(file->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (standard)
        file->name = "standard input";
    if (fd < 0 || fstat(fd, &status) != 0) {
        trouble(intake, EX_NOINPUT, "%s: %s", file->name, strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        trouble(intake, EX_NOINPUT, "%s: %s", file->name, strerror(EISDIR));
    } else {
        file->size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

void intake_read(struct intake *intake, const char *name)
{
    static struct file file;
    file = (struct file){.name = name};
    intake->files++;
    const int fd = open_file(intake, &file);
    if (fd < 0) {
        intake->unread_files++;
        return;
    }
    source_begin(&file.source, fd);
    take_all(intake, &file);
    source_end(&file.source);
    if (file.bad_lines > COMPLAINTS_MAX)
        trouble(intake, EX_DATAERR, "%s: %llu further lines are no events", file.name,
                (unsigned long long)(file.bad_lines - COMPLAINTS_MAX));
}

void intake_end(struct intake *intake)
{
    clear_progress(intake);
}
