/* The symbols of the main program: what it exports and imports, by its dynamic section, and what it defines without
 * exporting it, by the file, where that was not stripped. Asks the loader nothing, and no hook. */
#ifndef JWTSHIM_LOADER_MAIN_PROGRAM_H
#define JWTSHIM_LOADER_MAIN_PROGRAM_H

#include "elf.h"

struct main_program {
    struct elf_object object;
    const char *low, *high;            /* its addresses */
    const ElfW(Ehdr) * header;         /* as mapped; NULL if it is not */
    const ElfW(Rela) * relocations[2]; /* of functions called, and of addresses taken */
    size_t relocation_count[2];
};

/* A function: where it is, and how long. */
struct own_function {
    void *at; /* NULL: not there */
    size_t size;
};

/* False where the main program is not in sight (from a namespace of its own), has no such section, or is too small to have
 * a TLS library inside. */
bool main_program_read(struct main_program *program);

/* A function that it defines and exports. */
struct own_function main_program_export(const struct main_program *program, const char *name);

/* Whether it imports a function of that name; and one whose name begins with `never`, which ends the search. */
bool main_program_imports(const struct main_program *program, const char *name, const char *never);

/* The table of all symbols in the program's file, where it was not stripped. */
struct symbol_table {
    int fd;
    ElfW(Shdr) symbols, strings;
};

/* Opens the file. False where it has no such table, or is not the one that runs: nothing is open then. */
bool main_program_open(const struct main_program *program, struct symbol_table *table);

/* Looks `count` names up among what is global in the table, exported or not, and closes the file. `found` has room for as
 * many, and keeps what it has where there is none. */
void main_program_look_up(const struct main_program *program, const struct symbol_table *table,
                          const char *const *names, size_t count, struct own_function *found);

#endif
