/* Control that leaves a library's TLS write by another way than its return, or enters it twice: cancellation, new processes, ends,
 * signals and stops, each in the middle of a request. One scenario a function; nothing here knows of the shim or decides whether what
 * arrived is right. Arguments: SCENARIO HOST PORT TARGET FILE… */
#include "tls.h"

#include "inside.h"

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char *host, *port;
static struct bytes given[2];

static struct tls dial(void)
{
    return tls_open(host, port, 0);
}

static void tell(const char *what, long number)
{
    printf("%s: %ld\n", what, number);
}

/* Whatever happened, none is left open. */
static void tell_descriptors(void)
{
    tell("descriptors more than at the start", open_descriptors() - open_at_start);
}

/* One that is written to by nobody else, and must never notice what happens to others. */
static void request_on_its_own(struct bytes request)
{
    struct tls tls = dial();
    tls_write(&tls, request.at, request.len);
    tls_close(&tls);
}

/* --- threads that write requests on connections of their own until they are told to stop --- */

enum { WRITERS = 4 };
static pthread_t writers[WRITERS];
static pthread_barrier_t barrier;
static _Atomic bool stop;
static size_t piece; /* 0: each request in one write */
static struct bytes *written = &given[0];

static void *write_requests(void *unused)
{
    (void)unused;
    struct tls tls = dial();
    pthread_barrier_wait(&barrier);
    do {
        for (size_t at = 0, len; at < written->len; at += len) {
            len = piece && piece < written->len - at ? piece : written->len - at;
            tls_write(&tls, written->at + at, len);
        }
        usleep(50); /* the peer must not drown */
    } while (!stop);
    tls_close(&tls);
    return NULL;
}

static void start_writers(int count)
{
    check(pthread_barrier_init(&barrier, NULL, (unsigned)count + 1) == 0, "barrier");
    for (int i = 0; i < count; i++)
        check(pthread_create(&writers[i], NULL, write_requests, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&barrier);
}

static void join_writers(int count)
{
    stop = true;
    for (int i = 0; i < count; i++)
        check(pthread_join(writers[i], NULL) == 0, "pthread_join");
}

/* --- cancellation --- */

static int type;
static struct tls canceled;
static _Atomic pid_t blocked_thread;

/* In the middle of libc's write, as the kernel would have been asked for it: no lock is held and nothing half done but that write,
 * so that asynchronous cancellation is legal here too. */
static void cancel_self(void)
{
    int before;
    pthread_setcanceltype(type, &before);
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void *write_and_be_canceled(void *blocks)
{
    int before;
    if (!blocks)
        arrange(cancel_self, 2);
    else
        pthread_setcanceltype(type, &before);
    blocked_thread = gettid();
    tls_write(&canceled, given[0].at, given[0].len);
    return NULL;
}

/* Whether a thread waits in the kernel. */
static bool sleeps(pid_t process, pid_t thread)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", process, thread);
    int fd = open(path, O_RDONLY);
    check(fd >= 0 && read(fd, text, sizeof text - 1) > 0, "read a thread's state");
    close(fd);
    const char *state = strrchr(text, ')');
    return state && state[2] == 'S';
}

static bool takes_no_more(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    return poll(&entry, 1, 0) == 0;
}

/* Returns when the thread is in a write that its peer keeps waiting. */
static void wait_until_blocked(void)
{
    for (int i = 0; i < 20000; i++) {
        if (blocked_thread && takes_no_more(canceled.fd) && sleeps(getpid(), blocked_thread))
            return;
        usleep(500);
    }
    die("a write that blocks");
}

static void cancel(int rounds, bool blocks, bool drops)
{
    start_writers(1);
    for (int round = 0; round < rounds; round++) {
        pthread_t thread;
        void *result;
        blocked_thread = 0;
        canceled = tls_open(host, port, blocks ? 4096 : 0);
        check(pthread_create(&thread, NULL, write_and_be_canceled, blocks ? &blocked_thread : NULL) == 0, "pthread_create");
        if (blocks) {
            wait_until_blocked();
            pthread_cancel(thread);
        }
        check(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "a canceled thread");
        if (drops)
            tls_drop(&canceled);
        else
            close(canceled.fd);
        request_on_its_own(given[1]);
    }
    join_writers(1);
    tell_descriptors();
}

static void cancel_rounds(int of_type, int rounds, bool blocks, bool drops)
{
    type = of_type;
    written = &given[1];
    cancel(rounds, blocks, drops);
}

static void cancel_deferred(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_DEFERRED, 20, false, true);
}

static void cancel_asynchronous(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_ASYNCHRONOUS, 20, false, true);
}

static void cancel_blocked(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_DEFERRED, 4, true, true);
}

static void cancel_blocked_asynchronous(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_ASYNCHRONOUS, 4, true, true);
}

/* The library's own connection stays, as in a program that leaves it to the process's end. */
static void cancel_and_keep(char **unused)
{
    (void)unused;
    cancel_rounds(PTHREAD_CANCEL_DEFERRED, 5, false, false);
}

