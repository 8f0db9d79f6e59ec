/* The objects that a program has in memory once it runs, found as ld.so finds them, but only read: DT_NEEDED by RPATH,
 * LD_LIBRARY_PATH, RUNPATH, ld.so.cache and the default directories, of the target's own root. */
#ifndef JWTSHIM_TOOLS_CLOSURE_H
#define JWTSHIM_TOOLS_CLOSURE_H

#include "names.h"
#include "root.h"

enum { OBJECTS_MAX = 512, MISSING_MAX = 8 };

/* How an object comes in. */
enum origin { ORIGIN_START, ORIGIN_PLUGIN, ORIGIN_MAPPED };

struct object {
    char *path; /* real, inside the root */
    struct file file;
    struct image image;
    struct names defined, imported;
    enum origin origin;           /* of the first of its chain */
    const struct object *because; /* whose DT_NEEDED named it, or that loads it as a plugin; NULL: the program */
};

struct closure {
    const char *root;
    const char *library_path; /* LD_LIBRARY_PATH, or NULL */
    struct file cache;        /* ld.so.cache */
    struct object *objects[OBJECTS_MAX];
    size_t count;
    char *missing[MISSING_MAX]; /* DT_NEEDED of the program itself that nothing was found for */
    size_t missing_count;
};

void closure_open(struct closure *closure, const char *root, const char *library_path);
void closure_free(struct closure *closure);

/* Adds an object by its path and all it needs. The first is the program. Returns it, also where it was there before; NULL
 * with errno (ENOEXEC: no ELF file) if it cannot be read, or is for another machine than the program. */
struct object *closure_add(struct closure *closure, const char *path, enum origin origin, const struct object *because);

/* Whether an object is needed, over however many others, by one that `top` is or needs. */
bool closure_is_below(const struct object *object, const struct object *top);

/* In ld.so.cache: the n-th path for a library's name, or NULL. */
const char *ldcache_path(const struct file *cache, const char *name, size_t index);

/* The last part of a path. */
const char *last_part(const char *path);

#endif
