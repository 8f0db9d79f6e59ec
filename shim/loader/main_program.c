#include "main_program.h"

#include "raw.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#if __SIZEOF_POINTER__ == 8
#define SYMBOL_OF(info) ELF64_R_SYM(info)
#else
#define SYMBOL_OF(info) ELF32_R_SYM(info)
#endif

static void read_relocations(struct main_program *program)
{
    const ElfW(Dyn) *entry = program->object.dynamic;
    size_t relative = 0, jump_size = 0, size = 0;
    for (; entry->d_tag != DT_NULL; entry++) {
        const ElfW(Addr) address = entry->d_un.d_ptr;
        /* glibc has added the base to these already, other loaders have not. */
        const char *at = (const char *)(address < program->object.base ? address + program->object.base : address);
        switch (entry->d_tag) {
        case DT_JMPREL: program->relocations[0] = (const ElfW(Rela) *)at; break;
        case DT_RELA: program->relocations[1] = (const ElfW(Rela) *)at; break;
        case DT_PLTRELSZ: jump_size = entry->d_un.d_val; break;
        case DT_RELASZ: size = entry->d_un.d_val; break;
        case DT_RELACOUNT: relative = entry->d_un.d_val; break; /* these come first, and name nothing */
        default: break;
        }
    }
    program->relocation_count[0] = program->relocations[0] ? jump_size / sizeof(ElfW(Rela)) : 0;
    program->relocation_count[1] = program->relocations[1] ? size / sizeof(ElfW(Rela)) : 0;
    if (relative <= program->relocation_count[1]) {
        program->relocations[1] += relative;
        program->relocation_count[1] -= relative;
    }
}

/* OpenSSL of any version takes more than this; most programs take less, and are done with here. */
enum { WORTH_A_LOOK = 1 << 20 };

/* The loader names the main program first, and without a name. */
static int read_first(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct main_program *program = arg;
    (void)size;
    if (info->dlpi_name && *info->dlpi_name)
        return 1;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *at = (const char *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type != PT_LOAD)
            continue;
        if (!program->low)
            program->low = at;
        if (segment->p_offset == 0)
            program->header = (const ElfW(Ehdr) *)at;
        program->high = at + segment->p_memsz;
    }
    if (program->high - program->low <= WORTH_A_LOOK)
        return 1;
    elf_read(&program->object, info, 0);
    if (program->object.dynamic)
        read_relocations(program);
    return 1;
}

bool main_program_read(struct main_program *program)
{
    *program = (struct main_program){0};
    dl_iterate_phdr(read_first, program);
    return program->object.symbols && program->object.strings;
}

static struct own_function function_of(const struct main_program *program, const ElfW(Sym) * symbol)
{
    if ((symbol->st_info & 0xf) != STT_FUNC || symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0)
        return (struct own_function){0};
    return (struct own_function){(void *)(program->object.base + symbol->st_value), symbol->st_size};
}

struct own_function main_program_export(const struct main_program *program, const char *name)
{
    const ElfW(Sym) *symbol = elf_symbol(&program->object, name, STT_FUNC);
    return symbol ? function_of(program, symbol) : (struct own_function){0};
}

