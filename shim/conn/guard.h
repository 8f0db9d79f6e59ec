/* Who is inside a piece of state. Never waits and never blocks a signal handler, a longjmp or a fork: a caller that finds
 * somebody inside is told so, and passes its bytes on untouched. */
#ifndef JWTSHIM_CONN_GUARD_H
#define JWTSHIM_CONN_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard {
    _Atomic(unsigned long) owner; /* guard_self(); 0: nobody */
    _Atomic(const char *) frame;  /* how deep its stack was */
};

/* Which thread this is, without a call: where its own data lies. */
static inline unsigned long guard_self(void)
{
    return (unsigned long)(uintptr_t)__builtin_thread_pointer();
}

enum guard_entry {
    GUARD_ENTERED,
    GUARD_NESTED, /* the same thread is inside already: a library's own lower call, a signal handler, another coroutine */
    GUARD_CONCURRENT, /* another thread is */
};

/* Whether the frame `inside`, deeper than `now`, is gone: left by longjmp. Stacks that are switched lie anywhere, and so
 * does a handler's own: where the two need not be on one stack, `inside` may be alive and go on later. */
bool guard_was_left(const char *inside, const char *now);
/* The same where nothing is called meanwhile that could switch to another coroutine. */
bool guard_was_left_by_handler(void);

/* `switches`: whether what is done inside may switch stacks. The same thread on a shallower part of its stack means that the
 * inside was left by longjmp: it is taken over. */
static inline enum guard_entry guard_enter_as(struct guard *guard, bool switches)
{
    const unsigned long self = guard_self();
    const char *frame = __builtin_frame_address(0);
    unsigned long owner = 0;
    if (!atomic_compare_exchange_strong_explicit(&guard->owner, &owner, self, memory_order_acquire, memory_order_relaxed)) {
        if (owner != self)
            return GUARD_CONCURRENT;
        const char *inside = atomic_load_explicit(&guard->frame, memory_order_relaxed);
        if (frame < inside || !(switches ? guard_was_left(inside, frame) : guard_was_left_by_handler()))
            return GUARD_NESTED;
    }
    atomic_store_explicit(&guard->frame, frame, memory_order_relaxed);
    return GUARD_ENTERED;
}

static inline enum guard_entry guard_enter(struct guard *guard)
{
    return guard_enter_as(guard, true);
}

static inline void guard_leave(struct guard *guard)
{
    atomic_store(&guard->owner, 0);
}

/* Between two tries to enter where another thread is inside for long: it gets the processor. Bounded by the caller. */
enum { GUARD_TRIES = 1 << 12, GUARD_TRIES_LONG = 1 << 16 };
void guard_wait(int tries);

/* In the child of a fork: true if the thread that was inside exists no more. It is outside then. */
static inline bool guard_orphaned(struct guard *guard)
{
    unsigned long owner = atomic_load(&guard->owner);
    if (owner == 0 || owner == guard_self())
        return false;
    guard_leave(guard);
    return true;
}

/* State that is changed in steps, like a hash table. Left in the middle of a change (by longjmp, or by a fork while another
 * thread was at it) it is never touched again. */
struct guarded {
    struct guard guard;
    bool changing;
};

/* Nobody waits long: false after a bounded number of tries (tens of milliseconds: the thread inside may have lost the
 * processor, or wait for the memory that a fork is copying), where the same thread is inside already, and where it was left
 * half changed. Held for a look-up, never over a call of somebody else's. */
static inline bool guarded_enter(struct guarded *guarded)
{
    for (int i = 0; i < GUARD_TRIES_LONG; i++) {
        enum guard_entry entry = guard_enter_as(&guarded->guard, false);
        if (entry == GUARD_CONCURRENT) {
            guard_wait(i);
            continue;
        }
        if (entry == GUARD_NESTED)
            return false;
        if (!guarded->changing)
            return true;
        guard_leave(&guarded->guard);
        return false;
    }
    return false;
}

static inline void guarded_leave(struct guarded *guarded)
{
    guard_leave(&guarded->guard);
}

/* A number below `count` for what is kept under an address. */
static inline size_t shard_number(const void *address, size_t count)
{
    uintptr_t bits = (uintptr_t)address;
    return (bits >> 5 ^ bits >> 11) % count;
}

#endif
