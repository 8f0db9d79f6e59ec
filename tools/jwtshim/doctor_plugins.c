/* Programs whose TLS comes in while they run, or is a program of its own: where such plugins lie. What is found on this
 * system is looked at as part of the program. */
#include "doctor.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* In patterns: @P the directory above the program's, @G the same of the path it was called by, @D the program's directory,
 * @V the version in its name ("3.11" of python3.11), or "*". */
struct plugin_rule {
    const char *program; /* fnmatch(3) pattern of the program's name, or NULL */
    const char *library; /* else the begin of the name of a library that it needs */
    const char *patterns[6];
};

static const struct plugin_rule rules[] = {
    {"python[0-9]*",
     NULL,
     {"@P/lib/python@V*/lib-dynload/_{ssl,socket}*.so",
      "@P/lib/python3/dist-packages/{pycurl,cryptography/hazmat/bindings/_*}*.so",
      "@P/lib/python2.7/dist-packages/pycurl*.so", "{@P,@G,/usr/local}/lib/python@V/{site,dist}-packages/pycurl*.so",
      "{@P,@G,/usr/local}/lib/python@V/{site,dist}-packages/cryptography/hazmat/bindings/_*.so"}},
    {"pypy*",
     NULL,
     {"{@D,@P}/{,lib_pypy/,lib/pypy*/,lib/pypy*/lib_pypy/}_pypy_openssl*.so",
      "/usr/lib/pypy*/{,lib_pypy/}_pypy_openssl*.so"}},
    {"perl*",
     NULL,
     {"@P/lib/*/perl*/*/auto/{Net/SSLeay/SSLeay,Socket/Socket,IO/IO,WWW/Curl/Curl}.so",
      "@P/lib/{,*/}perl*/{,*/}auto/{Net/SSLeay/SSLeay,WWW/Curl/Curl}.so",
      "/usr/local/lib/*/perl/*/auto/{Net/SSLeay/SSLeay,WWW/Curl/Curl}.so"}},
    {"ruby*",
     NULL,
     {"@P/lib/{,*/}ruby/@V*/{,*/}{openssl,socket}.so", "@P/lib/*/ruby/vendor_ruby/@V*/curb_core.so",
      "{@P/lib/*/rubygems-integration,/var/lib/gems}/@V*/extensions/*/*/curb-*/curb_core.so"}},
    {"php*", NULL, {"@P/lib/php/20*/{curl,openssl,sockets}.so", "@P/lib/php/extensions/*/{curl,openssl}.so"}},
    {"tclsh*", NULL, {"@P/lib/{,*/}{,tcltk/}{,*/}tcltls*/*.so", "@P/lib/{,*/}tcltk/{,*/}tls*/*.so"}},
    {"wish*", NULL, {"@P/lib/{,*/}{,tcltk/}{,*/}tcltls*/*.so", "@P/lib/{,*/}tcltk/{,*/}tls*/*.so"}},
    {"lua*", NULL, {"{@P,/usr/local}/lib/{,*/}lua/@V/{ssl,socket/core,_openssl,cqueues,curl,lcurl,cURL}.so"}},
    {"swipl*", NULL, {"/usr/lib/swi-prolog/lib/*/{ssl4pl,socket}.so", "@P/lib/*/{ssl4pl,socket}.so"}},
    {"guile*", NULL, {"@P/{extensions,lib/{,*/}guile/*/{,extensions}}/guile-gnutls*.so*"}},
    {"R",
     NULL,
     {"@P/{,../}modules/internet.so",
      "{@P/../library,/usr/lib/R/site-library,/usr/local/lib/R/site-library}/{curl,openssl}/libs/*.so"}},
    {"gjs*", NULL, {"/usr/lib/*/libsoup-3.0.so.0", "/usr/lib/*/gio/modules/libgio{gnutls,openssl}.so"}},
    {"dotnet", NULL, {"@D/shared/Microsoft.NETCore.App/*/libSystem.{Security.Cryptography.Native.OpenSsl,Native}.so"}},
    {"java", NULL, {"@P/lib/lib{net,nio}.so"}},
    {"octave-cli*", NULL, {"/usr/lib/*/octave/*/liboctave.so.*"}},
    {NULL, "libgio-2.0.so", {"/usr/lib/*/gio/modules/libgio{gnutls,openssl}.so"}},
    {NULL, "libQt6Network.so", {"/usr/lib/*/qt6/plugins/tls/*.so", "@D/plugins/tls/*.so"}},
};

/* The requests of these are another program's. */
static const struct {
    const char *program, *starts;
} starters[] = {
    {"git", "{/usr/lib/git-core,/usr/libexec/git-core}/git-remote-https"},
    {"apt", "/usr/lib/apt/methods/https"},
    {"apt-get", "/usr/lib/apt/methods/https"},
    {"R", "/usr/lib/R/bin/exec/R"},
    {"Rscript", "/usr/lib/R/bin/exec/R"},
};

static size_t put(char *to, size_t used, size_t size, const char *text, size_t len)
{
    if (used + len >= size)
        return size;
    memcpy(to + used, text, len);
    to[used + len] = '\0';
    return used + len;
}

/* The length of a path without its last parts. */
static size_t without(const char *path, int parts)
{
    size_t len = strlen(path);
    while (parts-- && len)
        while (len && path[--len] != '/')
            continue;
    return len;
}

