/* Half a head is written, or a body is under way, when the process becomes another, two, or none. One scenario a function;
 * nothing here decides whether what arrived is right. */
#include "common.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static size_t half_of(struct text text)
{
    return text.len / 2;
}

static int dial_with_half(int type)
{
    int fd = dial_type(type);
    CALL(write(fd, given[0].at, half_of(given[0])));
    return fd;
}

static void write_rest(int fd)
{
    size_t half = half_of(given[0]);
    CALL(write(fd, given[0].at + half, given[0].len - half));
}

static void wait_for_child(pid_t pid)
{
    int status = 0;
    need(pid > 0 && waitpid(pid, &status, 0) == pid, "wait for the child");
    told("the child's status", status);
}

/* --- connections that come from somebody else --- */

static void cat_to(int fd)
{
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd, 3);
        execl("/bin/sh", "sh", "-c", "cat \"$1\" >&3", "sh", given_path[0], NULL);
        _exit(127);
    }
    wait_for_child(pid);
}

static void inherited_cat(void)
{
    cat_to(dial());
}

/* The head of a body that somebody else writes. */
static int dial_with_open_post(void)
{
    int fd = dial();
    write_all(fd, given[0].at, given[0].len);
    return fd;
}

/* For commands that find it as their descriptor 3. */
static void make_inherited(int fd)
{
    if (fd != 3)
        need(dup2(fd, 3) == 3, "dup2");
    setenv("FILE", given_path[1], 1);
}

static void body_by_exec(void)
{
    make_inherited(dial_with_open_post());
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "cat \"$FILE\" >&3", NULL);
        _exit(127);
    }
    wait_for_child(pid);
}

static void body_by_vfork(void)
{
    int fd = dial_with_open_post();
    setenv("FILE", given_path[1], 1);
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(fd, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", "cat \"$FILE\"", NULL);
        _exit(127);
    }
    wait_for_child(pid);
}

static void body_by_system(void)
{
    make_inherited(dial_with_open_post());
    CALL(system("cat \"$FILE\" >&3"));
}

static void body_by_spawn(void)
{
    int fd = dial_with_open_post();
    posix_spawn_file_actions_t actions;
    pid_t pid;
    fcntl(fd, F_SETFD, FD_CLOEXEC); /* the copy is what is inherited */
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    char *argv[] = {"cat", (char *)given_path[1], NULL};
    CALL(posix_spawn(&pid, "/bin/cat", &actions, NULL, argv, environ));
    posix_spawn_file_actions_destroy(&actions);
    wait_for_child(pid);
}

/* A command runs in the middle of a body, another one after it. */
static void body_then_command(void)
{
    int fd = dial_with_open_post();
    make_inherited(fd);
    CALL(system("true"));
    write_all(fd, given[1].at, given[1].len);
    setenv("FILE", given_path[2], 1);
    CALL(system("cat \"$FILE\" >&3"));
}

static volatile sig_atomic_t told_by_signal;

static void note_signal(int signal)
{
    told_by_signal = signal;
}

/* Whoever asks for SIGIO behind a command that ran in the middle of a body gets that, and no other signal. */
static void body_asynchronous(void)
{
    const struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    int fd = dial_with_open_post();
    char byte;
    sigaction(SIGIO, &action, NULL);
    CALL(system("true"));
    CALL(fcntl(fd, F_SETOWN, getpid()));
    CALL(fcntl(fd, F_SETFL, O_ASYNC));
    write_all(fd, given[1].at, given[1].len);
    for (int i = 0; i < 1000 && !told_by_signal; i++) /* no signal comes to whoever waits in a read */
        usleep(10000);
    CALL(told_by_signal);
    CALL(read(fd, &byte, 1));
}

static void *write_first(void *fd)
{
    write_all(*(int *)fd, given[0].at, given[0].len);
    return NULL;
}

/* While another thread waits in a write, whose peer does not read. */
static void system_beside_writer(void)
{
    int fd = dial();
    struct pollfd state = {.fd = fd, .events = POLLOUT};
    pthread_t writer;
    set_tiny_buffer(fd);
    pthread_create(&writer, NULL, write_first, &fd);
    while (poll(&state, 1, 0) == 1)
        sched_yield();
    CALL(system("true"));
    go();
    pthread_join(writer, NULL);
    write_all(fd, given[1].at, given[1].len);
}

