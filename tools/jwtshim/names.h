/* The symbols that the doctor looks for in an object: every interposed one, and those that tell what an object is. */
#ifndef JWTSHIM_TOOLS_NAMES_H
#define JWTSHIM_TOOLS_NAMES_H

#include "image.h"

/* What tells what an object is, interposed or not. */
#define TELLTALES(NAME)                                                                                                \
    NAME(BIO_f_ssl)                                                                                                    \
    NAME(BIO_new_ssl)                                                                                                  \
    NAME(BIO_new_ssl_connect)                                                                                          \
    NAME(BIO_new_buffer_ssl_connect)                                                                                   \
    NAME(SSL_ImportFD)                                                                                                 \
    NAME(wolfSSL_write)                                                                                                \
    NAME(s2n_send)                                                                                                     \
    NAME(fdopen)                                                                                                       \
    NAME(g_socket_client_new)                                                                                          \
    NAME(g_tls_client_connection_new)                                                                                  \
    NAME(soup_session_new)                                                                                             \
    NAME(soup_session_new_with_options)

enum name {
#define HOOK(library, symbol, since, why) NAME_##symbol,
#include "../../shim/hooks.def"
#undef HOOK
#define NAME(symbol) TELLTALE_##symbol, /* may be interposed as well: then it has two names here */
    TELLTALES(NAME)
#undef NAME
        NAME_COUNT
};

struct names {
    uint64_t bits[(NAME_COUNT + 63) / 64];
};

static inline bool names_have(const struct names *names, enum name name)
{
    return names->bits[name / 64] >> (name % 64) & 1;
}

/* The first of the names, -1 at their end, that is there; else -1. */
int names_first(const struct names *names, const int *wanted);

const char *name_text(enum name name);

/* Which of the names a table defines, and which it imports. */
void names_read(const struct image *image, enum image_table table, struct names *defined, struct names *imported);

/* Whether it imports or defines any symbol of this name, for what is not worth a bit. */
bool image_imports(const struct image *image, const char *name);
bool image_defines(const struct image *image, const char *name);

#endif
