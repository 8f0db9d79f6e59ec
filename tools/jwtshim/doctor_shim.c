/* The shim's file, what it can do, and the settings it would have in the target. */
#include "doctor.h"

#include "beside.h"
#include "shim_object.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool lies_beside(const char *path, const char *name)
{
    char beside[2 * PATH_MAX];
    snprintf(beside, sizeof beside, "%.*s%s", (int)(last_part(path) - path), path, name);
    return access(beside, R_OK) == 0;
}

static bool needs_musl(const struct image *image)
{
    const char *name;
    for (size_t i = 0; i < OBJECTS_MAX && (name = image_needed(image, i)); i++)
        if (strcmp(name, "libc.so") == 0 || strncmp(name, "libc.musl", 9) == 0)
            return true;
    return false;
}

bool shim_open(struct shim *shim, const char *path)
{
    struct image_range text;
    struct names imported = {{0}};
    *shim = (struct shim){.found = false};
    const char *library = getenv("JWTSHIM_LIBRARY");
    char *own = path || (library && *library) ? NULL : beside_us_object();
    if (!path)
        path = own ? own : library;
    /* A path below another root must not be resolved in this one. */
    char *absolute = path && *path != '/' ? realpath(path, NULL) : NULL;
    snprintf(shim->path, sizeof shim->path, "%s", absolute ? absolute : path ? path : "");
    free(absolute);
    free(own);
    if (!root_read("", shim->path, &shim->file))
        return false;
    if (!image_read(&shim->image, shim->file.bytes, shim->file.len) ||
        !image_note(&shim->image, OBJECT_NOTE, OBJECT_NOTE_VERSION, &text)) {
        file_free(&shim->file);
        return false;
    }
    snprintf(shim->version, sizeof shim->version, "%.*s", (int)text.len, (const char *)shim->file.bytes + text.at);
    names_read(&shim->image, IMAGE_DYNSYM, &shim->defined, &imported);
    shim->is_musl = needs_musl(&shim->image);
    shim->glibc = image_newest_needed(&shim->image, "GLIBC_2.");
    shim->loader = image_defines(&shim->image, "dlsym") && image_defines(&shim->image, "dlopen");
    shim->stdio = image_imports(&shim->image, "_IO_file_jumps") || image_holds_string(&shim->image, "_IO_file_jumps");
    shim->patch = image_holds(&shim->image, "libjwtshim-patch.so") && lies_beside(shim->path, "libjwtshim-patch.so");
    shim->found = true;
    return true;
}

void shim_close(struct shim *shim)
{
    file_free(&shim->file);
    shim->found = false;
}
