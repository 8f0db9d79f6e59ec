/* What is in /etc/ld.so.preload, and whether the object named there can be loaded by every program. */
#include "status.h"

#include "shim_object.h"
#include "preload_file.h"
#include "preload_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* What programs of this root are: as its shell is; else as this command is. */
static void read_reference(const struct directory_root *root, struct shim_object *reference)
{
    int fd = root_open(root, "/bin/sh", O_RDONLY);
    if (fd < 0)
        fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    *reference = (struct shim_object){.elf = false};
    if (fd < 0)
        return;
    object_read(fd, reference);
    close(fd);
}

static void judge_object(struct status *status, int fd, const char *path, json_t *entry)
{
    struct shim_object object, reference;
    struct stat file;
    object_read(fd, &object);
    read_reference(status->root, &reference);
    status_set(entry, "version", object.version);
    status_set(entry, "machine", object_machine_name(&object));
    if (fstat(fd, &file) == 0 && !S_ISREG(file.st_mode))
        status_trouble(status, "%s is no file: every program prints an error", path);
    else if (!object.elf)
        status_trouble(status, "%s is no ELF file: every program prints an error", path);
    else if (object.cut_off)
        status_trouble(status, "%s is cut off: programs are ended by it", path);
    else if (reference.elf && !object_fits(&object, &reference))
        status_trouble(status, "%s is for %s, programs here are for %s: each prints an error", path,
                       object_machine_name(&object), object_machine_name(&reference));
    else if (!(file.st_mode & S_IROTH))
        status_trouble(status, "%s cannot be read by everyone: other users' programs print an error", path);
    char *unsafe = object_is_unsafe(status->root, path);
    if (unsafe)
        status_trouble(status, "%s", unsafe);
    free(unsafe);
}

static json_t *read_entry(struct status *status, struct span name)
{
    char path[PATH_MAX];
    json_t *entry = json_object();
    object_path(status->root, name, path);
    json_object_set_new(entry, "name", json_text(name));
    json_object_set_new(entry, "path", json_text(span_of_text(path)));
    const int fd = root_open(status->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    json_object_set_new(entry, "exists", json_boolean(fd >= 0 || errno != ENOENT));
    if (fd < 0) {
        status_trouble(status, "%s: %s: every program prints an error", path, strerror(errno));
    } else {
        judge_object(status, fd, path, entry);
        close(fd);
    }
    return entry;
}

size_t status_preload(struct status *status)
{
    struct preload_file file;
    struct span name;
    json_t *preload = json_object(), *entries = json_array();
    size_t others = 0;
    if (preload_open(&file, &status_command, status->root, false) != EX_OK)
        status_trouble(status, "%s cannot be read", PRELOAD_PATH);
    struct span rest = span_of(file.text, file.text ? file.len : 0);
    while (rest.len && preload_next(&rest, &name)) {
        if (object_is_ours(name, status->root))
            json_array_append_new(entries, read_entry(status, name));
        else
            others++;
    }
    preload_close(&file);
    const size_t count = json_array_size(entries);
    if (count > 1)
        status_trouble(status, "%s names the shim %zu times", PRELOAD_PATH, count);
    status_set(preload, "file", PRELOAD_PATH);
    json_object_set_new(preload, "entries", entries);
    json_object_set_new(preload, "other_entries", json_integer((json_int_t)others));
    json_object_set_new(status->found, "preload", preload);
    return count;
}
