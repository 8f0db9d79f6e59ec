/* The calls that carry bytes from a file or a pipe into a socket, the printf family for descriptors, and syscall(). Built
 * a second time with fortification, for the forms that only such programs call. */
#include "common.h"

#include <poll.h>
#include <stdarg.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static size_t head_length(struct text text)
{
    char *end = memmem(text.at, text.len, "\r\n\r\n", 4);
    need(end, "find the end of the head");
    return (size_t)(end - text.at) + 4;
}

static int open_given(void)
{
    int file = open(given_path[0], O_RDONLY);
    need(file >= 0, "open the given file");
    return file;
}

static void sendfile_body(void)
{
    int fd = dial();
    int file = open_given();
    size_t head = head_length(given[0]);
    off_t offset = (off_t)head;
    CALL(write(fd, given[0].at, head));
    while ((size_t)offset < given[0].len)
        need(sendfile(fd, file, &offset, given[0].len - (size_t)offset) > 0, "sendfile");
    told("offset", offset);
    told("position", lseek(file, 0, SEEK_CUR));
}

static void sendfile_offset(void)
{
    int fd = dial();
    int file = open_given();
    off_t offset = 0;
    while ((size_t)offset < given[0].len)
        need(sendfile(fd, file, &offset, given[0].len - (size_t)offset) > 0, "sendfile");
    told("offset", offset);
    told("position", lseek(file, 0, SEEK_CUR));
    CALL(sendfile(fd, file, &offset, 100));
    CALL(sendfile(fd, file, NULL, 0));
}

static void sendfile_position(void)
{
    int fd = dial();
    int file = open_given();
    size_t done = 0;
    while (done < given[0].len) {
        ssize_t sent = sendfile(fd, file, NULL, given[0].len); /* more than is left, from the second time on */
        need(sent > 0, "sendfile");
        done += (size_t)sent;
        told("position is where the bytes ended", lseek(file, 0, SEEK_CUR) == (off_t)done);
    }
    told("bytes that were taken", (long)done);
}

static void sendfile_tiny(void)
{
    int fd = dial_type(SOCK_NONBLOCK);
    int file = open_given();
    off_t offset = 0;
    set_tiny_buffer(fd);
    while ((size_t)offset < given[0].len) {
        off_t before = offset;
        ssize_t sent = sendfile(fd, file, &offset, given[0].len - (size_t)offset);
        need(sent > 0 || errno == EAGAIN, "sendfile");
        need(offset == before + (sent > 0 ? sent : 0), "an offset that moves by what was sent");
        if (sent < 0) {
            go();
            need(wait_for(fd, POLLOUT) == 1, "poll");
        }
    }
    told("offset", offset);
}

static void sendfile_half_head(void)
{
    int fd = dial();
    int file = open_given();
    off_t offset = 0;
    size_t half = head_length(given[0]) / 2;
    CALL(sendfile(fd, file, &offset, half));
    CALL(sendfile(fd, file, &offset, given[0].len - half));
    told("offset", offset);
}

/* What sendfile() refuses. */
static void sendfile_errors(void)
{
    int fd = dial();
    int pipes[2];
    need(pipe(pipes) == 0, "pipe");
    need(write(pipes[1], given[0].at, 100) == 100, "fill the pipe");
    off_t offset = 0;
    off_t negative = -5;
    CALL(sendfile(fd, 999, NULL, 100));
    CALL(sendfile(fd, open("/", O_RDONLY), NULL, 100));
    CALL(sendfile(fd, open_given(), &negative, 100));
    CALL(sendfile(fd, pipes[0], &offset, 100));
    CALL(sendfile(fd, open("/dev/null", O_WRONLY), NULL, 100));
    CALL(sendfile(999, open_given(), NULL, 100));
}

