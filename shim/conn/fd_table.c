#include "fd_table.h"

#include <stdlib.h>

_Atomic(uintptr_t) fd_first_page[FD_PAGE];
static _Atomic(_Atomic(uintptr_t) *) pages[FD_PAGES]; /* pages[0] stays NULL: it is fd_first_page */

static _Atomic(uintptr_t) *page_of(unsigned fd)
{
    if (fd < FD_PAGE)
        return fd_first_page;
    return fd / FD_PAGE < FD_PAGES ? atomic_load_explicit(&pages[fd / FD_PAGE], memory_order_acquire) : NULL;
}

/* The entry of `fd`, its page made if need be. NULL without memory and beyond the table. */
static _Atomic(uintptr_t) *entry_for(int fd)
{
    if (fd < 0 || (unsigned)fd / FD_PAGE >= FD_PAGES)
        return NULL;
    _Atomic(uintptr_t) *page = page_of((unsigned)fd);
    if (!page) {
        _Atomic(uintptr_t) *fresh = calloc(FD_PAGE, sizeof *fresh);
        if (!fresh)
            return NULL;
        if (atomic_compare_exchange_strong(&pages[fd / FD_PAGE], &page, fresh))
            page = fresh;
        else
            free(fresh);
    }
    return &page[fd % FD_PAGE];
}

uintptr_t fd_state_far(int fd)
{
    _Atomic(uintptr_t) *page = fd < 0 ? NULL : page_of((unsigned)fd);
    return page ? atomic_load_explicit(&page[fd % FD_PAGE], memory_order_acquire) : FD_UNKNOWN;
}

/* Connections come in blocks that are never freed, since fd_enter() may look at one whose descriptor was just closed, and
 * wait for their next use in a list without a lock: its head is the number of the first free one, below a count of the
 * changes, so that a head that was taken and came back in between is seen to have changed. */
enum { BLOCK = 32, BLOCKS = FD_PAGE * FD_PAGES / BLOCK };
static _Atomic(struct fd_conn *) blocks[BLOCKS];
static _Atomic(uint32_t) blocks_made;
static _Atomic(uint64_t) free_head;

static struct fd_conn *numbered(uint32_t number)
{
    return &atomic_load_explicit(&blocks[(number - 1) / BLOCK], memory_order_acquire)[(number - 1) % BLOCK];
}

static void push_free(struct fd_conn *conn)
{
    uint64_t head = atomic_load(&free_head);
    uint64_t next;
    do {
        atomic_store_explicit(&conn->next_free, (uint32_t)head, memory_order_relaxed);
        next = ((head >> 32) + 1) << 32 | conn->number;
    } while (!atomic_compare_exchange_weak(&free_head, &head, next));
}

static struct fd_conn *pop_free(void)
{
    uint64_t head = atomic_load(&free_head);
    while ((uint32_t)head) {
        struct fd_conn *conn = numbered((uint32_t)head);
        uint64_t next = ((head >> 32) + 1) << 32 | atomic_load_explicit(&conn->next_free, memory_order_relaxed);
        if (atomic_compare_exchange_weak(&free_head, &head, next))
            return conn;
    }
    return NULL;
}

/* A free connection, from a new block if need be. NULL without memory. */
static struct fd_conn *take_free(void)
{
    struct fd_conn *conn = pop_free();
    if (conn)
        return conn;
    struct fd_conn *block = calloc(BLOCK, sizeof *block);
    if (!block)
        return NULL;
    uint32_t place = atomic_fetch_add(&blocks_made, 1);
    if (place >= BLOCKS) {
        atomic_fetch_sub(&blocks_made, 1);
        free(block);
        return NULL;
    }
    for (uint32_t i = 0; i < BLOCK; i++)
        block[i].number = place * BLOCK + i + 1;
    atomic_store_explicit(&blocks[place], block, memory_order_release);
    for (uint32_t i = 1; i < BLOCK; i++)
        push_free(&block[i]);
    return &block[0];
}

/* Ends a connection that no descriptor names any more, from the inside: a late visitor may still come and go. Where a thread is
 * inside, that one does it on leaving. */
static void end(struct fd_conn *conn)
{
    while (conn_enter(&conn->conn) != GUARD_ENTERED) {
        atomic_store(&conn->ended, true);
        if (atomic_load(&conn->conn.guard.owner) != 0 || !atomic_exchange(&conn->ended, false))
            return;
    }
    conn_reset(&conn->conn);
    guard_leave(&conn->conn.guard);
    push_free(conn);
}

static void drop_reference(struct fd_conn *conn)
{
    if (atomic_fetch_sub(&conn->references, 1) == 1)
        end(conn);
}

/* False if the last one is gone already. */
static bool add_reference(struct fd_conn *conn)
{
    unsigned references = atomic_load(&conn->references);
    while (references)
        if (atomic_compare_exchange_weak(&conn->references, &references, references + 1))
            return true;
    return false;
}

static void replace(_Atomic(uintptr_t) *entry, uintptr_t state)
{
    uintptr_t old = atomic_exchange(entry, state);
    if (old > FD_SOCKET)
        drop_reference((struct fd_conn *)old);
}

static void set(int fd, uintptr_t state)
{
    _Atomic(uintptr_t) *entry = entry_for(fd);
    if (entry)
        replace(entry, state);
}

bool fd_is_shared(int fd)
{
    uintptr_t state = fd_state(fd);
    return state > FD_SOCKET && atomic_load(&((struct fd_conn *)state)->references) > 1;
}

