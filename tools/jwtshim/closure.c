#include "closure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void closure_open(struct closure *closure, const char *root, const char *library_path)
{
    char real[PATH_MAX];
    *closure = (struct closure){.root = root, .library_path = library_path};
    if (root_resolve(root, "/etc/ld.so.cache", real))
        root_read(root, real, &closure->cache);
}

static void free_object(struct object *object)
{
    file_free(&object->file);
    free(object->path);
    free(object);
}

void closure_free(struct closure *closure)
{
    for (size_t i = 0; i < closure->count; i++)
        free_object(closure->objects[i]);
    for (size_t i = 0; i < closure->missing_count; i++)
        free(closure->missing[i]);
    file_free(&closure->cache);
    closure->count = closure->missing_count = 0;
}

static const char *triplet(const struct image *image)
{
    switch (image->machine) {
    case EM_X86_64: return image->is_64 ? "x86_64-linux-gnu" : "x86_64-linux-gnux32";
    case EM_386: return "i386-linux-gnu";
    case EM_AARCH64: return "aarch64-linux-gnu";
    case EM_ARM: return "arm-linux-gnueabihf";
    case EM_RISCV: return "riscv64-linux-gnu";
    case EM_PPC64: return image->is_big_endian ? "powerpc64-linux-gnu" : "powerpc64le-linux-gnu";
    case EM_S390: return "s390x-linux-gnu";
    default: return "unknown";
    }
}

static size_t put(char *to, size_t used, const char *text, size_t len)
{
    if (used + len >= PATH_MAX)
        return PATH_MAX;
    memcpy(to + used, text, len);
    to[used + len] = '\0';
    return used + len;
}

/* Writes a directory of a search path with its variables filled in. False if it does not fit. */
static bool expand(const char *from, size_t len, const struct object *object, char to[PATH_MAX])
{
    char lib[64];
    char origin[PATH_MAX];
    size_t used = 0;
    snprintf(lib, sizeof lib, "lib/%s", triplet(&object->image));
    snprintf(origin, sizeof origin, "%.*s", (int)(last_part(object->path) - object->path), object->path);
    const struct {
        const char *name, *value;
    } variables[] = {{"$ORIGIN", origin}, {"${ORIGIN}", origin}, {"$LIB", lib}, {"${LIB}", lib}};
    *to = '\0';
    for (size_t i = 0; i < len && used < PATH_MAX;) {
        const char *value = NULL;
        for (size_t j = 0; j < sizeof variables / sizeof variables[0] && !value; j++) {
            size_t name_len = strlen(variables[j].name);
            if (len - i >= name_len && strncmp(from + i, variables[j].name, name_len) == 0) {
                value = variables[j].value;
                i += name_len;
            }
        }
        used = value ? put(to, used, value, strlen(value)) : put(to, used, from + i++, 1);
    }
    return used < PATH_MAX;
}

static bool fits(const struct closure *closure, const struct image *image)
{
    const struct image *program = closure->count ? &closure->objects[0]->image : image;
    return image->machine == program->machine && image->is_64 == program->is_64 &&
           image->is_big_endian == program->is_big_endian;
}

static struct object *known(const struct closure *closure, const char *real)
{
    for (size_t i = 0; i < closure->count; i++)
        if (strcmp(closure->objects[i]->path, real) == 0)
            return closure->objects[i];
    return NULL;
}

static bool is_named(const struct object *object, const char *name)
{
    const char *soname = object->image.dynamic.soname;
    return strcmp(last_part(object->path), name) == 0 || (soname && strcmp(soname, name) == 0);
}

/* Reads one object, without what it needs. `is_new` says whether it was not there before. */
static struct object *load(struct closure *closure, const char *path, enum origin origin, const struct object *because)
{
    char real[PATH_MAX];
    if (!root_resolve(closure->root, path, real))
        return NULL;
    struct object *object = known(closure, real);
    if (object)
        return object;
    struct object read = {.origin = origin, .because = because};
    if (closure->count == OBJECTS_MAX || !root_read(closure->root, real, &read.file))
        return NULL;
    object = malloc(sizeof *object);
    read.path = strdup(real);
    if (!object || !read.path || !image_read(&read.image, read.file.bytes, read.file.len) || !fits(closure, &read.image)) {
        file_free(&read.file);
        free(read.path);
        free(object);
        errno = ENOEXEC;
        return NULL;
    }
    names_read(&read.image, IMAGE_DYNSYM, &read.defined, &read.imported);
    *object = read;
    closure->objects[closure->count++] = object;
    return object;
}

