/* What is known of functions in the main program whose code leads to our hooks. Filled once, before the program starts,
 * constant from then on; empty for nearly every program. */
#ifndef JWTSHIM_LOADER_PATCHED_H
#define JWTSHIM_LOADER_PATCHED_H

#include "resolve.h"

struct patched {
    const char *low, *high;                 /* the trampolines: what does the functions' own work */
    const char *program_low, *program_high; /* the main program */
    void *function[SYMBOL_COUNT];           /* hooks' and neighbours' in it: a trampoline where there is one */
};
extern struct patched patched;

/* Set on the way from the program's code to a hook, and taken back by the first thing that a hook asks. */
extern __thread bool patched_arrived;

/* Whether a function that was resolved is one of these. */
static inline bool patched_has(const void *function)
{
    return (const char *)function >= patched.low && (const char *)function < patched.high;
}

static inline bool patched_is_program(const void *address)
{
    return (const char *)address >= patched.program_low && (const char *)address < patched.program_high;
}

/* Leads the main program's own OpenSSL and nghttp2 through our hooks, where it has them and that can be done safely. At
 * the start of the process, when nobody runs that code yet. */
void patch_main_program(void);

#endif
