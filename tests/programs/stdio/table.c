/* Shows glibc's table of stdio's functions and its page's protection, before and after something that makes the process one
 * that has a socket. Defines mprotect(), as a program may, and so sees, refuses or delays each call that another object makes
 * of it. Nothing in here knows of the shim. usage: table SCENARIO */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 21 };
extern uintptr_t _IO_file_jumps[SLOTS], _IO_wfile_jumps[SLOTS];

/* 'r' or 'w' for how a page may be used, or '?'. Read without stdio. */
static char protection_of(const void *at)
{
    static char text[1 << 18];
    size_t len = 0;
    ssize_t got;
    int maps = open("/proc/self/maps", O_RDONLY);
    while ((got = read(maps, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)got;
    close(maps);
    text[len] = '\0';
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        uintptr_t first, end;
        char flags[8];
        if (sscanf(line, "%lx-%lx %7s", &first, &end, flags) == 3 && first <= (uintptr_t)at && (uintptr_t)at < end)
            return flags[0] == 'r' && flags[2] == '-' ? flags[1] == 'w' ? 'w' : 'r' : '?';
    }
    return '?';
}

static size_t mappings(void)
{
    char byte[4096];
    size_t count = 0;
    ssize_t got;
    int maps = open("/proc/self/maps", O_RDONLY);
    while ((got = read(maps, byte, sizeof byte)) > 0)
        for (ssize_t i = 0; i < got; i++)
            count += byte[i] == '\n';
    close(maps);
    return count;
}

static const char *object_of(uintptr_t function)
{
    static Dl_info info;
    const char *slash;
    if (!function)
        return "-";
    if (!dladdr((void *)function, &info))
        return "nobody";
    slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : info.dli_fname;
}

static void show(const char *when)
{
    fprintf(stderr, "%s: page %c%c,", when, protection_of(_IO_file_jumps), protection_of(_IO_wfile_jumps));
    for (int i = 0; i < SLOTS; i++)
        if (strcmp(object_of(_IO_file_jumps[i]), "libc.so.6") || strcmp(object_of(_IO_wfile_jumps[i]), "libc.so.6"))
            fprintf(stderr, " %d %s %s", i, object_of(_IO_file_jumps[i]), object_of(_IO_wfile_jumps[i]));
    fputc('\n', stderr);
}

/* --- mprotect() --- */

static enum {
    WATCH,
    REFUSE_FIRST,
    REFUSE_SECOND,
    FORK_BETWEEN,
    SIGNAL_BETWEEN,
    THREAD_BETWEEN,
    NOT_YET
} mode = NOT_YET;
static int calls;

/* A second thread comes while the first is at it. That it waits is seen by its sched_yield(), which a filter of its own turns into a
 * signal: there it stands until the first is done. */
static int listener_at(struct sockaddr_in *address);
static _Atomic(int) waiting, may_go_on, found_changed, has_connected;

static void stand(int number)
{
    (void)number;
    waiting = 1;
    while (!may_go_on)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void *connect_second(void *unused)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof code / sizeof *code, code};
    const uintptr_t before = _IO_file_jumps[15];
    struct sockaddr_in address;
    sigset_t trapped;
    sigemptyset(&trapped);
    sigaddset(&trapped, SIGSYS);
    pthread_sigmask(SIG_UNBLOCK, &trapped, NULL);
    listener_at(&address);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0)
        connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
    found_changed = _IO_file_jumps[15] != before;
    has_connected = 1;
    return unused;
}

static pthread_t second_thread;

static void start_second_thread(void)
{
    signal(SIGSYS, stand);
    pthread_create(&second_thread, NULL, connect_second, NULL);
    while (!waiting && !has_connected)
        sched_yield();
}

static void *fork_and_look(void *unused)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        show("in the child of a fork in between");
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return unused;
}

static void jumped(int number)
{
    (void)number;
    fprintf(stderr, "a handler ran while the page was '%c'\n", protection_of(_IO_file_jumps));
}

int mprotect(void *at, size_t len, int protection)
{
    if (mode == NOT_YET)
        return (int)syscall(SYS_mprotect, at, len, protection);
    calls++;
    const int pages = (int)(len / (size_t)sysconf(_SC_PAGESIZE));
    fprintf(stderr, "mprotect %d: %d page(s)%s, %d\n", calls, pages,
            at == (void *)((uintptr_t)&_IO_file_jumps[14] & -sysconf(_SC_PAGESIZE)) ? " of the table" : "", protection);
    if ((mode == REFUSE_FIRST && calls == 1) || (mode == REFUSE_SECOND && calls == 2)) {
        errno = EPERM;
        return -1;
    }
    int result = (int)syscall(SYS_mprotect, at, len, protection);
    if (mode == FORK_BETWEEN && calls == 1) {
        pthread_t thread;
        pthread_create(&thread, NULL, fork_and_look, NULL);
        pthread_join(thread, NULL);
    }
    if (mode == SIGNAL_BETWEEN && calls == 1)
        raise(SIGUSR1);
    if (mode == THREAD_BETWEEN && calls == 1)
        start_second_thread();
    return result;
}