bool main_program_imports(const struct main_program *program, const char *name, const char *never)
{
    const size_t never_len = strlen(never);
    bool found = false;
    for (int list = 0; list < 2; list++)
        for (size_t i = 0; i < program->relocation_count[list]; i++) {
            const size_t index = SYMBOL_OF(program->relocations[list][i].r_info);
            const ElfW(Sym) *symbol = &program->object.symbols[index];
            const char *other = program->object.strings + symbol->st_name;
            if (index == 0 || symbol->st_shndx != SHN_UNDEF || (*other != *name && *other != *never))
                continue;
            if (strncmp(other, never, never_len) == 0)
                return false;
            found |= strcmp(other, name) == 0;
        }
    return found;
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

enum { SECTIONS_MAX = 128, TABLE_MAX = 64 << 20 };

struct file_part {
    void *mapped;
    size_t mapped_len;
    const char *at;
};

/* A part of the file. Its `at` is NULL if it cannot be had. */
static struct file_part map_part(int fd, uint64_t offset, uint64_t len)
{
    enum { PAGES = 65536 }; /* no page is larger */
    const uint64_t before = offset % PAGES;
    struct file_part part = {0};
    if (len == 0 || len > TABLE_MAX)
        return part;
    const long got = raw_syscall(SYS_mmap, 0, (long)(before + len), PROT_READ, MAP_PRIVATE, fd, (long)(offset - before));
    if (got < 0)
        return part;
    return (struct file_part){(void *)got, before + len, (const char *)got + before};
}

static void unmap_part(const struct file_part *part)
{
    if (part->at)
        raw_syscall(SYS_munmap, (long)part->mapped, (long)part->mapped_len, 0, 0, 0, 0);
}

static bool read_at(int fd, void *to, size_t len, uint64_t offset)
{
    return raw_syscall(SYS_pread64, fd, (long)to, (long)len, (long)offset, 0, 0) == (long)len;
}

/* Finds the symbol table's section and the one with its strings. The file must be the one that runs. */
static bool find_sections(const struct main_program *program, struct symbol_table *table)
{
    ElfW(Ehdr) header = {0};
    ElfW(Shdr) sections[SECTIONS_MAX];
    if (!read_at(table->fd, &header, sizeof header, 0) || !program->header ||
        memcmp(&header, program->header, sizeof header) != 0)
        return false;
    const size_t len = header.e_shnum * sizeof *sections;
    if (header.e_shnum == 0 || header.e_shnum > SECTIONS_MAX || header.e_shentsize != sizeof *sections ||
        !read_at(table->fd, sections, len, header.e_shoff))
        return false;
    for (size_t i = 0; i < header.e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link < header.e_shnum) {
            table->symbols = sections[i];
            table->strings = sections[sections[i].sh_link];
            return table->strings.sh_size > 0;
        }
    return false;
}

bool main_program_open(const struct main_program *program, struct symbol_table *table)
{
    table->fd = (int)raw_open("/proc/self/exe", O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    const bool found = table->fd >= 0 && find_sections(program, table);
    if (table->fd >= 0 && !found)
        raw_close(table->fd);
    return found;
}

/* Whether a section lies in the file: to look behind its end would be the program's end. */
static bool is_in_file(int fd, const ElfW(Shdr) * section)
{
    const long size = raw_syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
    return size > 0 && section->sh_offset <= (uint64_t)size && section->sh_size <= (uint64_t)size - section->sh_offset;
}

/* The names that are looked for begin in a few ways only: nearly every symbol is done with here. */
static bool may_be_wanted(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i][0] == name[0] && names[i][1] == name[1])
            return true;
    return false;
}

static void search(const struct main_program *program, const struct symbol_table *table, const struct file_part *symbols,
                   const struct file_part *strings, const char *const *names, size_t count, struct own_function *found)
{
    const ElfW(Sym) *all = (const ElfW(Sym) *)symbols->at;
    bool first_letters[256] = {0};
    for (size_t i = 0; i < count; i++)
        first_letters[(unsigned char)*names[i]] = true;
    /* Local ones come first. */
    for (size_t i = table->symbols.sh_info; i < table->symbols.sh_size / sizeof *all; i++) {
        if ((all[i].st_info & 0xf) != STT_FUNC || all[i].st_name >= table->strings.sh_size)
            continue;
        const char *name = strings->at + all[i].st_name;
        if (!first_letters[(unsigned char)*name] || !may_be_wanted(name, names, count))
            continue;
        for (size_t j = 0; j < count; j++)
            if (strcmp(name, names[j]) == 0)
                found[j] = function_of(program, &all[i]);
    }
}

void main_program_look_up(const struct main_program *program, const struct symbol_table *table,
                          const char *const *names, size_t count, struct own_function *found)
{
    if (is_in_file(table->fd, &table->symbols) && is_in_file(table->fd, &table->strings)) {
        const struct file_part symbols = map_part(table->fd, table->symbols.sh_offset, table->symbols.sh_size);
        const struct file_part strings = map_part(table->fd, table->strings.sh_offset, table->strings.sh_size);
        /* The last string must end. */
        if (symbols.at && strings.at && strings.at[table->strings.sh_size - 1] == '\0')
            search(program, table, &symbols, &strings, names, count, found);
        unmap_part(&symbols);
        unmap_part(&strings);
    }
    raw_close(table->fd);
}
