/* Processes that are made, and ends, while threads are in the middle of requests over TLS. */
#include "tls_scenarios.h"

#include <spawn.h>
#include <sys/wait.h>

enum birth { SPAWNED, FORKED, FORKED_AND_EXECED, VFORKED, VFORKED_AND_EXECED, BARELY_FORKED, FORKED_AND_SENDS, BIRTHS };

/* A request, and as much of another as there is when the process ends. */
static void request_and_half(void)
{
    struct tls tls = dial();
    tls_write(&tls, given[1].at, given[1].len);
    tls_write(&tls, given[1].at, given[1].len / 2);
}

static char *const true_argv[] = {"true", NULL};

static pid_t bear(enum birth birth)
{
    extern char **environ;
    pid_t pid = 0;
    switch (birth) {
    case SPAWNED: check(posix_spawn(&pid, "/bin/true", NULL, NULL, true_argv, environ) == 0, "posix_spawn"); return pid;
    case VFORKED:
        if ((pid = vfork()) == 0)
            _exit(0);
        return pid;
    case VFORKED_AND_EXECED:
        if ((pid = vfork()) == 0) {
            execv("/bin/true", true_argv);
            _exit(1);
        }
        return pid;
    case BARELY_FORKED:
        if ((pid = _Fork()) == 0)
            _exit(0);
        return pid;
    default: break;
    }
    if ((pid = fork()) != 0)
        return pid;
    if (birth == FORKED_AND_EXECED)
        execv("/bin/true", true_argv);
    alarm(5);
    if (birth == FORKED_AND_SENDS)
        request_and_half();
    _exit(birth == FORKED_AND_EXECED);
}

static void storm(size_t pieces, enum birth first, enum birth last, int children)
{
    int ended = 0;
    piece = pieces;
    start_writers(WRITERS);
    for (int i = 0; i < children; i++) {
        int status = 1;
        pid_t pid = bear(first + (enum birth)i % (last - first + 1));
        check(pid > 0 && waitpid(pid, &status, 0) == pid, "waitpid");
        ended += status == 0;
    }
    join_writers(WRITERS);
    tell_descriptors();
    tell("children that ended well", ended);
}

static void storm_and_wholes(char **unused)
{
    (void)unused;
    storm(0, SPAWNED, FORKED_AND_SENDS, 10 * BIRTHS);
}

static void storm_and_pieces(char **unused)
{
    (void)unused;
    storm(50, SPAWNED, FORKED_AND_SENDS, 10 * BIRTHS);
}

void before_free(void);
static pid_t frees; /* 0: everybody may */

void before_free(void)
{
    if (frees && getpid() != frees)
        _exit(9);
}

static void bare_forks(char **unused)
{
    (void)unused;
    storm(0, BARELY_FORKED, BARELY_FORKED, 200);
}

static void meet_twice(void)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
}

/* A thread is in the middle of a head, and of asking its library about a read, when another one forks. */
static void *write_look_and_write(void *unused)
{
    struct tls tls = dial();
    size_t half = given[0].len / 2;
    (void)unused;
    tls_write(&tls, given[0].at, half);
    tls_read_nothing(&tls, meet_twice);
    tls_write(&tls, given[0].at + half, given[0].len - half);
    tls_close(&tls);
    return NULL;
}

static void *write_and_meet(void *unused)
{
    struct tls tls = dial();
    (void)unused;
    arrange(meet_twice, 2);
    tls_write(&tls, given[0].at, given[0].len);
    tls_close(&tls);
    return NULL;
}

/* In the child of _Fork() nobody may ask the allocator for anything: the thread that is in the middle of a write might have had it. */
static void bare_fork_in_mid_write(char **unused)
{
    pthread_t thread;
    int status = 1;
    (void)unused;
    check(pthread_barrier_init(&barrier, NULL, 2) == 0, "barrier");
    check(pthread_create(&thread, NULL, write_and_meet, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&barrier);
    frees = getpid();
    pid_t pid = bear(BARELY_FORKED);
    frees = 0;
    check(pid > 0 && waitpid(pid, &status, 0) == pid, "waitpid");
    tell("the child's status", status);
    pthread_barrier_wait(&barrier);
    check(pthread_join(thread, NULL) == 0, "pthread_join");
}

static void births_beside_a_reader(char **unused)
{
    (void)unused;
    for (enum birth birth = SPAWNED; birth < FORKED_AND_SENDS; birth++) {
        pthread_t thread;
        int status = 1;
        check(pthread_barrier_init(&barrier, NULL, 2) == 0, "barrier");
        check(pthread_create(&thread, NULL, write_look_and_write, NULL) == 0, "pthread_create");
        pthread_barrier_wait(&barrier);
        pid_t pid = bear(birth);
        check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a child");
        pthread_barrier_wait(&barrier);
        check(pthread_join(thread, NULL) == 0, "pthread_join");
    }
    tell_descriptors();
}

/* Half a head is no business of a child that shares its parent's memory. */
static void vforks_and_pieces(char **unused)
{
    (void)unused;
    storm(50, VFORKED, VFORKED_AND_EXECED, 60);
}

/* Fewer, and none by vfork, which valgrind makes a fork of. */
static void few_forks(char **unused)
{
    (void)unused;
    storm(50, SPAWNED, FORKED_AND_EXECED, 6);
}

/* --- an end in one thread --- */

static void *end(void *unused)
{
    (void)unused;
    usleep(2000);
    exit(0);
}

static void exit_while_writing(char **unused)
{
    pthread_t thread;
    (void)unused;
    piece = 50;
    start_writers(WRITERS);
    check(pthread_create(&thread, NULL, end, NULL) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static void *write_half_and_wait(void *unused)
{
    struct tls tls = dial();
    (void)unused;
    tls_write(&tls, given[0].at, given[0].len / 2);
    pthread_barrier_wait(&barrier);
    pause();
    return NULL;
}

static void exit_in_mid_head(char **unused)
{
    pthread_t thread;
    (void)unused;
    check(pthread_barrier_init(&barrier, NULL, 2) == 0, "barrier");
    check(pthread_create(&thread, NULL, write_half_and_wait, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&barrier);
    check(pthread_create(&thread, NULL, end, NULL) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

const struct scenario processes[] = {
    {"storm-and-wholes", storm_and_wholes},
    {"storm-and-pieces", storm_and_pieces},
    {"bare-forks", bare_forks},
    {"bare-fork-in-mid-write", bare_fork_in_mid_write},
    {"births-beside-a-reader", births_beside_a_reader},
    {"vforks-and-pieces", vforks_and_pieces},
    {"few-forks", few_forks},
    {"exit-while-writing", exit_while_writing},
    {"exit-in-mid-head", exit_in_mid_head},
    {NULL, NULL},
};