static void splice_body(void)
{
    int fd = dial();
    int file = open_given();
    int pipes[2];
    size_t head = head_length(given[0]);
    off64_t offset = (off64_t)head;
    need(pipe(pipes) == 0, "pipe");
    CALL(write(fd, given[0].at, head));
    while ((size_t)offset < given[0].len) {
        ssize_t len = splice(file, &offset, pipes[1], NULL, given[0].len - (size_t)offset, 0);
        need(len > 0, "splice into the pipe");
        while (len) {
            ssize_t sent = splice(pipes[0], NULL, fd, NULL, (size_t)len, SPLICE_F_MORE);
            need(sent > 0, "splice out of the pipe");
            len -= sent;
        }
    }
    told("offset", offset);
}

static void splice_request(void)
{
    int fd = dial();
    int pipes[2];
    need(pipe(pipes) == 0, "pipe");
    CALL(write(pipes[1], given[0].at, given[0].len));
    CALL(splice(pipes[0], NULL, fd, NULL, given[0].len, 0));
}

/* Half a head is written, the rest comes out of a pipe that nobody can look into. */
static void splice_second_half(void)
{
    int fd = dial();
    int pipes[2];
    size_t half = given[0].len / 2;
    need(pipe(pipes) == 0, "pipe");
    CALL(write(fd, given[0].at, half));
    CALL(write(pipes[1], given[0].at + half, given[0].len - half));
    CALL(splice(pipes[0], NULL, fd, NULL, given[0].len, 0));
}

static int print(int fd, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int printed = vdprintf(fd, format, arguments);
    va_end(arguments);
    return printed;
}

static void dprintf_whole(void)
{
    int fd = dial();
    CALL(dprintf(fd, "%s", given[0].at));
}

static void vdprintf_whole(void)
{
    int fd = dial();
    CALL(print(fd, "%s", given[0].at));
}

static void dprintf_pieces(void)
{
    int fd = dial();
    for (size_t i = 0; i < given[0].len; i += 7)
        need(dprintf(fd, "%.7s", given[0].at + i) > 0, "dprintf");
    for (size_t i = 0; i < given[1].len; i += 7)
        need(print(fd, "%.*s", 7, given[1].at + i) > 0, "vdprintf");
    CALL(dprintf(fd, "%s", ""));
}

struct parts {
    char method[16], target[2048], host[256];
};

static struct parts parts_of(struct text request)
{
    struct parts parts;
    need(sscanf(request.at, "%15s %2047s HTTP/1.1\r\nHost: %255s", parts.method, parts.target, parts.host) == 3,
         "parse");
    return parts;
}

/* The way people write it: the text of the head is the format. */
static void dprintf_format(void)
{
    int fd = dial();
    struct parts parts = parts_of(given[0]);
    CALL(dprintf(fd, "%1$s %2$s HTTP/1.1\r\nHost: %3$s\r\nConnection: keep-alive\r\nX-Method: %1$s\r\n\r\n",
                 parts.method, parts.target, parts.host));
}

/* A line a call, the second with letters that a conversion could be made of. */
static void dprintf_lines(void)
{
    int fd = dial();
    struct parts parts = parts_of(given[0]);
    CALL(dprintf(fd, "%s ", parts.method));
    CALL(dprintf(fd, "%s HTTP/1.1\r\n", parts.target) > 0);
    CALL(dprintf(fd, "Host: %s\r\n", parts.host));
    CALL(dprintf(fd, "Connection: keep-alive\r\n"));
    CALL(dprintf(fd, "\r\n"));
}

/* %n and %m: what the C library makes of them counts. */
static void dprintf_conversions(void)
{
    int fd = dial();
    struct parts parts = parts_of(given[0]);
    static int count; /* fortified programs may only have %n in a format that cannot be written to */
    errno = ENOENT;
    int printed = dprintf(fd, "%s %s HTTP/1.1\r\nHost: %s\r\nX-Error: %m\r\n%nAccept: */*\r\n\r\n", parts.method,
                          parts.target, parts.host, &count);
    told("printed more than counted", printed - count);
}