static int hold_lock(struct dl_phdr_info *info, size_t size, void *begun)
{
    (void)info, (void)size;
    sem_post(begun);
    pause(); /* until the process ends */
    return 1;
}

static void *walk_objects(void *begun)
{
    dl_iterate_phdr(hold_lock, begun);
    return NULL;
}

/* Another thread is in dl_iterate_phdr(), as to unwind its stack: in the child, nobody gives the loader's lock back. */
static void inherited_cat_beside_unwinder(void)
{
    static sem_t begun;
    pthread_t thread;
    int fd = dial();
    sem_init(&begun, 0, 0);
    need(pthread_create(&thread, NULL, walk_objects, &begun) == 0 && sem_wait(&begun) == 0, "another thread");
    cat_to(fd);
    fflush(stdout);
    _exit(0);
}

/* Head and body come from two processes in turn. */
static void inherited_in_turn(void)
{
    int fd = dial();
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            dup2(fd, 3);
            execl("/bin/sh", "sh", "-c", "cat \"$1\" >&3", "sh", given_path[i], NULL);
            _exit(127);
        }
        wait_for_child(pid);
    }
}

static void forked_sends(void)
{
    int fd = dial();
    pid_t pid = fork();
    if (pid == 0) {
        CALL(write(fd, given[0].at, half_of(given[0])));
        write_rest(fd);
        _exit(0);
    }
    wait_for_child(pid);
    CALL(write(fd, given[1].at, given[1].len));
}

/* --- a fork in the middle of a head --- */

static void fork_child_underscore_exits(void)
{
    int fd = dial_with_half(0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    wait_for_child(pid);
    write_rest(fd);
}

static void fork_child_exits(void)
{
    int fd = dial_with_half(0);
    pid_t pid = fork();
    if (pid == 0)
        exit(0);
    wait_for_child(pid);
    write_rest(fd);
}

static void fork_child_closes(void)
{
    int fd = dial_with_half(0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd);
        _exit(0);
    }
    wait_for_child(pid);
    write_rest(fd);
}

static void fork_child_goes_on(void)
{
    int fd = dial_with_half(0);
    pid_t pid = fork();
    if (pid == 0) {
        write_rest(fd);
        _exit(0);
    }
    wait_for_child(pid);
}

/* Forks that no handler of pthread_atfork() sees. */
static void fork_unseen(pid_t (*unseen)(void))
{
    int fd = dial_with_half(0);
    pid_t pid = unseen();
    if (pid == 0)
        _exit(0);
    wait_for_child(pid);
    write_rest(fd);
}

static pid_t by_syscall(void)
{
    return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}

static void fork_by_syscall(void)
{
    fork_unseen(by_syscall);
}

static void fork_by_underscore_fork(void)
{
    fork_unseen(_Fork);
}

/* --- children that share this memory --- */

static void vfork_exec(int type, bool exec)
{
    static char *const argv[] = {"true", NULL};
    int fd = dial_with_half(type);
    pid_t pid = vfork();
    if (pid == 0) {
        if (exec)
            execve("/bin/true", argv, environ);
        _exit(0);
    }
    wait_for_child(pid);
    write_rest(fd);
}

static void vfork_exec_closes_on_exec(void)
{
    vfork_exec(SOCK_CLOEXEC, true);
}

static void vfork_exec_inherits(void)
{
    vfork_exec(0, true);
}

static void vfork_exits(void)
{
    vfork_exec(0, false);
}

/* What a child of vfork() does to its own descriptors changes nothing for its parent, which is in a body here: given[1]
 * begins in the middle of it, and looks like a request. */
static void vfork_then(void (*in_child)(int fd))
{
    static char *const argv[] = {"true", NULL};
    int fd = dial_type(SOCK_CLOEXEC);
    CALL(write(fd, given[0].at, given[0].len));
    pid_t pid = vfork();
    if (pid == 0) {
        in_child(fd);
        execve("/bin/true", argv, environ);
        _exit(127);
    }
    wait_for_child(pid);
    CALL(write(fd, given[1].at, given[1].len));
}

