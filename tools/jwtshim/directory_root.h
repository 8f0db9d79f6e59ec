/* A file system's root, this machine's or an image's: paths in it are looked up as a process in it would, links included,
 * and never lead out of it. */
#ifndef JWTSHIM_TOOLS_DIRECTORY_ROOT_H
#define JWTSHIM_TOOLS_DIRECTORY_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct directory_root {
    int fd;
    bool ours;           /* it is this process's own */
    char path[PATH_MAX]; /* without links; "" for our own, so that it can be put before an absolute path */
};

/* False: errno. `directory` NULL is our own. */
bool root_begin(struct directory_root *root, const char *directory);

/* As open(2), with O_CLOEXEC. */
int root_open(const struct directory_root *root, const char *path, int flags);

void root_end(struct directory_root *root);

#endif
