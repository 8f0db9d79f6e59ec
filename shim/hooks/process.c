/* The process becomes another, two, or none: what is held goes out before. Nothing here runs where nothing is held. */
#include "socket.h"
#include "stdio_streams.h"

#include "../conn/handle_table.h"
#include "../conn/offer_table.h"
#include "../early.h"
#include "../loader/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline bool nothing_is_held(void)
{
    return __builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1);
}

/* Whose memory this is: the process that tracks the connections in it. 0: nothing is tracked yet. */
static pid_t owner_pid;

bool process_is_foreign(void)
{
    return owner_pid && getpid() != owner_pid;
}

static void release(bool mine)
{
    if (nothing_is_held() || process_is_foreign())
        return;
    int saved = errno;
    fd_each(0, ~0u, socket_release_last);
    handle_release_holding(0, mine, REASON_RELEASED);
    errno = saved;
}

/* Before the end of all threads. */
void process_release_all(void)
{
    release(false);
}

/* Before there is a second process, which may go on where this thread is. A TLS session that another thread writes to stays as it is:
 * that thread may be in the middle of a read of it, or about to ask for an error, and is not in the child. */
static void release_before_copy(void)
{
    release(true);
}

static void begin_as_child(bool may_free)
{
    int saved = errno;
    owner_pid = getpid();
    fd_after_fork(may_free);
    handle_after_fork(may_free);
    offer_after_fork();
    stdio_after_fork();
    errno = saved;
}

static void after_fork_in_child(void)
{
    begin_as_child(true);
}

/* The child of a vfork() runs on its parent's thread, whose number libc knows (and notes in a mutex that counts); the
 * kernel's is the child's. */
bool process_is_vfork_child(void)
{
#ifdef __GLIBC__
    pthread_mutex_t noted = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pthread_mutex_lock(&noted);
    int owner = noted.__data.__owner;
    pthread_mutex_unlock(&noted); /* helgrind counts */
    return owner != (int)raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
#else
    return false;
#endif
}

static void register_for_forks(void)
{
    owner_pid = process_is_vfork_child() ? (pid_t)raw_syscall(SYS_getppid, 0, 0, 0, 0, 0, 0) : getpid();
    pthread_atfork(release_before_copy, NULL, after_fork_in_child);
    at_quick_exit(process_release_all);
}

void process_watch_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_for_forks);
}

static void release_if_inherited(int fd)
{
    if (!(REAL(fcntl)(fd, F_GETFD) & FD_CLOEXEC))
        socket_release(fd);
}

/* Another program may inherit what is tracked. */
static void mark_for_others(void)
{
    if (owner_pid)
        fd_each(0, ~0u, socket_mark_for_others);
}

/* After vfork() a child runs in its parent's memory: what is held there for descriptors that the exec closes is the
 * parent's to go on with. */
static void before_exec(void)
{
    int saved = errno;
    if (process_is_foreign() && !nothing_is_held())
        fd_each(0, ~0u, release_if_inherited);
    else
        process_release_all();
    mark_for_others();
    errno = saved;
}

/* Before a call that forks and execs by itself, seen by nobody. */
static void before_spawn(void)
{
    release_before_copy();
    mark_for_others();
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    before_exec();
    return REAL(execve)(path, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
    before_exec();
    return REAL(execv)(path, argv);
}

EXPORT int execvp(const char *file, char *const argv[])
{
    before_exec();
    return REAL(execvp)(file, argv);
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
    before_exec();
    return REAL(execvpe)(file, argv, envp);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
    before_exec();
    return REAL(fexecve)(fd, argv, envp);
}

EXPORT int execveat(int directory, const char *path, char *const argv[], char *const envp[], int flags)
{
    before_exec();
    __typeof__(&execveat) real = REAL(execveat);
    if (real)
        return real(directory, path, argv, envp, flags);
    return (int)REAL(syscall)(SYS_execveat, (long)directory, path, argv, envp, (long)flags);
}

/* The list forms: their arguments become an array on the stack, since the heap may not be touched after vfork(). */
static size_t count_arguments(va_list arguments)
{
    size_t count = 1;
    va_list again;
    va_copy(again, arguments);
    while (va_arg(again, char *))
        count++;
    va_end(again);
    return count;
}

#define COLLECT_ARGUMENTS(arguments, first)                                                                            \
    va_list arguments;                                                                                                 \
    va_start(arguments, first);                                                                                        \
    char *argv[count_arguments(arguments) + 1];                                                                        \
    argv[0] = (char *)(uintptr_t)first;                                                                                \
    for (size_t i = 1; argv[i - 1]; i++)                                                                               \
    argv[i] = va_arg(arguments, char *)

EXPORT int execl(const char *path, const char *first, ...)
{
    COLLECT_ARGUMENTS(arguments, first);
    va_end(arguments);
    before_exec();
    return REAL(execv)(path, argv);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
    COLLECT_ARGUMENTS(arguments, first);
    va_end(arguments);
    before_exec();
    return REAL(execvp)(file, argv);
}

EXPORT int execle(const char *path, const char *first, ...)
{
    COLLECT_ARGUMENTS(arguments, first);
    char *const *envp = va_arg(arguments, char *const *);
    va_end(arguments);
    before_exec();
    return REAL(execve)(path, argv, envp);
}

/* fork() without its handlers, libc's own among them, which put the allocator right. */
EXPORT pid_t _Fork(void)
{
    __typeof__(&_Fork) real = REAL(_Fork);
    release_before_copy();
    if (!real) {
        errno = ENOSYS;
        return -1;
    }
    pid_t pid = real();
    if (pid == 0 && owner_pid)
        begin_as_child(false);
    return pid;
}

/* Called by the assembly of syscall() before numbers that make, replace, end or confine a process. */
void process_before_syscall(long number, long first)
{
    if (number == SYS_execve || number == SYS_execveat)
        before_exec();
    else if (number == SYS_seccomp)
        process_before_seccomp(first == SECCOMP_SET_MODE_STRICT);
    else if (number == SYS_exit_group)
        process_release_all();
    else
        release_before_copy();
}

EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                       char *const envp[restrict])
{
    before_spawn();
    return REAL(posix_spawn)(pid, path, actions, attributes, argv, envp);
}

EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                        char *const envp[restrict])
{
    before_spawn();
    return REAL(posix_spawnp)(pid, file, actions, attributes, argv, envp);
}

EXPORT int system(const char *command)
{
    before_spawn();
    return REAL(system)(command);
}

EXPORT FILE *popen(const char *command, const char *type)
{
    before_spawn();
    return REAL(popen)(command, type);
}

EXPORT void _exit(int status)
{
    process_release_all();
    REAL(_exit)(status);
    __builtin_unreachable();
}

EXPORT void _Exit(int status)
{
    process_release_all();
    REAL(_Exit)(status);
    __builtin_unreachable();
}

EARLY static _Atomic(bool) ending;

bool process_is_ending(void)
{
    return atomic_load_explicit(&ending, memory_order_relaxed);
}

/* exit(): after the program's own handlers, before libc flushes the streams. */
__attribute__((destructor)) static void at_exit(void)
{
    atomic_store(&ending, true);
    process_release_all();
}
