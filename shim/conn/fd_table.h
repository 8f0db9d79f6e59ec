/* What is known of each descriptor: nothing, that it needs no look, or its connection.
 * A directly indexed two-level table; reading it takes no lock and makes no system call. */
#ifndef JWTSHIM_CONN_FD_TABLE_H
#define JWTSHIM_CONN_FD_TABLE_H

#include "conn.h"

#include <sys/stat.h>

/* A descriptor's connection. The memory is never given back (a late reader may still look at it), but used again. */
struct fd_conn {
    struct conn conn;
    dev_t device; /* the socket's identity: a number alone may have become a file's */
    ino_t inode;
    _Atomic bool marked;          /* for other programs: they would begin in the middle of a request */
    _Atomic(unsigned) references; /* descriptors that name it; 0: free */
    _Atomic bool ended;           /* the last one left while a thread was inside: that thread ends it */
    uint32_t number;              /* its place in the pool, from 1 */
    _Atomic(uint32_t) next_free;
};

enum { FD_PAGE = 1024, FD_PAGES = 1024 };

/* An entry: one of these, or the address of a struct fd_conn. */
enum {
    FD_UNKNOWN = 0, /* it may be anything */
    FD_PLAIN = 1,   /* needs no look */
    FD_SOCKET = 2,  /* a stream socket of this process's making; nothing was written yet */
};

extern _Atomic(uintptr_t) fd_first_page[FD_PAGE];
uintptr_t fd_state_far(int fd);

/* The entry of `fd`; FD_UNKNOWN for a number that is no descriptor's. */
static inline uintptr_t fd_state(int fd)
{
    if ((unsigned)fd < FD_PAGE)
        return atomic_load_explicit(&fd_first_page[fd], memory_order_acquire);
    return fd_state_far(fd);
}

static inline bool fd_is_low_and_plain(int fd)
{
    return (unsigned)fd < FD_PAGE && atomic_load_explicit(&fd_first_page[fd], memory_order_relaxed) == FD_PLAIN;
}

static inline bool fd_is_tracked(int fd)
{
    return fd_state(fd) > FD_SOCKET;
}

/* Whether another descriptor names the connection of `fd` too. */
bool fd_is_shared(int fd);

/* No look is needed at what is written to `fd`, until it is closed or becomes another. */
void fd_set_plain(int fd);

/* `fd` is a new stream socket. */
void fd_set_socket(int fd);

/* Starts a connection for `fd`, the socket that `status` is of. NULL without memory. */
struct fd_conn *fd_track(int fd, const struct stat *status);

/* Ends a connection whose last descriptor was closed while this thread was inside; the others let it. */
void fd_end_late(struct fd_conn *conn);

/* Enters the connection of `fd`. NULL with GUARD_NESTED or GUARD_CONCURRENT in `*entry`, or GUARD_ENTERED if there is none. */
struct fd_conn *fd_enter(int fd, enum guard_entry *entry);

/* Leaves; a connection that is spent leaves `fd` plain. */
void fd_leave(int fd, struct fd_conn *conn);

static inline void fd_leave_quickly(struct fd_conn *conn)
{
    conn_leave(&conn->conn);
    if (__builtin_expect(atomic_load(&conn->ended), 0))
        fd_end_late(conn);
}

/* The same where nobody else is there and nothing is unusual, inlined: NULL says nothing. To be left by fd_leave(), or where
 * it cannot be spent, by fd_leave_quickly(). */
static inline struct fd_conn *fd_enter_quickly(int fd)
{
    uintptr_t state = fd_state(fd);
    struct fd_conn *conn = (struct fd_conn *)state;
    if (state <= FD_SOCKET || conn_enter(&conn->conn) != GUARD_ENTERED)
        return NULL;
    if (__builtin_expect(fd_state(fd) == state, 1))
        return conn;
    fd_leave_quickly(conn); /* it was closed, and maybe is another's by now */
    return NULL;
}

/* The number's meaning ends (closed, replaced, new): drops its connection unless another descriptor names it. */
void fd_forget(int fd);

/* `to` has become a duplicate of `from`. */
void fd_copy(int from, int to);

/* Calls `each` for every tracked descriptor from `first` to `last`. */
void fd_each(unsigned first, unsigned last, void (*each)(int fd));

/* Forgets every descriptor from `first` to `last`. */
void fd_forget_range(unsigned first, unsigned last);

/* In the child of a fork. */
void fd_after_fork(bool may_free);

#endif
