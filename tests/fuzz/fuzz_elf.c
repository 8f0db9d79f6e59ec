/* The reader of ELF files behind `jwtshim doctor`, and that of ld.so.cache, for any bytes. */
#include "../../tools/jwtshim/closure.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t told;

static void tell(const char *text)
{
    told += text ? strlen(text) : 0;
}

static void walk(const struct image *image)
{
    struct names defined = {{0}};
    struct names imported = {{0}};
    struct image_range note;
    tell(image_interpreter(image));
    for (size_t i = 0; i < 64; i++)
        tell(image_needed(image, i));
    tell(image->dynamic.soname);
    tell(image->dynamic.rpath);
    tell(image->dynamic.runpath);
    names_read(image, IMAGE_DYNSYM, &defined, &imported);
    names_read(image, IMAGE_SYMTAB, &defined, &imported);
    for (size_t i = 0; i < image_symbol_count(image, IMAGE_SYMTAB) && i < 64; i++)
        tell(image_symbol_at(image, IMAGE_SYMTAB, i).name);
    told += image_imports(image, "dlopen") + image_defines(image, "dlopen");
    told += image_has_section(image, ".go.buildinfo") + image_holds_string(image, "SSL_write");
    told += image_newest_needed(image, "GLIBC_2.") + image_newest_defined(image, "GLIBC_2.");
    told += image_opens_deepbind(image);
    if (image_note(image, "jwtshim", 1, &note) && !image_within(image, note.at, note.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image image;
    /* A copy of exactly this size: a byte beyond it is an error that the sanitizer sees. */
    unsigned char *bytes = malloc(size);
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    if (image_read(&image, bytes, size))
        walk(&image);
    const struct file cache = {.bytes = bytes, .len = size};
    for (size_t i = 0; i < 4; i++)
        tell(ldcache_path(&cache, "libssl.so.3", i));
    free(bytes);
    return 0;
}
