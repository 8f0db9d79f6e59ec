/* Control that leaves a write by another way than its return, or enters it twice: coroutines, handlers on stacks of their own, long
 * jumps, cancellation, forks and exits of threaded programs. One scenario a function; nothing here knows of the shim or decides
 * whether what arrived is right. inside_write() is called, where a test arranged that, in the middle of a real write. */
#include "../programs/sockets/common.h"
#include "inside.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <ucontext.h>

/* Whatever happened, none is left open. */
static void tell_descriptors(void)
{
    told("descriptors more than at the start", open_descriptors_more());
}

/* --- coroutines --- */

static int fds[2];
static ucontext_t scheduler, coroutine[2];
static char stacks[2][128 * 1024];
static bool lower_first;

static void first_writes(void)
{
    write_all(fds[0], given[0].at, given[0].len);
}

static void second_writes(void)
{
    write_all(fds[1], given[1].at, given[1].len);
}

static void yield_to_second(void)
{
    need(swapcontext(&coroutine[0], &coroutine[1]) == 0, "swapcontext");
}

static void make_coroutine(int number, char *stack, ucontext_t *then, void (*run)(void))
{
    need(getcontext(&coroutine[number]) == 0, "getcontext");
    coroutine[number].uc_stack.ss_sp = stack;
    coroutine[number].uc_stack.ss_size = sizeof stacks[0];
    coroutine[number].uc_link = then;
    makecontext(&coroutine[number], run, 0);
}

/* The first stops in the middle of a request, with some bytes of it out; the second writes one, and then the first goes on. */
static void *run_two(void *unused)
{
    (void)unused;
    make_coroutine(0, stacks[lower_first ? 0 : 1], &scheduler, first_writes);
    make_coroutine(1, stacks[lower_first ? 1 : 0], &coroutine[0], second_writes);
    first_takes = 40;
    arrange(yield_to_second, 2);
    need(swapcontext(&scheduler, &coroutine[0]) == 0, "swapcontext");
    first_takes = 0;
    write_all(fds[0], given[2].at, given[2].len);
    return NULL;
}

