/* Headers, segments and the dynamic section of an ELF file. */
#include "image.h"

#include <string.h>

bool image_within(const struct image *image, uint64_t at, uint64_t len)
{
    return at <= image->len && len <= image->len - at;
}

uint64_t image_number(const struct image *image, size_t at, size_t size)
{
    uint64_t number = 0;
    if (!image_within(image, at, size))
        return 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | image->bytes[image->is_big_endian ? at + i : at + size - 1 - i];
    return number;
}

/* A number that has another place and size in each class. */
static uint64_t field(const struct image *image, size_t base, size_t at_32, size_t size_32, size_t at_64, size_t size_64)
{
    return image->is_64 ? image_number(image, base + at_64, size_64) : image_number(image, base + at_32, size_32);
}

const char *image_string(const struct image *image, struct image_range strings, uint64_t offset)
{
    if (offset >= strings.len || !memchr(image->bytes + strings.at + offset, '\0', strings.len - offset))
        return "";
    return (const char *)image->bytes + strings.at + offset;
}

struct segment {
    uint32_t type;
    uint64_t offset, address, file_size;
};

static struct segment segment_at(const struct image *image, size_t index)
{
    size_t base = image->segments + index * image->segment_size;
    return (struct segment){
        .type = (uint32_t)image_number(image, base, 4),
        .offset = field(image, base, 4, 4, 8, 8),
        .address = field(image, base, 8, 4, 16, 8),
        .file_size = field(image, base, 16, 4, 32, 8),
    };
}

bool image_offset_of(const struct image *image, uint64_t address, size_t *offset)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        struct segment segment = segment_at(image, i);
        if (segment.type != PT_LOAD || address < segment.address || address - segment.address >= segment.file_size)
            continue;
        uint64_t at = segment.offset + (address - segment.address);
        if (at < segment.offset || at >= image->len)
            continue;
        *offset = (size_t)at;
        return true;
    }
    return false;
}

/* From an address to as far as `len` bytes, or the file, go. */
static struct image_range range_of(const struct image *image, uint64_t address, uint64_t len)
{
    size_t at;
    if (!image_offset_of(image, address, &at))
        return (struct image_range){0, 0};
    return (struct image_range){at, len < image->len - at ? (size_t)len : image->len - at};
}

/* DT_HASH says it; DT_GNU_HASH lets it be found by the last chain. */
static size_t count_by_hash(const struct image *image, uint64_t hash_address)
{
    size_t at;
    return hash_address && image_offset_of(image, hash_address, &at) ? (size_t)image_number(image, at + 4, 4) : 0;
}

static size_t count_by_gnu_hash(const struct image *image, uint64_t hash_address)
{
    size_t at;
    if (!hash_address || !image_offset_of(image, hash_address, &at))
        return 0;
    uint64_t buckets = image_number(image, at, 4);
    uint64_t first = image_number(image, at + 4, 4);
    uint64_t bloom = image_number(image, at + 8, 4);
    uint64_t bucket_at = at + 16 + bloom * (image->is_64 ? 8 : 4);
    uint64_t chain_at = bucket_at + buckets * 4;
    uint64_t last = 0;
    if (!image_within(image, bucket_at, buckets * 4))
        return 0;
    for (uint64_t i = 0; i < buckets; i++) {
        uint64_t head = image_number(image, (size_t)(bucket_at + i * 4), 4);
        last = head > last ? head : last;
    }
    if (last < first)
        return 0; /* nothing is defined, and how much is undefined is not said */
    while (image_within(image, chain_at + (last - first) * 4, 4) &&
           !(image_number(image, (size_t)(chain_at + (last - first) * 4), 4) & 1))
        last++;
    return (size_t)last + 1;
}

struct tags {
    uint64_t value[DT_NUM];
    uint64_t gnu_hash, flags_1, verneed, verdef;
};

static void note_tag(struct tags *tags, uint64_t tag, uint64_t value)
{
    if (tag < DT_NUM)
        tags->value[tag] = value;
    else if (tag == DT_GNU_HASH)
        tags->gnu_hash = value;
    else if (tag == DT_FLAGS_1)
        tags->flags_1 = value;
    else if (tag == DT_VERNEED)
        tags->verneed = value;
    else if (tag == DT_VERDEF)
        tags->verdef = value;
}

