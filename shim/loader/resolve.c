#include "resolve.h"

#include "../early.h"
#include "elf.h"
#include "library.h"
#include "patched.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* One text and places in it instead of pointers: each of those would be work for the loader at every start of every program. */
static const struct {
#define HOOK(library, symbol, since, why) char hook_##symbol[sizeof #symbol];
#include "../hooks.def"
#undef HOOK
#define X(symbol) char neighbour_##symbol[sizeof #symbol];
    NEIGHBOURS(X)
#undef X
} symbol_text = {
#define HOOK(library, symbol, since, why) #symbol,
#include "../hooks.def"
#undef HOOK
#define X(symbol) #symbol,
    NEIGHBOURS(X)
#undef X
};

static const uint16_t symbol_places[SYMBOL_COUNT] = {
#define HOOK(library, symbol, since, why) [HOOK_##symbol] = offsetof(__typeof__(symbol_text), hook_##symbol),
#include "../hooks.def"
#undef HOOK
#define X(symbol) [NEIGHBOUR_##symbol] = offsetof(__typeof__(symbol_text), neighbour_##symbol),
    NEIGHBOURS(X)
#undef X
};

const char *symbol_name(unsigned symbol)
{
    return (const char *)&symbol_text + symbol_places[symbol];
}

EARLY _Atomic(void *) resolved_next[HOOK_COUNT];

struct patched patched;
__thread bool patched_arrived;

/* How many objects there were when the program started: these are the global scope, in the order of search. 0: it has not
 * started yet, and all that are there belong to it. */
EARLY static _Atomic(size_t) startup_objects;

void resolve_note_startup(void)
{
    atomic_store(&startup_objects, elf_count());
}

/* What is looked for, and who may not be the one that defines it. */
struct search {
    const char *name;
    enum hook hook;
    const void *asker;
    const void *seen_from; /* only in objects that need the one this lies in */
    const void *but;       /* any other than this */
    bool genuine;          /* only in the library itself, */
    bool at_startup;       /* only in objects of the program's start, */
    bool behind_us;        /* only behind our own object in the order of search */
    bool passed_us;
    bool is_genuine; /* of what was found */
    void *found;
};

static bool holds(const struct elf_object *object, void *address)
{
    return elf_holds(object, address);
}

static bool visit(const struct elf_object *object, void *context)
{
    struct search *search = context;
    const size_t startup = atomic_load_explicit(&startup_objects, memory_order_relaxed);
    if (elf_is_ours(object->dynamic)) {
        search->passed_us = true;
        return false;
    }
    if ((search->behind_us && !search->passed_us) || (search->at_startup && startup && object->index >= startup))
        return false;
    void *found = elf_function(object, search->name);
    if (!found || found == search->but)
        return false;
    search->is_genuine = search->hook < HOOK_COUNT && library_is_genuine(search->hook, object);
    if (!search->is_genuine && (search->genuine || (search->asker && elf_holds(object, search->asker))))
        return false; /* a wrapper of the same name, that means the library's by its own call */
    if (search->seen_from && !elf_each_seen_from(object->dynamic, holds, (void *)(uintptr_t)search->seen_from))
        return false;
    search->found = found;
    return true;
}

static bool find(struct search *search)
{
    search->passed_us = false;
    return elf_each(visit, search);
}

/* The first of these calls may be made between fork() and exec(), where the loader's lock may be nobody's to give back. */
static bool find_of_start(struct search *search)
{
    search->passed_us = false;
    return elf_each_of_start(atomic_load_explicit(&startup_objects, memory_order_relaxed), visit, search);
}

void *resolve_next(enum hook hook)
{
    struct search search = {.name = symbol_name(hook), .hook = hook, .behind_us = true, .at_startup = true};
    if (!find_of_start(&search))
        find(&search);
    if (!search.found) { /* a C library whose loader lists it first */
        search.behind_us = false;
        search.genuine = true;
        find(&search);
    }
    if (search.found)
        atomic_store_explicit(&resolved_next[hook], search.found, memory_order_relaxed);
    return search.found;
}

