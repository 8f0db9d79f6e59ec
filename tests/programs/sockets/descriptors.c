/* What becomes of bytes when descriptors are copied, closed, passed on, used again, or are no HTTP connection at all.
 * One scenario a function; nothing here decides whether what arrived is right. */
#include "common.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

static size_t half_of(struct text text)
{
    return text.len / 2;
}

static int dial_with_half(void)
{
    int fd = dial();
    CALL(write(fd, given[0].at, half_of(given[0])));
    return fd;
}

static void write_rest(int fd)
{
    size_t half = half_of(given[0]);
    CALL(write(fd, given[0].at + half, given[0].len - half));
}

/* Waits until the recorder has seen the end. */
static void wait_for_end(int fd)
{
    char byte;
    CALL(read(fd, &byte, 1));
}

/* --- copies --- */

static void copy_dup(void)
{
    write_rest(dup(dial_with_half()));
}

static void copy_dup2(void)
{
    write_rest(dup2(dial_with_half(), 50));
}

static void copy_dup3(void)
{
    write_rest(dup3(dial_with_half(), 50, O_CLOEXEC));
}

static void copy_fcntl(void)
{
    write_rest(fcntl(dial_with_half(), F_DUPFD, 2000));
}

static void copy_fcntl_cloexec(void)
{
    write_rest(fcntl(dial_with_half(), F_DUPFD_CLOEXEC, 2000));
}

/* The copy is made first, the original closed: as programs do that move descriptors away. */
static void copy_moved(void)
{
    int fd = dial();
    int copy = fcntl(fd, F_DUPFD, 100);
    close(fd);
    size_t half = half_of(given[0]);
    CALL(write(copy, given[0].at, half));
    write_rest(copy);
}

/* The copy is made before the first byte, so that nothing is known of either. */
static void copy_made_first(void)
{
    int fd = dial();
    int copy = dup(fd);
    CALL(write(fd, given[0].at, half_of(given[0])));
    write_rest(copy);
    CALL(write(fd, given[1].at, given[1].len));
}

/* given[1] is the end of the body that given[0] begins, and looks like a request. */
static void copy_sends_body(void)
{
    int fd = dial();
    int copy = dup(fd);
    CALL(write(fd, given[0].at, given[0].len));
    CALL(write(copy, given[1].at, given[1].len));
}

static void copy_original_closed(void)
{
    int fd = dial_with_half();
    int copy = dup(fd);
    CALL(close(fd));
    write_rest(copy);
}

static void copy_over_itself(void)
{
    int fd = dial_with_half();
    CALL(dup2(fd, fd) == fd);
    CALL(dup3(fd, fd, 0));
    write_rest(fd);
}

static void copy_fails(void)
{
    int fd = dial_with_half();
    CALL(dup2(999, fd));
    CALL(dup3(999, fd, 0));
    write_rest(fd);
}

/* --- ends: the half that was written must arrive --- */

static void end_close(void)
{
    CALL(close(dial_with_half()));
}

static void end_close_range(void)
{
    int fd = dial_with_half();
    CALL(close_range((unsigned)fd, (unsigned)fd, 0));
}

static void end_closefrom(void)
{
    closefrom(dial_with_half());
}

static void end_shutdown(void)
{
    int fd = dial_with_half();
    CALL(shutdown(fd, SHUT_WR));
    wait_for_end(fd);
}

static void end_dup2_over(void)
{
    int fd = dial_with_half();
    CALL(dup2(open("/dev/null", O_WRONLY), fd) == fd);
}

static void end_dup3_over(void)
{
    int fd = dial_with_half();
    CALL(dup3(open("/dev/null", O_WRONLY), fd, 0) == fd);
}

static void end_fclose(void)
{
    CALL(fclose(fdopen(dial_with_half(), "r+")));
}

/* The send buffer is full when the descriptor ends; nothing may be lost. */
static void end_close_full(void)
{
    int fd = dial_type(SOCK_NONBLOCK);
    set_tiny_buffer(fd);
    size_t done = 0;
    ssize_t sent;
    while (done < given[1].len) {
        sent = write(fd, given[1].at + done, given[1].len - done);
        need(sent > 0 || errno == EAGAIN, "write");
        if (sent > 0)
            done += (size_t)sent;
        if (sent < 0) {
            go();
            need(wait_for(fd, POLLOUT) == 1, "poll");
        }
    }
    told("bytes that were taken", (long)done);
    sent = write(fd, given[0].at, 1000);
    while (sent < 0 && errno == EAGAIN && wait_for(fd, POLLOUT) == 1)
        sent = write(fd, given[0].at, 1000);
    told("half a head was taken", sent);
    CALL(close(fd));
}

