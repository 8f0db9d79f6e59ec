#include "log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../loader/raw.h"

/* A write to a pipe that nobody reads, or past the limit of a file's size, sends a signal that ends the program: for our line,
 * which it knows nothing of. The signal is held back, and taken away if it is ours. Both go to the thread that writes. */
static void to_descriptor(int fd, const char *line, size_t len)
{
    const uint64_t ours = UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGXFSZ - 1); /* the kernel's signal set */
    const struct timespec at_once = {0, 0};
    uint64_t before, pending = 0;
    if (raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&ours, (long)&before, sizeof ours, 0, 0) != 0)
        return;
    raw_syscall(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0, 0, 0);
    long written = raw_write(fd, line, len);
    uint64_t raised = ours & ~pending;
    if ((written == -EPIPE || written == -EFBIG) && raised)
        raw_syscall(SYS_rt_sigtimedwait, (long)&raised, 0, (long)&at_once, sizeof raised, 0, 0);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0, 0);
}

/* A program that closed its standard error has the number free for a connection, which must get no byte of ours. What was
 * standard error from the start may be a local socket, the journal's, but nobody's peer. */
static bool is_connection(int fd)
{
    int domain = AF_UNIX;
    socklen_t len = sizeof domain;
    return raw_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain, (long)&len, 0) == 0 && domain != AF_UNIX;
}

/* A pipe that says so has room for 4,096 bytes, which is more than a line: a reader that stopped reading stops nobody. */
static bool takes_a_line(int fd)
{
    struct pollfd state = {.fd = fd, .events = POLLOUT};
    struct timespec at_once = {0, 0};
    return raw_syscall(SYS_ppoll, (long)&state, 1, (long)&at_once, 0, 0, 0) == 1 && state.revents & POLLOUT;
}

static void to_stderr(const char *line, size_t len)
{
    if (!is_connection(STDERR_FILENO) && takes_a_line(STDERR_FILENO))
        to_descriptor(STDERR_FILENO, line, len);
}

/* O_NOFOLLOW: in a directory that others may write to, a link must not lead the lines elsewhere. */
static void to_file(const char *path, const char *line, size_t len)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    long fd = raw_open(path, flags, 0600);
    if (fd < 0)
        return;
    to_descriptor((int)fd, line, len);
    raw_close((int)fd);
}

/* RFC 3164's form, facility user and severity info, as the C library's syslog() sends it. */
static void to_syslog(const char *line, size_t len)
{
    static const char prefix[] = "<14>jwtshim: ";
    static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    struct iovec pieces[] = {{(char *)(uintptr_t)prefix, sizeof prefix - 1}, {(char *)(uintptr_t)line, len - 1}};
    const struct msghdr datagram = {
        .msg_name = (void *)(uintptr_t)&address, .msg_namelen = sizeof address, .msg_iov = pieces, .msg_iovlen = 2};
    long fd = raw_syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
    if (fd < 0)
        return;
    raw_syscall(SYS_sendmsg, fd, (long)&datagram, MSG_NOSIGNAL, 0, 0, 0);
    raw_close((int)fd);
}

void log_line(const struct config *config, const char *line, size_t len)
{
    if (config->log == LOG_FILE)
        to_file(config->log_path, line, len);
    else if (config->log == LOG_STDERR)
        to_stderr(line, len);
    else if (config->log == LOG_SYSLOG)
        to_syslog(line, len);
}
