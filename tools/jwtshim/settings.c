#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char config_file[] = "/etc/jwtshim.conf";

static void complain(const char *where, const char *what)
{
    fprintf(stderr, "jwtshim: %s: %s; the default stands\n", where, what);
}

static void read_file(struct config *config)
{
    char text[16 * 1024];
    FILE *file = fopen(config_file, "re");
    if (!file) {
        if (errno != ENOENT)
            complain(config_file, strerror(errno));
        return;
    }
    size_t len = fread(text, 1, sizeof text, file);
    if (ferror(file))
        complain(config_file, strerror(errno));
    else if (len == sizeof text)
        complain(config_file, "is longer than 16 KiB and ignored");
    else
        config_read(config, config_file, span_of(text, len), complain);
    fclose(file);
}

void settings_read(struct config *config)
{
    static const char prefix[] = "JWTSHIM";
    config_defaults(config);
    read_file(config);
    for (char **at = environ; *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals || strncmp(*at, prefix, sizeof prefix - 1) != 0)
            continue;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(equals - *at), *at);
        config_set(config, name, span_of(name, strlen(name)), span_of(equals + 1, strlen(equals + 1)), complain);
    }
}
