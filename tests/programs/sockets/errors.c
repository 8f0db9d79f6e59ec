/* Calls that fail. Each prints the return value and errno, which must be the same whoever stands in between; nothing here
 * says what they should be. */
#include "common.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

static size_t shown; /* of given[0]: all of it, or half a head */

static void by_write(int fd)
{
    CALL(write(fd, given[0].at, shown));
}

static void by_send(int fd)
{
    CALL(send(fd, given[0].at, shown, 0));
}

static void by_quiet_send(int fd)
{
    CALL(send(fd, given[0].at, shown, MSG_NOSIGNAL));
}

static void by_sendto(int fd)
{
    CALL(sendto(fd, given[0].at, shown, 0, NULL, 0));
}

static void by_writev(int fd)
{
    struct iovec pieces[2] = {{given[0].at, 5}, {given[0].at + 5, shown - 5}};
    CALL(writev(fd, pieces, 2));
}

static void by_sendmsg(int fd)
{
    struct iovec pieces[2] = {{given[0].at, 5}, {given[0].at + 5, shown - 5}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    CALL(sendmsg(fd, &message, 0));
}

static void by_sendmmsg(int fd)
{
    struct iovec piece = {given[0].at, shown};
    struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}}};
    messages[1] = messages[0];
    CALL(sendmmsg(fd, messages, 2, 0));
}

static void by_dprintf(int fd)
{
    CALL(dprintf(fd, "%.*s", (int)shown, given[0].at));
}

static void by_sendfile(int fd)
{
    off_t offset = 0;
    CALL(sendfile(fd, open(given_path[0], O_RDONLY), &offset, shown));
    told("offset", offset);
}

typedef void way(int fd);
static way *const ways[] = {by_write,   by_send,     by_quiet_send, by_sendto,  by_writev,
                            by_sendmsg, by_sendmmsg, by_dprintf,    by_sendfile};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* A fresh connection whose peer has gone: each way meets it as the first and the second write. */
static void peer_gone(void (*make)(int pair[2]), bool reset)
{
    struct linger at_once = {1, 0};
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < WAYS; i++) {
        int pair[2];
        make(pair);
        if (reset)
            need(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0, "SO_LINGER");
        close(pair[1]);
        ways[i](pair[0]);
        ways[i](pair[0]);
        close(pair[0]);
    }
}

static void whole_or_half(bool whole)
{
    shown = whole ? given[0].len : given[0].len / 2;
}

static void unix_peer_gone(void)
{
    whole_or_half(true);
    peer_gone(unix_pair, false);
}

static void tcp_reset(void)
{
    whole_or_half(true);
    peer_gone(tcp_pair, true);
}

static void half_to_unix_peer_gone(void)
{
    whole_or_half(false);
    peer_gone(unix_pair, false);
}

static void half_to_tcp_reset(void)
{
    whole_or_half(false);
    peer_gone(tcp_pair, true);
}

static void after_shutdown(void)
{
    int pair[2];
    signal(SIGPIPE, SIG_IGN);
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < WAYS; i++) {
            whole_or_half(!half);
            tcp_pair(pair);
            shutdown(pair[0], SHUT_WR);
            ways[i](pair[0]);
            close(pair[0]), close(pair[1]);
        }
}

static void sigpipe_by_default(void)
{
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < WAYS; i++) {
            int status = 0;
            whole_or_half(!half);
            pid_t pid = fork();
            if (pid == 0) {
                int pair[2];
                unix_pair(pair);
                close(pair[1]);
                ways[i](pair[0]);
                _exit(0);
            }
            need(waitpid(pid, &status, 0) == pid, "wait");
            told("status", status);
        }
}

static void bad_descriptor(void)
{
    static const int numbers[] = {-1, 999, 100000, 2000000};
    whole_or_half(true);
    for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++)
        for (int i = 0; i < WAYS; i++)
            ways[i](numbers[n]);
    int pair[2];
    tcp_pair(pair);
    CALL(write(pair[0], given[0].at, given[0].len));
    close(pair[0]);
    for (int i = 0; i < WAYS; i++)
        ways[i](pair[0]);
    CALL(close(pair[0]));
    CALL(dup(999));
    CALL(dup2(999, 5));
    CALL(fcntl(999, F_DUPFD, 0));
    CALL(fcntl(1, F_DUPFD, 100000000));
    CALL(shutdown(999, SHUT_WR));
    CALL(connect(999, NULL, 0));
    CALL(socket(1000, 1, 1));
    CALL(accept(999, NULL, NULL));
    /* Open, but not for this. */
    int null = open("/dev/null", O_RDONLY);
    by_write(null);
    by_writev(null);
    by_send(null);
    by_sendmsg(null);
}

