#include "stdio_table.h"

#ifdef __GLIBC__
#include "../loader/elf.h"

#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* struct _IO_jump_t of glibc's libio/libioP.h, the same since 2.1: two words that are zero, then 19 functions. */
enum { SLOT_READ = 14, SLOT_WRITE = 15, SLOT_CLOSE = 17, FIRST_FUNCTION = 2, SLOTS = 21 };
enum { TABLES = 2, CHANGES = 3 };

struct range {
    uintptr_t first, end;
};

/* What is asked of the C library. Importing its symbols would cost every exec five look-ups, and would
 * find the copies that some programs have of a library's data. */
struct libc {
    struct elf_object object;
    bool found;
    struct range code; /* its executable segment */
    struct range kept; /* what the loader made read-only after relocation (RELRO), in whole pages */
};

struct change {
    size_t slot;
    uintptr_t libcs, ours;
};

static bool contains(struct range range, uintptr_t address, size_t len)
{
    return range.first <= address && address <= range.end && len <= range.end - address;
}

static bool is_libc(const char *name)
{
    static const char libc[] = "/libc.so.6";
    const size_t len = name ? strlen(name) : 0;
    return len >= sizeof libc - 1 && !strcmp(name + len - (sizeof libc - 1), libc);
}

static bool find_libc(const struct elf_object *object, void *context)
{
    struct libc *libc = context;
    const uintptr_t page = getauxval(AT_PAGESZ);
    if (!is_libc(object->path))
        return false;
    libc->object = *object;
    libc->found = true;
    for (size_t i = 0; i < object->segment_count; i++) {
        const ElfW(Phdr) *segment = &object->segments[i];
        const uintptr_t first = object->base + segment->p_vaddr;
        const uintptr_t end = first + segment->p_memsz;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X)
            libc->code = (struct range){first, end};
        else if (segment->p_type == PT_GNU_RELRO)
            libc->kept = (struct range){first & -page, end & -page};
    }
    return true;
}

/* The address of a symbol of libc's that has `len` bytes (0: any number); 0 if there is none. */
static uintptr_t symbol_of(const struct libc *libc, const char *name, unsigned char type, size_t len)
{
    const ElfW(Sym) *symbol = elf_symbol(&libc->object, name, type);
    return symbol && (!len || symbol->st_size == len) ? libc->object.base + symbol->st_value : 0;
}

/* Two empty words, then functions of libc's own, but for slots that are ours already. */
static const char *objection_to(const uintptr_t *table, const struct libc *libc, const struct change *changes)
{
    if (!table || (uintptr_t)table % sizeof(uintptr_t))
        return "table-absent";
    if (!contains(libc->kept, (uintptr_t)table, SLOTS * sizeof(uintptr_t)))
        return "table-not-relro";
    for (size_t i = 0; i < SLOTS; i++) {
        bool is_ours = false;
        for (size_t j = 0; j < CHANGES; j++)
            is_ours |= changes[j].slot == i && changes[j].ours == table[i];
        if (i < FIRST_FUNCTION ? table[i] != 0 : !is_ours && !contains(libc->code, table[i], 1))
            return "table-shape";
    }
    for (size_t i = 0; i < CHANGES; i++)
        if (table[changes[i].slot] != changes[i].libcs && table[changes[i].slot] != changes[i].ours)
            return "slot-not-libcs";
    return NULL;
}

/* The slots' own page; two where the tables lie across a border. */
static struct range pages_of(uintptr_t *const *tables)
{
    const uintptr_t page = getauxval(AT_PAGESZ);
    struct range pages = {UINTPTR_MAX, 0};
    for (size_t i = 0; i < TABLES; i++) {
        const uintptr_t first = (uintptr_t)&tables[i][SLOT_READ] & -page;
        const uintptr_t end = ((uintptr_t)&tables[i][SLOT_CLOSE] & -page) + page;
        pages.first = first < pages.first ? first : pages.first;
        pages.end = end > pages.end ? end : pages.end;
    }
    return pages;
}

static void store(uintptr_t *const *tables, const struct change *changes)
{
    for (size_t i = 0; i < TABLES; i++)
        for (size_t j = 0; j < CHANGES; j++) /* other threads read them meanwhile */
            __atomic_store_n(&tables[i][changes[j].slot], changes[j].ours, __ATOMIC_RELEASE);
}

bool stdio_table_change(const struct stdio_functions *ours, struct stdio_functions *libcs, const char **why)
{
    struct libc libc = {.found = false};
    elf_each(find_libc, &libc);
    *why = "libc-not-found";
    if (!libc.found)
        return false;
    const struct change changes[CHANGES] = {
        {SLOT_READ, symbol_of(&libc, "_IO_file_read", STT_FUNC, 0), (uintptr_t)ours->read},
        {SLOT_WRITE, symbol_of(&libc, "_IO_file_write", STT_FUNC, 0), (uintptr_t)ours->write},
        {SLOT_CLOSE, symbol_of(&libc, "_IO_file_close", STT_FUNC, 0), (uintptr_t)ours->close},
    };
    uintptr_t *const tables[TABLES] = {
        (uintptr_t *)symbol_of(&libc, "_IO_file_jumps", STT_OBJECT, SLOTS * sizeof(uintptr_t)),
        (uintptr_t *)symbol_of(&libc, "_IO_wfile_jumps", STT_OBJECT, SLOTS * sizeof(uintptr_t)),
    };
    *why = NULL;
    for (size_t i = 0; i < TABLES && !*why; i++)
        *why = objection_to(tables[i], &libc, changes);
    if (*why)
        return false;

    libcs->read = (__typeof__(libcs->read))changes[0].libcs;
    libcs->write = (__typeof__(libcs->write))changes[1].libcs;
    libcs->close = (__typeof__(libcs->close))changes[2].libcs;
    const struct range pages = pages_of(tables);
    void *const first = (void *)pages.first;
    if (pages.end - pages.first > 2 * getauxval(AT_PAGESZ))
        *why = "tables-apart";
    else if (mprotect(first, pages.end - pages.first, PROT_READ | PROT_WRITE) != 0)
        *why = "protection-refused"; /* SELinux, mseal(), seccomp */
    if (*why)
        return false;
    store(tables, changes);
    if (mprotect(first, pages.end - pages.first, PROT_READ) != 0)
        *why = "protection-not-restored";
    return true;
}
#endif
