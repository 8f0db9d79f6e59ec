#include "settings.h"

#include "root.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void settings_keep_quiet(const char *where, const char *what)
{
    (void)where;
    (void)what;
}

void settings_complain(const char *where, const char *what)
{
    fprintf(stderr, "jwtshim: %s: %s; the default stands\n", where, what);
}

bool settings_read_file(struct config *config, const char *root, bool secure, config_complaint *complain)
{
    static const char path[] = SETTINGS_PATH;
    enum { FILE_MAX = 16 * 1024 };
    char real[PATH_MAX];
    struct file file;
    if (!root_resolve(root, path, real)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return false;
        complain(path, strerror(errno));
        return true;
    }
    if (!root_read(root, real, &file)) {
        if (errno != ENODATA) /* an empty one says nothing */
            complain(path, errno == ENOEXEC ? "is not a readable file" : strerror(errno));
        return true;
    }
    bool trusted = file.uid == 0 && (file.mode & (S_IWGRP | S_IWOTH)) == 0;
    if (file.len >= FILE_MAX)
        complain(path, "is longer than 16 KiB and ignored");
    else if (trusted || !secure)
        config_read(config, path, span_of((const char *)file.bytes, file.len), complain);
    file_free(&file);
    return true;
}

static void read_variable(struct config *config, struct span entry, config_complaint *complain)
{
    char name[64];
    const char *equals = memchr(entry.at, '=', entry.len);
    if (!equals || strncmp(entry.at, "JWTSHIM", 7) != 0)
        return;
    const size_t len = (size_t)(equals - entry.at);
    snprintf(name, sizeof name, "%.*s", (int)len, entry.at);
    config_set(config, name, span_of(entry.at, len), span_from(entry, len + 1), complain);
}

void settings_read(struct config *config, const char *root, const char *environment, size_t len, bool secure,
                   config_complaint *complain)
{
    config_defaults(config);
    if (secure)
        config->mode = MODE_OFF;
    settings_read_file(config, root, secure, complain);
    for (size_t at = 0; at < len && !secure;) {
        const size_t entry = strnlen(environment + at, len - at);
        read_variable(config, span_of(environment + at, entry), complain);
        at += entry + 1;
    }
}

char *settings_own_environment(size_t *len)
{
    size_t size = 0;
    for (char **at = environ; *at; at++)
        size += strlen(*at) + 1;
    char *block = malloc(size + 1);
    *len = 0;
    for (char **at = environ; block && *at; at++) {
        size_t entry = strlen(*at) + 1;
        memcpy(block + *len, *at, entry);
        *len += entry;
    }
    return block;
}
