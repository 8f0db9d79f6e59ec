#include "beside.h"

#include "multiarch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *beside_us(const char *const *places)
{
    char directory[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (len <= 0)
        return NULL;
    directory[len] = '\0';
    char *slash = strrchr(directory, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    for (; *places; places++) {
        char *path;
        if (asprintf(&path, "%s/%s", directory, *places) < 0)
            return NULL;
        char *real = realpath(path, NULL);
        free(path);
        if (real)
            return real;
    }
    return NULL;
}

/* A source tree; make install; Debian's package; Fedora's directories; the image that make image makes. As in jwtshim-run. */
char *beside_us_object(void)
{
    static const char *const places[] = {"libjwtshim.so",
                                         "../lib/jwtshim/libjwtshim.so",
                                         "../lib/" MULTIARCH "/jwtshim/libjwtshim.so",
                                         "../lib64/jwtshim/libjwtshim.so",
                                         "../lib/" MULTIARCH "/libjwtshim.so",
                                         NULL};
    return beside_us(places);
}