static void child_closes(int fd)
{
    close(fd);
}

static void child_closes_range(int fd)
{
    (void)fd;
    close_range(3, ~0u, 0);
}

static void child_puts_another_over(int fd)
{
    dup2(1, fd);
}

static void vfork_child_closes(void)
{
    vfork_then(child_closes);
}

static void vfork_child_closes_range(void)
{
    vfork_then(child_closes_range);
}

static void vfork_child_puts_another_over(void)
{
    vfork_then(child_puts_another_over);
}

/* The child makes the connection its output; the parent's own descriptor of that number is a pipe. */
static void vfork_child_takes_as_output(void)
{
    static char *const argv[] = {"true", NULL};
    static char got[8192];
    int pair[2];
    int fd = dial_type(SOCK_CLOEXEC);
    need(pipe(pair) == 0, "pipe");
    CALL(write(fd, given[0].at, given[0].len));
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(fd, pair[1]);
        execve("/bin/true", argv, environ);
        _exit(127);
    }
    wait_for_child(pid);
    CALL(write(pair[1], "not a request\n", 14));
    CALL(write(pair[1], given[1].at, half_of(given[1])));
    set_nonblocking(pair[0]);
    ssize_t len = read(pair[0], got, sizeof got);
    compare("after the text", got + 14, len < 14 ? 0 : (size_t)len - 14, given[1].at, half_of(given[1]));
    CALL(write(fd, given[1].at, given[1].len));
}

static int on_a_stack(void *argument)
{
    need(write(*(int *)argument, "c", 1) == 1, "write from the child");
    syscall(SYS_exit, 3);
    return 0;
}

static char stack[256 * 1024] __attribute__((aligned(16)));

static void clone_by_libc(void)
{
    int pair[2];
    char byte = 0;
    need(pipe(pair) == 0, "pipe");
    pid_t pid = clone(on_a_stack, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &pair[1]);
    wait_for_child(pid);
    CALL(read(pair[0], &byte, 1));
}

#ifdef __x86_64__
static int clone_pipe;

static void start_of_child(void)
{
    on_a_stack(&clone_pipe);
}

/* The child returns from syscall() on a stack of its own, whose top is where it goes. */
static void clone_by_syscall(void)
{
    int pair[2];
    char byte = 0;
    need(pipe(pair) == 0, "pipe");
    clone_pipe = pair[1];
    void **top = (void **)(stack + sizeof stack - 64);
    *top = (void *)start_of_child;
    pid_t pid = (pid_t)syscall(SYS_clone, (long)(CLONE_VM | CLONE_VFORK | SIGCHLD), top, 0L, 0L, 0L);
    wait_for_child(pid);
    CALL(read(pair[0], &byte, 1));
}

/* The child must end here: its calls write over the frame that its parent returns through. Wherever that leads, it leads on. */
static void vfork_by_syscall(void)
{
    int status = 0;
    if (syscall(SYS_vfork) == 0)
        syscall(SYS_exit, 3);
    need(wait(&status) > 0, "wait");
    told("the child's status", status);
}
#endif

/* --- helpers of the C library that fork inside --- */

static void by_posix_spawn(void)
{
    char *const argv[] = {"true", NULL};
    pid_t pid;
    int fd = dial_with_half(0);
    CALL(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ));
    wait_for_child(pid);
    write_rest(fd);
}

/* The child gets the connection, and sends the rest. */
static void by_posix_spawnp(void)
{
    char *const argv[] = {"sh", "-c", "cat \"$1\" >&9", "sh", (char *)given_path[1], NULL};
    pid_t pid;
    int fd = dup2(dial(), 9);
    CALL(write(fd, given[0].at, given[0].len));
    CALL(posix_spawnp(&pid, "sh", NULL, NULL, argv, environ));
    wait_for_child(pid);
}

static void by_system(void)
{
    int fd = dup2(dial(), 9);
    char command[512];
    snprintf(command, sizeof command, "cat '%s' >&9", given_path[1]);
    CALL(write(fd, given[0].at, given[0].len));
    CALL(system(command));
}

