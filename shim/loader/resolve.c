#include "resolve.h"

#include "patched.h"

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

struct patched patched;
__thread bool patched_arrived;

const char *resolve_name(unsigned symbol)
{
    return names[symbol];
}

static bool is_ours(const void *address)
{
    extern const char __ehdr_start[] __attribute__((visibility("hidden")));
    extern const char _end[] __attribute__((visibility("hidden")));
    return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

bool resolve_is_ours(const void *address)
{
    return is_ours(address);
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
    bool inner;      /* the asker lies in the object of the function */
};
enum { RECORDS = 4096, PROBES = 8 };
static struct record records[RECORDS];
static _Atomic(unsigned) records_used;
static _Atomic(const struct record *) places[RECORDS];

static size_t place_of(unsigned symbol, const void *asker)
{
    uint64_t bits = ((uint64_t)(uintptr_t)asker ^ (uint64_t)symbol << 48) * 0x9e3779b97f4a7c15u;
    return (size_t)(bits >> 52);
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

static bool share_object(const void *one, const void *other)
{
    Dl_info of_one, of_other;
    return one && other && dladdr(one, &of_one) && dladdr(other, &of_other) && of_one.dli_fbase == of_other.dli_fbase;
}

static void remember(unsigned symbol, const void *asker, void *function)
{
    unsigned number = atomic_fetch_add(&records_used, 1);
    if (number >= RECORDS) {
        atomic_store(&records_used, RECORDS);
        return;
    }
    records[number] = (struct record){asker, function, symbol, share_object(asker, function)};
    for (size_t i = 0; i < PROBES; i++) {
        const struct record *nothing = NULL;
        if (atomic_compare_exchange_strong(&places[(place_of(symbol, asker) + i) % RECORDS], &nothing, &records[number]))
            return;
    }
}

/* What this thread resolved last. A library's function that jumps to another of its own through the PLT arrives at our
 * second hook with the first one's return address, in this object: what it means is beside what was just called. */
static __thread const void *last_resolved;

static const void *asker_for(const void *caller)
{
    return is_ours(caller) && last_resolved ? last_resolved : caller;
}

/* Who comes from the main program's own code means that, whoever called it. */
static void *arrived_for(enum hook hook)
{
    patched_arrived = false;
    last_resolved = patched.function[hook];
    return patched.function[hook];
}

void *resolve_for(enum hook hook, const void *caller)
{
    if (__builtin_expect(patched_arrived, 0))
        return arrived_for(hook);
    const void *asker = asker_for(caller);
    const struct record *record = recall(hook, asker);
    void *function = record ? record->function : NULL;
    if (!record) {
        int saved = errno;
        function = look_up(names[hook], asker);
        if (function && !is_ours(asker))
            remember(hook, asker, function);
        errno = saved;
    }
    last_resolved = function;
    return function;
}

bool resolve_is_inner(enum hook hook, const void *caller)
{
    if (is_ours(caller))
        return true;
    /* In one object with all its callers, a library cannot be told from them: the hooks look at the handle instead. */
    if (patched_has(last_resolved))
        return false;
    const struct record *record = recall(hook, caller);
    if (record)
        return record->inner;
    int saved = errno;
    bool inner = share_object(resolve_for(hook, caller), caller);
    errno = saved;
    return inner;
}

bool resolve_is_inside(const void *function)
{
    return patched_has(function);
}

void *resolve_also(enum hook hook, const void *caller, const void *function)
{
    return patched_has(function) ? patched.function[hook] : resolve_for(hook, caller);
}

void *resolve_beside(enum neighbour neighbour, const void *function)
{
    if (patched_has(function))
        return patched.function[neighbour];
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

struct import_scan {
    const void *within;         /* an address in the object that is meant; NULL: any object */
    const char *prefix, *other; /* both must be there; NULL: the one */
    bool found;
};

static bool lies_in(const struct dl_phdr_info *info, const void *address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t offset = (uintptr_t)address - (uintptr_t)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type == PT_LOAD && offset < segment->p_memsz)
            return true;
    }
    return false;
}

/* What the parts of an object's dynamic section that name its imports say. */
struct relocations {
    const ElfW(Sym) * symbols;
    const char *strings;
    const char *table[3]; /* DT_JMPREL, DT_RELA, DT_REL */
    size_t size[3];
    bool jumps_are_rela;
};

static struct relocations relocations_of(const struct dl_phdr_info *info)
{
    struct relocations found = {0};
    const ElfW(Dyn) *entry = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    for (; entry && entry->d_tag != DT_NULL; entry++) {
        /* glibc has added the base to these already, other loaders have not. */
        ElfW(Addr) address = entry->d_un.d_ptr;
        const char *at = (const char *)(address < info->dlpi_addr ? address + info->dlpi_addr : address);
        switch (entry->d_tag) {
        case DT_SYMTAB: found.symbols = (const ElfW(Sym) *)at; break;
        case DT_STRTAB: found.strings = at; break;
        case DT_JMPREL: found.table[0] = at; break;
        case DT_RELA: found.table[1] = at; break;
        case DT_REL: found.table[2] = at; break;
        case DT_PLTRELSZ: found.size[0] = entry->d_un.d_val; break;
        case DT_RELASZ: found.size[1] = entry->d_un.d_val; break;
        case DT_RELSZ: found.size[2] = entry->d_un.d_val; break;
        case DT_PLTREL: found.jumps_are_rela = entry->d_un.d_val == DT_RELA; break;
        default: break;
        }
    }
    return found;
}

static bool imports(const struct relocations *relocations, const char *prefix)
{
    const size_t prefix_len = strlen(prefix);
    if (!relocations->symbols || !relocations->strings)
        return false;
    for (int i = 0; i < 3; i++) {
        const bool rela = i == 1 || (i == 0 && relocations->jumps_are_rela);
        const size_t step = rela ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        for (size_t at = 0; relocations->table[i] && at + step <= relocations->size[i]; at += step) {
            /* A Rela begins as a Rel does. */
            const size_t info = ((const ElfW(Rel) *)(relocations->table[i] + at))->r_info;
            const size_t symbol = sizeof(ElfW(Addr)) == 8 ? info >> 16 >> 16 : info >> 8;
            if (symbol && !strncmp(relocations->strings + relocations->symbols[symbol].st_name, prefix, prefix_len))
                return true;
        }
    }
    return false;
}

static int scan_imports(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct import_scan *scan = arg;
    (void)size;
    if (scan->within && !lies_in(info, scan->within))
        return 0;
    const struct relocations relocations = relocations_of(info);
    scan->found = imports(&relocations, scan->prefix) && (!scan->other || imports(&relocations, scan->other));
    return scan->found || scan->within;
}

bool resolve_caller_imports(enum neighbour prefix, const void *caller)
{
    /* What it has itself it need not import. */
    if (patched_is_program(caller) && patched.function[prefix])
        return true;
    const struct record *record = recall(prefix, caller);
    if (record)
        return record->function != NULL;
    struct import_scan scan = {.within = caller, .prefix = names[prefix]};
    dl_iterate_phdr(scan_imports, &scan);
    remember(prefix, caller, scan.found ? (void *)(uintptr_t)caller : NULL);
    return scan.found;
}

bool resolve_any_imports(enum neighbour prefix, enum neighbour other)
{
    struct import_scan scan = {.prefix = names[prefix], .other = names[other]};
    dl_iterate_phdr(scan_imports, &scan);
    return scan.found;
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