bool resolve_exists(enum hook hook, const void *caller)
{
    struct search search = {.name = symbol_name(hook), .hook = hook, .asker = caller, .at_startup = true};
    if (find(&search) || elf_each_seen_from(caller, visit, &search))
        return true;
    search.at_startup = false;
    search.genuine = true;
    return find(&search);
}

bool resolve_has_copies(enum hook hook)
{
    struct search search = {.name = symbol_name(hook), .hook = hook, .genuine = true};
    if (!find(&search))
        return false;
    search.but = search.found;
    return find(&search);
}

static bool is_libc(const struct elf_object *object, void *context)
{
    struct elf_object *libc = context;
    *libc = *object;
    return library_is_genuine(HOOK_dlsym, object);
}

/* The one question that the objects themselves do not answer: what was opened with RTLD_GLOBAL. libc's own dlsym() is asked,
 * by which a pending error of the program's is lost. */
static void *in_global_scope(const char *name)
{
    struct elf_object libc;
    if (!elf_each(is_libc, &libc))
        return NULL;
    __typeof__(&dlsym) next = (__typeof__(&dlsym))elf_function(&libc, "dlsym");
    __typeof__(&dlerror) take_error = (__typeof__(&dlerror))elf_function(&libc, "dlerror");
    void *found = next && take_error ? next(RTLD_NEXT, name) : NULL;
    if (!found && take_error)
        take_error();
    return found && !elf_is_ours(found) ? found : NULL;
}

static bool asks_for(const void *caller, const char *name)
{
    struct elf_object object;
    return elf_object_of(caller, &object) && elf_imports(&object, name);
}

/* What an answer depends on. */
enum tie {
    TIED,   /* the caller's object: the next call from there means the same */
    SINGLE, /* there being one such library: the same until another object is loaded */
    GUESSED /* what this thread did last */
};

/* In the order that was measured to work everywhere: another preload's wrapper behind us; what the caller's object is linked
 * with; and for tail calls and code of no object, where nothing says that, the one there is, or of several that which needs
 * what this thread called last. */
static void *look_up(enum hook hook, const void *caller, const void *called_last, enum tie *tie)
{
    struct search search = {.name = symbol_name(hook), .hook = hook, .behind_us = true, .at_startup = true};
    *tie = TIED;
    if (find(&search) && !search.is_genuine)
        return search.found;
    search = (struct search){.name = symbol_name(hook), .hook = hook, .genuine = true};
    if (!elf_is_ours(caller) && elf_each_seen_from(caller, visit, &search))
        return search.found;
    search.behind_us = true;
    find(&search);
    void *first = search.found;
    *tie = SINGLE;
    search.but = first;
    if (first && find(&search)) {
        void *global = in_global_scope(symbol_name(hook));
        if (global)
            first = global;
        if (asks_for(caller, symbol_name(hook)))
            return first; /* by name, and so bound to what all may use */
        *tie = GUESSED;
        search.but = NULL;
        search.seen_from = called_last;
        return called_last && find(&search) ? search.found : first;
    }
    if (!first) { /* none is the library as it is known, so the first that is not the asker's own */
        search = (struct search){.name = symbol_name(hook), .hook = hook, .behind_us = true};
        find(&search);
        first = search.found;
    }
    return first;
}

/* What was found, by the address that asked. Records are written once and never change, so that a reader needs one load;
 * there is room for so many, and who finds no place is looked up each time. */