static void run_two_on(bool same, bool in_thread)
{
    fds[0] = dial();
    fds[1] = same ? fds[0] : dial();
    if (in_thread) {
        pthread_t thread;
        need(pthread_create(&thread, NULL, run_two, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
    } else {
        run_two(NULL);
    }
}

static void coroutines_lower_first(void)
{
    lower_first = true;
    run_two_on(true, false);
}

static void coroutines_higher_first(void)
{
    run_two_on(true, false);
}

static void coroutines_in_thread(void)
{
    lower_first = true;
    run_two_on(true, true);
}

static void coroutines_on_two(void)
{
    lower_first = true;
    run_two_on(false, false);
}

/* --- a handler on a stack of its own, which lies higher than the one it interrupts --- */

static void write_second(int signal)
{
    (void)signal;
    write_all(fds[0], given[1].at, given[1].len);
}

static void interrupt(void)
{
    pthread_kill(pthread_self(), SIGUSR1);
}

static void *write_interrupted(void *stack)
{
    const stack_t own = {.ss_sp = stack, .ss_size = 64 * 1024};
    struct sigaction action = {.sa_handler = write_second, .sa_flags = SA_ONSTACK};
    need(sigaltstack(&own, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0, "sigaltstack");
    first_takes = 40;
    arrange(interrupt, 2);
    write_all(fds[0], given[0].at, given[0].len);
    first_takes = 0;
    write_all(fds[0], given[2].at, given[2].len);
    return NULL;
}

static void handler_on_own_stack(void)
{
    char stack[64 * 1024]; /* higher than all that is called from here */
    fds[0] = dial();
    write_interrupted(stack);
}

static void handler_on_own_stack_in_thread(void)
{
    char stack[64 * 1024];
    pthread_t thread;
    fds[0] = dial();
    need(pthread_create(&thread, NULL, write_interrupted, stack) == 0 && pthread_join(thread, NULL) == 0, "thread");
}

/* --- out of a write before it has taken a byte, which is then done again: first half a head, so that some is held --- */

static sigjmp_buf back;

static void jump(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static void *jump_and_again(void *unused)
{
    struct sigaction action = {.sa_handler = jump};
    size_t half = given[0].len / 2;
    (void)unused;
    volatile size_t used = 0;
    need(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    for (int round = 0; round < 50; round++) {
        if (round == 10)
            used = mallinfo2().uordblks;
        int fd = dial();
        write_all(fd, given[0].at, half);
        if (sigsetjmp(back, 1) == 0) {
            arrange(interrupt, 1);
            write_all(fd, given[0].at + half, given[0].len - half);
            need(has_happened(), "a jump");
        } else {
            write_all(fd, given[0].at + half, given[0].len - half);
        }
        arrange(NULL, 0);
        close(fd);
    }
    told("bytes that forty rounds kept", (long)(mallinfo2().uordblks - used));
    tell_descriptors();
    return NULL;
}

static void jump_out_and_again(void)
{
    jump_and_again(NULL);
}

static void jump_out_and_again_in_thread(void)
{
    pthread_t thread;
    need(pthread_create(&thread, NULL, jump_and_again, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
}

/* --- cancellation, as it comes in the middle of a write --- */

static void cancel_self(void)
{
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void *write_and_be_canceled(void *type)
{
    int before;
    pthread_setcanceltype(type ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED, &before);
    first_takes = 40;
    arrange(cancel_self, 2);
    write_all(fds[0], given[0].at, given[0].len);
    return NULL;
}

static void cancel(void *type)
{
    for (int round = 0; round < 20; round++) {
        pthread_t thread;
        void *result;
        fds[0] = dial();
        need(pthread_create(&thread, NULL, write_and_be_canceled, type) == 0, "pthread_create");
        need(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "a canceled thread");
        first_takes = 0;
        close(fds[0]);
        fds[0] = dial();
        write_all(fds[0], given[1].at, given[1].len);
        close(fds[0]);
    }
    tell_descriptors();
}

static void cancel_deferred(void)
{
    cancel(NULL);
}

static void cancel_asynchronous(void)
{
    cancel(&fds);
}

/* --- processes that are made, and an end, while threads are in the middle of requests --- */

enum { WRITERS = 4, REQUESTS = 60 };
static pthread_t writers[WRITERS];
static pthread_barrier_t barrier;
static int requests = REQUESTS;

static void *write_requests(void *unused)
{
    (void)unused;
    int fd = dial();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < requests; i++)
        for (size_t at = 0; at < given[0].len; at += 50)
            write_all(fd, given[0].at + at, given[0].len - at < 50 ? given[0].len - at : 50);
    close(fd);
    return NULL;
}

static void start_writers(void)
{
    need(pthread_barrier_init(&barrier, NULL, WRITERS + 1) == 0, "barrier");
    for (int i = 0; i < WRITERS; i++)
        need(pthread_create(&writers[i], NULL, write_requests, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&barrier);
}

static void join_writers(void)
{
    for (int i = 0; i < WRITERS; i++)
        need(pthread_join(writers[i], NULL) == 0, "pthread_join");
}

static void spawn_storm(void)
{
    extern char **environ;
    char *const argv[] = {"true", NULL};
    volatile int ended = 0;
    start_writers();
    for (int i = 0; i < 60; i++) {
        int status = 1;
        pid_t pid = 0;
        if (i % 3 == 0)
            need(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0, "posix_spawn");
        else if ((pid = i % 3 == 1 ? fork() : vfork()) == 0)
            _exit(0);
        need(waitpid(pid, &status, 0) == pid, "waitpid");
        ended += status == 0;
    }
    join_writers();
    tell_descriptors();
    told("children that ended well", ended);
}

static void *exit_in_thread(void *unused)
{
    (void)unused;
    usleep(2000);
    exit(0);
}

static void exit_while_writing(void)
{
    pthread_t thread;
    requests = 1000000;
    start_writers();
    need(pthread_create(&thread, NULL, exit_in_thread, NULL) == 0, "pthread_create");
    join_writers();
}

/* --- descriptors --- */

static void close_all_from_3(void)
{
    for (int i = 0; i < 20; i++) {
        int fd = dial();
        write_all(fd, given[0].at, given[0].len / 2);
        CALL(close_range(3, ~0u, 0));
        fd = dial();
        write_all(fd, given[0].at, given[0].len);
        CALL(close_range(3, ~0u, 0));
    }
}

/* Half a head, then the descriptor is passed to a process that was there before, which writes the rest. */
static void pass_in_mid_head(void)
{
    int pair[2], status;
    char byte = 'x';
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    size_t half = given[0].len / 2;
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    pid_t pid = fork();
    if (pid == 0) {
        need(recvmsg(pair[1], &message, 0) == 1, "recvmsg");
        int fd;
        memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
        write_all(fd, given[0].at + half, given[0].len - half);
        _exit(0);
    }
    int fd = dial();
    write_all(fd, given[0].at, half);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    CALL(sendmsg(pair[0], &message, 0));
    need(waitpid(pid, &status, 0) == pid && status == 0, "the other process");
    CALL(close(fd));
}

/* An object that was opened like a plugin, written by, and closed again: what it arranged in libc must not lead into nothing. */
static void open_and_close_object(void)
{
    const char *path = getenv("OBJECT");
    void *object = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    need(!path || object, "dlopen");
    ssize_t (*by)(int, const void *, size_t) = object ? (__typeof__(by))dlsym(object, "write") : write;
    int fd = dial(), status = 1;
    need(by && by(fd, given[0].at, given[0].len) == (ssize_t)given[0].len, "write");
    need(!object || dlclose(object) == 0, "dlclose");
    FILE *stream = fdopen(fd, "w");
    need(stream && fwrite(given[1].at, 1, given[1].len, stream) == given[1].len && fflush(stream) == 0, "a stream");
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    need(waitpid(pid, &status, 0) == pid && status == 0, "fork");
    CALL(fclose(stream));
}

/* --- limits --- */

static void no_descriptors_left(void)
{
    int fd = dial(), last = fd, next;
    while ((next = dup(1)) >= 0)
        last = next;
    told("the last one", last > fd);
    for (size_t at = 0; at < given[0].len; at++)
        write_all(fd, given[0].at + at, 1);
    CALL(close(fd));
}

static void no_memory_left(void)
{
    int fd = dial();
    write_all(fd, given[0].at, given[0].len);
    void *kept[4096];
    for (size_t size = 1 << 24; size >= 16; size /= 2)
        for (int i = 0; i < 4096 && (kept[i % 4096] = malloc(size)); i++)
            ;
    char *more = malloc(16);
    told("more", more != NULL);
    for (size_t at = 0; at < given[0].len; at += 7)
        write_all(fd, given[0].at + at, given[0].len - at < 7 ? given[0].len - at : 7);
    CALL(close(fd));
}

const struct scenario scenarios[] = {
    {"coroutines-lower-first", coroutines_lower_first},
    {"coroutines-higher-first", coroutines_higher_first},
    {"coroutines-in-thread", coroutines_in_thread},
    {"coroutines-on-two", coroutines_on_two},
    {"handler-on-own-stack", handler_on_own_stack},
    {"handler-on-own-stack-in-thread", handler_on_own_stack_in_thread},
    {"jump-out-and-again", jump_out_and_again},
    {"jump-out-and-again-in-thread", jump_out_and_again_in_thread},
    {"cancel-deferred", cancel_deferred},
    {"cancel-asynchronous", cancel_asynchronous},
    {"spawn-storm", spawn_storm},
    {"exit-while-writing", exit_while_writing},
    {"close-all-from-3", close_all_from_3},
    {"pass-in-mid-head", pass_in_mid_head},
    {"open-and-close-object", open_and_close_object},
    {"no-descriptors-left", no_descriptors_left},
    {"no-memory-left", no_memory_left},
    {NULL, NULL},
};
