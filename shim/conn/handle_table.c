#include "handle_table.h"

#include <stdlib.h>

/* Without memory a handle is passed through; the program is not ended for it. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
    const void *handle;
    struct conn *conn;
    bool plain;          /* where there is no connection: it needs no look; else nothing is known yet */
    unsigned references; /* beyond the first */
    UT_hash_handle hh;
};

/* Several tables, so that threads with a handle each seldom meet. A guard is held for a look-up, never over a call of the
 * library's, and nobody waits long for one: a caller that cannot enter passes its bytes on. */
enum { SHARDS = 16 };
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

/* Another thread inside is releasing what is held, for a fork, say: it is waited for, but not for long, since the handle is
 * about to go. This one inside is a library that ends its handle in the middle of a call of its own: leaking one is the
 * lesser evil. */
static void free_conn(struct conn *conn)
{
    enum guard_entry entry = conn ? conn_enter(conn) : GUARD_NESTED;
    for (int i = 0; entry == GUARD_CONCURRENT && i < GUARD_TRIES; i++) {
        guard_wait(i);
        entry = conn_enter(conn);
    }
    if (entry != GUARD_ENTERED)
        return;
    conn_reset(conn);
    free(conn);
}

static struct conn *try_enter(const void *handle, enum handle_entry *result, bool *wait)
{
    struct shard *shard = enter_shard(handle);
    *result = HANDLE_PLAIN;
    *wait = false;
    if (!shard)
        return NULL;
    struct entry *entry = find(shard, handle);
    struct conn *conn = entry ? entry->conn : NULL;
    *result = entry && entry->plain ? HANDLE_PLAIN : HANDLE_UNKNOWN;
    if (conn) {
        enum guard_entry how = conn_enter(conn);
        *result = how == GUARD_ENTERED ? HANDLE_ENTERED : HANDLE_PLAIN;
        *wait = how == GUARD_CONCURRENT && conn_owes_bytes(conn);
        conn = how == GUARD_ENTERED ? conn : NULL;
    }
    guarded_leave(&shard->guarded);
    return conn;
}

/* What another thread is about to send for this one (a fork releases what all of them hold) must not be overtaken: it is waited
 * for, but not for long. */
struct conn *handle_enter(const void *handle, enum handle_entry *result)
{
    bool wait;
    struct conn *conn = try_enter(handle, result, &wait);
    for (int i = 0; wait && i < GUARD_TRIES; i++) {
        guard_wait(i);
        conn = try_enter(handle, result, &wait);
    }
    return conn;
}

/* The entry of `handle` in a shard that was entered, made if need be. NULL without memory. */
static struct entry *entry_of(struct shard *shard, const void *handle)
{
    struct entry *entry = find(shard, handle);
    if (entry || !(entry = calloc(1, sizeof *entry)))
        return entry;
    entry->handle = handle;
    HASH_ADD_PTR(shard->entries, handle, entry);
    if (entry->hh.tbl)
        return entry;
    free(entry); /* uthash's word for "no memory" */
    return NULL;
}

/* Puts `conn` (NULL: plain) in the place of what is known of `handle`. False without memory. */
static bool put(const void *handle, struct conn *conn)
{
    struct shard *shard = enter_shard(handle);
    if (!shard)
        return false;
    shard->guarded.changing = true;
    struct entry *entry = entry_of(shard, handle);
    struct conn *old = entry ? entry->conn : NULL;
    if (entry) {
        entry->conn = conn;
        entry->plain = !conn;
    }
    shard->guarded.changing = false;
    guarded_leave(&shard->guarded);
    if (old != conn)
        free_conn(old);
    return entry != NULL;
}

struct conn *handle_track(const void *handle)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    conn_enter(conn);
    if (put(handle, conn))
        return conn;
    free(conn);
    return NULL;
}

void handle_set_plain(const void *handle)
{
    put(handle, NULL);
}

void handle_leave(const void *handle, struct conn *conn)
{
    bool spent = conn_is_spent(conn);
    conn_leave(conn);
    if (spent)
        handle_set_plain(handle);
}

void handle_add_reference(const void *handle)
{
    struct shard *shard = enter_shard(handle);
    if (!shard)
        return;
    shard->guarded.changing = true;
    struct entry *entry = entry_of(shard, handle);
    if (entry)
        entry->references++;
    shard->guarded.changing = false;
    guarded_leave(&shard->guarded);
}

bool handle_drop_reference(const void *handle)
{
    struct shard *shard = enter_shard(handle);
    if (!shard)
        return true;
    struct entry *entry = find(shard, handle);
    bool last = !entry || entry->references == 0;
    if (!last)
        entry->references--;
    guarded_leave(&shard->guarded);
    return last;
}

void handle_forget(const void *handle)
{
    struct shard *shard = enter_shard(handle);
    if (!shard)
        return;
    struct entry *entry = find(shard, handle);
    shard->guarded.changing = true;
    if (entry)
        HASH_DEL(shard->entries, entry);
    shard->guarded.changing = false;
    guarded_leave(&shard->guarded);
    if (entry) {
        free_conn(entry->conn);
        free(entry);
    }
}

static bool is_wanted(const struct conn *conn, uint64_t identity, bool mine)
{
    return conn && __atomic_load_n(&conn->holding, __ATOMIC_ACQUIRE) &&
           __atomic_load_n(&conn->release, __ATOMIC_RELAXED) && !__atomic_load_n(&conn->private_way, __ATOMIC_RELAXED) &&
           (!identity || __atomic_load_n(&conn->identity, __ATOMIC_RELAXED) == identity) &&
           (!mine || __atomic_load_n(&conn->writer, __ATOMIC_RELAXED) == guard_self());
}

/* The connection that holds bytes, for the socket `identity` or (0) any, behind the first `skip` of them; entered. */
static struct conn *enter_holding(struct shard *shard, uint64_t identity, bool mine, size_t skip, const void **handle)
{
    struct conn *found = NULL;
    if (!guarded_enter(&shard->guarded))
        return NULL;
    for (struct entry *entry = shard->entries; entry && !found; entry = entry->hh.next) {
        struct conn *conn = entry->conn;
        if (!is_wanted(conn, identity, mine))
            continue;
        if (skip)
            skip--;
        else if (conn_enter(conn) == GUARD_ENTERED)
            found = conn;
        *handle = entry->handle;
    }
    guarded_leave(&shard->guarded);
    return found;
}

void handle_release_holding(uint64_t identity, bool mine, enum reason reason)
{
    for (int i = 0; i < SHARDS; i++) {
        const void *handle = NULL;
        struct conn *conn;
        for (size_t skip = 0; (conn = enter_holding(&shards[i], identity, mine, skip, &handle)) != NULL;) {
            if (conn->holding)
                conn->release(conn, handle, reason);
            if (conn->holding)
                skip++;
            conn_leave(conn);
        }
    }
}

void handle_after_fork(bool may_free)
{
    for (int i = 0; i < SHARDS; i++) {
        guard_orphaned(&shards[i].guarded.guard);
        if (shards[i].guarded.changing)
            continue; /* that thread was in the middle of a change: passed through from here on */
        for (struct entry *entry = shards[i].entries; entry; entry = entry->hh.next)
            if (entry->conn)
                conn_after_fork(entry->conn, may_free);
    }
}
