/* What every hook is made of. libc_x() is the real call, x() the export, the logic between has a name of its own. */
#ifndef JWTSHIM_HOOKS_HOOKS_H
#define JWTSHIM_HOOKS_HOOKS_H

#include "../config.h"
#include "../conn/conn.h"
#include "../loader/resolve.h"
#include "../report/events.h"

#define EXPORT __attribute__((visibility("default")))

/* libc's function behind a hook of ours, by the type that its header declares. */
#define REAL(function) ((__typeof__(&(function)))next_function(HOOK_##function))

/* The same where a frame for looking it up would cost: NULL until REAL() was asked once. */
#define KNOWN_REAL(function) ((__typeof__(&(function)))known_next_function(HOOK_##function))

/* A library's function behind a hook, the one that the caller of this hook is bound to. */
#define REAL_OF_CALLER(function) ((function##_fn *)resolve_for(HOOK_##function, __builtin_return_address(0)))

/* Whether this hook was called by the very library whose function it stands for. */
#define IS_INNER_CALL(function) resolve_is_inner(HOOK_##function, __builtin_return_address(0))

/* The usual call of conn_write() and its like. */
static inline struct conn_call conn_call_for(const struct sink *sink, void *ctx)
{
    const struct config *config = config_get();
    return (struct conn_call){.sink = sink, .ctx = ctx, .policy = &config->policy, .audit = config->mode == MODE_AUDIT};
}

/* Arranges once for what a fork needs; called when the first connection is tracked. */
void process_watch_forks(void);

/* True in the child of a vfork: the memory is its parent's, and so is all that is known in it. A descriptor that the child
 * closes or replaces is still the parent's. One system call, once anything was ever tracked. */
bool process_is_foreign(void);

/* Sends all that is held anywhere, since the process is about to become another, or none. */
void process_release_all(void);

/* True from the end of exit() on: only libc's last flush of the streams, and other threads, still write. */
bool process_is_ending(void);

/* Before a system call that releases what is held; `first` is its first argument. */
void process_before_syscall(long number, long first);

/* A filter, or with `strict` all that there is to forbid, is about to be put on this thread's system calls. */
void process_before_seccomp(bool strict);

/* The child of a vfork, whether anything was tracked or not. */
bool process_is_vfork_child(void);

#endif
