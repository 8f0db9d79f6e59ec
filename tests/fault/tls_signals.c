/* Signals, and stops, while requests are written over TLS. */
#include "tls_scenarios.h"

#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

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
    struct tls blocked = tls_open(host, port, 4096);
    check(setsockopt(blocked.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0, "SO_SNDTIMEO");
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(blocked.fd);
        stop_and_go_on(parent);
    }
    int refused = tls_write(&blocked, given[0].at, given[0].len);
    tell("was interrupted", refused > 0);
    check(waitpid(child, NULL, 0) == child, "waitpid");
    tls_write(&blocked, given[1].at, given[1].len);
    tls_close(&blocked);
}

const struct scenario signals[] = {
    {"handler-in-write", handler_in_write},
    {"timer-writes-plain", timer_writes_plain},
    {"stopped-while-blocked", stopped_while_blocked},
    {NULL, NULL},
};
