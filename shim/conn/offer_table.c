#include "offer_table.h"

#include "guard.h"

#include <errno.h>
#include <stdlib.h>

/* Without memory nothing is steered; the program is not ended for it. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
    const void *handle;
    struct offer offer;
    UT_hash_handle hh;
};

_Atomic(size_t) offers_known;
_Atomic(size_t) offers_open;

/* As in handle_table: a guard is held for a look-up, never over a call of the library's. */
enum { SHARDS = 8, SPINS = 1 << 16 };
static struct shard {
    struct guard guard;
    bool changing; /* left in the middle of a change (by longjmp): never touched again */
    struct entry *entries;
} shards[SHARDS];

/* NULL if it cannot be entered. */
static struct shard *enter_shard(const void *handle)
{
    uintptr_t bits = (uintptr_t)handle;
    struct shard *shard = &shards[(bits >> 5 ^ bits >> 11) % SHARDS];
    for (int i = 0; i < SPINS; i++) {
        enum guard_entry entry = guard_enter(&shard->guard);
        if (entry == GUARD_NESTED)
            return NULL;
        if (entry == GUARD_CONCURRENT)
            continue;
        if (!shard->changing)
            return shard;
        guard_leave(&shard->guard);
        return NULL;
    }
    return NULL;
}

static struct entry *find(struct shard *shard, const void *handle)
{
    struct entry *entry;
    HASH_FIND_PTR(shard->entries, &handle, entry);
    return entry;
}

static void count(_Atomic(size_t) *counter, bool before, bool after)
{
    if (before != after)
        atomic_fetch_add_explicit(counter, after ? (size_t)1 : (size_t)-1, memory_order_relaxed);
}

bool offer_get(const void *handle, struct offer *offer)
{
    struct shard *shard = atomic_load_explicit(&offers_known, memory_order_relaxed) ? enter_shard(handle) : NULL;
    struct entry *entry = shard ? find(shard, handle) : NULL;
    if (entry)
        *offer = entry->offer;
    else
        memset(offer, 0, sizeof *offer), offer->state = OFFER_OPEN;
    if (shard)
        guard_leave(&shard->guard);
    return entry != NULL;
}

bool offer_put(const void *handle, const struct offer *offer)
{
    struct shard *shard = enter_shard(handle);
    if (!shard)
        return false;
    int saved = errno;
    struct entry *entry = find(shard, handle);
    bool known = entry != NULL;
    bool open = entry && entry->offer.state == OFFER_OPEN;
    shard->changing = true;
    if (!entry && (entry = calloc(1, sizeof *entry)) != NULL) {
        entry->handle = handle;
        HASH_ADD_PTR(shard->entries, handle, entry);
        if (!entry->hh.tbl) { /* uthash's word for "no memory" */
            free(entry);
            entry = NULL;
        }
    }
    if (entry) {
        entry->offer = *offer;
        count(&offers_known, known, true);
        count(&offers_open, open, offer->state == OFFER_OPEN);
    }
    shard->changing = false;
    guard_leave(&shard->guard);
    errno = saved;
    return entry != NULL;
}

void offer_forget(const void *handle)
{
    struct shard *shard = atomic_load_explicit(&offers_known, memory_order_relaxed) ? enter_shard(handle) : NULL;
    if (!shard)
        return;
    struct entry *entry = find(shard, handle);
    if (entry) {
        shard->changing = true;
        HASH_DEL(shard->entries, entry);
        count(&offers_known, true, false);
        count(&offers_open, entry->offer.state == OFFER_OPEN, false);
        shard->changing = false;
    }
    guard_leave(&shard->guard);
    int saved = errno;
    free(entry);
    errno = saved;
}

void offer_after_fork(void)
{
    for (int i = 0; i < SHARDS; i++)
        guard_orphaned(&shards[i].guard);
}