void fd_set_plain(int fd)
{
    set(fd, FD_PLAIN);
}

void fd_set_socket(int fd)
{
    set(fd, FD_SOCKET);
}

/* A free connection, entered. One that a late visitor of its last descriptor is still in is left for another time. */
static struct fd_conn *enter_free(void)
{
    struct fd_conn *conn = take_free();
    if (!conn || conn_enter(&conn->conn) == GUARD_ENTERED)
        return conn;
    struct fd_conn *other = take_free();
    push_free(conn);
    if (!other || conn_enter(&other->conn) == GUARD_ENTERED)
        return other;
    push_free(other);
    return NULL;
}

struct fd_conn *fd_track(int fd, const struct stat *status)
{
    _Atomic(uintptr_t) *entry = entry_for(fd);
    struct fd_conn *conn = entry ? enter_free() : NULL;
    if (!conn)
        return NULL;
    atomic_store(&conn->references, 1);
    conn->marked = false;
    conn->device = status->st_dev;
    conn->inode = status->st_ino;
    conn_reset(&conn->conn); /* what a late visitor did */
    guard_leave(&conn->conn.guard);
    replace(entry, (uintptr_t)conn);
    return conn;
}

void fd_end_late(struct fd_conn *conn)
{
    if (atomic_exchange(&conn->ended, false))
        end(conn);
}

/* Where bytes are held that may be this very thread's, what it writes now must not overtake them: it waits for the other
 * thread to leave, but not for long, since that one may be blocked in a write. */
struct fd_conn *fd_enter(int fd, enum guard_entry *entry)
{
    *entry = GUARD_ENTERED;
    for (int tries = 0; tries < 2; tries++) {
        uintptr_t state = fd_state(fd);
        if (state <= FD_SOCKET)
            return NULL;
        struct fd_conn *conn = (struct fd_conn *)state;
        *entry = conn_enter(&conn->conn);
        for (int i = 0; *entry == GUARD_CONCURRENT && conn_owes_bytes(&conn->conn) && i < GUARD_TRIES_LONG; i++) {
            guard_wait(i);
            *entry = conn_enter(&conn->conn);
        }
        if (*entry != GUARD_ENTERED)
            return NULL;
        if (fd_state(fd) == state)
            return conn;
        fd_leave_quickly(conn); /* it was closed, and maybe is another's by now */
    }
    return NULL;
}

void fd_leave(int fd, struct fd_conn *conn)
{
    _Atomic(uintptr_t) *entry = conn_is_spent(&conn->conn) ? entry_for(fd) : NULL;
    uintptr_t state = (uintptr_t)conn;
    bool plain = entry && atomic_compare_exchange_strong(entry, &state, FD_PLAIN);
    fd_leave_quickly(conn);
    if (plain)
        drop_reference(conn);
}

void fd_forget(int fd)
{
    if (fd_state(fd) == FD_UNKNOWN)
        return;
    _Atomic(uintptr_t) *entry = entry_for(fd);
    if (entry)
        replace(entry, FD_UNKNOWN);
}

/* False if another thread closed `from` meanwhile: the connection may be that of another socket by now. */
static bool share(int from, struct fd_conn *conn)
{
    if (!add_reference(conn))
        return false;
    if (fd_state(from) == (uintptr_t)conn)
        return true;
    drop_reference(conn);
    return false;
}

void fd_copy(int from, int to)
{
    uintptr_t state = fd_state(from);
    if (from == to)
        return;
    if (state == FD_UNKNOWN) {
        fd_forget(to);
        return;
    }
    _Atomic(uintptr_t) *entry = entry_for(to);
    if (!entry)
        return;
    if (state > FD_SOCKET && !share(from, (struct fd_conn *)state))
        state = FD_PLAIN;
    replace(entry, state);
}

void fd_each(unsigned first, unsigned last, void (*each)(int fd))
{
    const unsigned end_of_table = (unsigned)FD_PAGE * FD_PAGES - 1;
    if (last > end_of_table)
        last = end_of_table;
    for (unsigned fd = first; fd <= last; fd++) {
        _Atomic(uintptr_t) *page = page_of(fd);
        if (!page)
            fd |= FD_PAGE - 1;
        else if (atomic_load_explicit(&page[fd % FD_PAGE], memory_order_relaxed) > FD_SOCKET)
            each((int)fd);
    }
}

void fd_forget_range(unsigned first, unsigned last)
{
    const unsigned end_of_table = (unsigned)FD_PAGE * FD_PAGES - 1;
    if (last > end_of_table)
        last = end_of_table;
    for (unsigned fd = first; fd <= last; fd++) {
        _Atomic(uintptr_t) *page = page_of(fd);
        if (!page)
            fd |= FD_PAGE - 1;
        else if (atomic_load_explicit(&page[fd % FD_PAGE], memory_order_relaxed) != FD_UNKNOWN)
            replace(&page[fd % FD_PAGE], FD_UNKNOWN);
    }
}

static void after_fork_one(int fd)
{
    conn_after_fork(&((struct fd_conn *)fd_state(fd))->conn, true);
}

static void after_bare_fork_one(int fd)
{
    conn_after_fork(&((struct fd_conn *)fd_state(fd))->conn, false);
}

void fd_after_fork(bool may_free)
{
    fd_each(0, (unsigned)FD_PAGE * FD_PAGES - 1, may_free ? after_fork_one : after_bare_fork_one);
}
