#include "pages.h"

#include "../loader/raw.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static bool failed(long result)
{
    return (unsigned long)result > -4096ul;
}

static long map(const void *at, size_t len, int protection, int flags, long fd, long offset)
{
    return raw_syscall(SYS_mmap, (long)at, (long)len, protection, flags, fd, offset);
}

static bool protect(const void *at, size_t len, int protection)
{
    return !failed(raw_syscall(SYS_mprotect, (long)at, (long)len, protection, 0, 0, 0));
}

void pages_free(void *at, size_t len)
{
    raw_syscall(SYS_munmap, (long)at, (long)len, 0, 0, 0, 0);
}

static unsigned char *map_at(uintptr_t at, size_t len)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    long got = map((const void *)at, len, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (failed(got))
        return NULL;
    if ((uintptr_t)got == at)
        return (unsigned char *)got;
    pages_free((void *)got, len); /* before Linux 4.17 the address is but a hint */
    return NULL;
}

unsigned char *pages_near(const char *low, const char *high, size_t len)
{
    enum { STEP = 64 * 1024, TRIES = 4096 };
    const uintptr_t reach = (1ul << 31) - (1ul << 20);
    const uintptr_t bottom = (uintptr_t)low & -(uintptr_t)STEP;
    if ((uintptr_t)high - bottom > reach / 2)
        return NULL;
    /* Below the program: what is above it is where its heap grows. */
    for (uintptr_t i = 1; i <= TRIES && bottom > (i + 1) * STEP; i++) {
        unsigned char *at = map_at(bottom - i * STEP, len);
        if (at)
            return at;
    }
    return NULL;
}

bool pages_make_code(void *at, size_t len)
{
    return protect(at, len, PROT_READ | PROT_EXEC);
}

struct search {
    const char *code;
    struct mapping mapping;
    long offset; /* of the code's page in the file */
};

static int search_segment(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct search *search = arg;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *start = (const char *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type != PT_LOAD || search->code < start || search->code >= start + segment->p_filesz)
            continue;
        if ((segment->p_flags & (PF_X | PF_W)) == PF_X) {
            const uintptr_t page = (uintptr_t)search->code & -(uintptr_t)PAGE;
            search->mapping = (struct mapping){(unsigned char *)(uintptr_t)start,
                                               (unsigned char *)(uintptr_t)start + segment->p_filesz};
            search->offset = (long)(page - ((uintptr_t)start - segment->p_offset));
        }
        break;
    }
    return 1; /* the main program is the first */
}

static bool search_for(const void *code, struct search *search)
{
    *search = (struct search){.code = code};
    dl_iterate_phdr(search_segment, search);
    return search->mapping.low != NULL;
}

bool pages_mapping_of(const void *code, struct mapping *mapping)
{
    struct search search;
    const bool found = search_for(code, &search);
    *mapping = search.mapping;
    return found;
}

/* Whether the page of the file is what runs: not where the loader was started with the program's name, and is the file. */
static bool is_same(int fd, long offset, const void *code)
{
    unsigned char in_file[PAGE];
    const uintptr_t in_page = (uintptr_t)code & (PAGE - 1);
    const long len = raw_syscall(SYS_pread64, fd, (long)in_file, PAGE, offset, 0, 0);
    return len > (long)in_page && memcmp(in_file, (const char *)code - in_page, (size_t)len) == 0;
}

/* On a page that is written to, the kernel makes a copy, as it would of the program's. */
static bool may_run_again(int fd, long offset)
{
    const long page = map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, offset);
    if (failed(page))
        return false;
    volatile unsigned char *first = (volatile unsigned char *)page;
    *first = *first;
    const bool may = protect((void *)page, PAGE, PROT_READ | PROT_EXEC);
    pages_free((void *)page, PAGE);
    return may;
}

enum patch_refusal pages_may_change(const void *code)
{
    struct search search;
    const long fd = raw_open("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    if (failed(fd))
        return PATCH_FILE;
    enum patch_refusal refused = PATCH_FILE;
    if (search_for(code, &search) && is_same((int)fd, search.offset, code))
        refused = may_run_again((int)fd, search.offset) ? PATCH_NONE : PATCH_PROTECTION;
    raw_close((int)fd);
    return refused;
}

bool pages_are_ours_alone(void)
{
    struct stat status = {0};
    long result = raw_syscall(SYS_newfstatat, AT_FDCWD, (long)"/proc/self/task", (long)&status, 0, 0, 0);
    return !failed(result) && status.st_nlink == 3; /* ".", "..", and one for each thread */
}

bool pages_have_shadow_stack(void)
{
    enum { ARCH_SHSTK_STATUS = 0x5005, ARCH_SHSTK_SHSTK = 1 };
    uint64_t status = 0;
    return !failed(raw_syscall(SYS_arch_prctl, ARCH_SHSTK_STATUS, (long)&status, 0, 0, 0, 0)) &&
           (status & ARCH_SHSTK_SHSTK);
}

/* No signal's function, which might be in these pages. */
static uint64_t block_signals(uint64_t set)
{
    uint64_t before = 0;
    raw_syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&set, (long)&before, sizeof set, 0, 0);
    return before;
}

/* Pages that are writable for a moment. */
struct window {
    uintptr_t low;
    size_t len;
};

/* One window for places that are near each other and in one mapping. */
static size_t windows_of(const struct place *places, size_t count, struct window *windows)
{
    const ptrdiff_t near = 1 << 20;
    size_t window_count = 0;
    for (size_t first = 0, next; first < count; first = next) {
        struct mapping mapping;
        pages_mapping_of(places[first].at, &mapping);
        for (next = first + 1; next < count; next++)
            if (places[next].at - places[next - 1].at > near || places[next].at >= mapping.high)
                break;
        const uintptr_t low = (uintptr_t)places[first].at & -(uintptr_t)PAGE;
        const uintptr_t last = (uintptr_t)places[next - 1].at + places[next - 1].len - 1;
        windows[window_count++] = (struct window){low, (last & -(uintptr_t)PAGE) + PAGE - low};
    }
    return window_count;
}

/* All of them or none. The way back divides no mapping, and so needs no memory. */
static bool open_windows(const struct window *windows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (protect((void *)windows[i].low, windows[i].len, PROT_READ | PROT_WRITE))
            continue;
        while (i-- > 0)
            protect((void *)windows[i].low, windows[i].len, PROT_READ | PROT_EXEC);
        return false;
    }
    return true;
}

bool pages_write(const struct place *places, size_t count)
{
    struct window windows[PLACES_MAX];
    const size_t window_count = windows_of(places, count, windows);
    const uint64_t signals = block_signals(~(uint64_t)0);
    const bool opened = open_windows(windows, window_count);
    if (opened) {
        /* No memcpy: see above. */
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < places[i].len; j++)
                ((volatile unsigned char *)places[i].at)[j] = places[i].bytes[j];
        for (size_t i = 0; i < window_count; i++)
            protect((void *)windows[i].low, windows[i].len, PROT_READ | PROT_EXEC);
    }
    block_signals(signals);
    return opened;
}