static struct object *in_directory(struct closure *closure, const char *directory, const char *name,
                                   const struct object *because)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (len < 0 || len >= (int)sizeof path)
        return NULL;
    return load(closure, path, because->origin, because);
}

/* By a list of directories separated by colons. */
static struct object *in_list(struct closure *closure, const char *list, const char *name, const struct object *owner,
                              const struct object *because)
{
    while (list && *list) {
        char directory[PATH_MAX];
        size_t len = strcspn(list, ":;");
        if (len && expand(list, len, owner, directory)) {
            struct object *object = in_directory(closure, directory, name, because);
            if (object)
                return object;
        }
        list += len + (list[len] != '\0');
    }
    return NULL;
}

/* The rule of DT_RPATH: that of the object and of all that brought it in, unless the object has a RUNPATH. */
static struct object *by_rpath(struct closure *closure, const char *name, const struct object *because)
{
    if (because->image.dynamic.runpath)
        return NULL;
    for (const struct object *at = because; at; at = at->because) {
        struct object *object =
            at->image.dynamic.runpath ? NULL : in_list(closure, at->image.dynamic.rpath, name, at, because);
        if (object)
            return object;
    }
    const struct object *program = closure->objects[0];
    return program->image.dynamic.runpath ? NULL : in_list(closure, program->image.dynamic.rpath, name, program, because);
}

static struct object *by_default(struct closure *closure, const char *name, const struct object *because)
{
    const char *interpreter = image_interpreter(&closure->objects[0]->image);
    if (interpreter && strstr(interpreter, "ld-musl"))
        return in_list(closure, "/lib:/usr/local/lib:/usr/lib", name, because, because);
    if (because->image.dynamic.flags_1 & DF_1_NODEFLIB)
        return NULL;
    const char *path;
    for (size_t i = 0; (path = ldcache_path(&closure->cache, name, i)); i++) {
        struct object *object = load(closure, path, because->origin, because);
        if (object)
            return object;
    }
    return in_list(closure,
                   because->image.is_64 ? "/$LIB:/usr/$LIB:/lib64:/usr/lib64:/lib:/usr/lib"
                                        : "/$LIB:/usr/$LIB:/lib:/usr/lib:/lib32:/usr/lib32",
                   name, because, because);
}

static struct object *find(struct closure *closure, const char *name, const struct object *because)
{
    for (size_t i = 0; i < closure->count; i++)
        if (is_named(closure->objects[i], name))
            return closure->objects[i];
    if (strchr(name, '/')) {
        char path[PATH_MAX];
        return expand(name, strlen(name), because, path) ? load(closure, path, because->origin, because) : NULL;
    }
    struct object *object = by_rpath(closure, name, because);
    if (!object)
        object = in_list(closure, closure->library_path, name, because, because);
    if (!object)
        object = in_list(closure, because->image.dynamic.runpath, name, because, because);
    return object ? object : by_default(closure, name, because);
}

static void note_missing(struct closure *closure, const char *name)
{
    for (size_t i = 0; i < closure->missing_count; i++)
        if (strcmp(closure->missing[i], name) == 0)
            return;
    char *copy = closure->missing_count < MISSING_MAX ? strdup(name) : NULL;
    if (copy)
        closure->missing[closure->missing_count++] = copy;
}

struct object *closure_add(struct closure *closure, const char *path, enum origin origin, const struct object *because)
{
    size_t first_new = closure->count;
    struct object *object = load(closure, path, origin, because);
    if (!object)
        return NULL;
    for (size_t i = first_new; i < closure->count; i++) {
        const char *name;
        for (size_t j = 0; j < OBJECTS_MAX && (name = image_needed(&closure->objects[i]->image, j)); j++)
            if (*name && !find(closure, name, closure->objects[i]) && origin == ORIGIN_START)
                note_missing(closure, name);
    }
    return object;
}

bool closure_is_below(const struct object *object, const struct object *top)
{
    for (; object; object = object->because)
        if (object == top)
            return true;
    return false;
}
