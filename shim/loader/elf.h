/* What loaded objects say of themselves: which symbols they define, which objects they need. Read from their own dynamic
 * sections, so that no call of dlopen(), dlsym() or dlerror() is made that the program could notice. Nothing is allocated. */
#ifndef JWTSHIM_LOADER_ELF_H
#define JWTSHIM_LOADER_ELF_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_object {
    uintptr_t base;
    const char *path; /* the loader's name for it; "" is the main program */
    const ElfW(Phdr) * segments;
    size_t segment_count;
    const ElfW(Dyn) * dynamic;
    const ElfW(Sym) * symbols;
    const char *strings;
    const char *soname; /* NULL: it has none */
    const uint32_t *gnu_hash;
    const uint32_t *hash;
    const uint16_t *versions;
    size_t index; /* its place in the order of loading */
};

/* True ends the search. */
typedef bool elf_visit_fn(const struct elf_object *object, void *context);

/* All objects of this namespace in the order they were loaded in, which for those of the program's start is the order of
 * symbol search. True if a visit was. */
bool elf_each(elf_visit_fn *visit, void *context);

/* The object that `address` lies in, and then what it needs, breadth first: the order of dlsym() on its handle. */
bool elf_each_seen_from(const void *address, elf_visit_fn *visit, void *context);

/* How many objects there are. Reads none of them. */
size_t elf_count(void);

/* How many objects were ever loaded: what was found among all of them is still all there is if none has come. */
unsigned long long elf_loads(void);

/* The object that an address lies in. */
bool elf_object_of(const void *address, struct elf_object *object);
bool elf_holds(const struct elf_object *object, const void *address);

/* Whether an address lies in this very object. */
bool elf_is_ours(const void *address);

/* Whether this very object is a copy in a namespace of its own (dlmopen): it is the first there, and no program. */
bool elf_is_copy(void);

/* What an object says of itself, from what the loader says of it; `index` is its place in the order of loading. */
void elf_read(struct elf_object *object, const struct dl_phdr_info *info, size_t index);

/* The symbol of that name and type (STT_FUNC, STT_OBJECT) in an object that defines it, in the version that dlsym() would
 * choose; NULL. */
const ElfW(Sym) * elf_symbol(const struct elf_object *object, const char *name, unsigned char type);

/* A function's address in an object that defines it, in the version that dlsym() would choose; NULL. */
void *elf_function(const struct elf_object *object, const char *name);

/* Whether an object asks the loader for a symbol whose name begins so: by its relocations, since what its libraries ask for by
 * themselves is theirs. */
bool elf_imports(const struct elf_object *object, const char *prefix);

#endif