static void close_range_marks(void)
{
    int fd = dial_with_half();
    CALL(close_range((unsigned)fd, (unsigned)fd, CLOSE_RANGE_CLOEXEC));
    write_rest(fd);
}

static void range_errors(void)
{
    int fd = dial_with_half();
    CALL(close_range((unsigned)fd, (unsigned)fd - 1, 0));
    CALL(close_range((unsigned)fd, (unsigned)fd, 0x10000));
    write_rest(fd);
}

static void shutdown_read_side(void)
{
    int fd = dial_with_half();
    CALL(shutdown(fd, SHUT_RD));
    write_rest(fd);
}

/* --- reads --- */

/* The recorder answers "PUT" with a byte; this program waits for it before it goes on. */
static void blocking_read(ssize_t (*receive)(int fd, char *byte))
{
    int fd = dial();
    char byte = 0;
    CALL(write(fd, given[0].at, half_of(given[0])));
    CALL(receive(fd, &byte));
    told("the answer", byte);
    write_rest(fd);
}

static ssize_t by_read(int fd, char *byte)
{
    return read(fd, byte, 1);
}

static ssize_t by_readv(int fd, char *byte)
{
    struct iovec piece = {byte, 1};
    return readv(fd, &piece, 1);
}

static ssize_t by_recv(int fd, char *byte)
{
    return recv(fd, byte, 1, 0);
}

static ssize_t by_recvfrom(int fd, char *byte)
{
    return recvfrom(fd, byte, 1, 0, NULL, NULL);
}

static ssize_t by_recvmsg(int fd, char *byte)
{
    struct iovec piece = {byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    return recvmsg(fd, &message, 0);
}

static ssize_t by_recvmmsg(int fd, char *byte)
{
    struct iovec piece = {byte, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
    return recvmmsg(fd, &message, 1, 0, NULL);
}

static ssize_t by_syscall(int fd, char *byte)
{
    return syscall(SYS_read, fd, byte, 1);
}

static ssize_t by_poll_and_read(int fd, char *byte)
{
    struct timeval patience = {.tv_sec = 10};
    need(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0, "SO_RCVTIMEO");
    return recv(fd, byte, 1, MSG_WAITALL);
}

static ssize_t by_splice(int fd, char *byte)
{
    int pipes[2];
    need(pipe(pipes) == 0, "pipe");
    ssize_t len = splice(fd, NULL, pipes[1], NULL, 1, 0);
    return len == 1 ? read(pipes[0], byte, 1) : len;
}

static ssize_t by_preadv2(int fd, char *byte)
{
    struct iovec piece = {byte, 1};
    return preadv2(fd, &piece, 1, -1, 0);
}

static ssize_t by_stdio(int fd, char *byte)
{
    int got = fgetc(fdopen(fd, "r"));
    *byte = (char)got;
    return got == EOF ? -1 : 1;
}

#define READS(X)                                                                                                       \
    X(read)                                                                                                            \
    X(readv) X(recv) X(recvfrom) X(recvmsg) X(recvmmsg) X(syscall) X(poll_and_read) X(splice) X(preadv2) X(stdio)
#define X(name)                                                                                                        \
    static void read_##name(void)                                                                                      \
    {                                                                                                                  \
        blocking_read(by_##name);                                                                                      \
    }
READS(X)
#undef X

static void read_nonblocking(void)
{
    int fd = dial();
    char byte;
    CALL(write(fd, given[0].at, half_of(given[0])));
    CALL(recv(fd, &byte, 1, MSG_DONTWAIT));
    CALL(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK));
    struct pollfd writable = {.fd = fd, .events = POLLOUT | POLLIN};
    CALL(poll(&writable, 1, 0));
    told("revents", writable.revents);
    set_nonblocking(fd);
    CALL(read(fd, &byte, 1));
    CALL(recv(fd, &byte, 1, 0));
    write_rest(fd);
}

/* The peer's protocol is one of single bytes, so far: the program waits for its answer by poll(). */
static void read_after_one_byte(void)
{
    int fd = dial_type(SOCK_NONBLOCK);
    char byte;
    wait_for(fd, POLLOUT);
    CALL(write(fd, given[0].at, 1));
    CALL(wait_for(fd, POLLIN));
    CALL(read(fd, &byte, 1));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    CALL(write(fd, given[0].at + 1, given[0].len - 1));
}

/* --- numbers that become another's --- */

/* By the kernel's own door, as a runtime without libc would. */
static void close_without_libc(int fd)
{
#ifdef __x86_64__
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_close), "D"((long)fd) : "rcx", "r11", "memory");
    need(result == 0, "close");
#else
    close(fd);
#endif
}

static int closed_unseen(int fd)
{
    FILE *file = fdopen(fd, "w");
    need(file && fclose(file) == 0, "fclose");
    return fd;
}

