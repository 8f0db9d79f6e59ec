/* Between the preloaded object and libjwtshim-patch.so: code of the main program is led through hooks, a set of functions
 * as a whole or not at all. The second object has the decoder of instructions, and is loaded by programs that need it. */
#ifndef JWTSHIM_PATCH_PATCH_H
#define JWTSHIM_PATCH_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why code stays as it is. The texts are for the log. */
/* clang-format off */
#define PATCH_REFUSALS(X)                                                                                              \
    X(NONE, "")                                                                                                          \
    X(INCOMPLETE, "library-incomplete")         /* a function is missing without which the others make no sense */       \
    X(OTHER_LIBRARY, "another-library")         /* OpenSSL's names, but not OpenSSL */                                   \
    X(NO_DECODER, "decoder-missing")            /* libjwtshim-patch.so cannot be loaded */                               \
    X(ARCHITECTURE, "architecture")             /* nobody wrote this for the machine */                                  \
    X(THREADS, "other-threads")                 /* somebody may be running what would change */                          \
    X(NO_ROOM, "no-room-nearby")                /* a jump reaches 2 GiB */                                               \
    X(PROTECTION, "protection-refused")         /* the system lets nobody make new code: W^X */                          \
    X(FILE, "program-file-unknown")             /* what runs is not what the system says it is */                        \
    X(NOT_CODE, "not-code")                     /* the symbol is outside of what may be executed */                      \
    X(SHORT, "function-too-short")              /* or its size is unknown */                                             \
    X(UNDECODABLE, "instruction-unknown")                                                                                \
    X(LEAVES, "prologue-leaves")                /* a call, a jump, a return, a trap */                                   \
    X(ENTERED, "prologue-is-entered")           /* something jumps into it */                                            \
    X(OUT_OF_REACH, "operand-out-of-reach")     /* a relative operand cannot be relocated */                             \
    X(COMPANION, "refused-with-another")        /* a function of the same set cannot be changed */
/* clang-format on */

enum patch_refusal {
#define X(name, text) PATCH_##name,
    PATCH_REFUSALS(X)
#undef X
};

enum {
    PATCH_SETS = 8,
    PATCH_OF_FUNCTION = PATCH_NOT_CODE /* from here on a refusal is about one function; what comes before is about them all */
};

struct patch_function {
    unsigned char *code; /* its first instruction */
    size_t size;         /* by its symbol */
    const void *hook;    /* where it shall lead */
    void *trampoline;    /* answer: what does the function's work from now on */
    unsigned set;        /* below PATCH_SETS */
    enum patch_refusal refused;
};

struct patch_job {
    struct patch_function *functions;
    size_t count;
    const char *low, *high; /* the main program's addresses */
    int needs[PATCH_SETS];  /* another set that this one is nothing without, or -1 */
    ptrdiff_t arrived; /* a byte of thread-local storage that becomes 1 on the way to a hook: from the thread pointer */
    const char *room, *room_end; /* answer: where the trampolines are */
};

/* Does all that can be done of it, and says in each function what became of that. Called once, before the program has
 * started: code changes under the feet of nobody. Where it refuses, every byte is what it was. */
typedef void patch_apply_fn(struct patch_job *job);
__attribute__((visibility("default"))) patch_apply_fn jwtshim_patch_apply;

#endif
