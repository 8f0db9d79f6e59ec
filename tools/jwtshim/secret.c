#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_read(const struct command *command, const char *path, const char *why)
{
    return command_failed(command, EX_NOINPUT, "cannot read the secret in %s: %s", path, why);
}

/* Without stdio, which would leave a copy in a buffer. */
static ssize_t read_all(int fd, struct secret *secret)
{
    while (secret->len < sizeof secret->bytes) {
        ssize_t got = read(fd, secret->bytes + secret->len, sizeof secret->bytes - secret->len);
        if (got <= 0)
            return got;
        secret->len += (size_t)got;
    }
    return 0;
}

int secret_read(const struct command *command, const char *path, struct secret *secret)
{
    struct stat status;
    secret->len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(command, path, strerror(errno));
    int failed = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? EISDIR : 0;
    if (!failed && read_all(fd, secret) < 0)
        failed = errno;
    close(fd);
    if (failed)
        return cannot_read(command, path, strerror(failed));
    if (secret->len > SECRET_MAX)
        return command_failed(command, EX_DATAERR, "%s is longer than 16 KiB: that is no secret", path);
    secret->line_len = secret->len;
    if (secret->line_len && secret->bytes[secret->line_len - 1] == '\n')
        secret->line_len--;
    if (secret->line_len != secret->len && secret->line_len && secret->bytes[secret->line_len - 1] == '\r')
        secret->line_len--;
    if (secret->line_len == 0)
        return command_failed(command, EX_DATAERR, "%s is empty: there is no secret in it", path);
    return EX_OK;
}

void secret_wipe(struct secret *secret)
{
    explicit_bzero(secret, sizeof *secret);
}