static void by_popen(void)
{
    int fd = dup2(dial(), 9);
    char command[512];
    snprintf(command, sizeof command, "cat '%s' >&9", given_path[1]);
    CALL(write(fd, given[0].at, given[0].len));
    CALL(pclose(popen(command, "w")));
}

/* --- exec and ends: the half that was written must arrive --- */

#define EXEC(name, call)                                                                                               \
    static void exec_##name(void)                                                                                      \
    {                                                                                                                  \
        char *const argv[] = {"true", "one", "two", NULL};                                                             \
        (void)argv;                                                                                                    \
        dial_with_half(0);                                                                                             \
        call;                                                                                                          \
    }

EXEC(execve, execve("/bin/true", argv, environ))
EXEC(execv, execv("/bin/true", argv))
EXEC(execvp, execvp("true", argv))
EXEC(execvpe, execvpe("true", argv, environ))
EXEC(execl, execl("/bin/true", "true", "one", "two", NULL))
EXEC(execlp, execlp("true", "true", NULL))
EXEC(execle, execle("/bin/true", "true", "one", NULL, environ))
EXEC(fexecve, fexecve(open("/bin/true", O_RDONLY), argv, environ))
EXEC(execveat, execveat(AT_FDCWD, "/bin/true", argv, environ, 0))

EXEC(syscall_execve, syscall(SYS_execve, "/bin/true", argv, environ))

/* The arguments and the environment arrive whole. */
static void exec_arguments(void)
{
    char *const environment[] = {"WORD=of the environment", NULL};
    dial_with_half(0);
    execle("/bin/sh", "sh", "-c", "echo \"$# $1 $8 ${10} $WORD\"", "sh", "1", "2", "3", "4", "5", "6", "7", "8", "9",
           "10", NULL, environment);
}

/* An exec that fails leaves everything as it was. */
static void exec_fails(void)
{
    char *const argv[] = {"none", NULL};
    int fd = dial_with_half(SOCK_CLOEXEC);
    CALL(execve("/nonexistent", argv, environ));
    CALL(execvp("nonexistent-program", argv));
    CALL(execl("/nonexistent", "none", NULL));
    write_rest(fd);
}

static void end_return(void)
{
    dial_with_half(0);
}

static void end_exit(void)
{
    dial_with_half(0);
    exit(5);
}

static void end_underscore_exit(void)
{
    dial_with_half(0);
    _exit(5);
}

static void end_upper_exit(void)
{
    dial_with_half(0);
    _Exit(5);
}

static void end_quick_exit(void)
{
    dial_with_half(0);
    quick_exit(5);
}

static void end_exit_group(void)
{
    dial_with_half(0);
    syscall(SYS_exit_group, 5);
}

static int late_fd;

static void write_late(void)
{
    write_rest(late_fd);
}

/* A handler of the program's own still sends. */
static void end_handler_sends(void)
{
    late_fd = dial();
    atexit(write_late);
    CALL(write(late_fd, given[0].at, half_of(given[0])));
}

/* --- sandboxes --- */

static void write_rest_quietly(int fd)
{
    write_all(fd, given[0].at + half_of(given[0]), given[0].len - half_of(given[0]));
}

/* Ends without libc, which would use a call that is forbidden by then. */
static void end_by_call(void)
{
    syscall(SYS_exit, 0);
}

/* Descriptors that nobody saw being opened, up to numbers that are seldom reached, so that memory for each would be felt. */
enum { FILES = 19, APART = 1024 };

static void write_files(const int *files, int count)
{
    for (int i = 0; i < count; i++)
        if (write(files[i], "a", 1) != 1)
            abort();
    if (write(STDERR_FILENO, "b", 1) != 1)
        abort();
}

/* A connection in mid-head, a new one, and one that a request went by. */
static void strict(void)
{
    const struct rlimit many = {FILES * APART, FILES * APART};
    int files[FILES];
    need(setrlimit(RLIMIT_NOFILE, &many) == 0, "RLIMIT_NOFILE");
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < FILES; i++)
            files[i] = fcntl(open("/dev/null", O_WRONLY), F_DUPFD, 3 + i * (APART - 1));
        int begun = dial(), fresh = dial(), kept = dial();
        write_all(begun, given[0].at, half_of(given[0]));
        write_all(kept, given[1].at, given[1].len);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        write_files(files, FILES);
        write_rest_quietly(begun);
        write_all(fresh, given[1].at, given[1].len);
        write_all(kept, given[0].at, half_of(given[0]));
        write_rest_quietly(kept);
        end_by_call();
    }
    wait_for_child(pid);
}

