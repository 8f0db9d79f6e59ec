#include "trial.h"

#include "shim_object.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_MAX = 2048, PATIENCE = 10000 /* milliseconds */ };

struct outcome {
    bool late;
    int status; /* waitpid's */
    char output[OUTPUT_MAX];
    size_t len;
};

static void become(const struct directory_root *root, const char *program, const char *object, int output)
    __attribute__((noreturn));
static void become(const struct directory_root *root, const char *program, const char *object, int output)
{
    char preload[PATH_MAX + 16];
    char *arguments[] = {(char *)(uintptr_t)program, NULL};
    /* LC_ALL: ld.so's messages are compared and shown. JWTSHIM_LOG: what a configuration file may say must not look like one. */
    char *environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "JWTSHIM_LOG=off", object ? preload : NULL, NULL};
    const int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", object ? object : "");
    if ((root->ours || chroot(root->path) == 0) && chdir("/") == 0)
        execve(program, arguments, environment);
    dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void take_output(struct outcome *outcome, int from)
{
    const long end = now() + PATIENCE;
    char rest[512];
    while (true) {
        struct pollfd ready = {.fd = from, .events = POLLIN};
        const long left = end - now();
        if (left <= 0 || poll(&ready, 1, (int)left) == 0) {
            outcome->late = true;
            return;
        }
        const bool full = outcome->len == sizeof outcome->output;
        const ssize_t got = full ? read(from, rest, sizeof rest)
                                 : read(from, outcome->output + outcome->len, sizeof outcome->output - outcome->len);
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
        if (got > 0 && !full)
            outcome->len += (size_t)got;
    }
}

/* False: errno. */
static bool try(const struct directory_root *root, const char *program, const char *object, struct outcome *outcome)
{
    int pipes[2];
    *outcome = (struct outcome){.late = false};
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    const pid_t child = fork();
    if (child == 0)
        become(root, program, object, pipes[1]);
    close(pipes[1]);
    if (child > 0) {
        take_output(outcome, pipes[0]);
        if (outcome->late)
            kill(child, SIGKILL);
        while (waitpid(child, &outcome->status, 0) < 0 && errno == EINTR)
            continue;
    }
    close(pipes[0]);
    return child > 0;
}

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *format, ...)
{
    char *result = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&result, format, arguments) < 0)
        result = NULL;
    va_end(arguments);
    return result ? result : strdup(format);
}

/* Why this program's run would prove nothing, or NULL. */
static char *proves_nothing(const struct directory_root *root, const char *program)
{
    struct shim_object file;
    const int fd = root_open(root, program, O_RDONLY);
    if (fd < 0)
        return text("there is nothing to try it with: %s: %s (--try names another program)", program, strerror(errno));
    object_read(fd, &file);
    close(fd);
    if (file.elf && !file.has_interpreter)
        return text("%s is linked statically, so that it would load nothing (--try names another program)", program);
    return NULL;
}

static int output_len(const struct outcome *outcome)
{
    size_t len = outcome->len;
    while (len && outcome->output[len - 1] == '\n')
        len--;
    return (int)len;
}

/* The first line that is only in the run with the object. The other's lines are complaints about what was there before. */
static struct span new_line(const struct outcome *with, const struct outcome *without)
{
    for (size_t at = 0; at < with->len;) {
        const char *newline = memchr(with->output + at, '\n', with->len - at);
        const size_t len = newline ? (size_t)(newline - (with->output + at)) + 1 : with->len - at;
        if (!memmem(without->output, without->len, with->output + at, len))
            return span_of(with->output + at, newline ? len - 1 : len);
        at += len;
    }
    return span_of(NULL, 0);
}

char *trial_fails(const struct directory_root *root, const char *program, const char *object)
{
    static struct outcome without, with;
    char *why = proves_nothing(root, program);
    if (why)
        return why;
    if (!try(root, program, NULL, &without) || !try(root, program, object, &with))
        return text("it cannot be tried: %s", strerror(errno));
    if (without.late || without.status != 0)
        return text("%s fails even without it: %.*s (--try names another program)", program, output_len(&without),
                    without.output);
    if (with.late)
        return text("%s does not end with it", program);
    if (WIFSIGNALED(with.status))
        return text("%s is ended by signal %d with it: %.*s", program, WTERMSIG(with.status), output_len(&with),
                    with.output);
    if (with.status != 0)
        return text("%s ends with %d with it: %.*s", program, WEXITSTATUS(with.status), output_len(&with), with.output);
    const struct span said = new_line(&with, &without);
    return said.at ? text("%s says with it: %.*s", program, (int)said.len, said.at) : NULL;
}
