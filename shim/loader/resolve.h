/* The real function behind each hook: the next one in the search order for libc's, and for a library's the one that this
 * very caller is bound to, since a process may hold two versions of a library, or one that RTLD_NEXT cannot see.
 * Leaves errno as it was, and no error of its own for the program's dlerror(). */
#ifndef JWTSHIM_LOADER_RESOLVE_H
#define JWTSHIM_LOADER_RESOLVE_H

#include <stdatomic.h>
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
    X(SSL_write) X(SSL_get_wfd) X(SSL_get_early_data_status) X(BIO_find_type) X(BIO_ctrl) X(BIO_write)                  \
    X(gnutls_transport_get_int2) X(gnutls_record_send) X(PR_GetDescType) X(PR_Write)
/* clang-format on */

enum neighbour {
    NEIGHBOUR_BEFORE = HOOK_COUNT - 1,
#define X(symbol) NEIGHBOUR_##symbol,
    NEIGHBOURS(X)
#undef X
        SYMBOL_COUNT
};

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

/* Another function of the library that `function` (one that was resolved) is of, like SSL_get_wfd beside SSL_write. NULL
 * if that library has none of the name. */
void *resolve_beside(enum neighbour neighbour, const void *function);

/* An object may have been unmapped: forgets every answer that lay in it, or was given to it. */
void resolve_forget_unmapped(void);

#endif