static const char *string_or_null(const struct image *image, struct image_range strings, uint64_t offset)
{
    const char *string = offset ? image_string(image, strings, offset) : "";
    return *string ? string : NULL;
}

static size_t offset_or_zero(const struct image *image, uint64_t address)
{
    size_t at;
    return address && image_offset_of(image, address, &at) ? at : 0;
}

static void read_dynamic(struct image *image, struct image_range entries)
{
    struct image_dynamic *dynamic = &image->dynamic;
    struct tags tags = {.gnu_hash = 0};
    size_t word = image->is_64 ? 8 : 4;
    size_t symbol_size = image->is_64 ? 24 : 16;
    size_t used = 0;
    for (; used + 2 * word <= entries.len; used += 2 * word) {
        uint64_t tag = image_number(image, entries.at + used, word);
        if (tag == DT_NULL)
            break;
        note_tag(&tags, tag, image_number(image, entries.at + used + word, word));
    }
    dynamic->present = true;
    dynamic->entries = (struct image_range){entries.at, used};
    dynamic->strings = range_of(image, tags.value[DT_STRTAB], tags.value[DT_STRSZ]);
    dynamic->soname = string_or_null(image, dynamic->strings, tags.value[DT_SONAME]);
    dynamic->rpath = string_or_null(image, dynamic->strings, tags.value[DT_RPATH]);
    dynamic->runpath = string_or_null(image, dynamic->strings, tags.value[DT_RUNPATH]);
    dynamic->flags_1 = tags.flags_1;
    dynamic->plt_relocations = range_of(image, tags.value[DT_JMPREL], tags.value[DT_PLTRELSZ]);
    dynamic->has_addends = tags.value[DT_RELA] != 0 || tags.value[DT_PLTREL] == DT_RELA;
    dynamic->relocations = tags.value[DT_RELA] ? range_of(image, tags.value[DT_RELA], tags.value[DT_RELASZ])
                                               : range_of(image, tags.value[DT_REL], tags.value[DT_RELSZ]);
    dynamic->needed_versions = offset_or_zero(image, tags.verneed);
    dynamic->defined_versions = offset_or_zero(image, tags.verdef);
    dynamic->symbols = offset_or_zero(image, tags.value[DT_SYMTAB]);
    size_t count = count_by_hash(image, tags.value[DT_HASH]);
    if (count == 0)
        count = count_by_gnu_hash(image, tags.gnu_hash);
    /* Linkers put the strings behind the symbols. */
    if (count == 0 && dynamic->symbols && dynamic->strings.at > dynamic->symbols)
        count = (dynamic->strings.at - dynamic->symbols) / symbol_size;
    size_t room = dynamic->symbols ? (image->len - dynamic->symbols) / symbol_size : 0;
    dynamic->symbol_count = count < room ? count : room;
}

/* How many of a table's rows lie in the file whole. */
static size_t rows_within(const struct image *image, uint64_t at, uint64_t size, uint64_t count)
{
    if (size == 0 || at == 0 || at >= image->len)
        return 0;
    uint64_t room = (image->len - at) / size;
    return (size_t)(count < room ? count : room);
}

static bool is_identified(const struct image *image)
{
    const unsigned char *ident = image->bytes;
    return image->len >= sizeof(Elf32_Ehdr) && memcmp(ident, ELFMAG, SELFMAG) == 0 &&
           (ident[EI_CLASS] == ELFCLASS32 || ident[EI_CLASS] == ELFCLASS64) &&
           (ident[EI_DATA] == ELFDATA2LSB || ident[EI_DATA] == ELFDATA2MSB);
}

/* The part of a segment that lies in the file. */
static struct image_range range_in_file(const struct image *image, const struct segment *segment)
{
    if (segment->offset >= image->len)
        return (struct image_range){0, 0};
    uint64_t room = image->len - segment->offset;
    return (struct image_range){(size_t)segment->offset, (size_t)(segment->file_size < room ? segment->file_size : room)};
}

static void read_segments(struct image *image)
{
    size_t begin = image->len;
    size_t end = 0;
    for (size_t i = 0; i < image->segment_count; i++) {
        struct segment segment = segment_at(image, i);
        struct image_range range = range_in_file(image, &segment);
        if (segment.type == PT_DYNAMIC && range.len && !image->dynamic.present)
            read_dynamic(image, range);
        if (segment.type != PT_LOAD || range.len == 0)
            continue;
        begin = range.at < begin ? range.at : begin;
        end = range.at + range.len > end ? range.at + range.len : end;
    }
    if (begin < end)
        image->mapped = (struct image_range){begin, end - begin};
}

