/* What the hooks of dlopen(), dlmopen(), dlsym(), dlvsym() and dlclose() share. */
#ifndef JWTSHIM_HOOKS_DL_H
#define JWTSHIM_HOOKS_DL_H

/* How many pointers can be given out instead of a library's functions; read by dl_jump.S too. */
#define POINTERS 256

#ifndef __ASSEMBLER__
#include "hooks.h"

/* Whether anything of this is to be done in this process; false as long as its settings are not read. */
static inline bool dl_is_on(void)
{
    const struct config *config = config_get();
    return config->loader && config->mode != MODE_OFF;
}

/* The next function of that name, another preload's or libc's. */
extern void *dl_next_dlopen, *dl_next_dlmopen, *dl_next_dlsym, *dl_next_dlvsym;

/* Our export of the hook's name. */
void *dl_export(enum hook hook);

/* A pointer to a hook of ours that stands for `function`: always the same one. NULL if there is no room for another. */
void *dl_pointer_to(enum hook hook, void *function);

/* A namespace may be empty again. */
void dl_namespace_closed(void);
#endif

#endif
