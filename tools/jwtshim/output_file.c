#include "output_file.h"

#include "unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct output_file *file)
{
    free(file->path);
    free(file->temporary);
    file->path = file->temporary = NULL;
}

static int refuse(struct output_file *file, const struct command *command)
{
    const int code = command_failed(command, EX_CANTCREAT, "%s: %s", file->name, strerror(errno));
    forget(file);
    return code;
}

/* The mode that the file has, or that a new one gets. */
static mode_t mode_for(const struct stat *existing)
{
    if (existing)
        return existing->st_mode & 07777;
    const mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static int begin_beside(struct output_file *file, const struct command *command, const struct stat *existing)
{
    if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
        file->temporary = NULL;
        return refuse(file, command);
    }
    unfinished_hold();
    const int fd = mkstemp(file->temporary);
    if (fd >= 0)
        unfinished_is(AT_FDCWD, file->temporary);
    unfinished_let();
    if (fd < 0)
        return refuse(file, command);
    if (fchmod(fd, mode_for(existing)) != 0 || !(file->stream = fdopen(fd, "w"))) {
        const int error = errno;
        unfinished_goes(AT_FDCWD, file->temporary);
        close(fd);
        errno = error;
        return refuse(file, command);
    }
    return EX_OK;
}

int output_begin(struct output_file *file, const struct command *command, const char *name)
{
    struct stat status;
    *file = (struct output_file){.name = name};
    const bool exists = stat(name, &status) == 0;
    file->path = exists ? realpath(name, NULL) : strdup(name);
    if (!file->path)
        return refuse(file, command);
    if (!exists || S_ISREG(status.st_mode))
        return begin_beside(file, command, exists ? &status : NULL);
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return refuse(file, command);
    }
    return (file->stream = fopen(name, "w")) ? EX_OK : refuse(file, command);
}

int output_end(struct output_file *file, const struct command *command)
{
    int code = EX_OK;
    bool good = fflush(file->stream) == 0 && !ferror(file->stream);
    if (good && file->temporary)
        good = fsync(fileno(file->stream)) == 0;
    int error = errno;
    if (fclose(file->stream) != 0 && good) {
        error = errno;
        good = false;
    }
    if (good && file->temporary && !unfinished_becomes(AT_FDCWD, file->temporary, file->path)) {
        error = errno;
        good = false;
    }
    if (!good) {
        code = command_failed(command, EX_IOERR, "%s: %s", file->name, strerror(error));
        if (file->temporary)
            unfinished_goes(AT_FDCWD, file->temporary);
    }
    forget(file);
    return code;
}