static void dprintf_to_file(void)
{
    struct stat status;
    int file = open(scratch_path(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t half = given[0].len / 2;
    CALL(dprintf(file, "%.*s", (int)half, given[0].at));
    need(fstat(file, &status) == 0, "fstat");
    told("size on disk", status.st_size);
    CALL(dprintf(file, "%s", given[0].at + half));
    need(fstat(file, &status) == 0, "fstat");
    told("size on disk", status.st_size);
}

static void syscall_write(void)
{
    int fd = dial();
    size_t half = given[0].len / 2;
    CALL(syscall(SYS_write, fd, given[0].at, half));
    CALL(syscall(SYS_write, fd, given[0].at + half, given[0].len - half));
}

static void syscall_writev(void)
{
    int fd = dial();
    struct iovec pieces[2] = {{given[0].at, 3}, {given[0].at + 3, given[0].len - 3}};
    CALL(syscall(SYS_writev, fd, pieces, 2));
}

static void syscall_sendto(void)
{
    int fd = dial();
    CALL(syscall(SYS_sendto, fd, given[0].at, given[0].len, MSG_NOSIGNAL, NULL, 0));
}

static void syscall_sendmsg(void)
{
    int fd = dial();
    struct iovec piece = {given[0].at, given[0].len};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    CALL(syscall(SYS_sendmsg, fd, &message, 0));
}

static void syscall_sendmmsg(void)
{
    int fd = dial();
    struct iovec piece = {given[0].at, given[0].len};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
    CALL(syscall(SYS_sendmmsg, fd, &message, 1, 0));
    told("msg_len", message.msg_len);
}

static void syscall_sendfile(void)
{
    int fd = dial();
    off_t offset = 0;
    CALL(syscall(SYS_sendfile, fd, open_given(), &offset, given[0].len));
    told("offset", offset);
}

static void syscall_pwritev2(void)
{
    int fd = dial();
    struct iovec pieces[2] = {{given[0].at, 3}, {given[0].at + 3, given[0].len - 3}};
    CALL(syscall(SYS_pwritev2, fd, pieces, 2, -1L, -1L, 0));
}

/* The whole life of a connection, and numbers that no hook knows. */
static void syscall_life(void)
{
    struct sockaddr_storage address;
    socklen_t len = target_address(&address);
    int fd = (int)syscall(SYS_socket, address.ss_family, SOCK_STREAM, 0);
    CALL(syscall(SYS_connect, fd, &address, len));
    int copy = (int)syscall(SYS_dup, fd);
    CALL(syscall(SYS_write, fd, given[0].at, 5));
    CALL(syscall(SYS_write, copy, given[0].at + 5, given[0].len - 5));
    CALL(syscall(SYS_shutdown, fd, SHUT_WR));
    CALL(syscall(SYS_close, fd));
    CALL(syscall(SYS_close, fd));
    CALL(syscall(SYS_getpid) == getpid());
    CALL(syscall(-1));
    CALL(syscall(100000));
}

const struct scenario scenarios[] = {
    {"sendfile-body", sendfile_body},
    {"sendfile-offset", sendfile_offset},
    {"sendfile-position", sendfile_position},
    {"sendfile-tiny", sendfile_tiny},
    {"sendfile-half-head", sendfile_half_head},
    {"sendfile-errors", sendfile_errors},
    {"splice-body", splice_body},
    {"splice-request", splice_request},
    {"splice-second-half", splice_second_half},
    {"dprintf", dprintf_whole},
    {"vdprintf", vdprintf_whole},
    {"dprintf-pieces", dprintf_pieces},
    {"dprintf-format", dprintf_format},
    {"dprintf-lines", dprintf_lines},
    {"dprintf-conversions", dprintf_conversions},
    {"dprintf-to-file", dprintf_to_file},
    {"syscall-write", syscall_write},
    {"syscall-writev", syscall_writev},
    {"syscall-sendto", syscall_sendto},
    {"syscall-sendmsg", syscall_sendmsg},
    {"syscall-sendmmsg", syscall_sendmmsg},
    {"syscall-sendfile", syscall_sendfile},
    {"syscall-pwritev2", syscall_pwritev2},
    {"syscall-life", syscall_life},
    {NULL, NULL},
};
