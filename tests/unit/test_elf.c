/* What loader/elf reads from loaded objects, held against what the loader itself says. */
#include "../../shim/loader/elf.h"
#include "../../shim/loader/library.h"
#include "unit.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>

/* The tables' allocations go by this in each of these programs; none is made to fail here. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return __real_malloc(size);
}

static struct elf_object libc_object(void)
{
    struct elf_object libc;
    assert_true(elf_object_of((const void *)dlsym(dlopen(LIBC_SO, RTLD_NOW), "strtoul"), &libc));
    return libc;
}

/* Symbols have no end of their own: those that are defined lie where the last chain of the hash table ends. */
static size_t symbol_count(const struct elf_object *object)
{
    const uint32_t *table = object->gnu_hash;
    const uint32_t *bucket = table + 4 + table[2] * sizeof(ElfW(Addr)) / 4;
    size_t last = 0;
    for (uint32_t i = 0; i < table[0]; i++)
        last = bucket[i] > last ? bucket[i] : last;
    while (!(bucket[table[0] + last - table[1]] & 1))
        last++;
    return last + 1;
}

static size_t agreeing_functions(const struct elf_object *object)
{
    void *handle = dlopen(object->path, RTLD_NOW | RTLD_NOLOAD);
    size_t agreeing = 0;
    for (size_t i = 1; i < symbol_count(object); i++) {
        const ElfW(Sym) *symbol = &object->symbols[i];
        const char *name = object->strings + symbol->st_name;
        void *found = elf_function(object, name);
        if (!found)
            continue;
        assert_ptr_equal(found, dlsym(handle, name));
        agreeing++;
    }
    return agreeing;
}

static void every_function_of_libc_is_where_dlsym_finds_it(void **state)
{
    (void)state;
    struct elf_object libc = libc_object();
    assert_non_null(libc.gnu_hash);
    assert_true(agreeing_functions(&libc) > 1500);
}

static void the_older_hash_table_says_the_same(void **state)
{
    (void)state;
    struct elf_object libc = libc_object();
    void *found = elf_function(&libc, "dlsym");
    libc.gnu_hash = NULL;
    if (!libc.hash)
        skip();
    assert_ptr_equal(elf_function(&libc, "dlsym"), found);
    assert_ptr_equal(elf_function(&libc, "write"), dlsym(dlopen(LIBC_SO, RTLD_NOW), "write"));
    assert_null(elf_function(&libc, "no_such_name"));
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct elf_object libc = libc_object();
    assert_null(elf_function(&libc, "no_such_name"));
    assert_null(elf_function(&libc, ""));
    assert_null(elf_function(&libc, "stdout")); /* no function */
    struct elf_object none;
    int on_the_stack;
    assert_false(elf_object_of(&on_the_stack, &none));
}

static bool note_soname(const struct elf_object *object, void *context)
{
    *(const char **)context = object->soname;
    return object->soname && strcmp(object->soname, LIBC_SO) == 0;
}

static void from_here_the_search_comes_to_libc_and_from_libc_to_no_other_library(void **state)
{
    (void)state;
    const char *seen = NULL;
    assert_true(elf_each_seen_from((const void *)libc_object, note_soname, &seen));
    assert_string_equal(seen, LIBC_SO);
    struct elf_object cmocka;
    assert_true(elf_object_of(dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests"), &cmocka));
    assert_true(elf_each_seen_from(cmocka.dynamic, note_soname, &seen));
    int nowhere;
    assert_false(elf_each_seen_from(&nowhere, note_soname, &seen));
}

static bool is_libcmocka(const struct elf_object *object, void *context)
{
    (void)context;
    return object->soname && strncmp(object->soname, "libcmocka", 9) == 0;
}

static void libc_needs_nothing_of_what_needs_it(void **state)
{
    (void)state;
    struct elf_object libc = libc_object();
    assert_true(elf_each(is_libcmocka, NULL));
    assert_false(elf_each_seen_from(libc.dynamic, is_libcmocka, NULL));
}

static void only_libc_is_genuine_for_its_functions(void **state)
{
    (void)state;
    struct elf_object libc = libc_object(), us;
    assert_true(elf_object_of((const void *)libc_object, &us));
    assert_true(library_is_genuine(HOOK_write, &libc));
    assert_false(library_is_genuine(HOOK_write, &us));
    assert_false(library_is_genuine(HOOK_SSL_write, &libc));
    assert_false(library_is_genuine(HOOK_BIO_write, &libc));
    assert_true(elf_is_ours(us.dynamic) && !elf_is_ours(libc.dynamic));
}

static void an_object_that_is_loaded_is_counted(void **state)
{
    (void)state;
    unsigned long long before = elf_loads();
    assert_int_equal(elf_loads(), before);
    void *handle = dlopen("libnsl.so.1", RTLD_NOW); /* any that is not here yet: of libc's own package */
    if (!handle)
        skip();
    assert_true(elf_loads() > before);
    dlclose(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_of_libc_is_where_dlsym_finds_it),
        cmocka_unit_test(the_older_hash_table_says_the_same),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(from_here_the_search_comes_to_libc_and_from_libc_to_no_other_library),
        cmocka_unit_test(libc_needs_nothing_of_what_needs_it),
        cmocka_unit_test(only_libc_is_genuine_for_its_functions),
        cmocka_unit_test(an_object_that_is_loaded_is_counted),
    };
    return cmocka_run_group_tests_name("what objects say of themselves", tests, NULL, NULL);
}
