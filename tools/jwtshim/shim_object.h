/* What an ELF file says of itself, and whether it is safe to preload it into every program. Read only: nothing of it is loaded. */
#ifndef JWTSHIM_TOOLS_SHIM_OBJECT_H
#define JWTSHIM_TOOLS_SHIM_OBJECT_H

#include "directory_root.h"

#include "../../shim/http/span.h"

/* The note that the object says its version by. */
#define OBJECT_NOTE "jwtshim"
enum { OBJECT_NOTE_VERSION = 1, OBJECT_VERSION_MAX = 32 };

struct shim_object {
    bool elf;
    unsigned char class, data; /* e_ident's */
    unsigned short machine, type;
    bool cut_off;                     /* the file ends before what would be mapped of it */
    bool has_interpreter;             /* it is started by ld.so */
    bool ours;                        /* it has the note "jwtshim" */
    char version[OBJECT_VERSION_MAX]; /* "" if it does not say */
};

/* What the open file is. */
void object_read(int fd, struct shim_object *object);

/* "x86-64, 64 bit", for people. */
const char *object_machine_name(const struct shim_object *object);

/* Whether both run in the same process. */
bool object_fits(const struct shim_object *object, const struct shim_object *program);

/* A name in LD_PRELOAD as a path: $LIB is what ld.so puts there. */
void object_path(const struct directory_root *root, struct span name, char path[PATH_MAX]);

/* Whether a name in ld.so.preload is the shim's: by its last part, or by its note. `context` is a struct directory_root. */
bool object_is_ours(struct span name, const void *context);

/* Why somebody other than root could put another file into its place (to be freed), or NULL. */
char *object_is_unsafe(const struct directory_root *root, const char *path);

#endif
