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
enum { SHARDS = 8 };
static struct shard {
    struct guarded guarded;
    struct entry *entries;
} shards[SHARDS];

/* NULL if it cannot be entered. */
static struct shard *enter_shard(const void *handle)
{
    struct shard *shard = &shards[shard_number(handle, SHARDS)];
    return guarded_enter(&shard->guarded) ? shard : NULL;
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
        guarded_leave(&shard->guarded);
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
    shard->guarded.changing = true;
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
    shard->guarded.changing = false;
    guarded_leave(&shard->guarded);
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
        shard->guarded.changing = true;
        HASH_DEL(shard->entries, entry);
        count(&offers_known, true, false);
        count(&offers_open, entry->offer.state == OFFER_OPEN, false);
        shard->guarded.changing = false;
    }
    guarded_leave(&shard->guarded);
    int saved = errno;
    free(entry);
    errno = saved;
}

void offer_after_fork(void)
{
    for (int i = 0; i < SHARDS; i++)
        guard_orphaned(&shards[i].guarded.guard);
}
