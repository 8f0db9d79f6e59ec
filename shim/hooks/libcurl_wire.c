/* Which requests of a libcurl no other hook can see. What its object imports decides: a TLS library's write that comes from
 * another object goes by our hook of that name, and one that is linked in does not. Answered once per libcurl. */
#include "libcurl.h"
#include "libcurl_names.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>

enum { LIBCURLS = 16 };
enum { FEATURE_HTTP2 = 1 << 16, FEATURE_HTTP3 = 1 << 25 };

/* Those that were asked about, by where their objects lie. `begin` is written last: who reads it finds the rest. */
static struct known {
    _Atomic(uintptr_t) begin; /* 0: nothing here */
    uintptr_t end;
    struct libcurl lib;
    _Atomic(int) taken;
    _Atomic(bool) told;
} known[LIBCURLS];

/* The object that an address lies in. */
struct object {
    uintptr_t address;
    uintptr_t begin, end;
    uintptr_t base;
    const ElfW(Dyn) * dynamic;
};

static int object_of(struct dl_phdr_info *info, size_t size, void *context)
{
    struct object *object = context;
    uintptr_t begin = UINTPTR_MAX;
    uintptr_t end = 0;
    const ElfW(Dyn) *dynamic = NULL;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)at;
        if (segment->p_type != PT_LOAD)
            continue;
        begin = at < begin ? at : begin;
        end = at + segment->p_memsz > end ? at + segment->p_memsz : end;
    }
    if (object->address < begin || object->address >= end)
        return 0;
    *object = (struct object){object->address, begin, end, info->dlpi_addr, dynamic};
    return 1;
}

/* The loader of one C library relocates these in place, that of another does not. */
static const void *table_at(const struct object *object, uintptr_t pointer)
{
    return (const void *)(pointer < object->begin ? object->base + pointer : pointer);
}

/* How many symbols there are to look through for undefined ones. DT_GNU_HASH tells where the defined ones begin, which the
 * linker puts behind all others; DT_HASH how many there are. 0: neither is there. */
static size_t count_symbols(const uint32_t *gnu_hash, const uint32_t *hash)
{
    return gnu_hash ? gnu_hash[1] : hash ? hash[1] : 0;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

struct imports {
    bool readable, tls, h2;
};

static struct imports imports_of(const struct object *object)
{
#define AS_TEXT(symbol) #symbol,
    static const char *const tls_writes[] = {LIBCURL_TLS_WRITES(AS_TEXT) NULL};
    static const char *const h2_submits[] = {LIBCURL_H2_SUBMITS(AS_TEXT) NULL};
#undef AS_TEXT
    struct imports imports = {.readable = false};
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    const uint32_t *gnu_hash = NULL;
    const uint32_t *hash = NULL;
    for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
        const void *table = table_at(object, entry->d_un.d_ptr);
        if (entry->d_tag == DT_SYMTAB)
            symbols = table;
        else if (entry->d_tag == DT_STRTAB)
            strings = table;
        else if (entry->d_tag == DT_GNU_HASH)
            gnu_hash = table;
        else if (entry->d_tag == DT_HASH)
            hash = table;
    }
    size_t count = count_symbols(gnu_hash, hash);
    if (!symbols || !strings || count == 0)
        return imports;
    imports.readable = true;
    for (size_t i = 1; i < count; i++) {
        if (symbols[i].st_shndx != SHN_UNDEF)
            continue;
        const char *name = strings + symbols[i].st_name;
        imports.tls |= is_one_of(name, tls_writes);
        imports.h2 |= is_one_of(name, h2_submits);
    }
    return imports;
}

/* The first members of curl_version_info_data, since libcurl 7.10. */
struct version_info {
    int age;
    const char *version;
    unsigned version_num;
    const char *host;
    int features;
};

static unsigned hidden_of(const struct imports *imports, int features)
{
    if (!imports->readable)
        return 0;
    if (!imports->tls)
        return HIDDEN_TLS;
    return (!imports->h2 && features & FEATURE_HTTP2 ? HIDDEN_H2 : 0) | (features & FEATURE_HTTP3 ? HIDDEN_H3 : 0);
}

