/* How requests leave by ways that only the deep hooks see: functions that are looked up, plugins that are bound past the preload,
 * a TLS library inside the program. Each is named twice: how it gets there, and which library it is. */
#include "doctor.h"

#include <fnmatch.h>
#include <string.h>

/* The way that a library's symbol is named by. */
static const char *library_of(enum name symbol)
{
    const char *text = name_text(symbol);
    if (strncmp(text, "gnutls", 6) == 0)
        return "gnutls";
    if (strncmp(text, "mbedtls", 7) == 0)
        return "mbedtls";
    return strncmp(text, "nghttp2", 7) == 0 ? "nghttp2" : "openssl";
}

/* One of the deep hooks: what keeps it from working, or NULL. */
static const char *deep_hook_lacks(const struct subject *subject, bool has, bool switched_on, const char *setting)
{
    static char text[64];
    if (subject->shim->found && !has)
        return "the shim's object has no hook for it";
    if (switched_on)
        return NULL;
    snprintf(text, sizeof text, "%s=off is set", setting);
    return text;
}

const char *ways_loader_lacks(const struct subject *subject)
{
    return deep_hook_lacks(subject, subject->shim->loader, subject->config->loader, "JWTSHIM_LOADER");
}

static const char *patch_lacks(const struct subject *subject)
{
    return deep_hook_lacks(subject, subject->shim->patch, subject->config->patch, "JWTSHIM_PATCH");
}

const char *ways_stdio_lacks(const struct subject *subject)
{
    return deep_hook_lacks(subject, subject->shim->stdio, subject->config->stdio, "JWTSHIM_STDIO");
}

static bool has_static_openssl(const struct image *image)
{
    return image_holds(image, "ssl/ssl_lib.c") || image_holds(image, "ssl_lib.c");
}

/* Functions that are asked for by name at run time: the name is a string, and nothing imports it. */
static void add_dlsym(struct subject *subject, const struct object *object)
{
    static const int names[] = {NAME_SSL_write, NAME_SSL_write_ex, NAME_gnutls_record_send, NAME_mbedtls_ssl_write, -1};
    for (const int *name = names; *name >= 0; name++) {
        const char *text = name_text((enum name) * name);
        if (names_have(&object->imported, (enum name) * name) || names_have(&object->defined, (enum name) * name) ||
            !image_holds_string(&object->image, text) || has_static_openssl(&object->image))
            continue;
        const char *lacks = ways_loader_lacks(subject);
        struct way way = {.name = "dlsym", .hook = text, .seen = !subject->is_blocked && !lacks, .object = object->path};
        findings_way(subject->findings, &way, "asks for %s by dlsym()%s%s", text, lacks ? ": " : "", lacks ? lacks : "");
        way.name = library_of((enum name) * name);
        findings_way(subject->findings, &way, "by dlsym()");
    }
}

static bool can_look_up(const struct subject *subject)
{
    for (size_t i = 0; i < subject->closure.count; i++) {
        const struct object *object = subject->closure.objects[i];
        if (!ways_is_other_traffic(object) &&
            (image_imports(&object->image, "dlsym") || image_imports(&object->image, "dlvsym")))
            return true;
    }
    return false;
}

static void add_patch(struct subject *subject, const char *name, int symbol, const char *where)
{
    const char *lacks = patch_lacks(subject);
    const char *text = name_text((enum name)symbol);
    struct way way = {.name = name, .hook = text, .seen = !subject->is_blocked && !lacks, .object = subject->program->path};
    findings_way(subject->findings, &way, "%s is inside the program, %s%s%s", text, where, lacks ? ": " : "",
                 lacks ? lacks : "");
    way.name = library_of((enum name)symbol);
    findings_way(subject->findings, &way, "inside the program");
}

