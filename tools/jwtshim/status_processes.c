/* Which running processes have the shim: what they have mapped, which version that is, and the settings in their environment. */
#include "status.h"

#include "command.h"
#include "root.h"
#include "shim_object.h"

#include "../../shim/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 256 * 1024 };

struct mapping {
    char range[64]; /* "7f…-7f…", its name in map_files */
    char path[PATH_MAX];
    bool deleted;
};

/* A line of maps, whose path is the shim's. */
static bool is_mapping_of_shim(char *line, struct mapping *mapping)
{
    static const char deleted[] = " (deleted)", soname[] = "/libjwtshim.so";
    char *path = strchr(line, '/');
    if (!path)
        return false;
    path[strcspn(path, "\n")] = '\0';
    size_t len = strlen(path);
    mapping->deleted = len >= sizeof deleted - 1 && strcmp(path + len - (sizeof deleted - 1), deleted) == 0;
    if (mapping->deleted)
        path[len -= sizeof deleted - 1] = '\0';
    if (len < sizeof soname - 1 || strcmp(path + len - (sizeof soname - 1), soname) != 0)
        return false;
    snprintf(mapping->path, sizeof mapping->path, "%s", path);
    snprintf(mapping->range, sizeof mapping->range, "%.*s", (int)strcspn(line, " "), line);
    return true;
}

/* 1: it has it; 0: not; -1: we may not look. A process that ends meanwhile has it not. */
static int find_mapping(const char *process, struct mapping *mapping)
{
    char path[PATH_MAX], line[PATH_MAX + 128];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%s/maps", process);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return errno == EACCES || errno == EPERM ? -1 : 0;
    while (!found && fgets(line, sizeof line, maps))
        found = is_mapping_of_shim(line, mapping);
    fclose(maps);
    return found;
}

/* The object itself, even if its name is gone; else the one of that name in the process's own root. */
static int open_mapped(const char *process, const struct mapping *mapping)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "/proc/%s/map_files/%s", process, mapping->range);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 || mapping->deleted)
        return fd;
    snprintf(path, sizeof path, "/proc/%s/root%s", process, root_cut_off(process, mapping->path));
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static bool is_there_again(const char *process, const struct mapping *mapping)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "/proc/%s/root%s", process, root_cut_off(process, mapping->path));
    return access(path, F_OK) == 0;
}

static struct status *complaints_to;
static const char *complaint_of;

static void complain(const char *where, const char *what)
{
    status_trouble(complaints_to, "process %s: %s: %s", complaint_of, where, what);
}

/* Adds the variable if it is a setting of the shim's, and complains about a bad one. */
static void take_variable(const char *variable, json_t *settings)
{
    static struct config config;
    const char *equals = strchr(variable, '=');
    if (!equals || strncmp(variable, "JWTSHIM", 7) != 0)
        return;
    const struct span name = span_of(variable, (size_t)(equals - variable));
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(name.len < 60 ? name.len : 60), variable);
    config_defaults(&config);
    if (config_set(&config, text, name, span_of_text(equals + 1), complain))
        json_object_set_new(settings, text, json_text(span_of_text(equals + 1)));
}

static json_t *read_settings(struct status *status, const char *process)
{
    static char text[ENVIRONMENT_MAX + 1];
    char path[64];
    json_t *settings = json_object();
    complaints_to = status;
    complaint_of = process;
    snprintf(path, sizeof path, "/proc/%.20s/environ", process);
    FILE *file = fopen(path, "re");
    const size_t len = file ? fread(text, 1, ENVIRONMENT_MAX, file) : 0;
    text[len] = '\0';
    if (file)
        fclose(file);
    for (size_t at = 0; at < len; at += strlen(text + at) + 1)
        take_variable(text + at, settings);
    return settings;
}

static void read_version(struct status *status, const char *process, const struct mapping *mapping, json_t *entry)
{
    struct shim_object object = {.elf = false};
    const int fd = open_mapped(process, mapping);
    if (fd >= 0) {
        object_read(fd, &object);
        close(fd);
    }
    status_set(entry, "version", object.version);
    const char *state = !mapping->deleted ? "current" : is_there_again(process, mapping) ? "replaced" : "deleted";
    status_set(entry, "object_state", state);
    if (mapping->deleted)
        status_trouble(status, "process %s has an object that was %s since it started: restart it", process, state);
}

static json_t *read_process(struct status *status, const char *process, const struct mapping *mapping)
{
    char path[64], program[PATH_MAX];
    json_t *entry = json_object();
    snprintf(path, sizeof path, "/proc/%.20s/exe", process);
    const ssize_t len = readlink(path, program, sizeof program);
    json_object_set_new(entry, "pid", json_integer(strtoll(process, NULL, 10)));
    json_object_set_new(entry, "program", json_text(span_of(program, len > 0 ? (size_t)len : 0)));
    json_object_set_new(entry, "object", json_text(span_of_text(mapping->path)));
    read_version(status, process, mapping, entry);
    json_object_set_new(entry, "settings", read_settings(status, process));
    return entry;
}

size_t status_processes(struct status *status)
{
    json_t *processes = json_object(), *list = json_array();
    json_int_t scanned = 0, denied = 0;
    DIR *proc = opendir("/proc");
    if (!proc)
        status_trouble(status, "/proc: %s", strerror(errno));
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        static struct mapping mapping;
        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) || strtol(entry->d_name, NULL, 10) == getpid())
            continue;
        const int found = find_mapping(entry->d_name, &mapping);
        scanned++;
        denied += found < 0;
        if (found > 0)
            json_array_append_new(list, read_process(status, entry->d_name, &mapping));
    }
    if (proc)
        closedir(proc);
    const size_t count = json_array_size(list);
    json_object_set_new(processes, "with_shim", list);
    json_object_set_new(processes, "looked_at", json_integer(scanned));
    json_object_set_new(processes, "not_permitted", json_integer(denied));
    json_object_set_new(status->found, "processes", processes);
    return count;
}