static long size_on_disk(int fd)
{
    struct stat status;
    need(fstat(fd, &status) == 0, "fstat");
    return (long)status.st_size;
}

static bool without_libc;

static void file_takes_number(size_t before, size_t step)
{
    static char back[1 << 20];
    int fd = dial();
    if (before)
        CALL(write(fd, given[0].at, before));
    if (without_libc)
        close_without_libc(fd);
    else
        closed_unseen(fd);
    int file = open(scratch_path(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    told("the file got the number", file == fd);
    size_t done = 0;
    bool at_once = true;
    while (done < given[0].len) {
        size_t len = given[0].len - done < step ? given[0].len - done : step;
        need(write(file, given[0].at + done, len) == (ssize_t)len, "write to the file");
        done += len;
        at_once = at_once && size_on_disk(file) == (long)done;
    }
    told("each piece was on disk at once", at_once);
    CALL(lseek(file, 0, SEEK_SET));
    ssize_t len = read(file, back, sizeof back);
    compare("file", back, (size_t)len, given[0].at, given[0].len);
}

static void file_after_request(void)
{
    file_takes_number(given[0].len, SIZE_MAX);
}

static void file_after_request_pieces(void)
{
    file_takes_number(given[0].len, 9);
}

static void file_after_unseen_close(void)
{
    without_libc = true;
    file_takes_number(given[0].len, SIZE_MAX);
}

static void file_after_unseen_close_pieces(void)
{
    without_libc = true;
    file_takes_number(given[0].len, 9);
}

static void file_after_half(void)
{
    file_takes_number(half_of(given[0]), SIZE_MAX);
}

static void file_after_half_pieces(void)
{
    file_takes_number(half_of(given[0]), 9);
}

static void file_after_nothing(void)
{
    file_takes_number(0, 9);
}

/* A socket gets the number of a plain descriptor that was closed unseen. */
static void socket_after_file(void)
{
    int file = open("/dev/null", O_WRONLY);
    CALL(write(file, "x", 1));
    closed_unseen(file);
    int fd = dial();
    told("the socket got the number", fd == file);
    CALL(write(fd, given[0].at, given[0].len));
}

static void pass_on(int over, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof fd)];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)}};
    struct iovec piece = {".", 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    need(sendmsg(over, &message, 0) == 1, "pass the descriptor on");
}

static int get_passed(int over, bool by_number)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    int fd;
    struct iovec piece = {&byte, 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control}};
    if (by_number)
        need(syscall(SYS_recvmmsg, over, &message, 1, 0, NULL) == 1, "get the descriptor");
    else
        need(recvmsg(over, &message.msg_hdr, 0) == 1, "get the descriptor");
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

/* A connection arrives over a socket, with the number of a plain descriptor that was closed unseen. */
static void received(bool by_number)
{
    int over[2];
    need(socketpair(AF_UNIX, SOCK_DGRAM, 0, over) == 0, "socketpair");
    int plain = open("/dev/null", O_WRONLY);
    CALL(write(plain, "x", 1));
    int fd = dial();
    pass_on(over[0], fd);
    close(fd);
    closed_unseen(plain);
    fd = get_passed(over[1], by_number);
    told("the same number", fd == plain);
    CALL(write(fd, given[0].at, half_of(given[0])));
    write_rest(fd);
}

static void received_by_recvmsg(void)
{
    received(false);
}

static void received_by_syscall(void)
{
    received(true);
}

/* --- what is never touched --- */

/* Writes in three pieces, the first of one byte, and looks after each what the other end has, without waiting. */
static void three_pieces(const char *what, int from, int to)
{
    char got[8192];
    size_t ends[] = {1, half_of(given[0]), given[0].len};
    size_t at = 0;
    need(given[0].len <= sizeof got, "a request of this size");
    for (int i = 0; i < 3; i++) {
        need(write(from, given[0].at + at, ends[i] - at) == (ssize_t)(ends[i] - at), "write");
        need(wait_for(to, POLLIN) == 1, "something to read");
        ssize_t len = read(to, got, sizeof got);
        compare(what, got, len < 0 ? 0 : (size_t)len, given[0].at + at, ends[i] - at);
        at = ends[i];
    }
}

static void accepted_side(void)
{
    int pair[2];
    tcp_pair(pair);
    three_pieces("accept", pair[1], pair[0]);
    unix_pair(pair);
    three_pieces("accept", pair[1], pair[0]);
}

static void accepted_again(int (*accept_one)(int listener))
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 1) == 0, "listen");
    need(getsockname(listener, (struct sockaddr *)&address, &len) == 0, "getsockname");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(connect(fd, (struct sockaddr *)&address, len) == 0, "connect");
    int other = accept_one(listener);
    need(other >= 0, "accept");
    three_pieces("accepted", other, fd);
}

