/* Whether a program's own code calls dlopen() with RTLD_DEEPBIND. On amd64 the flags are the second argument, which compilers
 * load as a constant right before the call: `mov $imm32,%esi`, at most a few instructions, a call by the PLT or the GOT. */
#include "image.h"

#include <dlfcn.h>
#include <string.h>

enum { CALL_WITHIN = 24, PLACES = 8 };

/* Where the loader writes dlopen's address: the GOT entries of a program. */
struct places {
    uint64_t address[PLACES];
    size_t count;
};

static void find_places(const struct image *image, struct image_range table, struct places *places)
{
    for (size_t used = 0; used + 24 <= table.len && places->count < PLACES; used += 24) {
        size_t index = (size_t)(image_number(image, table.at + used + 8, 8) >> 32);
        if (index && strcmp(image_symbol_at(image, IMAGE_DYNSYM, index).name, "dlopen") == 0)
            places->address[places->count++] = image_number(image, table.at + used, 8);
    }
}

static bool is_place(const struct places *places, uint64_t address)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->address[i] == address)
            return true;
    return false;
}

/* The address that a 32-bit displacement at this offset means, which ends the instruction. */
static uint64_t target(const struct image *image, size_t at, uint64_t address)
{
    return address + 4 + (uint64_t)(int64_t)(int32_t)image_number(image, at, 4);
}

/* `[endbr64] [bnd] jmp *GOT(%rip)`: an entry of the PLT. */
static bool is_plt_entry(const struct image *image, uint64_t address, const struct places *places)
{
    static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t at;
    if (!image_offset_of(image, address, &at) || !image_within(image, at, 16))
        return false;
    size_t skip = memcmp(image->bytes + at, endbr64, sizeof endbr64) == 0 ? sizeof endbr64 : 0;
    skip += image->bytes[at + skip] == 0xf2;
    const unsigned char *code = image->bytes + at + skip;
    return code[0] == 0xff && code[1] == 0x25 && is_place(places, target(image, at + skip + 2, address + skip + 2));
}

/* A call, or a jump as the last thing a function does, to dlopen. */
static bool calls_dlopen(const struct image *image, size_t at, uint64_t address, const struct places *places)
{
    const unsigned char *code = image->bytes + at;
    if (code[0] == 0xe8 || code[0] == 0xe9)
        return is_plt_entry(image, target(image, at + 1, address + 1), places);
    return code[0] == 0xff && (code[1] == 0x15 || code[1] == 0x25) && is_place(places, target(image, at + 2, address + 2));
}

static bool are_deepbind_flags(uint64_t flags)
{
    const uint64_t known = RTLD_LAZY | RTLD_NOW | RTLD_NOLOAD | RTLD_DEEPBIND | RTLD_GLOBAL | RTLD_NODELETE;
    return (flags & RTLD_DEEPBIND) && (flags & (RTLD_LAZY | RTLD_NOW)) && !(flags & ~known);
}

static bool scan(const struct image *image, size_t at, size_t end, uint64_t address, const struct places *places)
{
    for (size_t i = at; i + 11 <= end; i++) {
        if (image->bytes[i] != 0xbe || !are_deepbind_flags(image_number(image, i + 1, 4)))
            continue;
        for (size_t call = i + 5; call < i + 5 + CALL_WITHIN && call + 6 <= end; call++)
            if (calls_dlopen(image, call, address + (call - at), places))
                return true;
    }
    return false;
}

bool image_opens_deepbind(const struct image *image)
{
    struct places places = {.count = 0};
    if (image->machine != EM_X86_64 || !image->is_64)
        return false;
    find_places(image, image->dynamic.plt_relocations, &places);
    find_places(image, image->dynamic.relocations, &places);
    for (size_t i = 0; places.count && i < image->segment_count; i++) {
        size_t base = image->segments + i * image->segment_size;
        uint64_t offset = image_number(image, base + 8, 8);
        uint64_t size = image_number(image, base + 32, 8);
        bool code = image_number(image, base, 4) == PT_LOAD && (image_number(image, base + 4, 4) & PF_X);
        if (code && image_within(image, offset, size) &&
            scan(image, (size_t)offset, (size_t)(offset + size), image_number(image, base + 16, 8), &places))
            return true;
    }
    return false;
}
