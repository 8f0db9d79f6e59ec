#include "shim_object.h"

#include "image.h"
#include "multiarch.h"
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SONAME "libjwtshim.so"

void object_read(int fd, struct shim_object *object)
{
    struct file file;
    struct image image;
    struct image_range version;
    *object = (struct shim_object){.elf = false};
    if (!file_read(fd, &file))
        return;
    if (image_read(&image, file.bytes, file.len)) {
        object->elf = true;
        object->class = file.bytes[EI_CLASS];
        object->data = file.bytes[EI_DATA];
        object->machine = image.machine;
        object->type = image.type;
        object->cut_off = image_is_cut_off(&image);
        object->has_interpreter = image_interpreter(&image) != NULL;
        object->ours = image_note(&image, OBJECT_NOTE, OBJECT_NOTE_VERSION, &version);
        if (object->ours)
            snprintf(object->version, sizeof object->version, "%.*s", (int)version.len,
                     (const char *)file.bytes + version.at);
    }
    file_free(&file);
}

const char *object_machine_name(const struct shim_object *object)
{
    const bool wide = object->class == ELFCLASS64;
    if (!object->elf)
        return "no ELF file";
    switch (object->machine) {
    case EM_X86_64: return wide ? "x86-64" : "x86-64 with 32-bit pointers";
    case EM_386: return "i386";
    case EM_AARCH64: return "arm64";
    case EM_ARM: return "arm";
    case EM_RISCV: return wide ? "riscv64" : "riscv32";
    case EM_PPC64: return "ppc64";
    case EM_S390: return "s390";
    default: return wide ? "another 64-bit machine" : "another 32-bit machine";
    }
}

bool object_fits(const struct shim_object *object, const struct shim_object *program)
{
    return object->elf && object->class == program->class && object->data == program->data &&
           object->machine == program->machine && object->type == ET_DYN;
}

/* What ld.so puts for $LIB: Debian's multiarch directories, lib64 elsewhere. */
static const char *const lib_names[] = {"lib/" MULTIARCH, "lib64", "lib"};

void object_path(const struct directory_root *root, struct span name, char path[PATH_MAX])
{
    const char *dollar = memmem(name.at, name.len, "$LIB", 4), *braces = memmem(name.at, name.len, "${LIB}", 6);
    const size_t len = dollar ? 4 : 6;
    const char *token = dollar ? dollar : braces;
    if (!token) {
        snprintf(path, PATH_MAX, "%.*s", (int)name.len, name.at);
        return;
    }
    const int before = (int)(token - name.at), behind = (int)(name.len - len) - before;
    for (size_t i = 0; i < sizeof lib_names / sizeof lib_names[0]; i++) {
        snprintf(path, PATH_MAX, "%.*s%s%.*s", before, name.at, lib_names[i], behind, token + len);
        const int fd = root_open(root, path, O_PATH);
        if (fd >= 0) {
            close(fd);
            return;
        }
    }
}

bool object_is_ours(struct span name, const void *context)
{
    static const char soname[] = SONAME;
    const size_t len = sizeof soname - 1;
    char path[PATH_MAX];
    struct shim_object object;
    if (name.len >= len && memcmp(name.at + name.len - len, soname, len) == 0 &&
        (name.len == len || name.at[name.len - len - 1] == '/'))
        return true;
    object_path(context, name, path);
    const int fd = root_open(context, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    object_read(fd, &object);
    close(fd);
    return object.ours;
}

/* Not root's, or others may write to it. A group of root alone may. */
static bool others_may_write(const struct stat *status)
{
    return status->st_uid != 0 || (status->st_mode & S_IWOTH) || ((status->st_mode & S_IWGRP) && status->st_gid != 0);
}

static char *unsafe_part(const struct directory_root *root, const char *path)
{
    struct stat status;
    char *why = NULL;
    const int fd = root_open(root, path, O_PATH);
    if (fd < 0 || fstat(fd, &status) != 0) {
        if (asprintf(&why, "%s: %s", path, strerror(errno)) < 0)
            why = NULL;
    } else if (others_may_write(&status)) {
        if (asprintf(&why, "%s can be changed by others than root (owner %u, group %u, mode %04o)", path, status.st_uid,
                     status.st_gid, status.st_mode & 07777u) < 0)
            why = NULL;
    }
    if (fd >= 0)
        close(fd);
    return why;
}

/* Every directory on the way, and the file. */
static char *unsafe_on_the_way(const struct directory_root *root, const char *path)
{
    char part[PATH_MAX];
    char *why = unsafe_part(root, "/");
    for (size_t i = 1; !why && i <= strlen(path) && i < sizeof part; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        why = unsafe_part(root, part);
    }
    return why;
}

char *object_is_unsafe(const struct directory_root *root, const char *path)
{
    char link[64], real[PATH_MAX];
    char *why = unsafe_on_the_way(root, path);
    if (why)
        return why;
    /* Once more where links led. */
    const int fd = root_open(root, path, O_PATH);
    if (fd < 0)
        return strdup(strerror(errno));
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, real, sizeof real - 1);
    close(fd);
    const size_t before = strlen(root->path);
    if (len <= 0 || (size_t)len <= before || memcmp(real, root->path, before) != 0)
        return NULL; /* not to be had by that path: mounted elsewhere, say. The way by which it is found was looked at */
    real[len] = '\0';
    return unsafe_on_the_way(root, real + before);
}
