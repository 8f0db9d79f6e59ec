/* /etc/ld.so.preload of a root: read, and replaced whole or not at all, by one at a time. */
#ifndef JWTSHIM_TOOLS_PRELOAD_FILE_H
#define JWTSHIM_TOOLS_PRELOAD_FILE_H

#include "command.h"
#include "directory_root.h"

#include "../../shim/http/span.h"

#include <sys/stat.h>

#define PRELOAD_PATH "/etc/ld.so.preload"

struct preload_file {
    int directory;           /* where the file is, behind all links */
    char name[NAME_MAX + 1]; /* its name there */
    char lock[NAME_MAX + 1]; /* what the next content is written to; whoever makes it may replace the file. "" without one */
    int lock_fd;
    bool exists;
    struct stat status;
    char *text;
    size_t len;
};

/* Finds and reads the file; one that is not there is as an empty one. With `to_change`, waits for others that change it, up to five
 * seconds. EX_OK, or the exit code after a complaint. */
int preload_open(struct preload_file *file, const struct command *command, const struct directory_root *root,
                 bool to_change);

/* Puts `text` into its place, with owner, mode and attributes as they were; without any text the file goes. EX_OK, or the exit code
 * after a complaint; then the file is as it was. */
int preload_replace(struct preload_file *file, const struct command *command, struct span text);

void preload_close(struct preload_file *file);

#endif
