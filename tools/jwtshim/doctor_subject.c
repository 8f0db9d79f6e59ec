/* One program, from its path to what is found of it. */
#include "doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 5 };

static bool is_executable(const char *root, const char *path)
{
    char real[PATH_MAX];
    char outside[PATH_MAX];
    struct stat status;
    return root_resolve(root, path, real) && root_outside(root, real, outside) && stat(outside, &status) == 0 &&
           S_ISREG(status.st_mode) && (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH));
}

bool search_program(const struct subject *subject, const char *name, char path[PATH_MAX])
{
    if (strchr(name, '/')) {
        snprintf(path, PATH_MAX, "%s", name);
        return strlen(name) < PATH_MAX && is_executable(subject->root, name);
    }
    for (const char *list = subject->search_path; *name && list && *list;) {
        size_t len = strcspn(list, ":");
        int size = snprintf(path, PATH_MAX, "%.*s/%s", (int)len, list, name);
        if (len && size < PATH_MAX && is_executable(subject->root, path))
            return true;
        list += len + (list[len] == ':');
    }
    return false;
}

static int code_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP: return EX_NOINPUT;
    case EACCES:
    case EPERM: return EX_NOPERM;
    default: return EX_DATAERR;
    }
}

static void note_what_is_open(struct subject *subject)
{
    struct findings *findings = subject->findings;
    const struct closure *closure = &subject->closure;
    for (size_t i = 0; i < closure->missing_count; i++)
        findings_note(findings, "missing-library", "%s needs %s, which is not found: it would not start.",
                      subject->program->path, closure->missing[i]);
    bool has_plugins = false;
    for (size_t i = 0; i < closure->count; i++) {
        if (closure->objects[i]->origin != ORIGIN_PLUGIN || closure->objects[i]->because != subject->program)
            continue;
        has_plugins = true;
        findings_note(findings, "run-time", "Loaded at run time: %s", closure->objects[i]->path);
    }
    if (!has_plugins && image_imports(&subject->program->image, "dlopen") && !subject->pid)
        findings_note(findings, "plugins",
                      "%s can load plugins that its file does not name. Ask about the running process, by its number, "
                      "to see those too.",
                      last_part(subject->program->path));
}

/* Follows scripts to what runs them. `script` becomes the first one's real path, or stays empty. */
static bool follow_scripts(struct subject *subject, char path[PATH_MAX], char script[PATH_MAX])
{
    char before[PATH_MAX];
    for (int i = 0; i < SCRIPTS_MAX; i++) {
        memcpy(before, path, PATH_MAX);
        if (!script_follow(subject, path))
            return true;
        if (!*script && !root_resolve(subject->root, before, script))
            return false;
        if (!*path)
            return false;
    }
    errno = ELOOP;
    return false;
}

static void examine_program(struct subject *subject)
{
    blocks_find(subject);
    plugins_add(subject);
    ways_find(subject);
    note_what_is_open(subject);
}

int subject_examine(struct subject *subject, const char *given)
{
    char path[PATH_MAX];
    char script[PATH_MAX] = "";
    if (snprintf(path, sizeof path, "%s", given) >= (int)sizeof path)
        return EX_NOINPUT;
    errno = 0;
    if (!follow_scripts(subject, path, script))
        return code_of_errno();
    subject->given = path;
    closure_open(&subject->closure, subject->root, subject->library_path);
    struct object *program = closure_add(&subject->closure, path, ORIGIN_START, NULL);
    int code = EX_OK;
    if (!program) {
        code = code_of_errno();
    } else if (program->image.type != ET_EXEC && program->image.type != ET_DYN) {
        errno = ENOEXEC;
        code = EX_DATAERR;
    } else {
        subject->program = program;
        if (subject->depth == 0 && !subject->pid) {
            subject->findings->kind = *script ? "script" : "program";
            snprintf(subject->findings->path, PATH_MAX, "%s", *script ? script : program->path);
        }
        if (*script && subject->depth == 0)
            findings_note(subject->findings, "interpreter", "It is run by %s.", program->path);
        if (subject->pid)
            process_add_mapped(subject);
        examine_program(subject);
        if (*script)
            script_hints(subject, script);
    }
    int saved = errno;
    closure_free(&subject->closure);
    errno = saved;
    return code;
}
