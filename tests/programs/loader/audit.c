/* An auditor (LD_AUDIT), which the loader puts into a namespace of its own: is shown every binding, and changes none. */
#include <link.h>

unsigned la_version(unsigned version)
{
    return version;
}

unsigned la_objopen(struct link_map *map, Lmid_t id, uintptr_t *cookie)
{
    (void)map, (void)id, (void)cookie;
    return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(ElfW(Sym) * symbol, unsigned number, uintptr_t *from, uintptr_t *to, unsigned *flags,
                       const char *name)
{
    (void)number, (void)from, (void)to, (void)flags, (void)name;
    return symbol->st_value;
}
