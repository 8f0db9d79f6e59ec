#include "library.h"

enum library {
    LIBRARY_openssl,
    LIBRARY_gnutls,
    LIBRARY_nspr,
    LIBRARY_mbedtls,
    LIBRARY_nghttp2,
    LIBRARY_libcurl,
    LIBRARY_libc
};

/* By a function that each version of the library defines, and that a wrapper has no reason to. No pointers, which would be
 * work for the loader. */
static const char openssl_bio[] = "BIO_new_mem_buf";
static const char tell_tales[][sizeof "mbedtls_ssl_config_defaults"] = {
    [LIBRARY_openssl] = "SSL_state_string_long",
    [LIBRARY_gnutls] = "gnutls_strerror_name",
    [LIBRARY_nspr] = "PR_GetNameForIdentity",
    [LIBRARY_mbedtls] = "mbedtls_ssl_config_defaults",
    [LIBRARY_nghttp2] = "nghttp2_version",
    [LIBRARY_libcurl] = "curl_version_info",
    [LIBRARY_libc] = "wcsftime_l",
};

static const unsigned char library_of[HOOK_COUNT] = {
#define HOOK(library, symbol, since, why) [HOOK_##symbol] = LIBRARY_##library,
#include "../hooks.def"
#undef HOOK
};

bool library_is_libc(enum hook hook)
{
    return library_of[hook] == LIBRARY_libc;
}

bool library_is_genuine(enum hook hook, const struct elf_object *object)
{
    const bool of_libcrypto = library_of[hook] == LIBRARY_openssl && symbol_name(hook)[0] == 'B';
    return elf_function(object, of_libcrypto ? openssl_bio : tell_tales[library_of[hook]]) != NULL;
}
