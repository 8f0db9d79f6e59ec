/* Ways to put a request into a socket by the write and send families. One scenario a function; nothing here decides
 * whether what arrived is right. */
#include "common.h"

#include <limits.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>

static size_t head_length(struct text text)
{
    char *end = memmem(text.at, text.len, "\r\n\r\n", 4);
    need(end, "find the end of the head");
    return (size_t)(end - text.at) + 4;
}

static void one_write(void)
{
    int fd = dial();
    CALL(write(fd, given[0].at, given[0].len));
}

/* Standard error was closed, and its number is free. */
static void one_write_to_2(void)
{
    close(STDERR_FILENO);
    int fd = dial();
    need(fd == STDERR_FILENO, "the number of standard error");
    CALL(write(fd, given[0].at, given[0].len));
}

/* Nobody reads what stands on standard error. */
static void one_write_beside_full_stderr(void)
{
    int ends[2];
    int fd = dial();
    need(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO, "a pipe");
    set_nonblocking(ends[1]);
    while (write(ends[1], "full", 1) == 1)
        continue;
    fcntl(ends[1], F_SETFL, 0);
    CALL(write(fd, given[0].at, given[0].len));
}

static void one_send(void)
{
    int fd = dial();
    CALL(send(fd, given[0].at, given[0].len, MSG_NOSIGNAL));
}

static void one_sendto(void)
{
    int fd = dial();
    CALL(sendto(fd, given[0].at, given[0].len, 0, NULL, 0));
}

static void head_then_body(void)
{
    int fd = dial();
    size_t head = head_length(given[0]);
    CALL(write(fd, given[0].at, head));
    write_all(fd, given[0].at + head, given[0].len - head);
}

static void single_bytes(void)
{
    int fd = dial();
    size_t ones = 0;
    for (size_t i = 0; i < given[0].len; i++)
        ones += write(fd, given[0].at + i, 1) == 1;
    told("bytes that were taken", (long)ones);
}

static void tiny_blocking(void)
{
    int fd = dial();
    set_tiny_buffer(fd);
    size_t done = 0;
    while (done < given[0].len) {
        ssize_t sent = send(fd, given[0].at + done, given[0].len - done, 0);
        need(sent > 0, "send");
        done += (size_t)sent;
    }
    told("bytes that were taken", (long)done);
}

static void tiny_blocking_head_then_body(void)
{
    int fd = dial();
    set_tiny_buffer(fd);
    size_t head = head_length(given[0]);
    write_all(fd, given[0].at, head);
    write_all(fd, given[0].at + head, given[0].len - head);
}

/* `limit` bytes of what is left are shown in each call. */
static void poll_driven(size_t limit)
{
    int fd = dial_type(SOCK_NONBLOCK);
    set_tiny_buffer(fd);
    size_t done = 0;
    bool refused = false;
    while (done < given[0].len) {
        size_t len = given[0].len - done;
        ssize_t sent = write(fd, given[0].at + done, len < limit ? len : limit);
        if (sent < 0 && errno == EAGAIN) {
            refused = true;
            go();
            need(wait_for(fd, POLLOUT) == 1, "poll");
            continue;
        }
        need(sent > 0, "write");
        done += (size_t)sent;
    }
    told("bytes that were taken", (long)done);
    told("was refused meanwhile", refused);
}

static void tiny_poll(void)
{
    poll_driven(SIZE_MAX);
}

static void tiny_poll_pieces(void)
{
    poll_driven(1000);
}

static void tiny_edge(void)
{
    int fd = dial_type(SOCK_NONBLOCK);
    int queue = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET};
    set_tiny_buffer(fd);
    need(epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    size_t done = 0;
    while (done < given[0].len) {
        need(epoll_wait(queue, &event, 1, 10000) == 1, "an edge");
        ssize_t sent;
        while (done < given[0].len && (sent = send(fd, given[0].at + done, given[0].len - done, 0)) > 0)
            done += (size_t)sent;
        need(done == given[0].len || errno == EAGAIN, "send");
        go();
    }
    told("bytes that were taken", (long)done);
}