/* --- processes that are made while threads are in the middle of requests --- */

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

/* --- signals --- */

static struct tls other;
static volatile sig_atomic_t handled;

static void write_to_other(int signal)
{
    (void)signal;
    tls_write(&other, given[1].at, given[1].len);
    handled++;
}

static void interrupt(void)
{
    raise(SIGUSR1);
}

/* At a random moment neither library may be called from a handler: it may hold the allocator. In the middle of libc's write it
 * holds nothing, and a program that lets signals in there alone may write to another connection. */
static void handler_in_write(char **unused)
{
    const struct sigaction action = {.sa_handler = write_to_other};
    (void)unused;
    check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    struct tls tls = dial();
    other = dial();
    for (int i = 0; i < 50; i++) {
        arrange(interrupt, 1 + i % 3);
        tls_write(&tls, given[0].at, given[0].len);
    }
    tls_close(&tls);
    tls_close(&other);
    tell("handled", handled);
}

/* The recorder's address without TLS. */
static int dial_plain(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/recorder", getenv("TMPDIR"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    return fd;
}

static void write_all(int fd, struct bytes request)
{
    for (size_t done = 0; done < request.len;) {
        ssize_t sent = write(fd, request.at + done, request.len - done);
        check(sent > 0 || errno == EINTR, "write");
        done += sent > 0 ? (size_t)sent : 0;
    }
}

enum { TICKS = 60 };
static int ticks, upload;

/* write() may be called in a handler: to a protocol of its own, and some of a body whose head is out. */
static void write_plain(int signal)
{
    int saved = errno;
    (void)signal;
    if (handled < TICKS) {
        const char body = (char)('A' + handled % 26);
        check(write(ticks, "tick\n", 5) == 5 && write(upload, &body, 1) == 1, "write");
        handled++;
    }
    errno = saved;
}

static void timer_writes_plain(char **unused)
{
    const struct sigaction action = {.sa_handler = write_plain};
    const struct itimerval often = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
    (void)unused;
    struct tls tls = dial();
    ticks = dial_plain();
    upload = dial_plain();
    int plain = dial_plain();
    check(write(ticks, "tick\n", 5) == 5, "write");
    write_all(upload, given[1]);
    check(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0, "setitimer");
    for (long round = 0; handled < TICKS; round++) {
        tls_write(&tls, given[0].at, given[0].len);
        write_all(plain, given[0]);
        check(round < 10000000, "a timer");
    }
    check(setitimer(ITIMER_REAL, &off, NULL) == 0, "setitimer");
    tls_close(&tls);
    close(ticks);
    close(upload);
    close(plain);
}

/* Stopped and continued again and again while its peer does not read. With a time limit the kernel then lets a write be interrupted
 * without any handler. */
static void stop_and_go_on(pid_t of)
{
    for (int i = 0; i < 20; i++) {
        for (int tries = 0; !sleeps(of, of) && tries < 20000; tries++)
            usleep(500);
        kill(of, SIGSTOP);
        usleep(1000);
        kill(of, SIGCONT);
        usleep(1000);
    }
    check(write(atoi(getenv("CONTROL")), "r", 1) == 1, "let the peer read");
    _exit(0);
}

static void stopped_while_blocked(char **unused)
{
    const struct timeval limit = {.tv_sec = 30};
    (void)unused;
    canceled = tls_open(host, port, 4096);
    check(setsockopt(canceled.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0, "SO_SNDTIMEO");
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(canceled.fd);
        stop_and_go_on(parent);
    }
    int refused = tls_write(&canceled, given[0].at, given[0].len);
    tell("was interrupted", refused > 0);
    check(waitpid(child, NULL, 0) == child, "waitpid");
    tls_write(&canceled, given[1].at, given[1].len);
    tls_close(&canceled);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"cancel-deferred", cancel_deferred},
        {"cancel-asynchronous", cancel_asynchronous},
        {"cancel-blocked", cancel_blocked},
        {"cancel-blocked-asynchronous", cancel_blocked_asynchronous},
        {"cancel-and-keep", cancel_and_keep},
        {"storm-and-wholes", storm_and_wholes},
        {"storm-and-pieces", storm_and_pieces},
        {"vforks-and-pieces", vforks_and_pieces},
        {"few-forks", few_forks},
        {"exit-while-writing", exit_while_writing},
        {"exit-in-mid-head", exit_in_mid_head},
        {"handler-in-write", handler_in_write},
        {"timer-writes-plain", timer_writes_plain},
        {"stopped-while-blocked", stopped_while_blocked},
        {NULL, NULL},
    };
    check(argc >= 6, "SCENARIO HOST PORT TARGET FILE…");
    host = argv[2];
    port = argv[3];
    for (int i = 5; i < argc && i < 7; i++)
        given[i - 5] = load(argv[i]);
    tls_start();
    return run_scenario(scenarios, argc, argv);
}
