#include "names.h"

#include <stdlib.h>
#include <string.h>

static const char *const texts[NAME_COUNT] = {
#define HOOK(library, symbol, since, why) #symbol,
#include "../../shim/hooks.def"
#undef HOOK
#define NAME(symbol) #symbol,
    TELLTALES(NAME)
#undef NAME
};

/* Indices of `texts`, in the order of the texts. */
static short sorted[NAME_COUNT];

static int compare(const void *a, const void *b)
{
    return strcmp(texts[*(const short *)a], texts[*(const short *)b]);
}

static void sort_once(void)
{
    if (sorted[0] != sorted[1])
        return;
    for (int i = 0; i < NAME_COUNT; i++)
        sorted[i] = (short)i;
    qsort(sorted, NAME_COUNT, sizeof sorted[0], compare);
}

static int compare_text(const void *text, const void *index)
{
    return strcmp(text, texts[*(const short *)index]);
}

const char *name_text(enum name name)
{
    return texts[name];
}

int names_first(const struct names *names, const int *wanted)
{
    for (; *wanted >= 0; wanted++)
        if (names_have(names, (enum name) * wanted))
            return *wanted;
    return -1;
}

/* All of this text: there may be two, side by side. */
static void set_all(struct names *names, const char *text)
{
    const short *found = bsearch(text, sorted, NAME_COUNT, sizeof sorted[0], compare_text);
    while (found && found > sorted && strcmp(texts[found[-1]], text) == 0)
        found--;
    for (; found && found < sorted + NAME_COUNT && strcmp(texts[*found], text) == 0; found++)
        names->bits[*found / 64] |= (uint64_t)1 << (*found % 64);
}

void names_read(const struct image *image, enum image_table table, struct names *defined, struct names *imported)
{
    sort_once();
    for (size_t i = 1, count = image_symbol_count(image, table); i < count; i++) {
        struct image_symbol symbol = image_symbol_at(image, table, i);
        if (!*symbol.name)
            continue;
        set_all(symbol.defined ? defined : imported, symbol.name);
    }
}

static bool has(const struct image *image, const char *name, bool defined)
{
    for (size_t i = 1, count = image_symbol_count(image, IMAGE_DYNSYM); i < count; i++) {
        struct image_symbol symbol = image_symbol_at(image, IMAGE_DYNSYM, i);
        if (symbol.defined == defined && strcmp(symbol.name, name) == 0)
            return true;
    }
    return false;
}

bool image_imports(const struct image *image, const char *name)
{
    return has(image, name, false);
}

bool image_defines(const struct image *image, const char *name)
{
    return has(image, name, true);
}
