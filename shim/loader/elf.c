#include "elf.h"

#include "../early.h"
#include "text.h"

#include <stdatomic.h>
#include <sys/auxv.h>

bool elf_is_ours(const void *address)
{
    extern const char __ehdr_start[] __attribute__((visibility("hidden")));
    extern const char _end[] __attribute__((visibility("hidden")));
    return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

bool elf_holds(const struct elf_object *object, const void *address)
{
    for (size_t i = 0; i < object->segment_count; i++) {
        const ElfW(Phdr) *segment = &object->segments[i];
        if (segment->p_type == PT_LOAD && (uintptr_t)address - (object->base + segment->p_vaddr) < segment->p_memsz)
            return true;
    }
    return false;
}

/* glibc has added the base to most of these already, other loaders, and the kernel's own object, have not. */
static const void *table_at(const struct elf_object *object, ElfW(Addr) address)
{
    return (const void *)(address < object->base ? object->base + address : address);
}

static const ElfW(Dyn) * dynamic_of(uintptr_t base, const ElfW(Phdr) * segments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (segments[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(base + segments[i].p_vaddr);
    return NULL;
}

static void read_dynamic(struct elf_object *object)
{
    size_t soname = 0;
    for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: object->symbols = table_at(object, entry->d_un.d_ptr); break;
        case DT_STRTAB: object->strings = table_at(object, entry->d_un.d_ptr); break;
        case DT_GNU_HASH: object->gnu_hash = table_at(object, entry->d_un.d_ptr); break;
        case DT_HASH: object->hash = table_at(object, entry->d_un.d_ptr); break;
        case DT_VERSYM: object->versions = table_at(object, entry->d_un.d_ptr); break;
        case DT_SONAME: soname = entry->d_un.d_val; break;
        default: break;
        }
    }
    if (soname && object->strings)
        object->soname = object->strings + soname;
}

/* What is looked for among an object's symbols. */
struct sought {
    const char *name;
    unsigned char type;
};

/* The version that a plain reference gets is the one that is not marked as hidden. */
static const ElfW(Sym) * symbol_at(const struct elf_object *object, size_t number, struct sought sought)
{
    const unsigned hidden = 0x8000;
    const ElfW(Sym) *symbol = &object->symbols[number];
    const unsigned char type = symbol->st_info & 15;
    const unsigned char bind = symbol->st_info >> 4;
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0 || type != sought.type ||
        (bind != STB_GLOBAL && bind != STB_WEAK) || (object->versions && object->versions[number] & hidden) ||
        !text_is(object->strings + symbol->st_name, sought.name))
        return NULL;
    return symbol;
}

static const ElfW(Sym) * symbol_by_gnu_hash(const struct elf_object *object, struct sought sought)
{
    const uint32_t *table = object->gnu_hash;
    const uint32_t buckets = table[0];
    const uint32_t first = table[1];
    const uint32_t words = table[2];
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(table + 4);
    const uint32_t *bucket = (const uint32_t *)(bloom + words);
    const uint32_t *chain = bucket + buckets;
    const unsigned bits = sizeof(ElfW(Addr)) * 8;
    uint32_t hash = 5381;
    if (buckets == 0 || words == 0)
        return NULL;
    for (const unsigned char *at = (const unsigned char *)sought.name; *at; at++)
        hash = hash * 33 + *at;
    const ElfW(Addr) word = bloom[hash / bits % words];
    if (!(word >> hash % bits & word >> (hash >> table[3]) % bits & 1))
        return NULL;
    for (uint32_t number = bucket[hash % buckets]; number >= first; number++) {
        const uint32_t entry = chain[number - first];
        const ElfW(Sym) *symbol = (entry ^ hash) >> 1 == 0 ? symbol_at(object, number, sought) : NULL;
        if (symbol || entry & 1)
            return symbol;
    }
    return NULL;
}

