/* How a program's requests would leave, told by what its objects import, and whether the shim would see them there. */
#include "doctor.h"

#include "../../shim/hooks/libcurl_names.h"

#include <string.h>

/* Their TLS or sockets carry no HTTP of the program's, or are what the hooks stand in front of. */
bool ways_is_other_traffic(const struct object *object)
{
    static const char *const begins[] = {
        "libc.so",     "ld-",       "libresolv",  "libssl.so",      "libcrypto.so", "libgnutls.so", "libnspr",
        "libplc",      "libnss",    "libssl3",    "libsmime",       "libldap",      "liblber",      "libkrb5",
        "libk5crypto", "libgssapi", "librtmp",    "libp11-kit",     "libsasl",      "libpq.so",     "libmariadb",
        "libmysql",    "libssh",    "libnghttp2", "libcares",       "libunbound",   "libX11",       "libxcb",
        "libICE",      "libdbus",   "libsystemd", "libtirpc",       "libpulse",     "libasyncns",   "libavahi",
        "libnsl",      "libbsd",    "libgcrypt",  "libgnutls-dane", "libgomp",      "libpthread",   "libcap",
        "libdb-5",     "libdb-4",   "libnfs",     "libicuuc",       "libsmbclient", "libgcc_s",     "libuuid",
        "libwolfssl",  "libgpm",    "libudev",    "libjwtshim",     "libbluetooth"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (strncmp(last_part(object->path), begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

const int ways_nghttp2[] = {NAME_nghttp2_submit_request, NAME_nghttp2_submit_request2, NAME_nghttp2_submit_headers, -1};
const int ways_openssl[] = {
    NAME_SSL_write, NAME_SSL_write_ex, NAME_SSL_write_ex2, NAME_SSL_write_early_data, NAME_SSL_sendfile, -1};
static const int gnutls[] = {NAME_gnutls_record_send,      NAME_gnutls_record_send2,  NAME_gnutls_record_send_range,
                             NAME_gnutls_record_send_file, NAME_gnutls_record_uncork, -1};
static const int nspr[] = {NAME_PR_Send, NAME_PR_Write, NAME_PR_Writev, NAME_PR_SendTo, -1};
static const int mbedtls[] = {NAME_mbedtls_ssl_write, -1};
static const int bio[] = {NAME_BIO_write, NAME_BIO_write_ex, NAME_BIO_puts, NAME_BIO_printf, NAME_BIO_vprintf, -1};
static const int ssl_bio[] = {TELLTALE_BIO_f_ssl, TELLTALE_BIO_new_ssl, TELLTALE_BIO_new_ssl_connect,
                              TELLTALE_BIO_new_buffer_ssl_connect, -1};
static const int nss[] = {TELLTALE_SSL_ImportFD, -1};
static const int sockets[] = {NAME_send, NAME_write, NAME_writev, NAME_sendto, NAME_sendmsg, NAME_sendmmsg, -1};
static const int sends[] = {NAME_send, NAME_sendto, NAME_sendmsg, NAME_sendmmsg, -1};
static const int connects[] = {NAME_connect, -1};
static const int curls[] = {NAME_curl_easy_perform, NAME_curl_multi_add_handle, -1};

/* A way that is one of hooks.def's symbols, imported by name. */
struct import_rule {
    const char *name;
    const int *writes;
    const int *together_with; /* any of these too, or NULL */
};

static const struct import_rule imports[] = {
    {"nghttp2", ways_nghttp2, NULL},
    {"openssl", ways_openssl, NULL},
    {"openssl-bio", bio, ssl_bio},
    {"gnutls", gnutls, NULL},
    {"nss", nspr, nss},
    {"mbedtls", mbedtls, NULL},
};

/* Whether the shim that would be preloaded interposes a symbol. Without its file: whether this version does. */
static bool interposes(const struct subject *subject, int name)
{
    return !subject->shim->found || names_have(&subject->shim->defined, (enum name)name);
}

/* Whether what it calls by name is bound past the preload: it comes in below a plugin that is loaded with RTLD_DEEPBIND. */
static bool is_deepbound(const struct subject *subject, const struct object *object)
{
    return object->origin != ORIGIN_START && subject->opens_deepbind;
}

static void add_import(struct subject *subject, const struct object *object, const char *name, int symbol, bool plain)
{
    const char *calls = name_text((enum name)symbol);
    struct way way = {.name = name, .hook = calls, .plain = plain, .object = object->path};
    if (is_deepbound(subject, object)) {
        const char *lacks = ways_loader_lacks(subject);
        way.seen = !subject->is_blocked && !lacks;
        findings_way(subject->findings, &way, "calls %s, and comes in by dlopen(RTLD_DEEPBIND)%s%s", calls,
                     lacks ? ": " : "", lacks ? lacks : "");
        way.name = "deepbind";
        way.hook = "dlopen";
        if (!plain)
            findings_way(subject->findings, &way, "comes in by dlopen(RTLD_DEEPBIND)%s%s", lacks ? ": " : "",
                         lacks ? lacks : "");
        return;
    }
    bool hooked = interposes(subject, symbol);
    way.seen = !subject->is_blocked && hooked;
    findings_way(subject->findings, &way, "calls %s by name%s%s", calls,
                 object->origin == ORIGIN_START ? "" : "; loaded at run time",
                 hooked ? "" : ", which the shim's object does not interpose");
}

/* A libcurl whose TLS or HTTP/2 is inside it: seen by its API, where the program calls that by name. */
static void add_libcurl(struct subject *subject, const struct object *object)
{
    if (!image_defines(&object->image, "curl_easy_perform") || object == subject->program)
        return;
    bool tls = false;
    bool h2 = false;
#define IS_IMPORTED(symbol) || names_have(&object->imported, NAME_##symbol)
    tls = false LIBCURL_TLS_WRITES(IS_IMPORTED);
    h2 = false LIBCURL_H2_SUBMITS(IS_IMPORTED);
#undef IS_IMPORTED
    if (tls && (h2 || !image_holds(&object->image, "nghttp2/")))
        return;
    for (size_t i = 0; i < subject->closure.count; i++) {
        const struct object *caller = subject->closure.objects[i];
        int symbol = names_first(&caller->imported, curls);
        if (symbol < 0)
            continue;
        struct way way = {.name = "libcurl-api", .hook = name_text((enum name)symbol), .object = object->path};
        way.seen = !subject->is_blocked && interposes(subject, symbol) &&
                   !(is_deepbound(subject, caller) && ways_loader_lacks(subject));
        findings_way(subject->findings, &way, "its %s is inside it, and %s calls its API", tls ? "HTTP/2" : "TLS",
                     last_part(caller->path));
    }
}

/* A FILE over a socket, where the program itself calls no TLS: shells, awk. */
static bool writes_by_stdio(const struct object *program)
{
    return names_have(&program->imported, TELLTALE_fdopen) && names_first(&program->imported, connects) >= 0;
}

/* Whether this program, not one that it starts, has TLS by a library. */
static bool has_tls(const struct subject *subject)
{
    for (size_t i = 0; i < subject->closure.count; i++)
        for (size_t j = 0; j < sizeof imports / sizeof imports[0]; j++)
            if (!ways_is_other_traffic(subject->closure.objects[i]) &&
                names_first(&subject->closure.objects[i]->imported, imports[j].writes) >= 0 && !imports[j].together_with)
                return true;
    return false;
}

/* These import fdopen() too, but write to sockets by write() and send(). */
static bool is_known_to_write(const char *name)
{
    static const char *const begins[] = {"python", "perl", "ruby", "php", "tclsh", "lua",
                                         "guile",  "node", "java", "R",   "pypy",  "git"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (strncmp(name, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* Whose sockets are others' business: Go's own system calls, or a TLS library's inside the object. */
static bool is_seen_elsewhere(const struct subject *subject, const struct object *object)
{
    if (object == subject->program && ways_is_go(&object->image))
        return true;
    for (size_t i = 0; i < subject->findings->way_count; i++)
        if (strcmp(subject->findings->ways[i].name, "stripped-static-tls") == 0 &&
            strcmp(subject->findings->ways[i].object, object->path) == 0)
            return true;
    return false;
}

static void add_plain(struct subject *subject)
{
    const struct object *program = subject->program;
    bool stdio = writes_by_stdio(program) && !has_tls(subject) && !is_known_to_write(last_part(program->path));
    if (stdio) {
        const char *lacks = ways_stdio_lacks(subject);
        struct way way = {.name = "stdio", .hook = "_IO_file_jumps", .plain = true, .object = program->path};
        way.seen = !subject->is_blocked && !lacks;
        findings_way(subject->findings, &way, "writes to sockets by FILE streams%s%s", lacks ? ": " : "",
                     lacks ? lacks : "");
    }
    for (size_t i = 0; i < subject->closure.count; i++) {
        const struct object *object = subject->closure.objects[i];
        int symbol = names_first(&object->imported, object == program && stdio ? sends : sockets);
        if (ways_is_other_traffic(object) || names_first(&object->imported, connects) < 0 || symbol < 0 ||
            is_seen_elsewhere(subject, object))
            continue;
        add_import(subject, object, "socket", symbol, true);
    }
}

void ways_find(struct subject *subject)
{
    subject->opens_deepbind = image_opens_deepbind(&subject->program->image);
    for (size_t i = 0; i < subject->closure.count; i++) {
        const struct object *object = subject->closure.objects[i];
        if (ways_is_other_traffic(object))
            continue;
        for (size_t j = 0; j < sizeof imports / sizeof imports[0]; j++) {
            int symbol = names_first(&object->imported, imports[j].writes);
            if (symbol >= 0 && (!imports[j].together_with || names_first(&object->imported, imports[j].together_with) >= 0))
                add_import(subject, object, imports[j].name, symbol, false);
        }
        add_libcurl(subject, object);
    }
    ways_find_deep(subject);
    ways_find_own_tls(subject);
    add_plain(subject);
}