struct record {
    const void *asker; /* a return address, or a neighbour's function */
    void *function;
    unsigned symbol;          /* enum hook or enum neighbour */
    bool inner;               /* the asker lies in the object of the function */
    unsigned long long loads; /* what elf_loads() must still say; 0: anything */
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

static void forget(const struct record *record)
{
    for (size_t i = 0; i < PROBES; i++) {
        const struct record *there = record;
        atomic_compare_exchange_strong(&places[(place_of(record->symbol, record->asker) + i) % RECORDS], &there, NULL);
    }
}

static bool share_object(const void *one, const void *other)
{
    Dl_info of_one, of_other;
    return one && other && dladdr(one, &of_one) && dladdr(other, &of_other) && of_one.dli_fbase == of_other.dli_fbase;
}

static void remember(unsigned symbol, const void *asker, void *function, unsigned long long loads)
{
    unsigned number = atomic_fetch_add(&records_used, 1);
    if (number >= RECORDS) {
        atomic_store(&records_used, RECORDS);
        return;
    }
    records[number] = (struct record){asker, function, symbol, share_object(asker, function), loads};
    for (size_t i = 0; i < PROBES; i++) {
        const struct record *nothing = NULL;
        if (atomic_compare_exchange_strong(&places[(place_of(symbol, asker) + i) % RECORDS], &nothing, &records[number]))
            return;
    }
}

/* What this thread resolved last. A library's function that jumps to another of its own through the PLT arrives at our
 * second hook with the first one's return address, in this object: what it means is beside what was just called. */
static __thread const void *last_resolved;

__thread struct pointer_call last_pointer_call;

static const void *asker_for(const void *caller)
{
    return elf_is_ours(caller) && last_resolved ? last_resolved : caller;
}

/* The call that is being resolved came by a pointer of ours: once, since the next one from there may mean another. */
static void *take_pointer_call(enum hook hook, const void *caller)
{
    const struct pointer *pointer = last_pointer_call.pointer;
    if (__builtin_expect(!pointer, 1) || pointer->hook != hook || last_pointer_call.caller != caller)
        return NULL;
    last_pointer_call.pointer = NULL;
    return pointer->function;
}

static void *look_up_and_remember(enum hook hook, const void *asker)
{
    int saved = errno;
    enum tie tie;
    const unsigned long long loads = elf_loads();
    void *function = look_up(hook, asker, last_resolved, &tie);
    if (function && tie != GUESSED && !elf_is_ours(asker))
        remember(hook, asker, function, tie == SINGLE ? loads : 0);
    errno = saved;
    return function;
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
    void *function = take_pointer_call(hook, caller);
    if (!function) {
        const void *asker = asker_for(caller);
        const struct record *record = recall(hook, asker);
        if (record && record->loads && record->loads != elf_loads()) {
            forget(record);
            record = NULL;
        }
        function = record ? record->function : look_up_and_remember(hook, asker);
    }
    last_resolved = function;
    return function;
}

bool resolve_is_inner(enum hook hook, const void *caller)
{
    if (elf_is_ours(caller))
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
    struct search search = {.name = symbol_name(neighbour), .hook = HOOK_COUNT};
    elf_each_seen_from(function, visit, &search);
    remember(neighbour, function, search.found, 0);
    errno = saved;
    return search.found;
}

struct import_scan {
    const void *within;         /* an address in the object that is meant; NULL: any object */
    const char *prefix, *other; /* both must be there; NULL: the one */
    bool found;
};

static bool scan_imports(const struct elf_object *object, void *context)
{
    struct import_scan *scan = context;
    if (scan->within && !elf_holds(object, scan->within))
        return false;
    scan->found = elf_imports(object, scan->prefix) && (!scan->other || elf_imports(object, scan->other));
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
    struct import_scan scan = {.within = caller, .prefix = symbol_name(prefix)};
    elf_each(scan_imports, &scan);
    remember(prefix, caller, scan.found ? (void *)(uintptr_t)caller : NULL, 0);
    return scan.found;
}

bool resolve_any_imports(enum neighbour prefix, enum neighbour other)
{
    struct import_scan scan = {.prefix = symbol_name(prefix), .other = symbol_name(other)};
    elf_each(scan_imports, &scan);
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
