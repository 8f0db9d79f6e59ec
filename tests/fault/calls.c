/* A program as it should be: it writes again what was not taken, waits where it would block, is not stopped by signals, and ends
 * with the error's name at any other. The ways differ in the call, in the length of the pieces and in who waits. */
#include "../programs/sockets/common.h"

#include <poll.h>

typedef ssize_t way(int fd, const char *at, size_t len);

static ssize_t by_write(int fd, const char *at, size_t len)
{
    return write(fd, at, len);
}

static ssize_t by_send(int fd, const char *at, size_t len)
{
    return send(fd, at, len, MSG_NOSIGNAL);
}

static ssize_t by_writev(int fd, const char *at, size_t len)
{
    char *from = (char *)(uintptr_t)at;
    struct iovec pieces[3] = {{NULL, 0}, {from, len / 2}, {from + len / 2, len - len / 2}};
    return writev(fd, pieces, 3);
}

static ssize_t by_sendmsg(int fd, const char *at, size_t len)
{
    char *from = (char *)(uintptr_t)at;
    struct iovec pieces[2] = {{from, len / 3}, {from + len / 3, len - len / 3}};
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void insist(int fd, way *how, const char *at, size_t len)
{
    while (len) {
        errno = 0;
        ssize_t taken = how(fd, at, len);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0 && errno == EAGAIN) {
            need(wait_for(fd, POLLOUT) == 1, "wait to write");
            continue;
        }
        need(taken > 0 && (size_t)taken <= len, "write");
        at += taken;
        len -= (size_t)taken;
    }
}

static void send_all(int type, way *how, size_t piece)
{
    int fd = dial_type(type);
    for (size_t at = 0; at < given[0].len; at += piece)
        insist(fd, how, given[0].at + at, given[0].len - at < piece ? given[0].len - at : piece);
    need(close(fd) == 0, "close");
}

#define WAY(name, type, how, piece)                                                                                    \
    static void name(void)                                                                                             \
    {                                                                                                                  \
        send_all(type, how, piece);                                                                                    \
    }
WAY(whole, 0, by_write, SIZE_MAX / 2)
WAY(bytes, 0, by_write, 1)
WAY(pieces, 0, by_send, 61)
WAY(gathered, 0, by_writev, 150)
WAY(messages, 0, by_sendmsg, 1000)
WAY(waiting, SOCK_NONBLOCK, by_send, SIZE_MAX / 2)
WAY(waiting_in_pieces, SOCK_NONBLOCK, by_write, 97)
WAY(waiting_gathered, SOCK_NONBLOCK, by_writev, 150)

const struct scenario scenarios[] = {
    {"whole", whole},
    {"bytes", bytes},
    {"pieces", pieces},
    {"gathered", gathered},
    {"messages", messages},
    {"waiting", waiting},
    {"waiting-in-pieces", waiting_in_pieces},
    {"waiting-gathered", waiting_gathered},
    {NULL, NULL},
};
