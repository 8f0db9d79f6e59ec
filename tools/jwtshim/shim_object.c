#include "shim_object.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_NAME "jwtshim"
#define SONAME "libjwtshim.so"

enum { SEGMENTS_MAX = 128, NOTES_MAX = 4096 };

static bool read_at(int fd, void *to, size_t len, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, to, len, (off_t)offset) == (ssize_t)len;
}

static size_t rounded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Looks for our note among those of a segment: name size, size, type; the name; the contents; each of the latter rounded to four. */
static void read_notes(int fd, uint64_t offset, uint64_t size, struct shim_object *object)
{
    char notes[NOTES_MAX];
    uint32_t head[3];
    const size_t len = size < sizeof notes ? (size_t)size : sizeof notes;
    if (!read_at(fd, notes, len, offset))
        return;
    for (size_t at = 0; len - at >= sizeof head;) {
        memcpy(head, notes + at, sizeof head);
        at += sizeof head;
        if (head[0] > len - at || rounded(head[0]) > len - at || head[1] > len - at - rounded(head[0]))
            return;
        const char *name = notes + at, *contents = name + rounded(head[0]);
        if (head[0] == sizeof NOTE_NAME && memcmp(name, NOTE_NAME, sizeof NOTE_NAME) == 0 && head[2] == 1) {
            object->ours = true;
            snprintf(object->version, sizeof object->version, "%.*s", (int)(head[1] < 31 ? head[1] : 31), contents);
            return;
        }
        at += rounded(head[0]);
        at += rounded(head[1]) < len - at ? rounded(head[1]) : len - at;
    }
}

static bool is_within(int fd, uint64_t offset, uint64_t size)
{
    struct stat status;
    return fstat(fd, &status) == 0 && offset <= (uint64_t)status.st_size && size <= (uint64_t)status.st_size - offset;
}

static void read_segments_64(int fd, struct shim_object *object)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    if (!read_at(fd, &header, sizeof header, 0) || header.e_phentsize != sizeof segment)
        return;
    for (size_t i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
        if (!read_at(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment))
            return;
        object->has_interpreter |= segment.p_type == PT_INTERP;
        object->cut_off |= segment.p_type == PT_LOAD && !is_within(fd, segment.p_offset, segment.p_filesz);
        if (segment.p_type == PT_NOTE)
            read_notes(fd, segment.p_offset, segment.p_filesz, object);
    }
}

static void read_segments_32(int fd, struct shim_object *object)
{
    Elf32_Ehdr header;
    Elf32_Phdr segment;
    if (!read_at(fd, &header, sizeof header, 0) || header.e_phentsize != sizeof segment)
        return;
    for (size_t i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
        if (!read_at(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment))
            return;
        object->has_interpreter |= segment.p_type == PT_INTERP;
        object->cut_off |= segment.p_type == PT_LOAD && !is_within(fd, segment.p_offset, segment.p_filesz);
        if (segment.p_type == PT_NOTE)
            read_notes(fd, segment.p_offset, segment.p_filesz, object);
    }
}

void object_read(int fd, struct shim_object *object)
{
    Elf32_Ehdr header; /* its first fields lie as those of 64 bits do */
    *object = (struct shim_object){.elf = false};
    if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return;
    object->elf = true;
    object->class = header.e_ident[EI_CLASS];
    object->data = header.e_ident[EI_DATA];
    object->machine = header.e_machine;
    object->type = header.e_type;
    const uint16_t one = 1;
    if (object->data != (*(const char *)&one ? ELFDATA2LSB : ELFDATA2MSB))
        return; /* another byte order than ours: it does not fit, and that is all that is asked */
    if (object->class == ELFCLASS64)
        read_segments_64(fd, object);
    else if (object->class == ELFCLASS32)
        read_segments_32(fd, object);
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
static const char *const lib_names[] = {
#if defined(__x86_64__)
    "lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
    "lib/aarch64-linux-gnu",
#endif
    "lib64",
    "lib",
};

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
