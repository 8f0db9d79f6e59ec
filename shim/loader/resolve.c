#include "resolve.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const char *const names[SYMBOL_COUNT] = {
#define HOOK(library, symbol, since, why) [HOOK_##symbol] = #symbol,
#include "../hooks.def"
#undef HOOK
#define X(symbol) [NEIGHBOUR_##symbol] = #symbol,
    NEIGHBOURS(X)
#undef X
};

_Atomic(void *) resolved_next[HOOK_COUNT];

/* Whether `address` lies in this very object. */
static bool is_ours(const void *address)
{
    extern const char __ehdr_start[] __attribute__((visibility("hidden")));
    extern const char _end[] __attribute__((visibility("hidden")));
    return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

/* A failed dlsym() leaves its error for the program to find; asking for it takes it away again. */
static void *symbol_in(void *handle, const char *name)
{
    void *found = dlsym(handle, name);
    if (!found)
        dlerror();
    return found && !is_ours(found) ? found : NULL;
}

void *resolve_next(enum hook hook)
{
    int saved = errno;
    void *function = symbol_in(RTLD_NEXT, names[hook]);
    if (function)
        atomic_store_explicit(&resolved_next[hook], function, memory_order_relaxed);
    errno = saved;
    return function;
}

/* Opens an object that is loaded already, by the name the loader knows it by. Never dlsym() on a link_map itself: the
 * loader crashes on one that has no search list of its own. */
static void *symbol_seen_by(const char *object, const char *name)
{
    if (!object || !*object)
        return NULL;
    void *handle = dlopen(object, RTLD_NOLOAD | RTLD_LAZY);
    if (!handle) {
        dlerror();
        return NULL;
    }
    void *found = symbol_in(handle, name);
    ((__typeof__(&dlclose))next_function(HOOK_dlclose))(handle);
    return found;
}

struct object_scan {
    const char *name;
    void *found;
};

static int scan_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct object_scan *scan = arg;
    (void)size;
    scan->found = symbol_seen_by(info->dlpi_name, scan->name);
    return scan->found != NULL;
}

/* In the order that was measured to work everywhere. */
static void *look_up(const char *name, const void *caller)
{
    Dl_info info;
    struct link_map *map = NULL;
    void *found = NULL;
    if (!is_ours(caller) && dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP) && map)
        found = symbol_seen_by(map->l_name, name);
    if (!found)
        found = symbol_in(RTLD_NEXT, name);
    if (!found) {
        /* A tail call, so that the return address is not the caller's, or code of no object at all. */
        struct object_scan scan = {.name = name};
        dl_iterate_phdr(scan_object, &scan);
        found = scan.found;
    }
    return found;
}

/* What was found, by the address that asked. Records are written once and never change, so that a reader needs one load;
 * there is room for so many, and who finds no place is looked up each time. */
struct record {
    const void *asker; /* a return address, or a neighbour's function */
    void *function;
    unsigned symbol; /* enum hook or enum neighbour */
};
enum { RECORDS = 1024, PROBES = 8 };
static struct record records[RECORDS];
static _Atomic(unsigned) records_used;
static _Atomic(const struct record *) places[RECORDS];

static size_t place_of(unsigned symbol, const void *asker)
{
    uint64_t bits = ((uint64_t)(uintptr_t)asker ^ (uint64_t)symbol << 48) * 0x9e3779b97f4a7c15u;
    return (size_t)(bits >> 54);
}

static const struct record *recall(unsigned symbol, const void *asker)
{
    size_t place = place_of(symbol, asker);
    for (size_t i = 0; i < PROBES; i++) {
        const struct record *record = atomic_load_explicit(&places[(place + i) % RECORDS], memory_order_acquire);
        if (record && record->asker == asker && record->symbol == symbol)
            return record;
    }
    return NULL;
}

static void remember(unsigned symbol, const void *asker, void *function)
{
    unsigned number = atomic_fetch_add(&records_used, 1);
    if (number >= RECORDS) {
        atomic_store(&records_used, RECORDS);
        return;
    }
    records[number] = (struct record){asker, function, symbol};
    for (size_t i = 0; i < PROBES; i++) {
        const struct record *nothing = NULL;
        if (atomic_compare_exchange_strong(&places[(place_of(symbol, asker) + i) % RECORDS], &nothing, &records[number]))
            return;
    }
}

void *resolve_for(enum hook hook, const void *caller)
{
    const struct record *record = recall(hook, caller);
    if (record)
        return record->function;
    int saved = errno;
    void *function = look_up(names[hook], caller);
    if (function)
        remember(hook, caller, function);
    errno = saved;
    return function;
}

void *resolve_beside(enum neighbour neighbour, const void *function)
{
    const struct record *record = recall(neighbour, function);
    if (record)
        return record->function;
    int saved = errno;
    Dl_info info;
    struct link_map *map = NULL;
    void *found = NULL;
    if (dladdr1(function, &info, (void **)&map, RTLD_DL_LINKMAP) && map)
        found = *map->l_name ? symbol_seen_by(map->l_name, names[neighbour]) : symbol_in(RTLD_DEFAULT, names[neighbour]);
    remember(neighbour, function, found);
    errno = saved;
    return found;
}

static bool is_mapped(const void *address)
{
    Dl_info info;
    return dladdr(address, &info) != 0;
}

void resolve_forget_unmapped(void)
{
    int saved = errno;
    for (size_t i = 0; i < RECORDS; i++) {
        const struct record *record = atomic_load(&places[i]);
        if (record && (!is_mapped(record->asker) || (record->function && !is_mapped(record->function))))
            atomic_store(&places[i], NULL);
    }
    errno = saved;
}
