/* dlmopen(LM_ID_NEWLM): a new namespace gets a copy of this object first, and so as its global scope. That copy has
 * settings, tables and a libc of its own. It is never unloaded, so a namespace in which nothing else is left is given out
 * again, and few are made. */
#include "dl.h"

#include "../conn/guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>

_Atomic(void *) dl_next_dlmopen;

/* How dlmopen() is to be called. In registers, both. */
struct opening {
    long id;
    long flags;
};

#ifdef LM_ID_NEWLM

/* Each copy takes static TLS for its libc and itself, of which a process has room for about eleven libcs in all. With more
 * copies than these, the program would be refused its last namespace. */
enum { NAMESPACES = 2 };
enum use { NONE, BEING_MADE, EMPTY, GIVEN, TAKEN };

/* Those that this object has made. What comes into one stands behind `last`, which is never unloaded. */
static struct {
    _Atomic(int) use;
    Lmid_t id;
    const struct link_map *last;
    unsigned long giver; /* who called dlmopen() when it was given out: by its next call that one is over */
} namespaces[NAMESPACES];

static bool is_empty(int place)
{
    return __atomic_load_n(&namespaces[place].last->l_next, __ATOMIC_ACQUIRE) == NULL;
}

/* A namespace that was given out is empty before its first object is there, and again when the last has gone. */
static void look_again(int place)
{
    int use = atomic_load(&namespaces[place].use);
    if (use == GIVEN && !is_empty(place))
        atomic_compare_exchange_strong(&namespaces[place].use, &use, TAKEN);
    else if ((use == GIVEN && namespaces[place].giver == guard_self()) || (use == TAKEN && is_empty(place)))
        atomic_compare_exchange_strong(&namespaces[place].use, &use, EMPTY);
}

static bool give(int place, int from, Lmid_t *id)
{
    look_again(place);
    if (!atomic_compare_exchange_strong(&namespaces[place].use, &from, BEING_MADE))
        return false;
    namespaces[place].giver = guard_self();
    *id = namespaces[place].id;
    atomic_store(&namespaces[place].use, GIVEN);
    return true;
}

static bool make(int place)
{
    int use = NONE;
    Dl_info ours;
    struct link_map *map = NULL;
    if (!atomic_compare_exchange_strong(&namespaces[place].use, &use, BEING_MADE))
        return false;
    void *handle =
        dladdr((const void *)make, &ours)
            ? ((__typeof__(&dlmopen))atomic_load(&dl_next_dlmopen))(LM_ID_NEWLM, ours.dli_fname, RTLD_NOW | RTLD_LOCAL)
            : NULL;
    bool made = handle && dlinfo(handle, RTLD_DI_LMID, &namespaces[place].id) == 0 &&
                dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0;
    while (map && map->l_next)
        map = map->l_next;
    namespaces[place].last = map;
    atomic_store(&namespaces[place].use, made ? EMPTY : NONE);
    return made;
}

static void report_too_many(const char *file)
{
    static _Atomic bool said;
    if (!atomic_exchange(&said, true))
        report_layer_refused("loader", file ? file : "", "too-many-namespaces");
}

/* False where there is to be no other copy of ours, or none can be loaded. */
static bool with_us(Lmid_t *id, const char *file)
{
    for (int i = 0; i < NAMESPACES; i++)
        if (give(i, EMPTY, id))
            return true;
    for (int i = 0; i < NAMESPACES; i++)
        if (atomic_load(&namespaces[i].use) == NONE)
            return make(i) && give(i, EMPTY, id);
    report_too_many(file);
    return false;
}

void dl_namespace_closed(void)
{
    for (int i = 0; i < NAMESPACES; i++)
        look_again(i);
}

struct opening dl_before_dlmopen(Lmid_t id, const char *file, int flags)
{
    if (!dl_next_dlmopen)
        dl_next_dlmopen = next_function(HOOK_dlmopen);
    if (!dl_next_dlmopen || !dl_is_on())
        return (struct opening){id, flags};
    int saved = errno;
    bool ours = id != LM_ID_NEWLM || with_us(&id, file);
    errno = saved;
    return (struct opening){id, ours ? flags & ~RTLD_DEEPBIND : flags};
}

#else

void dl_namespace_closed(void)
{
}

struct opening dl_before_dlmopen(long id, const char *file, int flags)
{
    (void)file;
    return (struct opening){id, flags};
}

#endif
