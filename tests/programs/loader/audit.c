/* An auditor (LD_AUDIT), which the loader puts into a namespace of its own: counts what is bound by name at run time. */
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

unsigned la_version(unsigned version)
{
    return version;
}

unsigned la_objopen(struct link_map *map, Lmid_t id, uintptr_t *cookie)
{
    (void)map, (void)id, (void)cookie;
    return 0;
}
