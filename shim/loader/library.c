#include "library.h"

/* By a function that each version of the library defines, and that a wrapper has no reason to. */
static const char openssl[] = "SSL_state_string_long";
static const char openssl_bio[] = "BIO_new_mem_buf";
static const char gnutls[] = "gnutls_strerror_name";
static const char nspr[] = "PR_GetNameForIdentity";
static const char mbedtls[] = "mbedtls_ssl_config_defaults";
static const char nghttp2[] = "nghttp2_version";
static const char libcurl[] = "curl_version_info";
static const char libc[] = "wcsftime_l";

static const char *const tell_tales[HOOK_COUNT] = {
#define HOOK(library, symbol, since, why) [HOOK_##symbol] = (library),
#include "../hooks.def"
#undef HOOK
};

bool library_is_libc(enum hook hook)
{
    return tell_tales[hook] == libc;
}

bool library_is_genuine(enum hook hook, const struct elf_object *object)
{
    const bool of_libcrypto = tell_tales[hook] == openssl && symbol_names[hook][0] == 'B';
    return elf_function(object, of_libcrypto ? openssl_bio : tell_tales[hook]) != NULL;
}
