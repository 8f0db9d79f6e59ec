/* The real function behind each hook: the next one in the search order for libc's, and for a library's the one that this
 * very caller is bound to, since a process may hold two versions of a library, or one that RTLD_NEXT cannot see.
 * Leaves errno as it was, and the program's dlerror() but where two copies of a library have to be told apart. */
#ifndef JWTSHIM_LOADER_RESOLVE_H
#define JWTSHIM_LOADER_RESOLVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum hook {
#define HOOK(library, symbol, since, why) HOOK_##symbol,
#include "../hooks.def"
#undef HOOK
    HOOK_COUNT
};

/* Functions of a hooked library that hooks ask something of. */
/* clang-format off */
#define NEIGHBOURS(X)                                                                                                     \
    X(curl_easy_setopt) X(curl_easy_getinfo) X(curl_version_info) X(curl_free)                                          \
    X(curl_url) X(curl_url_cleanup) X(curl_url_get) X(curl_url_set)                                                     \
    X(SSL_write) X(SSL_is_init_finished) X(SSL_get_wfd) X(SSL_get_early_data_status) X(BIO_find_type) X(BIO_ctrl) X(BIO_write)                  \
    X(BIO_method_type) X(BIO_next) X(SSLeay)                                                                                                \
    X(gnutls_transport_get_int2) X(gnutls_record_send) X(PR_GetDescType) X(PR_GetSocketOption) X(PR_FileDesc2NativeHandle) X(PR_Write)                                     \
    X(SSL_set_alpn_protos) X(SSL_get_servername) X(SSL_is_server) X(SSL_in_before) X(SSL_state)              \
    X(ERR_set_mark) X(ERR_pop_to_mark) X(gnutls_alpn_set_protocols) X(gnutls_server_name_get)                             \
    X(nghttp2_submit_request) X(nghttp2_submit_headers) X(g_tls_backend_get_type) X(g_tls_connection_get_negotiated_protocol)
/* clang-format on */

enum neighbour {
    NEIGHBOUR_BEFORE = HOOK_COUNT - 1,
#define X(symbol) NEIGHBOUR_##symbol,
    NEIGHBOURS(X)
#undef X
        SYMBOL_COUNT
};

/* The name of a hook or a neighbour. */
const char *symbol_name(unsigned symbol);

extern _Atomic(void *) resolved_next[HOOK_COUNT];

/* The slow way of next_function(): looks it up once. NULL where the C library has no such function. */
void *resolve_next(enum hook hook);

/* libc's function of that name, or another preload's in between. */
static inline void *next_function(enum hook hook)
{
    void *function = atomic_load_explicit(&resolved_next[hook], memory_order_relaxed);
    return __builtin_expect(function != NULL, 1) ? function : resolve_next(hook);
}

/* The same without looking it up: NULL until somebody has. */
static inline void *known_next_function(enum hook hook)
{
    return atomic_load_explicit(&resolved_next[hook], memory_order_relaxed);
}

/* The function that code at `caller` (a return address) meant by the hook's symbol. NULL if there is none. */
void *resolve_for(enum hook hook, const void *caller);

/* A pointer that dlsym() gave to the program instead of a library's function: which one it stands for is known, whoever
 * calls it. Its code notes the call for resolve_for(). */
struct pointer {
    void *export;   /* our hook */
    void *function; /* what dlsym() found */
    enum hook hook;
};
extern __thread struct pointer_call {
    const struct pointer *pointer; /* called last by this thread; NULL: none, or it was asked for already */
    const void *caller;
} last_pointer_call;

/* Whether the call that code at `caller` makes of the hook's symbol is the library's own: it defines the function, and its
 * calls of itself go by the PLT, and so by us. */
bool resolve_is_inner(enum hook hook, const void *caller);

/* Whether `function` (one that was resolved) is the main program's own, in one object with all that calls it. Nothing tells
 * an inner call by its caller there, and resolve_is_inner() says no. */
bool resolve_is_inside(const void *function);

/* For a hook that needs a second function for the call it is in: what code at `caller` means by `hook`'s symbol, where
 * `function` is what the call itself was resolved to. */
void *resolve_also(enum hook hook, const void *caller, const void *function);

/* Another function of the library that `function` (one that was resolved) is of, like SSL_get_wfd beside SSL_write. NULL
 * if that library has none of the name. */
void *resolve_beside(enum neighbour neighbour, const void *function);

/* Whether the object that code at `caller` lies in asks the loader for a symbol whose name begins so: by its relocations,
 * since what its libraries ask for by themselves is theirs. */
bool resolve_caller_imports(enum neighbour prefix, const void *caller);

/* Whether any loaded object asks for both. Not remembered. */
bool resolve_any_imports(enum neighbour prefix, enum neighbour other);

/* Whether the hook's symbol is defined where code at `caller` would find it, but by us and by a wrapper of its own; also
 * true if the library is loaded at all. */
bool resolve_exists(enum hook hook, const void *caller);

/* Whether more than one object is the library that the hook stands for. */
bool resolve_has_copies(enum hook hook);

/* From now on every object that is loaded was not there at the program's start. */
void resolve_note_startup(void);

/* An object may have been unmapped: forgets every answer that lay in it, or was given to it. */
void resolve_forget_unmapped(void);

#endif