bool image_read(struct image *image, const void *bytes, size_t len)
{
    *image = (struct image){.bytes = bytes, .len = len};
    if (!is_identified(image))
        return false;
    image->is_64 = image->bytes[EI_CLASS] == ELFCLASS64;
    image->is_big_endian = image->bytes[EI_DATA] == ELFDATA2MSB;
    if (image->is_64 && len < sizeof(Elf64_Ehdr))
        return false;
    image->type = (uint16_t)image_number(image, 16, 2);
    image->machine = (uint16_t)image_number(image, 18, 2);
    uint64_t segments = field(image, 0, 28, 4, 32, 8);
    uint64_t sections = field(image, 0, 32, 4, 40, 8);
    image->segment_size = field(image, 0, 42, 2, 54, 2);
    image->section_size = field(image, 0, 46, 2, 58, 2);
    image->section_names = field(image, 0, 50, 2, 62, 2);
    if (image->segment_size < (image->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        image->segment_size = 0;
    if (image->section_size < (image->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
        image->section_size = 0;
    image->segment_count = rows_within(image, segments, image->segment_size, field(image, 0, 44, 2, 56, 2));
    image->section_count = rows_within(image, sections, image->section_size, field(image, 0, 48, 2, 60, 2));
    image->segments = image->segment_count ? (size_t)segments : 0;
    image->sections = image->section_count ? (size_t)sections : 0;
    image_find_symtab(image);
    read_segments(image);
    return true;
}

bool image_is_cut_off(const struct image *image)
{
    const uint64_t said = field(image, 0, 44, 2, 56, 2);
    for (size_t i = 0; i < image->segment_count; i++) {
        struct segment segment = segment_at(image, i);
        if (segment.type == PT_LOAD && !image_within(image, segment.offset, segment.file_size))
            return true;
    }
    return image->segment_count < said;
}

const char *image_interpreter(const struct image *image)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        struct segment segment = segment_at(image, i);
        if (segment.type == PT_INTERP && image_within(image, segment.offset, segment.file_size))
            return image_string(image, (struct image_range){(size_t)segment.offset, (size_t)segment.file_size}, 0);
    }
    return NULL;
}

const char *image_needed(const struct image *image, size_t index)
{
    size_t word = image->is_64 ? 8 : 4;
    const struct image_range entries = image->dynamic.entries;
    for (size_t used = 0; used + 2 * word <= entries.len; used += 2 * word)
        if (image_number(image, entries.at + used, word) == DT_NEEDED && index-- == 0)
            return image_string(image, image->dynamic.strings, image_number(image, entries.at + used + word, word));
    return NULL;
}

static bool note_in(const struct image *image, struct image_range notes, const char *owner, uint32_t type,
                    struct image_range *description)
{
    size_t owner_size = strlen(owner) + 1;
    for (size_t at = 0; at + 12 <= notes.len;) {
        uint64_t name_len = image_number(image, notes.at + at, 4);
        uint64_t len = image_number(image, notes.at + at + 4, 4);
        uint64_t name_at = at + 12;
        uint64_t text_at = name_at + ((name_len + 3) & ~(uint64_t)3);
        if (text_at > notes.len || len > notes.len - text_at)
            return false;
        /* Some count the padding of their name. */
        if (image_number(image, notes.at + at + 8, 4) == type && name_len >= owner_size && name_len <= owner_size + 3 &&
            memcmp(image->bytes + notes.at + name_at, owner, owner_size) == 0) {
            *description = (struct image_range){notes.at + (size_t)text_at, (size_t)len};
            return true;
        }
        at = (size_t)(text_at + ((len + 3) & ~(uint64_t)3));
    }
    return false;
}

bool image_note(const struct image *image, const char *owner, uint32_t type, struct image_range *description)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        struct segment segment = segment_at(image, i);
        if (segment.type == PT_NOTE && image_within(image, segment.offset, segment.file_size) &&
            note_in(image, (struct image_range){(size_t)segment.offset, (size_t)segment.file_size}, owner, type, description))
            return true;
    }
    return false;
}
