/* ELF files as bytes: of both classes and byte orders, never executed and never trusted. Every offset and count is checked
 * against the file's length, whatever the file says; what is not there reads as zero or as an empty string. */
#ifndef JWTSHIM_TOOLS_IMAGE_H
#define JWTSHIM_TOOLS_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the file: an offset and a length, both known to lie in it. */
struct image_range {
    size_t at, len;
};

/* What PT_DYNAMIC says. Names are NULL where it says nothing. */
struct image_dynamic {
    bool present;
    struct image_range entries, strings;
    size_t symbols; /* offset of .dynsym, 0: none */
    size_t symbol_count;
    const char *soname, *rpath, *runpath;
    uint64_t flags_1;
    struct image_range plt_relocations, relocations; /* DT_JMPREL; DT_RELA or DT_REL */
    bool has_addends;
    size_t needed_versions; /* offset of DT_VERNEED, 0: none */
    size_t defined_versions;
};

struct image {
    const unsigned char *bytes;
    size_t len;
    bool is_64, is_big_endian;
    uint16_t type, machine;
    size_t segments, segment_size, segment_count;
    size_t sections, section_size, section_count;
    size_t section_names; /* index of .shstrtab */
    struct image_dynamic dynamic;
    struct image_range symtab, symtab_strings;
    struct image_range mapped; /* from the first byte of a PT_LOAD to the last */
};

struct image_symbol {
    const char *name;
    bool defined;
    unsigned type; /* STT_FUNC, … */
    uint64_t value;
};

enum image_table { IMAGE_DYNSYM, IMAGE_SYMTAB };

/* Looks at `len` bytes, which must stay. False if they are no ELF file that can be told anything of. */
bool image_read(struct image *image, const void *bytes, size_t len);

/* Whether the file ends before what would be mapped of it. */
bool image_is_cut_off(const struct image *image);

/* PT_INTERP, or NULL. */
const char *image_interpreter(const struct image *image);

/* The n-th DT_NEEDED, or NULL behind the last. */
const char *image_needed(const struct image *image, size_t index);

/* How many symbols a table has, and one of them. An index beyond has the empty name. */
size_t image_symbol_count(const struct image *image, enum image_table table);
struct image_symbol image_symbol_at(const struct image *image, enum image_table table, size_t index);

/* Whether there is a section of this name. */
bool image_has_section(const struct image *image, const char *name);

/* The description of the first note of this owner and type, in a segment or a section. False if there is none. */
bool image_note(const struct image *image, const char *owner, uint32_t type, struct image_range *description);

/* The newest version with this prefix ("GLIBC_2.") that the file needs of others, or defines itself: its minor number.
 * 0: none. */
unsigned image_newest_needed(const struct image *image, const char *prefix);
unsigned image_newest_defined(const struct image *image, const char *prefix);

/* Whether what is mapped of the file holds this text; image_holds_string(): as a string of its own, a zero byte before it and behind. */
bool image_holds(const struct image *image, const char *text);
bool image_holds_string(const struct image *image, const char *text);

/* Whether a call of dlopen() asks for RTLD_DEEPBIND: known of amd64 code, where the flags are loaded right before it. */
bool image_opens_deepbind(const struct image *image);

/* For the rooms of image_*.c. An unsigned number of `size` bytes in the file's order; 0 where it does not lie in the file. */
uint64_t image_number(const struct image *image, size_t at, size_t size);
bool image_within(const struct image *image, uint64_t at, uint64_t len);
const char *image_string(const struct image *image, struct image_range strings, uint64_t offset);
bool image_offset_of(const struct image *image, uint64_t address, size_t *offset);
void image_find_symtab(struct image *image);

#endif
