#include "preload_file.h"

#include "unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { LINKS_MAX = 40, TEXT_MAX = 1024 * 1024, TRIES = 100, TRY_MS = 50 };

static int fail(const struct command *command, int code, const char *what)
{
    return command_failed(command, code, "%s: %s: %s", PRELOAD_PATH, what, strerror(errno));
}

/* Opens the directory that `path` is in, and notes its last part. */
static bool open_directory(struct preload_file *file, const struct directory_root *root, const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (strlen(slash + 1) >= sizeof file->name || slash[1] == '\0') {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(file->name, sizeof file->name, "%s", slash + 1);
    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    file->directory = root_open(root, *directory ? directory : "/", O_RDONLY | O_DIRECTORY);
    return file->directory >= 0;
}

/* Follows links to where the file really is: replacing a link would leave what it leads to as it was. */
static bool find(struct preload_file *file, const struct directory_root *root)
{
    char path[PATH_MAX] = PRELOAD_PATH, target[PATH_MAX / 2];
    for (int links = 0; links < LINKS_MAX; links++) {
        if (!open_directory(file, root, path))
            return false;
        const ssize_t len = readlinkat(file->directory, file->name, target, sizeof target - 1);
        if (len < 0)
            return errno == EINVAL || errno == ENOENT; /* no link */
        target[len] = '\0';
        close(file->directory);
        file->directory = -1;
        char *slash = strrchr(path, '/');
        if (*target == '/')
            snprintf(path, sizeof path, "%s", target);
        else if (snprintf(slash + 1, (size_t)(path + sizeof path - slash - 1), "%s", target) >=
                 path + sizeof path - slash - 1)
            break;
    }
    errno = ELOOP;
    return false;
}

static bool read_text(struct preload_file *file)
{
    const int fd = openat(file->directory, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    file->exists = fd >= 0;
    if (fd < 0)
        return errno == ENOENT;
    bool good = fstat(fd, &file->status) == 0;
    if (good && (!S_ISREG(file->status.st_mode) || file->status.st_size > TEXT_MAX)) {
        errno = S_ISDIR(file->status.st_mode) ? EISDIR : S_ISREG(file->status.st_mode) ? EFBIG : EINVAL;
        good = false;
    }
    if (good && (file->text = malloc((size_t)file->status.st_size + 1))) {
        const ssize_t len = read(fd, file->text, (size_t)file->status.st_size + 1);
        good = len >= 0;
        file->len = len > 0 ? (size_t)len : 0;
    }
    close(fd);
    return good && file->text;
}

/* Whether the lock that is there was left by somebody who is no more: then nobody holds it. It is taken away. */
static void clear_stale_lock(const struct preload_file *file)
{
    struct stat held, named;
    const int fd = openat(file->directory, file->lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &held) == 0 &&
        fstatat(file->directory, file->lock, &named, AT_SYMLINK_NOFOLLOW) == 0 && held.st_ino == named.st_ino)
        unlinkat(file->directory, file->lock, 0);
    close(fd);
}

/* 1: it is ours; 0: another has it; -1: errno. No signal may come in between. */
static int make_lock(struct preload_file *file)
{
    struct stat status;
    file->lock_fd = openat(file->directory, file->lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->lock_fd < 0)
        return errno == EEXIST ? 0 : -1;
    /* Between its making and its being held somebody may have found it stale, and be about to take it away, or have done so. */
    if (flock(file->lock_fd, LOCK_EX | LOCK_NB) == 0 && fstat(file->lock_fd, &status) == 0 && status.st_nlink == 1) {
        unfinished_is(file->directory, file->lock);
        return 1;
    }
    close(file->lock_fd);
    file->lock_fd = -1;
    return 0;
}

static int try_lock(struct preload_file *file)
{
    unfinished_hold();
    const int got = make_lock(file);
    const int error = errno;
    unfinished_let();
    errno = error;
    return got;
}

static int lock(struct preload_file *file, const struct command *command)
{
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};
    snprintf(file->lock, sizeof file->lock, ".jwtshim.%.200s", file->name);
    for (int i = 0; i < TRIES; i++) {
        const int got = try_lock(file);
        if (got > 0)
            return EX_OK;
        if (got < 0) {
            file->lock[0] = '\0';
            return fail(command, EX_CANTCREAT, "cannot be changed");
        }
        clear_stale_lock(file);
        nanosleep(&pause, NULL);
    }
    const int code =
        command_failed(command, EX_TEMPFAIL, "%s: another run is changing it (%s is locked)", PRELOAD_PATH, file->lock);
    file->lock[0] = '\0';
    return code;
}

int preload_open(struct preload_file *file, const struct command *command, const struct directory_root *root, bool to_change)
{
    *file = (struct preload_file){.directory = -1, .lock_fd = -1};
    if (!find(file, root))
        return fail(command, EX_NOINPUT, "cannot be found");
    const int code = to_change ? lock(file, command) : EX_OK;
    if (code != EX_OK)
        return code;
    return read_text(file) ? EX_OK : fail(command, EX_IOERR, "cannot be read");
}

/* Labels and lists of who may what; where one cannot be kept, the file's own system knows none. */
static void copy_attributes(const struct preload_file *file)
{
    char names[4096], value[4096];
    const int fd = openat(file->directory, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    const ssize_t len = flistxattr(fd, names, sizeof names);
    for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
        const ssize_t size = fgetxattr(fd, name, value, sizeof value);
        if (size >= 0)
            fsetxattr(file->lock_fd, name, value, (size_t)size, 0);
    }
    close(fd);
}

static bool write_whole(int fd, struct span text)
{
    while (text.len) {
        const ssize_t written = write(fd, text.at, text.len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            text = span_from(text, (size_t)written);
    }
    return fsync(fd) == 0;
}

/* Everything is on the disk before the name is: after a power failure there is the one or the other. */
static bool fill_lock(const struct preload_file *file, struct span text)
{
    if (!write_whole(file->lock_fd, text))
        return false;
    if (file->exists && fchown(file->lock_fd, file->status.st_uid, file->status.st_gid) != 0)
        return false;
    if (file->exists)
        copy_attributes(file);
    return fchmod(file->lock_fd, file->exists ? file->status.st_mode & 07777 : 0644) == 0;
}

int preload_replace(struct preload_file *file, const struct command *command, struct span text)
{
    if (text.len == 0) {
        if (unlinkat(file->directory, file->name, 0) != 0 && errno != ENOENT)
            return fail(command, EX_IOERR, "cannot be removed");
    } else {
        if (!fill_lock(file, text))
            return fail(command, EX_IOERR, "cannot be written");
        if (!unfinished_becomes(file->directory, file->lock, file->name))
            return fail(command, EX_IOERR, "cannot be replaced");
        file->lock[0] = '\0';
    }
    fsync(file->directory);
    return EX_OK;
}

void preload_close(struct preload_file *file)
{
    if (file->lock[0])
        unfinished_goes(file->directory, file->lock);
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    if (file->directory >= 0)
        close(file->directory);
    free(file->text);
}
