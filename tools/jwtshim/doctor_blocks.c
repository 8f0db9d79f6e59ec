/* What keeps the shim out of a program altogether: the loader would not take it, or it would stay inert. */
#include "doctor.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

static void block(struct subject *subject, const char *name, const char *why)
{
    struct way way = {.name = name, .object = subject->program->path};
    findings_way(subject->findings, &way, "%s", why);
    subject->is_blocked = true;
}

/* No PT_INTERP: static, if it is a program. Shared objects have a name of their own, or need others. */
static bool is_static(const struct image *image)
{
    if (image_interpreter(image))
        return false;
    const struct image_dynamic *dynamic = &image->dynamic;
    return !dynamic->present || (dynamic->flags_1 & DF_1_PIE) || (!dynamic->soname && !image_needed(image, 0));
}

/* Two classes of one family: a machine that runs the one runs the other. */
static bool is_same_family(unsigned a, unsigned b)
{
    static const unsigned short families[][2] = {
        {EM_386, EM_X86_64}, {EM_ARM, EM_AARCH64}, {EM_PPC, EM_PPC64}, {EM_SPARC, EM_SPARCV9}};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if ((a == families[i][0] && b == families[i][1]) || (b == families[i][0] && a == families[i][1]))
            return true;
    return a == b;
}

static void find_foreign_code(struct subject *subject)
{
    const struct image *program = &subject->program->image;
    const struct image *shim = &subject->shim->image;
    if (!subject->shim->found)
        return;
    if (!is_same_family(program->machine, shim->machine) || program->is_big_endian != shim->is_big_endian)
        block(subject, "wrong-machine", "it is for another processor than the shim's object");
    else if (program->is_64 != shim->is_64)
        block(subject, "wrong-class",
              program->is_64 ? "it is a 64-bit program, and the shim's object has 32"
                             : "it is a 32-bit program, and the shim's object has 64");
    else if (program->machine != shim->machine)
        block(subject, "wrong-machine", "it is for another kind of this processor than the shim's object");
}

static void find_foreign_libc(struct subject *subject)
{
    const char *interpreter = image_interpreter(&subject->program->image);
    if (!interpreter || !subject->shim->found)
        return;
    bool is_musl = strstr(interpreter, "ld-musl") != NULL;
    if (is_musl == subject->shim->is_musl)
        return;
    block(subject, "musl",
          is_musl ? "its C library is musl, and the shim's object was built for glibc"
                  : "its C library is glibc, and the shim's object was built for musl");
}

/* A preload that asks an older C library for what it has not keeps the program from starting. */
static void find_old_libc(struct subject *subject)
{
    for (size_t i = 0; i < subject->closure.count && subject->shim->glibc; i++) {
        const struct image *image = &subject->closure.objects[i]->image;
        if (!image->dynamic.soname || strcmp(image->dynamic.soname, "libc.so.6") != 0)
            continue;
        unsigned has = image_newest_defined(image, "GLIBC_2.");
        if (has == 0 || has >= subject->shim->glibc)
            return;
        findings_note(
            subject->findings, "libc-too-old",
            "its C library is glibc 2.%u, and the shim's object needs 2.%u: with this object the program would "
            "not start. Build the object on the older system.",
            has, subject->shim->glibc);
        subject->is_blocked = true;
        return;
    }
}

/* Whether an exec by whom it is not meant for gives a privilege. */
static const char *privilege_of(const struct subject *subject)
{
    char outside[PATH_MAX];
    struct statvfs system;
    unsigned mode = subject->program->file.mode;
    if (subject->pid)
        return subject->secure ? "it runs with a privilege gained at exec (AT_SECURE)" : NULL;
    if (!root_outside(subject->root, subject->program->path, outside) ||
        (statvfs(outside, &system) == 0 && (system.f_flag & ST_NOSUID)))
        return NULL;
    if (mode & S_ISUID)
        return "it is setuid";
    if ((mode & S_ISGID) && (mode & S_IXGRP))
        return "it is setgid";
    return getxattr(outside, "security.capability", NULL, 0) > 0 ? "it has file capabilities" : NULL;
}

/* LD_PRELOAD of a path is ignored there. /etc/ld.so.preload is not, and the shim asks for root's own word in its file. */
static void find_privilege(struct subject *subject)
{
    const char *privilege = privilege_of(subject);
    struct config config;
    if (!privilege)
        return;
    settings_read(&config, subject->root, NULL, 0, true, settings_keep_quiet);
    findings_note(subject->findings, "privileged",
                  "%s: the loader ignores LD_PRELOAD, and the shim is inert unless /etc/jwtshim.conf, writable by root "
                  "alone, sets JWTSHIM. /etc/ld.so.preload and that file together would reach it.",
                  privilege);
    char real[PATH_MAX];
    struct file preloads;
    bool everywhere = false;
    if (config.mode != MODE_OFF && root_resolve(subject->root, "/etc/ld.so.preload", real) &&
        root_read(subject->root, real, &preloads)) {
        everywhere = memmem(preloads.bytes, preloads.len, "libjwtshim.so", 13) != NULL;
        file_free(&preloads);
    }
    if (!everywhere)
        block(subject, "setuid", privilege);
}

static void find_settings(struct subject *subject)
{
    const struct config *config = subject->config;
    const struct span paths[] = {span_of(subject->program->path, strlen(subject->program->path)),
                                 span_of(subject->given, strlen(subject->given))};
    if (config->mode == MODE_OFF && !subject->secure) {
        findings_note(subject->findings, "switched-off", "JWTSHIM=off is set: the shim is inert, whatever stands above.");
        subject->is_blocked = true;
    } else if (!config_means_program(config, paths, 2)) {
        findings_note(subject->findings, "not-meant",
                      "JWTSHIM_ONLY or JWTSHIM_SKIP leaves this program out: the shim is inert in it.");
        subject->is_blocked = true;
    } else if (config->mode == MODE_AUDIT) {
        findings_note(subject->findings, "audit", "JWTSHIM=audit is set: requests are reported, and nothing is changed.");
    }
}

void blocks_find(struct subject *subject)
{
    find_foreign_code(subject);
    if (is_static(&subject->program->image))
        block(subject, "static", "it is linked statically: no loader runs that could preload anything");
    else
        find_foreign_libc(subject);
    find_privilege(subject);
    find_old_libc(subject);
    find_settings(subject);
}
