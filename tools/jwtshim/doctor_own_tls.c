/* Programs whose TLS is their own, in a language's library or runtime: nothing stands in the way of its writes. */
#include "doctor.h"

#include <fnmatch.h>
#include <string.h>

/* By what lies in the program's bytes. */
static const struct {
    const char *text, *why;
} texts[] = {
    {"/rustls-0.", "its TLS is rustls, compiled in"},
    {"/rustls-1.", "its TLS is rustls, compiled in"},
    {"Network.TLS", "its TLS is Haskell's own, compiled in"},
    {"sun.security.ssl", "its TLS is Java's own, compiled in"},
    {"camlTls__Engine", "its TLS is OCaml's own, compiled in"},
};

static const char busybox_tls[] = "tls error at line %d";

/* By the program's name: what it runs is no ELF file. */
static const struct {
    const char *program, *why;
} runtimes[] = {
    {"java", "Java's TLS (JSSE) is written in Java"},       {"beam.smp", "Erlang's TLS (ssl) is written in Erlang"},
    {"beam", "Erlang's TLS (ssl) is written in Erlang"},    {"erlexec", "Erlang's TLS (ssl) is written in Erlang"},
    {"escript", "Erlang's TLS (ssl) is written in Erlang"}, {"ghc*", "Haskell's TLS is written in Haskell"},
    {"runghc*", "Haskell's TLS is written in Haskell"},     {"mono*", "Mono's TLS is inside its runtime"},
};

/* Libraries that no hook knows. */
static const struct {
    enum name symbol;
    const char *why;
} libraries[] = {
    {TELLTALE_wolfSSL_write, "its TLS is wolfSSL, which has no hook"},
    {TELLTALE_s2n_send, "its TLS is s2n, which has no hook"},
};

bool ways_is_go(const struct image *image)
{
    struct image_range note;
    return image_has_section(image, ".go.buildinfo") || image_note(image, "Go", 4, &note);
}

/* busybox uses `openssl s_client` instead, where there is one. */
static bool has_own_busybox_tls(const struct subject *subject)
{
    char path[PATH_MAX];
    const struct image *image = &subject->program->image;
    return image_holds(image, busybox_tls) &&
           !(image_holds_string(image, "s_client") && search_program(subject, "openssl", path));
}

static void add(struct subject *subject, const char *object, const char *why)
{
    struct way way = {.name = "own-tls", .object = object};
    findings_way(subject->findings, &way, "%s", why);
}

/* A Java launcher may have any name: it needs libjli, or loads libjvm by itself. */
static bool is_java(const struct subject *subject)
{
    for (size_t i = 0; i < subject->closure.count; i++) {
        const char *name = last_part(subject->closure.objects[i]->path);
        if (strcmp(name, "libjli.so") == 0 || strcmp(name, "libjvm.so") == 0)
            return true;
    }
    return image_holds(&subject->program->image, "libjvm.so") && image_imports(&subject->program->image, "dlopen");
}

void ways_find_own_tls(struct subject *subject)
{
    const struct image *image = &subject->program->image;
    const char *path = subject->program->path;
    if (ways_is_go(image)) {
        if (image_holds(image, "crypto/tls"))
            add(subject, path, "its TLS is Go's own, and Go writes by system calls of its own");
        else
            findings_note(subject->findings, "go", "It is a Go program without TLS; Go writes by system calls of its own.");
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (image_holds(image, texts[i].text))
            add(subject, path, texts[i].why);
    for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++)
        if (fnmatch(runtimes[i].program, last_part(path), 0) == 0)
            add(subject, path, runtimes[i].why);
    if (image_holds(image, "TFPCHeapStatus") && !image_imports(image, "connect")) {
        struct way way = {.name = "syscall", .plain = true, .object = path};
        findings_way(subject->findings, &way, "Free Pascal writes to sockets by system calls of its own");
    }
    if (has_own_busybox_tls(subject))
        add(subject, path, "its TLS is busybox's own");
    if (is_java(subject))
        add(subject, path, runtimes[0].why);
    for (size_t i = 0; i < subject->closure.count; i++)
        for (size_t j = 0; j < sizeof libraries / sizeof libraries[0]; j++)
            if (names_have(&subject->closure.objects[i]->imported, libraries[j].symbol))
                add(subject, subject->closure.objects[i]->path, libraries[j].why);
}