/* What is shown after a refusal begins with the same bytes, but is longer or shorter than what was refused. */
static void tiny_poll_changing(void)
{
    int fd = dial_type(SOCK_NONBLOCK);
    set_tiny_buffer(fd);
    size_t done = 0;
    for (size_t turn = 0; done < given[0].len; turn++) {
        static const size_t lengths[] = {5000, 9000, 100, 30000, 7};
        size_t len = given[0].len - done;
        if (len > lengths[turn % 5])
            len = lengths[turn % 5];
        ssize_t sent = write(fd, given[0].at + done, len);
        if (sent < 0 && errno == EAGAIN) {
            go();
            need(wait_for(fd, POLLOUT) == 1, "poll");
            continue;
        }
        need(sent > 0, "write");
        done += (size_t)sent;
    }
    told("bytes that were taken", (long)done);
}

static void write_vector(int fd, struct iovec *pieces, int count)
{
    size_t total = 0;
    while (count) {
        ssize_t sent = writev(fd, pieces, count);
        need(sent >= 0, "writev");
        total += (size_t)sent;
        for (; count && (size_t)sent >= pieces->iov_len; count--, pieces++)
            sent -= (ssize_t)pieces->iov_len;
        if (count) {
            pieces->iov_base = (char *)pieces->iov_base + sent;
            pieces->iov_len -= (size_t)sent;
        }
    }
    told("bytes that were taken", (long)total);
}

/* `count` pieces with an empty one first and the rest of the request in the last. */
static void cut(struct iovec *pieces, int count, struct text text)
{
    size_t step = text.len / (size_t)(count - 1);
    size_t at = 0;
    pieces[0] = (struct iovec){NULL, 0};
    for (int i = 1; i < count; i++) {
        size_t len = i == count - 1 ? text.len - at : step;
        pieces[i] = (struct iovec){text.at + at, len};
        at += len;
    }
}

static void writev_39(void)
{
    struct iovec pieces[39];
    int fd = dial();
    cut(pieces, 39, given[0]);
    write_vector(fd, pieces, 39);
}

/* A vector that is a little longer than what is copied at once. The block that a copy was made in comes back. */
static void writev_and_look_back(void)
{
    enum { BLOCK = 128 * 1024 };
    struct iovec pieces[2] = {{given[0].at, 100}, {given[0].at + 100, given[0].len - 100}};
    int fd = dial();
    char *volatile block = malloc((size_t)2 * BLOCK); /* from here on libc keeps blocks of that size */
    free(block);
    write_vector(fd, pieces, 2);
    block = malloc(BLOCK); /* what is in it is what it is about */
    need(block, "malloc");
    told("the token in memory that was given back", memmem(block, BLOCK, given[0].at + 40, 60) ? 1 : 0);
    free(block);
}

static void writev_most(void)
{
    static struct iovec pieces[IOV_MAX];
    int fd = dial();
    cut(pieces, IOV_MAX, given[0]);
    write_vector(fd, pieces, IOV_MAX);
    static volatile int count[] = {IOV_MAX + 1, -1, 0}; /* what no compiler needs to see */
    CALL(writev(fd, pieces, count[0]));
    CALL(writev(fd, pieces, count[1]));
    CALL(writev(fd, pieces, count[2]));
}

static void writev_tiny(void)
{
    struct iovec pieces[39];
    int fd = dial();
    set_tiny_buffer(fd);
    cut(pieces, 39, given[0]);
    write_vector(fd, pieces, 39);
}

static void pwritev2_pieces(void)
{
    struct iovec pieces[5];
    int fd = dial();
    cut(pieces, 5, given[0]);
    CALL(pwritev2(fd, pieces, 5, -1, 0));
    CALL(pwritev2(fd, pieces, 5, 0, 0));
}

static void pwritev2_high_priority(void)
{
    struct iovec pieces[5];
    int fd = dial();
    cut(pieces, 5, given[0]);
    CALL(pwritev2(fd, pieces, 5, -1, RWF_HIPRI));
}

/* A blocking socket whose buffer is full: RWF_NOWAIT must come back at once, and nobody reads here. */
static void pwritev2_no_wait(void)
{
    int pair[2];
    static char filler[4096] = "";
    unix_pair(pair);
    set_tiny_buffer(pair[0]);
    while (send(pair[0], filler, sizeof filler, MSG_DONTWAIT) > 0)
        ;
    struct iovec piece = {given[0].at, given[0].len};
    int other[2];
    unix_pair(other);
    set_tiny_buffer(other[0]);
    need(write(other[0], given[0].at, given[0].len) > 0, "a request first");
    while (send(other[0], given[0].at, given[0].len, MSG_DONTWAIT) > 0)
        ;
    CALL(pwritev2(pair[0], &piece, 1, -1, RWF_NOWAIT));
    CALL(pwritev2(other[0], &piece, 1, -1, RWF_NOWAIT));
}