static int by_accept4(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static int by_syscall_accept(int listener)
{
    return (int)syscall(SYS_accept4, listener, NULL, NULL, 0);
}

static void accepted_otherwise(void)
{
    accepted_again(by_accept4);
    accepted_again(by_syscall_accept);
}

static void datagrams(void)
{
    int pair[2];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    pair[0] = socket(AF_INET, SOCK_DGRAM, 0);
    pair[1] = socket(AF_INET, SOCK_DGRAM, 0);
    need(bind(pair[1], (struct sockaddr *)&address, len) == 0, "bind");
    need(getsockname(pair[1], (struct sockaddr *)&address, &len) == 0, "getsockname");
    need(connect(pair[0], (struct sockaddr *)&address, len) == 0, "connect");
    three_pieces("UDP", pair[0], pair[1]);
    need(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
    three_pieces("datagrams", pair[0], pair[1]);
    need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0, "socketpair");
    three_pieces("packets", pair[0], pair[1]);
}

static void pipes_and_terminals(void)
{
    int pair[2];
    struct termios raw;
    need(pipe(pair) == 0, "pipe");
    three_pieces("pipe", pair[1], pair[0]);
    need(openpty(&pair[0], &pair[1], NULL, NULL, NULL) == 0 && tcgetattr(pair[1], &raw) == 0, "openpty");
    cfmakeraw(&raw);
    need(tcsetattr(pair[1], TCSANOW, &raw) == 0, "tcsetattr");
    three_pieces("terminal", pair[1], pair[0]);
}

/* A pair as a wake-up pipe: each byte is a message of its own, whatever letter it is. */
static void wake_up_pair(void)
{
    int pair[2];
    char byte;
    static const char letters[] = "GPHDOTC";
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    for (int i = 0; letters[i]; i++) {
        CALL(write(pair[0], &letters[i], 1));
        CALL(recv(pair[1], &byte, 1, MSG_DONTWAIT));
        CALL(send(pair[1], &letters[i], 1, 0));
        CALL(recv(pair[0], &byte, 1, MSG_DONTWAIT));
    }
}

/* Three thousand connections, each in the middle of a head at the same time. */
static void many(void)
{
    enum { COUNT = 3000 };
    static int fds[COUNT];
    struct rlimit limit = {COUNT + 100, COUNT + 100};
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
    size_t half = half_of(given[0]);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = dial();
        need(write(fds[i], given[0].at, half) == (ssize_t)half, "write");
    }
    for (int i = COUNT - 1; i >= 0; i--)
        need(write(fds[i], given[0].at + half, given[0].len - half) == (ssize_t)(given[0].len - half), "write");
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    told("connections", COUNT);
}

const struct scenario scenarios[] = {
    {"copy-dup", copy_dup},
    {"copy-dup2", copy_dup2},
    {"copy-dup3", copy_dup3},
    {"copy-fcntl", copy_fcntl},
    {"copy-fcntl-cloexec", copy_fcntl_cloexec},
    {"copy-moved", copy_moved},
    {"copy-made-first", copy_made_first},
    {"copy-sends-body", copy_sends_body},
    {"copy-original-closed", copy_original_closed},
    {"copy-over-itself", copy_over_itself},
    {"copy-fails", copy_fails},
    {"end-close", end_close},
    {"end-close_range", end_close_range},
    {"end-closefrom", end_closefrom},
    {"end-shutdown", end_shutdown},
    {"end-dup2-over", end_dup2_over},
    {"end-dup3-over", end_dup3_over},
    {"end-fclose", end_fclose},
    {"end-close-full", end_close_full},
    {"close_range-marks", close_range_marks},
    {"range-errors", range_errors},
    {"shutdown-read-side", shutdown_read_side},
#define X(name) {"read-" #name, read_##name},
    READS(X)
#undef X
        {"read-nonblocking", read_nonblocking},
    {"read-after-one-byte", read_after_one_byte},
    {"file-after-request", file_after_request},
    {"file-after-request-pieces", file_after_request_pieces},
    {"file-after-unseen-close", file_after_unseen_close},
    {"file-after-unseen-close-pieces", file_after_unseen_close_pieces},
    {"file-after-half", file_after_half},
    {"file-after-half-pieces", file_after_half_pieces},
    {"file-after-nothing", file_after_nothing},
    {"socket-after-file", socket_after_file},
    {"received-by-recvmsg", received_by_recvmsg},
    {"received-by-syscall", received_by_syscall},
    {"accepted-side", accepted_side},
    {"accepted-otherwise", accepted_otherwise},
    {"datagrams", datagrams},
    {"pipes-and-terminals", pipes_and_terminals},
    {"wake-up-pair", wake_up_pair},
    {"many", many},
    {NULL, NULL},
};
