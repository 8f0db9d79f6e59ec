/* The symbols of the main program: what it exports and imports, by its dynamic section, and what it defines without
 * exporting it, by the file, where that was not stripped. Asks the loader nothing, and no hook. */
#ifndef JWTSHIM_LOADER_MAIN_PROGRAM_H
#define JWTSHIM_LOADER_MAIN_PROGRAM_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct main_program {
    ElfW(Addr) base;
    const char *low, *high;          /* its addresses */
    const ElfW(Ehdr) *header;        /* as mapped; NULL if it is not */
    const ElfW(Sym) *symbols;
    const char *strings;
    const uint32_t *gnu_hash;
    const ElfW(Rela) *relocations[2]; /* of functions called, and of addresses taken */
    size_t relocation_count[2];
};

/* A function: where it is, and how long. */
struct own_function {
    void *at; /* NULL: not there */
    size_t size;
};

/* False where the main program is not in sight (in a namespace of its own), or has no such section. */
bool main_program_read(struct main_program *program);

/* A function that it defines and exports. */
struct own_function main_program_export(const struct main_program *program, const char *name);

/* Whether it imports a function of that name; and one whose name begins with `never`, which ends the search. */
bool main_program_imports(const struct main_program *program, const char *name, const char *never);

/* Looks all `count` names up among what the file says is global in it, exported or not. False if there is no such table, or
 * one too large to read at every start. `found` has room for as many. */
bool main_program_look_up(const struct main_program *program, const char *const *names, size_t count,
                          struct own_function *found);

#endif
