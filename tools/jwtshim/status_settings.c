/* The settings of /etc/jwtshim.conf as every program reads them, their errors by line, and the end of the log that they name. */
#include "status.h"

#include "event.h"
#include "settings.h"
#include "shim_object.h"
#include "time_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAIL_MAX = 1024 * 1024 };

static struct status *complaints_to;

static void complain(const char *where, const char *what)
{
    status_trouble(complaints_to, "%s: %s", where, what);
}

/* Whether there is a file; what every program would take from it. */
static bool read_file(struct status *status, struct config *config)
{
    if (!settings_read_file(config, status->root->path, false, complain))
        return false;
    char *unsafe = object_is_unsafe(status->root, SETTINGS_PATH);
    if (unsafe)
        status_trouble(status, "%s", unsafe);
    free(unsafe);
    return true;
}

static json_t *json_names(const struct span *names, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_text(names[i]));
    return list;
}

static json_t *json_config(const struct config *config)
{
    json_t *json = json_object();
    status_set(json, "JWTSHIM", ((const char *const[]){"rewrite", "audit", "off"})[config->mode]);
    json_object_set_new(json, "hosts", json_names(config->policy.hosts.suffix, config->policy.hosts.count));
    status_set(json, "JWTSHIM_ON_CONFLICT", ((const char *const[]){"jwt", "header", "leave"})[config->policy.on_conflict]);
    status_set(json, "JWTSHIM_PLAINTEXT", ((const char *const[]){"auto", "always", "never"})[config->plaintext]);
    status_set(json, "JWTSHIM_ALPN", ((const char *const[]){"steer", "off"})[config->alpn]);
    status_set(json, "JWTSHIM_LOG",
               config->log == LOG_FILE ? config->log_path
                                       : ((const char *const[]){"off", "stderr", "syslog"})[config->log]);
    status_set(json, "JWTSHIM_LOG_LEVEL", ((const char *const[]){"rewrite", "all"})[config->log_level]);
    status_set(json, "JWTSHIM_INSPECT", config->inspect ? "on" : "off");
    json_object_set_new(json, "JWTSHIM_ONLY", json_names(config->only.name, config->only.count));
    json_object_set_new(json, "JWTSHIM_SKIP", json_names(config->skip.name, config->skip.count));
    status_set(json, "JWTSHIM_LOADER", config->loader ? "on" : "off");
    status_set(json, "JWTSHIM_STDIO", config->stdio ? "on" : "off");
    status_set(json, "JWTSHIM_PATCH", config->patch ? "on" : "off");
    return json;
}

void status_settings(struct status *status)
{
    static struct config config;
    json_t *settings = json_object();
    complaints_to = status;
    config_defaults(&config);
    const bool exists = read_file(status, &config);
    if (config.log == LOG_FILE)
        snprintf(status->log, sizeof status->log, "%s", config.log_path);
    if (config.log == LOG_STDERR)
        status_trouble(status, "%s: JWTSHIM_LOG = stderr makes every program that speaks to Atlassian print events",
                       SETTINGS_PATH);
    status_set(settings, "file", SETTINGS_PATH);
    json_object_set_new(settings, "exists", json_boolean(exists));
    json_object_set_new(settings, "values", json_config(&config));
    json_object_set_new(status->found, "settings", settings);
}

/* The last bytes of a file of this size, from the beginning of a line on. */
static char *last_bytes(int fd, off_t size, size_t *len)
{
    const off_t from = size > TAIL_MAX ? size - TAIL_MAX : 0;
    char *text = malloc(TAIL_MAX);
    if (!text)
        return NULL;
    const ssize_t got = pread(fd, text, TAIL_MAX, from);
    *len = got > 0 ? (size_t)got : 0;
    const char *newline = from ? memchr(text, '\n', *len) : NULL;
    if (newline) {
        *len -= (size_t)(newline + 1 - text);
        memmove(text, newline + 1, *len);
    }
    return text;
}

/* NULL after a complaint, or where there is no log yet. */
static char *read_tail(struct status *status, size_t *len)
{
    struct stat file;
    char *text = NULL;
    const int fd = root_open(status->root, status->log, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &file) != 0) {
        if (errno != ENOENT)
            status_trouble(status, "the log %s: %s", status->log, strerror(errno));
    } else if (!S_ISREG(file.st_mode)) {
        status_trouble(status, "the log %s is no file", status->log);
    } else {
        text = last_bytes(fd, file.st_size, len);
    }
    if (fd >= 0)
        close(fd);
    return text;
}

static void set_span(json_t *json, const char *name, struct span text)
{
    if (text.at)
        json_object_set_new(json, name, json_text(text));
}

static json_t *json_event(const struct event *event)
{
    json_t *json = json_object();
    char time[TIME_TEXT];
    if (event->time != EVENT_UNDATED) {
        time_write(time, event->time, true);
        status_set(json, "timestamp", time);
    }
    set_span(json, "program", event->program);
    set_span(json, "method", event->method);
    set_span(json, "host", event->host);
    set_span(json, "path", event->path);
    set_span(json, "action", event->action);
    set_span(json, "reason", event->reason);
    set_span(json, "layer", event->layer);
    return json;
}

/* The beginning of the last `count` lines. */
static size_t last_lines(const char *text, size_t len, size_t count)
{
    size_t at = len && text[len - 1] == '\n' ? len - 1 : len;
    while (at) {
        if (text[at - 1] == '\n' && --count == 0)
            break;
        at--;
    }
    return at;
}

void status_events(struct status *status)
{
    json_t *list = json_array();
    size_t len = 0;
    char *text = *status->log && status->last ? read_tail(status, &len) : NULL;
    for (size_t at = text ? last_lines(text, len, status->last) : 0; at < len;) {
        struct event event;
        const char *why;
        const char *newline = memchr(text + at, '\n', len - at);
        const size_t line = newline ? (size_t)(newline - (text + at)) : len - at;
        if (event_read(&event, text + at, line, &why) == EVENT)
            json_array_append_new(list, json_event(&event));
        at += line + 1;
    }
    free(text);
    json_object_set_new(status->found, "last_events", list);
}