/* --- sendmsg, sendmmsg and their flags --- */

struct rights {
    struct msghdr message;
    struct iovec piece;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
};

static void make_rights(struct rights *rights, char *at, size_t len, int fd)
{
    memset(rights, 0, sizeof *rights);
    rights->piece = (struct iovec){at, len};
    rights->message = (struct msghdr){.msg_iov = &rights->piece,
                                      .msg_iovlen = 1,
                                      .msg_control = rights->control.room,
                                      .msg_controllen = sizeof rights->control.room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&rights->message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

static void rights_with_request(void)
{
    struct rights rights;
    int fd = dial();
    make_rights(&rights, given[0].at, given[0].len, open("/dev/null", O_RDONLY));
    CALL(sendmsg(fd, &rights.message, 0));
}

static void rights_with_half_head(void)
{
    struct rights rights;
    int fd = dial();
    size_t half = given[0].len / 2;
    make_rights(&rights, given[0].at, half, open("/dev/null", O_RDONLY));
    CALL(sendmsg(fd, &rights.message, 0));
    CALL(write(fd, given[0].at + half, given[0].len - half));
}

static void rights_with_second_half(void)
{
    struct rights rights;
    int fd = dial();
    size_t half = given[0].len / 2;
    CALL(write(fd, given[0].at, half));
    make_rights(&rights, given[0].at + half, given[0].len - half, open("/dev/null", O_RDONLY));
    CALL(sendmsg(fd, &rights.message, 0));
}

/* As a program does it: the control data belong to the first bytes, and are shown again only if nothing was taken. */
static void rights_when_full(void)
{
    struct rights rights;
    int fd = dial_type(SOCK_NONBLOCK);
    set_tiny_buffer(fd);
    size_t done = 0;
    int null = open("/dev/null", O_RDONLY);
    while (done < given[0].len) {
        make_rights(&rights, given[0].at + done, given[0].len - done, null);
        if (done)
            rights.message.msg_controllen = 0, rights.message.msg_control = NULL;
        ssize_t sent = sendmsg(fd, &rights.message, 0);
        if (sent < 0 && errno == EAGAIN) {
            go();
            need(wait_for(fd, POLLOUT) == 1, "poll");
            continue;
        }
        need(sent > 0, "sendmsg");
        done += (size_t)sent;
    }
    told("bytes that were taken", (long)done);
}

static void several_messages(void)
{
    struct mmsghdr messages[3];
    struct iovec pieces[3][2];
    int fd = dial();
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 3; i++) {
        pieces[i][0] = (struct iovec){given[i].at, 10};
        pieces[i][1] = (struct iovec){given[i].at + 10, given[i].len - 10};
        messages[i].msg_hdr.msg_iov = pieces[i];
        messages[i].msg_hdr.msg_iovlen = 2;
    }
    CALL(sendmmsg(fd, messages, 3, 0));
    for (int i = 0; i < 3; i++)
        told("msg_len", (long)messages[i].msg_len);
    CALL(sendmmsg(fd, messages, 0, 0));
}

static void more_to_come(void)
{
    int fd = dial();
    size_t third = given[0].len / 3;
    CALL(send(fd, given[0].at, third, MSG_MORE));
    CALL(send(fd, given[0].at + third, third, MSG_MORE));
    CALL(send(fd, given[0].at + 2 * third, given[0].len - 2 * third, 0));
}

static void out_of_band(void)
{
    int fd = dial();
    CALL(send(fd, given[0].at, given[0].len, 0));
    CALL(send(fd, "!", 1, MSG_OOB));
    CALL(send(fd, given[1].at, given[1].len, 0));
}

static void fast_open(size_t len)
{
    struct sockaddr_storage address;
    socklen_t address_len = target_address(&address);
    /* The first connection gets the cookie, the second can use it. */
    for (int i = 0; i < 2; i++) {
        int fd = socket_for_target(0);
        CALL(sendto(fd, given[0].at, len, MSG_FASTOPEN, (struct sockaddr *)&address, address_len));
        if (len < given[0].len)
            CALL(send(fd, given[0].at + len, given[0].len - len, 0));
        need(shutdown(fd, SHUT_WR) == 0 && read(fd, &address, 1) == 0, "wait for the end");
        close(fd);
    }
}

static void fast_open_whole(void)
{
    fast_open(given[0].len);
}

static void fast_open_half(void)
{
    fast_open(given[0].len / 2);
}

/* One completion for each call, and no more, until the peer has all. */
static void zerocopy(bool by_message)
{
    int fd = dial();
    int on = 1;
    unsigned calls = 0;
    size_t done = 0;
    need(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0, "SO_ZEROCOPY");
    set_nonblocking(fd);
    go();
    while (done < given[0].len) {
        struct iovec piece = {given[0].at + done, given[0].len - done};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t sent =
            by_message ? sendmsg(fd, &message, MSG_ZEROCOPY) : send(fd, piece.iov_base, piece.iov_len, MSG_ZEROCOPY);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};
            need(poll(&writable, 1, 10000) == 1, "poll");
            if (!(writable.revents & POLLERR))
                continue;
        } else {
            need(sent > 0, "send");
            done += (size_t)sent;
            calls++;
        }
        if (done < given[0].len)
            usleep(1000);
    }
    unsigned completed = 0;
    while (completed < calls) {
        char control[128];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) {
            need(errno == EAGAIN && wait_for(fd, 0) == 1, "a completion");
            continue;
        }
        struct sock_extended_err *error = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&message));
        completed += error->ee_data - error->ee_info + 1;
    }
    told("bytes that were taken", (long)done);
    told("as many completions as calls", completed == calls);
}

