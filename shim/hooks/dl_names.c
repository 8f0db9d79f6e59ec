/* Which hook a name is of: a table by the names' hashes, made when a name is first asked for. */
#include "dl.h"

#include "../loader/text.h"

enum { PLACES = 1024 };
_Static_assert(HOOK_COUNT < 256 && HOOK_COUNT < PLACES / 4,
               "a hook's number and one fits a byte, and probing stays short");

static _Atomic(unsigned char) places[PLACES]; /* a hook's number and one; 0: nothing */
_Atomic(uint64_t) dl_beginnings[64];

static unsigned hash_of(const char *name)
{
    unsigned hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash ^ hash >> 15;
}

/* Two threads may be at it at once: both put each name where the other does. */
void dl_make_names(void)
{
    for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
        const unsigned beginning = dl_beginning_of(symbol_name(hook));
        atomic_fetch_or(&dl_beginnings[beginning / 64], 1ull << beginning % 64);
        unsigned place = hash_of(symbol_name(hook)) % PLACES;
        for (;; place = (place + 1) % PLACES) {
            unsigned there = atomic_load_explicit(&places[place], memory_order_relaxed);
            if (there == hook + 1)
                break;
            if (there == 0) {
                atomic_store_explicit(&places[place], (unsigned char)(hook + 1), memory_order_relaxed);
                break;
            }
        }
    }
}

/* The loader's own functions are the program's: what it opens by a pointer to the real dlopen() is its affair. */
static bool is_loaders(enum hook hook)
{
    return hook == HOOK_dlopen || hook == HOOK_dlmopen || hook == HOOK_dlsym || hook == HOOK_dlvsym || hook == HOOK_dlclose;
}

bool dl_hook_named(const char *name, enum hook *hook)
{
    for (unsigned place = hash_of(name) % PLACES;; place = (place + 1) % PLACES) {
        unsigned there = atomic_load_explicit(&places[place], memory_order_relaxed);
        if (there == 0)
            return false;
        *hook = (enum hook)(there - 1);
        if (text_is(symbol_name(*hook), name))
            return !is_loaders(*hook);
    }
}