/* A TLS library inside the program: patched where its symbols are known. */
static void add_inner_openssl(struct subject *subject)
{
    const struct image *image = &subject->program->image;
    struct names defined = {{0}};
    struct names imported = {{0}};
    int http2 = names_first(&subject->program->defined, ways_nghttp2);
    int symbol = names_first(&subject->program->defined, ways_openssl);
    if (http2 >= 0)
        add_patch(subject, "patch", http2, "exported");
    if (symbol >= 0) {
        add_patch(subject, "patch", symbol, "exported");
        return;
    }
    names_read(image, IMAGE_SYMTAB, &defined, &imported);
    symbol = names_first(&defined, ways_openssl);
    if (symbol >= 0) {
        add_patch(subject, "patch-symtab", symbol, "in its symbol table only");
        return;
    }
    if (!has_static_openssl(image) || names_first(&subject->program->imported, ways_openssl) >= 0)
        return;
    struct way way = {.name = "stripped-static-tls", .object = subject->program->path};
    findings_way(subject->findings, &way, "OpenSSL is inside the program, without any symbol to find it by");
}

/* A plugin that brings an OpenSSL of its own. */
static void add_plugins_openssl(struct subject *subject, const struct object *object)
{
    if (object->origin == ORIGIN_START || names_first(&object->imported, ways_openssl) >= 0 ||
        names_first(&object->defined, ways_openssl) >= 0 || ways_is_other_traffic(object) ||
        !has_static_openssl(&object->image))
        return;
    struct way way = {.name = "stripped-static-tls", .object = object->path};
    findings_way(subject->findings, &way, "loaded at run time, with OpenSSL inside and no symbol to find it by");
}

/* Plugins that nobody knows of before they are loaded. */
static void add_deepbind(struct subject *subject)
{
    for (size_t i = 0; i < subject->closure.count; i++)
        if (subject->closure.objects[i]->origin != ORIGIN_START)
            return;
    const char *lacks = ways_loader_lacks(subject);
    struct way way = {
        .name = "deepbind", .hook = "dlopen", .seen = !subject->is_blocked && !lacks, .object = subject->program->path};
    findings_way(subject->findings, &way, "loads plugins by dlopen(RTLD_DEEPBIND)%s%s", lacks ? ": " : "",
                 lacks ? lacks : "");
}

/* Runtimes that look up what they call, by names that do not lie in the program's file as strings. */
static const struct {
    const char *program;
    bool sockets; /* these too */
    const char *why;
} runtimes[] = {
    {"racket*", false, "its own library looks OpenSSL up by dlsym()"},
    {"sbcl", true, "its runtime looks up by dlsym() what it calls"},
};

static void add_runtimes(struct subject *subject)
{
    const char *lacks = ways_loader_lacks(subject);
    for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++) {
        if (fnmatch(runtimes[i].program, last_part(subject->program->path), 0) != 0)
            continue;
        struct way way = {.name = "dlsym", .hook = "SSL_write", .object = subject->program->path};
        way.seen = !subject->is_blocked && !lacks;
        findings_way(subject->findings, &way, "%s%s%s", runtimes[i].why, lacks ? ": " : "", lacks ? lacks : "");
        way.name = "openssl";
        findings_way(subject->findings, &way, "by dlsym()");
        if (!runtimes[i].sockets)
            continue;
        /* In the global scope the preload comes first, whoever asks. */
        way = (struct way){
            .name = "socket", .hook = "write", .seen = !subject->is_blocked, .plain = true, .object = subject->program->path};
        findings_way(subject->findings, &way, "%s", runtimes[i].why);
    }
}

/* A libcurl that is looked up writes as any other does: what was found of it stands by itself. */
static void add_looked_up_libcurl(struct subject *subject)
{
    if (!plugins_looks_up_libcurl(subject))
        return;
    struct way way = {.name = "dlsym", .hook = "SSL_write", .seen = !subject->is_blocked, .object = subject->program->path};
    findings_way(subject->findings, &way, "looks libcurl's functions up by dlsym(); libcurl itself calls its TLS by name");
}

void ways_find_deep(struct subject *subject)
{
    bool looks_up = can_look_up(subject);
    for (size_t i = 0; i < subject->closure.count; i++) {
        const struct object *object = subject->closure.objects[i];
        if (ways_is_other_traffic(object))
            continue;
        add_plugins_openssl(subject, object);
        if (looks_up)
            add_dlsym(subject, object);
    }
    if (subject->opens_deepbind)
        add_deepbind(subject);
    add_runtimes(subject);
    add_looked_up_libcurl(subject);
    add_inner_openssl(subject);
}