/* --- what makes a socket --- */

static int listener_at(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)address, len) || listen(listener, 4) ||
        getsockname(listener, (struct sockaddr *)address, &len))
        exit(70);
    return listener;
}

static void connects(void)
{
    struct sockaddr_in address;
    listener_at(&address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    errno = 77;
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    fprintf(stderr, "connect %d, errno %d\n", result, errno);
}

/* A server: it is a child that connects. */
static void listens(void)
{
    struct sockaddr_in address;
    int listener = listener_at(&address);
    if (fork() == 0) {
        mode = NOT_YET;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        _exit(connect(fd, (struct sockaddr *)&address, sizeof address) != 0);
    }
    FILE *peer = fdopen(accept(listener, NULL, NULL), "w");
    fputs("HTTP/1.0 200 OK\r\n\r\n", peer);
    fclose(peer);
    wait(NULL);
}

static void sends_datagrams(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
}

static void makes_a_pair(void)
{
    int pair[2];
    errno = 77;
    int result = socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    fprintf(stderr, "socketpair %d, errno %d\n", result, errno);
}

/* Standard input is a socket where a test says so. */
static void opens_an_inherited_one(void)
{
    errno = 77;
    FILE *stream = fdopen(0, "w");
    fprintf(stderr, "fdopen %d, errno %d\n", stream != NULL, errno);
    fclose(stream);
}

static void duplicates_an_inherited_one(void)
{
    dup2(0, 50);
}

static void only_files(void)
{
    FILE *file = tmpfile();
    fprintf(file, "a line\n");
    fclose(file);
    dup2(1, 50);
    fclose(fdopen(50, "w"));
    if (fork() == 0)
        _exit(0);
    wait(NULL);
}

static ssize_t own_write(FILE *stream, const void *data, ssize_t len)
{
    (void)stream;
    return write(2, data, (size_t)len) == len ? len : -1;
}

static void put_into_write_slot(uintptr_t function)
{
    const uintptr_t page = (uintptr_t)&_IO_file_jumps[15] & -(uintptr_t)sysconf(_SC_PAGESIZE);
    syscall(SYS_mprotect, page, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE);
    _IO_file_jumps[15] = function;
    syscall(SYS_mprotect, page, sysconf(_SC_PAGESIZE), PROT_READ);
}

static void has_changed_it_itself(void)
{
    put_into_write_slot((uintptr_t)own_write);
    connects();
}

/* Another function of libc's: nothing is written by that until it is put back. */
static void has_mixed_it_up(void)
{
    const uintptr_t kept = _IO_file_jumps[15];
    struct sockaddr_in address;
    listener_at(&address);
    put_into_write_slot(_IO_file_jumps[16]);
    connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
    const bool as_it_was = _IO_file_jumps[15] == _IO_file_jumps[16];
    put_into_write_slot(kept);
    fprintf(stderr, "as the program left it: %d\n", as_it_was);
}

static void is_refused(void)
{
    mode = REFUSE_FIRST;
    connects();
}

static void is_refused_then(void)
{
    mode = REFUSE_SECOND;
    connects();
}

static void forks_in_between(void)
{
    mode = FORK_BETWEEN;
    connects();
}

static void gets_a_signal_in_between(void)
{
    signal(SIGUSR1, jumped);
    mode = SIGNAL_BETWEEN;
    connects();
}

static void meets_a_second_thread(void)
{
    mode = THREAD_BETWEEN;
    connects();
    may_go_on = 1;
    pthread_join(second_thread, NULL);
    fprintf(stderr, "the second thread waited: %d, and found the table changed: %d\n", waiting, found_changed);
}

static void connects_twice(void)
{
    connects();
    connects();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"connects", connects},
        {"connects-twice", connects_twice},
        {"listens", listens},
        {"sends-datagrams", sends_datagrams},
        {"makes-a-pair", makes_a_pair},
        {"opens-an-inherited-one", opens_an_inherited_one},
        {"duplicates-an-inherited-one", duplicates_an_inherited_one},
        {"only-files", only_files},
        {"has-changed-it-itself", has_changed_it_itself},
        {"has-mixed-it-up", has_mixed_it_up},
        {"is-refused", is_refused},
        {"is-refused-then", is_refused_then},
        {"forks-in-between", forks_in_between},
        {"gets-a-signal-in-between", gets_a_signal_in_between},
        {"meets-a-second-thread", meets_a_second_thread},
    };
    mode = WATCH;
    setvbuf(stderr, NULL, _IOLBF, 4096);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (argc == 2 && !strcmp(argv[1], scenarios[i].name)) {
            show("before");
            size_t before = mappings();
            scenarios[i].run();
            mode = NOT_YET;
            show("after");
            fprintf(stderr, "mappings %+d\n", (int)(mappings() - before));
            return 0;
        }
    return 64;
}