static void examine(const struct object *object, const void *function, struct libcurl *lib)
{
    const struct version_info *(*version_info)(int now) =
        (const struct version_info *(*)(int))resolve_beside(NEIGHBOUR_curl_version_info, function);
    const struct version_info *info = version_info ? version_info(0) : NULL;
    struct imports imports = imports_of(object);
    *lib = (struct libcurl){.hidden = hidden_of(&imports, info ? info->features : 0)};
    if (lib->hidden == 0)
        return;
    lib->version = info ? info->version_num : 0;
    lib->setopt = (curl_easy_setopt_fn *)resolve_beside(NEIGHBOUR_curl_easy_setopt, function);
    lib->getinfo = (curl_easy_getinfo_fn *)resolve_beside(NEIGHBOUR_curl_easy_getinfo, function);
    lib->url = (CURLU * (*)(void)) resolve_beside(NEIGHBOUR_curl_url, function);
    lib->url_cleanup = (void (*)(CURLU *))resolve_beside(NEIGHBOUR_curl_url_cleanup, function);
    lib->url_get = (int (*)(const CURLU *, int, char **, unsigned))resolve_beside(NEIGHBOUR_curl_url_get, function);
    lib->url_set = (int (*)(CURLU *, int, const char *, unsigned))resolve_beside(NEIGHBOUR_curl_url_set, function);
    lib->release = (void (*)(void *))resolve_beside(NEIGHBOUR_curl_free, function);
    if (!lib->setopt || !lib->getinfo)
        lib->hidden = 0;
    if (!lib->url_cleanup || !lib->url_get || !lib->url_set || !lib->release)
        lib->url = NULL;
}

static const struct libcurl *recall(uintptr_t address, bool *found)
{
    for (int i = 0; i < LIBCURLS; i++) {
        uintptr_t begin = atomic_load_explicit(&known[i].begin, memory_order_acquire);
        if (begin && address >= begin && address < known[i].end) {
            *found = true;
            return known[i].lib.hidden ? &known[i].lib : NULL;
        }
    }
    return NULL;
}

/* Where no place is left, a libcurl counts as visible. */
static struct known *free_place(void)
{
    for (int i = 0; i < LIBCURLS; i++) {
        int free = 0;
        if (atomic_compare_exchange_strong(&known[i].taken, &free, 1))
            return &known[i];
    }
    return NULL;
}

const struct libcurl *libcurl_hidden(const void *function)
{
    bool found = false;
    if (!function || config_get()->mode == MODE_OFF)
        return NULL;
    const struct libcurl *lib = recall((uintptr_t)function, &found);
    if (found)
        return lib;
    int saved = errno;
    struct object object = {.address = (uintptr_t)function};
    struct known *place = dl_iterate_phdr(object_of, &object) ? free_place() : NULL;
    if (place) {
        place->end = object.end;
        atomic_store(&place->told, false);
        examine(&object, function, &place->lib);
        atomic_store_explicit(&place->begin, object.begin, memory_order_release);
        lib = place->lib.hidden ? &place->lib : NULL;
    }
    errno = saved;
    return lib;
}

static int is_mapped_at(struct dl_phdr_info *info, size_t size, void *context)
{
    struct object object = {.address = *(uintptr_t *)context};
    return object_of(info, size, &object);
}

void libcurl_forget_unmapped(void)
{
    int saved = errno;
    for (int i = 0; i < LIBCURLS; i++) {
        uintptr_t begin = atomic_load(&known[i].begin);
        if (begin && !dl_iterate_phdr(is_mapped_at, &begin)) {
            atomic_store(&known[i].begin, 0);
            atomic_store(&known[i].taken, 0);
        }
    }
    errno = saved;
}

bool libcurl_layer_applies(const struct libcurl *lib, const struct options *options, bool https, const char **why)
{
    const long version = options->http_version;
    const long alt_svc_h3 = 1 << 5;
    bool applies = https;
    if (!https) {
        *why = "no-tls"; /* its sockets are visible */
    } else if (lib->hidden & HIDDEN_TLS) {
        *why = "tls-inside";
    } else if (lib->hidden & HIDDEN_H2 && version != HTTP_1_0 && version != HTTP_1_1) {
        *why = "http2-inside";
    } else if (lib->hidden & HIDDEN_H3 && (version == HTTP_3 || version == HTTP_3_ONLY || options->altsvc & alt_svc_h3)) {
        *why = "http3";
    } else {
        *why = "visible";
        applies = false;
    }
    return applies;
}

void libcurl_report_layer(const struct libcurl *lib, const char *why)
{
    struct known *place = (struct known *)((uintptr_t)lib - offsetof(struct known, lib));
    Dl_info info;
    if (atomic_exchange(&place->told, true) || !dladdr((const void *)lib->setopt, &info))
        return;
    report_layer("libcurl", info.dli_fname, why);
}