static void zerocopy_send(void)
{
    zerocopy(false);
}

static void zerocopy_sendmsg(void)
{
    zerocopy(true);
}

static void several_in_one_write(void)
{
    int fd = dial();
    CALL(write(fd, given[0].at, given[0].len));
    CALL(write(fd, given[1].at, given[1].len));
    CALL(write(fd, given[2].at, given[2].len));
}

/* The half arrives at once where nothing is held: the recorder answers it, and poll() alone never releases anything. */
static void half_is_answered(void)
{
    int fd = dial();
    char answer;
    size_t half = given[0].len / 2;
    CALL(write(fd, given[0].at, half));
    CALL(wait_for(fd, POLLIN));
    CALL(recv(fd, &answer, 1, MSG_DONTWAIT));
    CALL(write(fd, given[0].at + half, given[0].len - half));
}

const struct scenario scenarios[] = {
    {"one-write", one_write},
    {"one-write-to-2", one_write_to_2},
    {"one-write-beside-full-stderr", one_write_beside_full_stderr},
    {"one-send", one_send},
    {"one-sendto", one_sendto},
    {"head-then-body", head_then_body},
    {"single-bytes", single_bytes},
    {"tiny-blocking", tiny_blocking},
    {"tiny-blocking-head-then-body", tiny_blocking_head_then_body},
    {"tiny-poll", tiny_poll},
    {"tiny-poll-pieces", tiny_poll_pieces},
    {"tiny-edge", tiny_edge},
    {"tiny-poll-changing", tiny_poll_changing},
    {"writev-39", writev_39},
    {"writev-and-look-back", writev_and_look_back},
    {"writev-most", writev_most},
    {"writev-tiny", writev_tiny},
    {"pwritev2", pwritev2_pieces},
    {"pwritev2-high-priority", pwritev2_high_priority},
    {"pwritev2-no-wait", pwritev2_no_wait},
    {"rights-with-request", rights_with_request},
    {"rights-with-half-head", rights_with_half_head},
    {"rights-with-second-half", rights_with_second_half},
    {"rights-when-full", rights_when_full},
    {"several-messages", several_messages},
    {"more-to-come", more_to_come},
    {"out-of-band", out_of_band},
    {"fast-open-whole", fast_open_whole},
    {"fast-open-half", fast_open_half},
    {"zerocopy-send", zerocopy_send},
    {"zerocopy-sendmsg", zerocopy_sendmsg},
    {"several-in-one-write", several_in_one_write},
    {"half-is-answered", half_is_answered},
    {NULL, NULL},
};
