/* What the hooks of dlopen(), dlmopen(), dlsym(), dlvsym() and dlclose() share. */
#ifndef JWTSHIM_HOOKS_DL_H
#define JWTSHIM_HOOKS_DL_H

/* How many pointers can be given out instead of a library's functions; read by dl_jump.S too. */
#define POINTERS 256

#ifndef __ASSEMBLER__
#include "hooks.h"

#include <stdint.h>

/* Whether anything of this is to be done in this process; false as long as its settings are not read. */
static inline bool dl_is_on(void)
{
    const struct config *config = atomic_load_explicit(&config_loaded, memory_order_acquire); /* NULL: not started yet */
    return config && config->loader && config->mode != MODE_OFF;
}

/* The next function of that name, another preload's or libc's. */
extern _Atomic(void *) dl_next_dlopen, dl_next_dlmopen, dl_next_dlsym, dl_next_dlvsym;

/* Nearly all names are told to be no hook's by their first four letters. Made by dl_make_names(). */
extern _Atomic(uint64_t) dl_beginnings[64];
void dl_make_names(void);

static inline unsigned dl_beginning_of(const char *name)
{
    const unsigned char *at = (const unsigned char *)name;
    if (!at[0] || !at[1] || !at[2])
        return 0;
    return (at[0] | at[1] << 8 | at[2] << 16 | (unsigned)at[3] << 24) * 0x9e3779b1u >> 20;
}

static inline bool dl_may_be_hooked(const char *name)
{
    const unsigned beginning = dl_beginning_of(name);
    return atomic_load_explicit(&dl_beginnings[beginning / 64], memory_order_relaxed) >> beginning % 64 & 1;
}

/* The hook of that name, if it is one that dlsym() may answer with. */
bool dl_hook_named(const char *name, enum hook *hook);

/* Our export of the hook's name. */
void *dl_export(enum hook hook);

/* A pointer to a hook of ours that stands for `function`: always the same one. NULL if there is no room for another. */
void *dl_pointer_to(enum hook hook, void *function);

/* A namespace may be empty again. */
void dl_namespace_closed(void);
#endif

#endif
