/* Whether a frame that is deeper on the stack is gone, asked only where one thread meets itself in a connection. */
#include "guard.h"

#include "../loader/raw.h"

#include <signal.h>
#include <sys/auxv.h>

/* The kernel keeps 128 MiB below the top of the first thread's stack free of everything else. Other threads' stacks end below
 * their own data, and are seldom smaller than this. */
enum { MAIN_STACK_MAX = 64 * 1024 * 1024, THREAD_STACK_MIN = 64 * 1024 };

/* What AT_RANDOM points to lies above the first frame. */
static bool is_on_main_stack(const char *frame)
{
    const char *top = (const char *)(uintptr_t)getauxval(AT_RANDOM);
    return frame < top && top - frame < MAIN_STACK_MAX;
}

bool guard_was_left_by_handler(void)
{
    stack_t stack = {.ss_flags = 0};
    return raw_syscall(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0) == 0 && !(stack.ss_flags & SS_ONSTACK);
}

static bool is_on_thread_stack(const char *frame)
{
    const char *top = __builtin_thread_pointer();
    return frame < top && top - frame < THREAD_STACK_MIN;
}

static bool is_main_thread(void)
{
    return raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0) == raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

bool guard_was_left(const char *inside, const char *now)
{
    bool (*const is_own)(const char *frame) = is_main_thread() ? is_on_main_stack : is_on_thread_stack;
    return is_own(inside) && is_own(now) && guard_was_left_by_handler();
}

void guard_wait(int tries)
{
    enum { SPINS = 256 };
    if (tries > SPINS)
        raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}