static void not_connected(int family)
{
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < WAYS; i++) {
        int fd = socket(family, SOCK_STREAM, 0);
        ways[i](fd);
        close(fd);
    }
}

static void whole_to_nobody(void)
{
    whole_or_half(true);
    not_connected(AF_INET);
    not_connected(AF_UNIX);
}

static void half_to_nobody(void)
{
    whole_or_half(false);
    not_connected(AF_INET);
    not_connected(AF_UNIX);
}

static void buffer_full(void)
{
    static const char filler[1500];
    int pair[2];
    whole_or_half(true);
    for (int i = 0; i < WAYS; i++) {
        unix_pair(pair);
        set_nonblocking(pair[0]);
        set_tiny_buffer(pair[0]);
        /* A child fills it, so that this process has written nothing yet. */
        pid_t pid = fork();
        if (pid == 0) {
            while (write(pair[0], filler, sizeof filler) > 0)
                ;
            _exit(errno == EAGAIN ? 0 : 1);
        }
        int status;
        need(waitpid(pid, &status, 0) == pid && status == 0, "fill the buffer");
        ways[i](pair[0]);
        close(pair[0]), close(pair[1]);
    }
}

/* --- EFAULT: memory that cannot be read, as programs write it to find out --- */

static char *unreadable(void)
{
    char *at = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(at != MAP_FAILED, "mmap");
    return at;
}

static void fault(const char *what, int fd)
{
    struct iovec good_then_bad[2] = {{given[0].at, 2}, {unreadable(), 10}};
    struct iovec bad[1] = {{unreadable(), 10}};
    struct msghdr message = {.msg_iov = bad, .msg_iovlen = 1};
    printf("%s\n", what);
    CALL(write(fd, bad[0].iov_base, 10));
    CALL(send(fd, bad[0].iov_base, 10, MSG_DONTWAIT));
    CALL(writev(fd, bad, 1));
    CALL(sendmsg(fd, &message, 0));
    CALL(writev(fd, good_then_bad, 2));
}

static void fault_on_pipe(void)
{
    int pair[2];
    need(pipe(pair) == 0, "pipe");
    fault("pipe", pair[1]);
}

static void fault_on_file(void)
{
    fault("file", open(scratch_path(), O_RDWR | O_CREAT, 0600));
}

static void fault_on_plain(void)
{
    int pair[2];
    tcp_pair(pair);
    CALL(write(pair[0], "not a request", 13));
    fault("another protocol", pair[0]);
}

static void fault_in_body(void)
{
    int pair[2];
    tcp_pair(pair);
    CALL(write(pair[0], given[1].at, given[1].len));
    fault("in a body", pair[0]);
}

/* The -1 of a read that failed, written on: a request at the end of a page, and nothing behind it. */
static void minus_one(int fd)
{
    const size_t page = 4096;
    volatile ssize_t failed = -1; /* not for the compiler to see */
    const size_t len = (size_t)failed;
    char *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(at != MAP_FAILED && mprotect(at + page, page, PROT_NONE) == 0, "mmap");
    memset(at, 'a', page);
    memcpy(at, given[0].at, 20);
    struct iovec pieces[2] = {{at, len}, {at, 10}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    CALL(write(fd, at, len));
    CALL(send(fd, at, len, 0));
    CALL(sendto(fd, at, len, 0, NULL, 0));
    CALL(writev(fd, pieces, 2));
    CALL(sendmsg(fd, &message, 0));
}

static void fault_by_minus_one(void)
{
    int pair[2];
    tcp_pair(pair);
    minus_one(pair[0]);
    CALL(write(pair[0], given[0].at, given[0].len / 2));
    minus_one(pair[0]);
}

const struct scenario scenarios[] = {
    {"unix-peer-gone", unix_peer_gone},
    {"tcp-reset", tcp_reset},
    {"half-to-unix-peer-gone", half_to_unix_peer_gone},
    {"half-to-tcp-reset", half_to_tcp_reset},
    {"after-shutdown", after_shutdown},
    {"sigpipe-by-default", sigpipe_by_default},
    {"bad-descriptor", bad_descriptor},
    {"whole-to-nobody", whole_to_nobody},
    {"half-to-nobody", half_to_nobody},
    {"buffer-full", buffer_full},
    {"fault-on-pipe", fault_on_pipe},
    {"fault-on-file", fault_on_file},
    {"fault-on-plain", fault_on_plain},
    {"fault-in-body", fault_in_body},
    {"fault-by-minus-one", fault_by_minus_one},
    {NULL, NULL},
};