static const ElfW(Sym) * symbol_by_hash(const struct elf_object *object, struct sought sought)
{
    const uint32_t buckets = object->hash[0];
    const uint32_t *bucket = object->hash + 2;
    const uint32_t *chain = bucket + buckets;
    uint32_t hash = 0;
    for (const unsigned char *at = (const unsigned char *)sought.name; *at; at++) {
        hash = (hash << 4) + *at;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    for (uint32_t number = buckets ? bucket[hash % buckets] : 0; number; number = chain[number]) {
        const ElfW(Sym) *symbol = symbol_at(object, number, sought);
        if (symbol)
            return symbol;
    }
    return NULL;
}

const ElfW(Sym) * elf_symbol(const struct elf_object *object, const char *name, unsigned char type)
{
    const struct sought sought = {name, type};
    if (!object->symbols || !object->strings)
        return NULL;
    if (object->gnu_hash)
        return symbol_by_gnu_hash(object, sought);
    return object->hash ? symbol_by_hash(object, sought) : NULL;
}

void *elf_function(const struct elf_object *object, const char *name)
{
    const ElfW(Sym) *symbol = elf_symbol(object, name, STT_FUNC);
    return symbol ? (void *)(object->base + symbol->st_value) : NULL;
}

/* The parts of an object's dynamic section that say what it asks for. */
struct relocations {
    const char *table[3]; /* DT_JMPREL, DT_RELA, DT_REL */
    size_t size[3];
    bool jumps_are_rela;
};

static struct relocations relocations_of(const struct elf_object *object)
{
    struct relocations found = {.jumps_are_rela = false};
    for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_JMPREL: found.table[0] = table_at(object, entry->d_un.d_ptr); break;
        case DT_RELA: found.table[1] = table_at(object, entry->d_un.d_ptr); break;
        case DT_REL: found.table[2] = table_at(object, entry->d_un.d_ptr); break;
        case DT_PLTRELSZ: found.size[0] = entry->d_un.d_val; break;
        case DT_RELASZ: found.size[1] = entry->d_un.d_val; break;
        case DT_RELSZ: found.size[2] = entry->d_un.d_val; break;
        case DT_PLTREL: found.jumps_are_rela = entry->d_un.d_val == DT_RELA; break;
        default: break;
        }
    }
    return found;
}

bool elf_imports(const struct elf_object *object, const char *prefix)
{
    const struct relocations relocations = relocations_of(object);
    if (!object->symbols || !object->strings)
        return false;
    for (int i = 0; i < 3; i++) {
        const bool rela = i == 1 || (i == 0 && relocations.jumps_are_rela);
        const size_t step = rela ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        for (size_t at = 0; relocations.table[i] && at + step <= relocations.size[i]; at += step) {
            /* A Rela begins as a Rel does. */
            const size_t info = ((const ElfW(Rel) *)(relocations.table[i] + at))->r_info;
            const size_t symbol = sizeof(ElfW(Addr)) == 8 ? info >> 16 >> 16 : info >> 8;
            if (symbol && text_begins(object->strings + object->symbols[symbol].st_name, prefix))
                return true;
        }
    }
    return false;
}

void elf_read(struct elf_object *object, const struct dl_phdr_info *info, size_t index)
{
    *object = (struct elf_object){.base = info->dlpi_addr,
                                  .path = info->dlpi_name ? info->dlpi_name : "",
                                  .segments = info->dlpi_phdr,
                                  .segment_count = info->dlpi_phnum,
                                  .dynamic = dynamic_of(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum),
                                  .index = index};
    read_dynamic(object);
}

/* The loader's own list, which it shows to debuggers. NULL if the program has no place for that. */
static const struct link_map *loaders_list(void)
{
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    const size_t count = getauxval(AT_PHNUM);
    uintptr_t base = 0;
    for (size_t i = 0; segments && i < count; i++)
        if (segments[i].p_type == PT_PHDR)
            base = (uintptr_t)segments - segments[i].p_vaddr;
    const ElfW(Dyn) *entry = segments ? dynamic_of(base, segments, count) : NULL;
    for (; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_DEBUG && entry->d_un.d_ptr)
            return ((const struct r_debug *)entry->d_un.d_ptr)->r_map;
    return NULL;
}

typedef int iterate_fn(int (*each)(struct dl_phdr_info *info, size_t size, void *context), void *context);

/* dl_iterate_phdr() of libc itself: a sanitizer has put one of its own into its place, which cannot be called while it
 * starts, and it asks for symbols then. */
static iterate_fn *libcs_iterate(void)
{
    EARLY static _Atomic(iterate_fn *) known;
    iterate_fn *iterate = atomic_load_explicit(&known, memory_order_relaxed);
    if (__builtin_expect(iterate != NULL, 1))
        return iterate;
    iterate = dl_iterate_phdr;
    for (const struct link_map *map = loaders_list(); map; map = map->l_next) {
        struct elf_object object = {.base = map->l_addr, .path = map->l_name, .dynamic = map->l_ld};
        read_dynamic(&object);
        void *found = elf_function(&object, "__libc_start_main") ? elf_function(&object, "dl_iterate_phdr") : NULL;
        if (!found)
            continue;
        iterate = (iterate_fn *)found;
        break;
    }
    atomic_store_explicit(&known, iterate, memory_order_relaxed);
    return iterate;
}

struct walk {
    elf_visit_fn *visit;
    void *context;
    size_t index;
};

