#include "stdio_table.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifdef __GLIBC__

/* struct _IO_jump_t of glibc's libio/libioP.h, the same since 2.1: two words that are zero, then 19 functions. */
enum { SLOT_READ = 14, SLOT_WRITE = 15, SLOT_CLOSE = 17, FIRST_FUNCTION = 2, SLOTS = 21 };

typedef uintptr_t table[SLOTS];
extern table _IO_file_jumps __attribute__((weak));
extern table _IO_wfile_jumps __attribute__((weak));

struct slot {
    uintptr_t *at;
    uintptr_t genuine, ours;
};

struct range {
    uintptr_t first, end;
};

/* The object that the tables lie in. */
struct object {
    const char *name;
    struct range code; /* its executable segment */
    struct range kept; /* what the loader made read-only after relocation (RELRO), in whole pages */
};

static bool contains(struct range range, const void *at, size_t len)
{
    const uintptr_t address = (uintptr_t)at;
    return range.first <= address && address <= range.end && len <= range.end - address;
}

static struct range range_of(const struct dl_phdr_info *info, const ElfW(Phdr) * segment)
{
    const uintptr_t first = info->dlpi_addr + segment->p_vaddr;
    return (struct range){first, first + segment->p_memsz};
}

static int find_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct object *object = arg;
    struct object found = {.name = info->dlpi_name ? info->dlpi_name : ""};
    const uintptr_t page = getauxval(AT_PAGESZ);
    bool is_here = false;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const struct range range = range_of(info, segment);
        if (segment->p_type == PT_LOAD && contains(range, _IO_file_jumps, sizeof(table)))
            is_here = true;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X)
            found.code = range;
        if (segment->p_type == PT_GNU_RELRO)
            found.kept = (struct range){range.first & -page, range.end & -page};
    }
    if (is_here)
        *object = found;
    return is_here;
}

static bool is_libc(const struct object *object)
{
    static const char name[] = "/libc.so.6";
    const size_t len = strlen(object->name);
    return len >= sizeof name - 1 && !strcmp(object->name + len - (sizeof name - 1), name);
}

/* Two empty words, then functions of libc's own, but for slots that are ours already. */
static bool has_shape(const table *slots, const struct object *object, const struct stdio_functions *ours)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const uintptr_t function = (*slots)[i];
        const bool is_ours = function == (uintptr_t)ours->read || function == (uintptr_t)ours->write ||
                             function == (uintptr_t)ours->close;
        if (i < FIRST_FUNCTION ? function != 0 : !is_ours && !contains(object->code, (const void *)function, 1))
            return false;
    }
    return true;
}

bool stdio_table_exists(void)
{
    return _IO_file_jumps && _IO_wfile_jumps && _IO_file_read && _IO_file_write && _IO_file_close;
}

/* NULL where all is as it was understood. */
static const char *objection(const struct slot *slots, size_t count, const struct stdio_functions *ours)
{
    struct object object = {.name = ""};
    if (!dl_iterate_phdr(find_object, &object) || !is_libc(&object))
        return "table-not-in-libc";
    if (!contains(object.kept, _IO_file_jumps, sizeof(table)) || !contains(object.kept, _IO_wfile_jumps, sizeof(table)))
        return "table-not-relro";
    if ((uintptr_t)_IO_file_jumps % sizeof(void *) || (uintptr_t)_IO_wfile_jumps % sizeof(void *))
        return "table-misaligned";
    if (!has_shape(&_IO_file_jumps, &object, ours) || !has_shape(&_IO_wfile_jumps, &object, ours))
        return "table-shape";
    for (size_t i = 0; i < count; i++)
        if (*slots[i].at != slots[i].genuine && *slots[i].at != slots[i].ours)
            return "slot-not-libcs";
    return NULL;
}

/* The slots' own page; two where the tables lie across a border. */
static struct range pages_of(const struct slot *slots, size_t count)
{
    const uintptr_t page = getauxval(AT_PAGESZ);
    struct range pages = {UINTPTR_MAX, 0};
    for (size_t i = 0; i < count; i++) {
        const uintptr_t at = (uintptr_t)slots[i].at & -page;
        pages.first = at < pages.first ? at : pages.first;
        pages.end = at + page > pages.end ? at + page : pages.end;
    }
    return pages;
}

bool stdio_table_change(const struct stdio_functions *ours, const char **why)
{
    const struct slot slots[] = {
        {&_IO_file_jumps[SLOT_READ], (uintptr_t)_IO_file_read, (uintptr_t)ours->read},
        {&_IO_file_jumps[SLOT_WRITE], (uintptr_t)_IO_file_write, (uintptr_t)ours->write},
        {&_IO_file_jumps[SLOT_CLOSE], (uintptr_t)_IO_file_close, (uintptr_t)ours->close},
        {&_IO_wfile_jumps[SLOT_READ], (uintptr_t)_IO_file_read, (uintptr_t)ours->read},
        {&_IO_wfile_jumps[SLOT_WRITE], (uintptr_t)_IO_file_write, (uintptr_t)ours->write},
        {&_IO_wfile_jumps[SLOT_CLOSE], (uintptr_t)_IO_file_close, (uintptr_t)ours->close},
    };
    const size_t count = sizeof slots / sizeof slots[0];
    const struct range pages = pages_of(slots, count);
    void *const first = (void *)pages.first;
    *why = objection(slots, count, ours);
    if (!*why && pages.end - pages.first > 2 * getauxval(AT_PAGESZ))
        *why = "tables-apart";
    if (!*why && mprotect(first, pages.end - pages.first, PROT_READ | PROT_WRITE) != 0)
        *why = "protection-refused"; /* SELinux, mseal(), seccomp */
    if (*why)
        return false;
    for (size_t i = 0; i < count; i++)
        __atomic_store_n(slots[i].at, slots[i].ours, __ATOMIC_RELEASE); /* read by other threads meanwhile */
    if (mprotect(first, pages.end - pages.first, PROT_READ) != 0)
        *why = "protection-not-restored";
    return true;
}

#endif
