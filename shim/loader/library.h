/* Whether an object is the library that a hook stands for, or only defines a function of that name: a plugin may export a
 * `write` of its own, a preload may wrap SSL_write. */
#ifndef JWTSHIM_LOADER_LIBRARY_H
#define JWTSHIM_LOADER_LIBRARY_H

#include "elf.h"
#include "resolve.h"

bool library_is_genuine(enum hook hook, const struct elf_object *object);

/* Whether the hook's function is libc's. */
bool library_is_libc(enum hook hook);

#endif