static int walk_on(struct dl_phdr_info *info, size_t size, void *context)
{
    struct walk *walk = context;
    struct elf_object object;
    (void)size;
    elf_read(&object, info, walk->index++);
    return walk->visit(&object, walk->context);
}

bool elf_each(elf_visit_fn *visit, void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    return libcs_iterate()(walk_on, &walk) != 0;
}

bool elf_each_of_start(size_t count, elf_visit_fn *visit, void *context)
{
    size_t index = 0;
    for (const struct link_map *map = loaders_list(); map && index < count; map = map->l_next) {
        struct elf_object object = {
            .base = map->l_addr, .path = map->l_name ? map->l_name : "", .dynamic = map->l_ld, .index = index++};
        read_dynamic(&object);
        if (visit(&object, context))
            return true;
    }
    return false;
}

static int count_one(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)info, (void)size;
    ++*(size_t *)context;
    return 0;
}

size_t elf_count(void)
{
    size_t count = 0;
    libcs_iterate()(count_one, &count);
    return count;
}

static int read_loads(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    *(unsigned long long *)context = info->dlpi_adds;
    return 1;
}

unsigned long long elf_loads(void)
{
    unsigned long long loads = 0;
    libcs_iterate()(read_loads, &loads);
    return loads;
}

bool elf_is_copy(void)
{
    struct elf_object ours;
    return elf_object_of((const void *)elf_is_copy, &ours) && ours.index == 0 && *ours.path;
}

struct wanted {
    const void *address;
    struct elf_object *object;
};

static bool holds_wanted(const struct elf_object *object, void *context)
{
    const struct wanted *wanted = context;
    if (!elf_holds(object, wanted->address))
        return false;
    *wanted->object = *object;
    return true;
}

bool elf_object_of(const void *address, struct elf_object *object)
{
    struct wanted wanted = {.address = address, .object = object};
    return address && elf_each(holds_wanted, &wanted);
}

/* A search from one object on to those that it needs. More objects than there is room for are not looked at: a search is
 * made on whatever stack the program is on. */
enum { OBJECTS = 256 };
struct search {
    const void *address;
    elf_visit_fn *visit;
    void *context;
    bool found;
    struct {
        const ElfW(Dyn) * dynamic; /* lies in the object, and so says which it is */
        const char *soname, *path;
    } loaded[OBJECTS];
    size_t loaded_count;
    uint16_t queue[OBJECTS]; /* of places in `loaded` */
    size_t queued;
};

static void enqueue(struct search *search, size_t place)
{
    for (size_t i = 0; i < search->queued; i++)
        if (search->queue[i] == place)
            return;
    search->queue[search->queued++] = (uint16_t)place;
}

static bool is_named(const char *soname, const char *path, const char *name)
{
    const char *file = path;
    for (const char *at = path; *at; at++)
        if (*at == '/')
            file = at + 1;
    return (soname && text_is(soname, name)) || text_is(path, name) || text_is(file, name);
}

static void enqueue_needed(struct search *search, const struct elf_object *object)
{
    for (const ElfW(Dyn) *entry = object->dynamic; object->strings && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag != DT_NEEDED)
            continue;
        const char *name = object->strings + entry->d_un.d_val;
        size_t place = 0;
        while (place < search->loaded_count && !is_named(search->loaded[place].soname, search->loaded[place].path, name))
            place++;
        if (place < search->loaded_count)
            enqueue(search, place);
    }
}

static bool list_loaded(const struct elf_object *object, void *context)
{
    struct search *search = context;
    if (!object->dynamic)
        return false;
    if (elf_holds(object, search->address))
        enqueue(search, search->loaded_count);
    search->loaded[search->loaded_count].dynamic = object->dynamic;
    search->loaded[search->loaded_count].soname = object->soname;
    search->loaded[search->loaded_count].path = object->path;
    return ++search->loaded_count == OBJECTS;
}

/* Within a visit, so that no object is unloaded before the search is over. */
static bool search_on(const struct elf_object *any, void *context)
{
    struct search *search = context;
    (void)any;
    elf_each(list_loaded, search);
    for (size_t i = 0; i < search->queued && !search->found; i++) {
        struct elf_object object;
        if (!elf_object_of(search->loaded[search->queue[i]].dynamic, &object))
            continue;
        search->found = search->visit(&object, search->context);
        enqueue_needed(search, &object);
    }
    return true;
}

bool elf_each_seen_from(const void *address, elf_visit_fn *visit, void *context)
{
    struct search search;
    search.address = address;
    search.visit = visit;
    search.context = context;
    search.found = false;
    search.loaded_count = search.queued = 0;
    elf_each(search_on, &search);
    return search.found;
}
