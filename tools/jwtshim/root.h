/* Paths as a target sees them: below a directory that is its root (this process's own, or /proc/PID/root). Symbolic links,
 * absolute ones too, stay below it. Files are only ever opened for reading, and only regular ones. */
#ifndef JWTSHIM_TOOLS_ROOT_H
#define JWTSHIM_TOOLS_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A file's bytes, as they were when it was read. `bytes` NULL: nothing. */
struct file {
    const unsigned char *bytes;
    size_t len, room; /* `room`: of the memory */
    unsigned mode, uid;
};

/* Writes the path without any symbolic link into `real`; both are as seen from inside the root. False with errno. */
bool root_resolve(const char *root, const char *path, char real[PATH_MAX]);

/* Reads a file by its real path. False with errno: EISDIR, ENODATA for an empty file, ENOEXEC for what is no regular one, EFBIG for
 * more than a gigabyte. */
bool root_read(const char *root, const char *real, struct file *file);

/* The same of the first `most` bytes. */
bool root_read_start(const char *root, const char *real, size_t most, struct file *file);
void file_free(struct file *file);

/* As root_read(), for an open file, which stays open. */
bool file_read(int fd, struct file *file);

/* The path of the outside. */
bool root_outside(const char *root, const char *path, char outside[PATH_MAX]);

/* A path that /proc says of a process (its number), as the process itself sees it: without what is above its root. */
const char *root_cut_off(const char *process, const char *path);

/* Calls `found` for each file that fits a glob(7) pattern, by its path inside. */
void root_glob(const char *root, const char *pattern, void (*found)(const char *path, void *context), void *context);

#endif
