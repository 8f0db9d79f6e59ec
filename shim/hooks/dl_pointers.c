/* Pointers that dlsym() gives out instead of a library's functions. Each is a few instructions of its own in dl_jump.S,
 * which note what the pointer stands for and jump to the hook: whoever calls it, from wherever, means that function, and
 * two libssl in one process stay two. */
#include "dl.h"

#include "../loader/elf.h"

extern const char dl_pointer_code[POINTERS][16];

/* Read by dl_jump.S, in the order of struct pointer. */
struct pointer dl_pointers[POINTERS];

enum state { FREE, BEING_FILLED, READY };
static _Atomic(int) states[POINTERS];

static void *pointer_at(size_t place)
{
    return (void *)(uintptr_t)dl_pointer_code[place];
}

static bool fill(size_t place, int from, enum hook hook, void *function)
{
    void *export = dl_export(hook);
    if (!export || !atomic_compare_exchange_strong(&states[place], &from, BEING_FILLED))
        return false;
    dl_pointers[place] = (struct pointer){export, function, hook};
    atomic_store(&states[place], READY);
    return true;
}

/* A pointer to what was unloaded is kept, since it may be loaded again in its place, until there is no room for others. */
static bool is_dead(size_t place)
{
    struct elf_object object;
    return atomic_load(&states[place]) == READY && !elf_object_of(dl_pointers[place].function, &object);
}

void *dl_pointer_to(enum hook hook, void *function)
{
    for (size_t i = 0; i < POINTERS; i++) {
        int state = atomic_load(&states[i]);
        if (state == READY && dl_pointers[i].function == function && dl_pointers[i].hook == hook)
            return pointer_at(i);
        if (state == FREE && fill(i, FREE, hook, function))
            return pointer_at(i);
    }
    for (size_t i = 0; i < POINTERS; i++)
        if (is_dead(i) && fill(i, READY, hook, function))
            return pointer_at(i);
    return NULL;
}
