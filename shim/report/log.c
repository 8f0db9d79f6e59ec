#include "log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../loader/raw.h"

/* O_NOFOLLOW: in a directory that others may write to, a link must not lead the lines elsewhere. */
static void to_file(const char *path, const char *line, size_t len)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
    long fd = raw_open(path, flags, 0600);
    if (fd < 0)
        return;
    raw_write((int)fd, line, len);
    raw_close((int)fd);
}

/* RFC 3164's form, facility user and severity info, as the C library's syslog() sends it. */
static void to_syslog(const char *line, size_t len)
{
    static const char prefix[] = "<14>jwtshim: ";
    static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char datagram[4096];
    if (len > sizeof datagram - sizeof prefix)
        return;
    memcpy(datagram, prefix, sizeof prefix - 1);
    memcpy(datagram + sizeof prefix - 1, line, len);
    long fd = raw_syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
    if (fd < 0)
        return;
    raw_syscall(SYS_sendto, fd, (long)datagram, (long)(sizeof prefix - 1 + len - 1), MSG_NOSIGNAL, (long)&address,
                sizeof address);
    raw_close((int)fd);
}

void log_line(const struct config *config, const char *line, size_t len)
{
    if (config->log == LOG_FILE)
        to_file(config->log_path, line, len);
    else if (config->log == LOG_STDERR)
        raw_write(STDERR_FILENO, line, len);
    else if (config->log == LOG_SYSLOG)
        to_syslog(line, len);
}
