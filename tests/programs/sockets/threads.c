/* Threads, signal handlers, cancellation and long jumps around connections. One scenario a function; nothing here decides
 * whether what arrived is right. */
#include "common.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static pthread_barrier_t barrier;

static void start_all(pthread_t *threads, int count, void *(*run)(void *))
{
    need(pthread_barrier_init(&barrier, NULL, (unsigned)count) == 0, "barrier");
    for (long i = 0; i < count; i++)
        need(pthread_create(&threads[i], NULL, run, (void *)i) == 0, "pthread_create");
}

static void join_all(pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        need(pthread_join(threads[i], NULL) == 0, "pthread_join");
}

/* --- a connection each --- */

static void *send_on_own(void *number)
{
    size_t step = 3 + (size_t)(long)number;
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < 20; round++) {
        int fd = dial();
        for (size_t at = 0; at < given[0].len; at += step)
            write_all(fd, given[0].at + at, given[0].len - at < step ? given[0].len - at : step);
        close(fd);
    }
    return NULL;
}

static void eight(void)
{
    pthread_t threads[8];
    start_all(threads, 8, send_on_own);
    join_all(threads, 8);
}

/* --- two on one connection: whole requests, numbered --- */

static int shared_fd;

static void *send_numbered(void *number)
{
    char request[4096];
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 200; i++) {
        /* given[0] has %c and %03d in place of who and which. */
        int len = snprintf(request, sizeof request, given[0].at, (int)('a' + (long)number), i);
        write_all(shared_fd, request, (size_t)len);
    }
    return NULL;
}

static void two_on_one(void)
{
    pthread_t threads[2];
    int size = 4 * 1024 * 1024;
    shared_fd = dial();
    need(setsockopt(shared_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0, "SO_SNDBUF");
    start_all(threads, 2, send_numbered);
    join_all(threads, 2);
}

/* --- two on one connection: small pieces of what looks like a request, each thread with letters of its own --- */

/* --- one closes while another writes --- */

static void *write_until_error(void *unused)
{
    (void)unused;
    while (send(shared_fd, given[0].at, given[0].len, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

static void shutdown_while_writing(void)
{
    pthread_t thread;
    shared_fd = dial();
    need(pthread_create(&thread, NULL, write_until_error, NULL) == 0, "pthread_create");
    usleep(20000);
    CALL(shutdown(shared_fd, SHUT_RDWR));
    need(pthread_join(thread, NULL) == 0, "pthread_join");
    CALL(close(shared_fd));
    int fd = dial();
    CALL(write(fd, given[0].at, given[0].len));
}

/* --- signal handlers --- */

static int handler_fd, handler_pipe[2];
static volatile sig_atomic_t handled;

static void write_elsewhere(int signal)
{
    int saved = errno;
    (void)signal;
    if (handled < 50) {
        if (write(handler_fd, "x", 1) == 1 && write(handler_pipe[1], "G", 1) == 1)
            handled++;
    }
    errno = saved;
}

static void every_millisecond(void (*handler)(int), bool again)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval interval = {{0, again ? 1000 : 0}, {0, again ? 1000 : 50000}};
    sigaction(SIGALRM, &action, NULL);
    need(setitimer(ITIMER_REAL, &interval, NULL) == 0, "setitimer");
}

static void signal_handler_writes(void)
{
    char got[64];
    handler_fd = dial();
    int fd = dial();
    need(pipe(handler_pipe) == 0, "pipe");
    every_millisecond(write_elsewhere, true);
    size_t rounds = 0;
    for (; handled < 50 || rounds < 2; rounds++) {
        fd = dial();
        for (size_t at = 0; at < given[0].len; at++)
            need(write(fd, given[0].at + at, 1) == 1, "write");
        close(fd);
        need(rounds < 5000, "fifty signals");
    }
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &off, NULL);
    told("bytes of the handler's in the pipe", read(handler_pipe[0], got, sizeof got));
    close(handler_fd);
}

/* The handler writes to the very connection that is in the middle of a head. */
static void write_a_line(int signal)
{
    (void)signal;
    if (write(handler_fd, "x", 1) == 1)
        handled++;
}

static void signal_handler_writes_same(void)
{
    struct sigaction action = {.sa_handler = write_a_line};
    sigaction(SIGUSR1, &action, NULL);
    handler_fd = dial();
    size_t half = given[0].len / 2;
    CALL(write(handler_fd, given[0].at, half));
    raise(SIGUSR1);
    CALL(write(handler_fd, given[0].at + half, given[0].len - half));
    told("handled", handled);
}

static sigjmp_buf back;
static volatile sig_atomic_t in_write;

static void jump_back(int signal)
{
    (void)signal;
    if (in_write)
        siglongjmp(back, 1);
}

/* Nobody reads from the first connection: the write blocks until the handler jumps out of it. */
static void jump_out_of_write(void)
{
    volatile int fd = dial();
    set_tiny_buffer(fd);
    if (sigsetjmp(back, 1) == 0) {
        every_millisecond(jump_back, false);
        in_write = 1;
        write_all(fd, given[0].at, given[0].len);
    }
    in_write = 0;
    told("jumped", 1);
    CALL(close(fd));
    go();
    for (int i = 0; i < 3; i++) {
        int next = dial();
        told("the same number", next == fd);
        CALL(write(next, given[1].at, given[1].len));
        CALL(close(next));
    }
}

/* --- cancellation --- */

static void *write_and_block(void *unused)
{
    (void)unused;
    write_all(shared_fd, given[0].at, given[0].len);
    return NULL;
}

static void cancel_in_write(void)
{
    pthread_t thread;
    void *result;
    shared_fd = dial();
    set_tiny_buffer(shared_fd);
    need(pthread_create(&thread, NULL, write_and_block, NULL) == 0, "pthread_create");
    usleep(50000);
    CALL(pthread_cancel(thread));
    need(pthread_join(thread, &result) == 0, "pthread_join");
    told("was canceled", result == PTHREAD_CANCELED);
    CALL(close(shared_fd));
    go();
    for (int i = 0; i < 3; i++) {
        int fd = dial();
        CALL(write(fd, given[1].at, given[1].len));
        CALL(close(fd));
    }
}

const struct scenario scenarios[] = {
    {"eight", eight},
    {"two-on-one", two_on_one},
    {"shutdown-while-writing", shutdown_while_writing},
    {"signal-handler-writes", signal_handler_writes},
    {"signal-handler-writes-same", signal_handler_writes_same},
    {"jump-out-of-write", jump_out_of_write},
    {"cancel-in-write", cancel_in_write},
    {NULL, NULL},
};
