/* Symbols, sections, versions and texts of an ELF file. */
#include "image.h"

#include <stdlib.h>
#include <string.h>

struct section {
    uint32_t name, type, link;
    uint64_t offset, size;
};

static struct section section_at(const struct image *image, size_t index)
{
    size_t base = image->sections + index * image->section_size;
    if (index >= image->section_count)
        return (struct section){.type = SHT_NULL};
    return (struct section){
        .name = (uint32_t)image_number(image, base, 4),
        .type = (uint32_t)image_number(image, base + 4, 4),
        .link = (uint32_t)image_number(image, base + (image->is_64 ? 40 : 24), 4),
        .offset = image->is_64 ? image_number(image, base + 24, 8) : image_number(image, base + 16, 4),
        .size = image->is_64 ? image_number(image, base + 32, 8) : image_number(image, base + 20, 4),
    };
}

static struct image_range contents(const struct image *image, const struct section *section)
{
    if (section->type == SHT_NULL || section->type == SHT_NOBITS || !image_within(image, section->offset, section->size))
        return (struct image_range){0, 0};
    return (struct image_range){(size_t)section->offset, (size_t)section->size};
}

bool image_has_section(const struct image *image, const char *name)
{
    struct section names_section = section_at(image, image->section_names);
    struct image_range names = contents(image, &names_section);
    for (size_t i = 0; i < image->section_count; i++)
        if (strcmp(image_string(image, names, section_at(image, i).name), name) == 0)
            return true;
    return false;
}

/* .symtab and its strings, which only section headers know of. */
void image_find_symtab(struct image *image)
{
    for (size_t i = 0; i < image->section_count; i++) {
        struct section section = section_at(image, i);
        if (section.type != SHT_SYMTAB)
            continue;
        struct section strings = section_at(image, section.link);
        image->symtab = contents(image, &section);
        image->symtab_strings = contents(image, &strings);
        return;
    }
}

size_t image_symbol_count(const struct image *image, enum image_table table)
{
    return table == IMAGE_DYNSYM ? image->dynamic.symbol_count : image->symtab.len / (image->is_64 ? 24 : 16);
}

struct image_symbol image_symbol_at(const struct image *image, enum image_table table, size_t index)
{
    size_t size = image->is_64 ? 24 : 16;
    struct image_range strings = table == IMAGE_DYNSYM ? image->dynamic.strings : image->symtab_strings;
    size_t at = (table == IMAGE_DYNSYM ? image->dynamic.symbols : image->symtab.at) + index * size;
    if (index >= image_symbol_count(image, table))
        return (struct image_symbol){.name = ""};
    return (struct image_symbol){
        .name = image_string(image, strings, image_number(image, at, 4)),
        .defined = image_number(image, at + (image->is_64 ? 6 : 14), 2) != SHN_UNDEF,
        .type = (unsigned)image_number(image, at + (image->is_64 ? 4 : 12), 1) & 0xf,
        .value = image->is_64 ? image_number(image, at + 8, 8) : image_number(image, at + 4, 4),
    };
}

static unsigned minor_of(const char *version, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(version, prefix, len) == 0 ? (unsigned)strtoul(version + len, NULL, 10) : 0;
}

/* Both tables are lists linked by offsets from the element itself. No real file has so many versions. */
enum { VERSIONS_MAX = 4096 };

unsigned image_newest_needed(const struct image *image, const char *prefix)
{
    unsigned newest = 0;
    unsigned seen = 0;
    size_t at = image->dynamic.needed_versions;
    for (uint64_t step = at; step && image_within(image, at, 16) && seen < VERSIONS_MAX; at += (size_t)step) {
        size_t version = at + (size_t)image_number(image, at + 8, 4);
        for (uint64_t next = 1; next && image_within(image, version, 16) && seen++ < VERSIONS_MAX; version += (size_t)next) {
            unsigned minor =
                minor_of(image_string(image, image->dynamic.strings, image_number(image, version + 8, 4)), prefix);
            newest = minor > newest ? minor : newest;
            next = image_number(image, version + 12, 4);
        }
        step = image_number(image, at + 12, 4);
        seen++;
    }
    return newest;
}

unsigned image_newest_defined(const struct image *image, const char *prefix)
{
    unsigned newest = 0;
    size_t at = image->dynamic.defined_versions;
    unsigned seen = 0;
    for (uint64_t step = at; step && image_within(image, at, 20) && seen++ < VERSIONS_MAX; at += (size_t)step) {
        size_t name = at + (size_t)image_number(image, at + 12, 4);
        unsigned minor = minor_of(image_string(image, image->dynamic.strings, image_number(image, name, 4)), prefix);
        newest = minor > newest ? minor : newest;
        step = image_number(image, at + 16, 4);
    }
    return newest;
}

bool image_holds(const struct image *image, const char *text)
{
    return memmem(image->bytes + image->mapped.at, image->mapped.len, text, strlen(text)) != NULL;
}

bool image_holds_string(const struct image *image, const char *text)
{
    char string[64] = {'\0'};
    size_t len = strlen(text);
    if (len + 2 > sizeof string)
        return false;
    memcpy(string + 1, text, len + 1);
    return memmem(image->bytes + image->mapped.at, image->mapped.len, string, len + 2) != NULL;
}