/* The program's own file was opened before; its filter knows nothing of fstat(). */
static void filter_without_fstat(long install(const struct sock_fprog *filter))
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fstat, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof rules / sizeof rules[0], rules};
    pid_t pid = fork();
    if (pid == 0) {
        int file = open("/dev/null", O_WRONLY);
        need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && install(&filter) == 0, "a filter");
        write_files(&file, 1);
        end_by_call();
    }
    wait_for_child(pid);
}

static long install_by_prctl(const struct sock_fprog *filter)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter);
}

static long install_by_seccomp(const struct sock_fprog *filter)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter);
}

static long install_by_syscall(const struct sock_fprog *filter)
{
    return syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0);
}

static void filter_by_prctl(void)
{
    filter_without_fstat(install_by_prctl);
}

static void filter_by_seccomp(void)
{
    filter_without_fstat(install_by_seccomp);
}

static void filter_by_syscall(void)
{
    filter_without_fstat(install_by_syscall);
}

const struct scenario scenarios[] = {
    {"strict", strict},
    {"filter-by-prctl", filter_by_prctl},
    {"filter-by-seccomp", filter_by_seccomp},
    {"filter-by-syscall", filter_by_syscall},
    {"inherited-cat", inherited_cat},
    {"inherited-cat-beside-unwinder", inherited_cat_beside_unwinder},
    {"inherited-in-turn", inherited_in_turn},
    {"body-by-exec", body_by_exec},
    {"body-by-vfork", body_by_vfork},
    {"body-by-system", body_by_system},
    {"body-by-spawn", body_by_spawn},
    {"body-then-command", body_then_command},
    {"body-asynchronous", body_asynchronous},
    {"system-beside-writer", system_beside_writer},
    {"forked-sends", forked_sends},
    {"fork-child-_exits", fork_child_underscore_exits},
    {"fork-child-exits", fork_child_exits},
    {"fork-child-closes", fork_child_closes},
    {"fork-child-goes-on", fork_child_goes_on},
    {"fork-by-syscall", fork_by_syscall},
    {"fork-by-_Fork", fork_by_underscore_fork},
    {"vfork-exec-closes-on-exec", vfork_exec_closes_on_exec},
    {"vfork-exec-inherits", vfork_exec_inherits},
    {"vfork-exits", vfork_exits},
    {"vfork-child-closes", vfork_child_closes},
    {"vfork-child-closes-range", vfork_child_closes_range},
    {"vfork-child-puts-another-over", vfork_child_puts_another_over},
    {"vfork-child-takes-as-output", vfork_child_takes_as_output},
    {"clone", clone_by_libc},
#ifdef __x86_64__
    {"clone-by-syscall", clone_by_syscall},
    {"vfork-by-syscall", vfork_by_syscall},
#endif
    {"posix_spawn", by_posix_spawn},
    {"posix_spawnp", by_posix_spawnp},
    {"system", by_system},
    {"popen", by_popen},
#define EXEC_ROW(name)                                                                                                 \
    {                                                                                                                  \
#name, exec_##name                                                                                             \
    }
    EXEC_ROW(execve),
    EXEC_ROW(execv),
    EXEC_ROW(execvp),
    EXEC_ROW(execvpe),
    EXEC_ROW(execl),
    EXEC_ROW(execlp),
    EXEC_ROW(execle),
    EXEC_ROW(fexecve),
    EXEC_ROW(execveat),
    EXEC_ROW(syscall_execve),
    {"exec-arguments", exec_arguments},
    {"exec-fails", exec_fails},
    {"end-return", end_return},
    {"end-exit", end_exit},
    {"end-_exit", end_underscore_exit},
    {"end-_Exit", end_upper_exit},
    {"end-quick_exit", end_quick_exit},
    {"end-exit_group", end_exit_group},
    {"end-handler-sends", end_handler_sends},
    {NULL, NULL},
};