static size_t put_variable(const struct subject *subject, char variable, char *to, size_t used, size_t size)
{
    const char *path = subject->program->path;
    const char *name = last_part(path);
    const char *digits = strpbrk(name, "0123456789");
    switch (variable) {
    case 'P': return put(to, used, size, path, without(path, 2));
    case 'D': return put(to, used, size, path, without(path, 1));
    case 'G': return put(to, used, size, subject->given, without(subject->given, 2));
    case 'V': return digits ? put(to, used, size, digits, strspn(digits, "0123456789.")) : put(to, used, size, "*", 1);
    default: return used;
    }
}

static bool fill(const struct subject *subject, const char *pattern, char to[PATH_MAX])
{
    size_t used = 0;
    *to = '\0';
    for (; *pattern && used < PATH_MAX; pattern++) {
        if (*pattern == '@')
            used = put_variable(subject, *++pattern, to, used, PATH_MAX);
        else
            used = put(to, used, PATH_MAX, pattern, 1);
    }
    return used < PATH_MAX;
}

/* Some programs say which directory they load from: PHP has one for each version of its interface. */
static bool is_of_another_version(const struct subject *subject, const char *path)
{
    char directory[PATH_MAX];
    if (!strstr(path, "/lib/php/"))
        return false;
    snprintf(directory, sizeof directory, "%.*s", (int)without(path, 1), path);
    return !image_holds(&subject->program->image, directory);
}

/* Python's cryptography brings an OpenSSL, and speaks TLS by it only for pyOpenSSL. */
static bool is_for_ciphers_alone(const struct subject *subject, const char *path)
{
    char ssl[PATH_MAX];
    char real[PATH_MAX];
    if (!strstr(path, "/cryptography/hazmat/"))
        return false;
    int len = snprintf(ssl, sizeof ssl, "%.*s/OpenSSL/SSL.py", (int)without(path, 4), path);
    return len >= (int)sizeof ssl || !root_resolve(subject->root, ssl, real);
}

static void add_plugin(const char *path, void *context)
{
    struct subject *subject = context;
    if (is_of_another_version(subject, path) || is_for_ciphers_alone(subject, path))
        return;
    closure_add(&subject->closure, path, ORIGIN_PLUGIN, subject->program);
}

/* GLib's own library imports nothing of its TLS modules; a program that never asks for TLS does not load them. */
static bool uses_library(const struct subject *subject, const char *library)
{
    static const int asks_for_tls[] = {TELLTALE_g_socket_client_new, TELLTALE_g_tls_client_connection_new,
                                       TELLTALE_soup_session_new, TELLTALE_soup_session_new_with_options, -1};
    bool is_gio = strncmp(library, "libgio", 6) == 0;
    bool needs = false;
    bool asks = !is_gio;
    for (size_t i = 0; i < subject->closure.count; i++) {
        const struct object *object = subject->closure.objects[i];
        bool is_it = strncmp(last_part(object->path), library, strlen(library)) == 0;
        needs |= is_it;
        asks |= !is_it && names_first(&object->imported, asks_for_tls) >= 0;
    }
    return needs && asks;
}

/* By dlopen() and dlsym(): D's standard library, bindings in other languages. */
bool plugins_looks_up_libcurl(const struct subject *subject)
{
    const struct image *image = &subject->program->image;
    if (image_holds(image, "_D3std3net4curl"))
        return true;
    return image_imports(image, "dlsym") && image_holds_string(image, "curl_easy_perform") &&
           !names_have(&subject->program->imported, NAME_curl_easy_perform);
}

void plugins_start(struct subject *subject, const char *program, const char *why)
{
    struct subject started = *subject;
    started.depth++;
    started.pid = 0;
    started.secure = false;
    started.is_blocked = false;
    if (subject->depth < 4 && subject_examine(&started, program) == 0)
        findings_note(subject->findings, "starts", "%s %s, whose ways out stand above as well.", why, program);
}

static void start_program(const char *path, void *context)
{
    plugins_start(context, path, "Its requests are made by a program that it starts,");
}

void plugins_start_others(struct subject *subject, const char *name)
{
    for (size_t i = 0; i < sizeof starters / sizeof starters[0]; i++)
        if (strcmp(starters[i].program, name) == 0)
            root_glob(subject->root, starters[i].starts, start_program, subject);
}

/* busybox hands https to `openssl s_client` where there is one. */
static void start_helper(struct subject *subject)
{
    char path[PATH_MAX];
    if (image_holds_string(&subject->program->image, "s_client") && search_program(subject, "openssl", path))
        plugins_start(subject, path, "Its https goes by");
}

void plugins_add(struct subject *subject)
{
    const char *name = last_part(subject->program->path);
    char pattern[PATH_MAX];
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct plugin_rule *rule = &rules[i];
        if (rule->program ? fnmatch(rule->program, name, 0) != 0 : !uses_library(subject, rule->library))
            continue;
        for (size_t j = 0; j < sizeof rule->patterns / sizeof rule->patterns[0] && rule->patterns[j]; j++)
            if (fill(subject, rule->patterns[j], pattern))
                root_glob(subject->root, pattern, add_plugin, subject);
    }
    if (plugins_looks_up_libcurl(subject))
        root_glob(subject->root, "/usr/lib{/*,64}/libcurl.so.4", add_plugin, subject);
    plugins_start_others(subject, name);
    if (strcmp(name, "busybox") == 0)
        start_helper(subject);
}
