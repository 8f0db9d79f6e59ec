#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest programs have some hundred megabytes. */
enum { LINKS_MAX = 40, DATA_MAX = 1 << 30 };

bool root_outside(const char *root, const char *path, char outside[PATH_MAX])
{
    int len = snprintf(outside, PATH_MAX, "%s%s", root, path);
    if (len >= 0 && len < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static void drop_last_part(char *real)
{
    char *slash = strrchr(real, '/');
    if (slash)
        *slash = '\0';
}

/* Puts a link's text in front of what is left of the path. */
static bool follow(const char *outside, char *real, char left[PATH_MAX])
{
    char text[PATH_MAX];
    char joined[2 * PATH_MAX];
    ssize_t len = readlink(outside, text, sizeof text - 1);
    if (len < 0)
        return false;
    text[len] = '\0';
    drop_last_part(real);
    if (text[0] == '/')
        *real = '\0';
    int size = snprintf(joined, sizeof joined, "%s/%s", text, left);
    if (size >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(left, joined, (size_t)size + 1);
    return true;
}

/* Takes the next part off `left` and onto `real`. */
static bool step(const char *root, char *real, char left[PATH_MAX], int *links)
{
    char outside[PATH_MAX];
    struct stat status;
    size_t skip = strspn(left, "/");
    size_t len = strcspn(left + skip, "/");
    size_t used = strlen(real);
    char part[NAME_MAX + 1];
    if (len >= sizeof part || used + len + 2 > PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(part, left + skip, len);
    part[len] = '\0';
    memmove(left, left + skip + len, strlen(left + skip + len) + 1);
    if (len == 0 || strcmp(part, ".") == 0)
        return true;
    if (strcmp(part, "..") == 0) {
        drop_last_part(real);
        return true;
    }
    real[used] = '/';
    memcpy(real + used + 1, part, len + 1);
    if (!root_outside(root, real, outside) || lstat(outside, &status) != 0)
        return false;
    if (!S_ISLNK(status.st_mode))
        return true;
    if (++*links > LINKS_MAX) {
        errno = ELOOP;
        return false;
    }
    return follow(outside, real, left);
}

bool root_resolve(const char *root, const char *path, char real[PATH_MAX])
{
    char left[PATH_MAX];
    int links = 0;
    size_t len = strlen(path);
    if (len >= sizeof left) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(left, path, len + 1);
    *real = '\0';
    while (*left)
        if (!step(root, real, left, &links))
            return false;
    return true;
}

/* From `at` to where `end` is, or where the file ends by now. Returns how far that was. */
static size_t read_part(int fd, unsigned char *bytes, size_t at, size_t end)
{
    while (at < end) {
        const ssize_t got = pread(fd, bytes + at, end - at, (off_t)at);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            break;
        at += got > 0 ? (size_t)got : 0;
    }
    return at;
}

/* Holes are passed over. False with errno where there is too much else. */
static bool read_all(int fd, struct file *file, unsigned char *bytes)
{
    size_t sum = 0;
    for (size_t at = 0; at < file->len;) {
        const off_t begin = lseek(fd, (off_t)at, SEEK_DATA);
        if (begin < 0)
            break;
        const off_t hole = lseek(fd, begin, SEEK_HOLE);
        const size_t end = hole > begin && (size_t)hole < file->len ? (size_t)hole : file->len;
        sum += end - (size_t)begin;
        if (sum > DATA_MAX) {
            errno = EFBIG;
            return false;
        }
        at = read_part(fd, bytes, (size_t)begin, end);
        if (at < end)
            file->len = at;
    }
    return true;
}

/* Not by a mapping of the file: somebody may cut it off, or write to it, while it is looked at. */
static bool read_start(int fd, size_t most, struct file *file)
{
    struct stat status = {.st_mode = 0};
    *file = (struct file){.bytes = NULL};
    const bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular || status.st_size == 0) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : regular ? ENODATA : ENOEXEC;
        return false;
    }
    const size_t size = (size_t)status.st_size < most ? (size_t)status.st_size : most;
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED)
        return false;
    *file = (struct file){bytes, size, size, status.st_mode, status.st_uid};
    const bool done = read_all(fd, file, bytes);
    if (done && file->len)
        return true;
    const int error = done ? ENODATA : errno;
    file_free(file);
    errno = error;
    return false;
}

bool file_read(int fd, struct file *file)
{
    return read_start(fd, SIZE_MAX, file);
}

bool root_read_start(const char *root, const char *real, size_t most, struct file *file)
{
    char outside[PATH_MAX];
    *file = (struct file){.bytes = NULL};
    if (!root_outside(root, real, outside))
        return false;
    int fd = open(outside, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    const bool done = read_start(fd, most, file);
    const int error = errno;
    close(fd);
    errno = error;
    return done;
}

bool root_read(const char *root, const char *real, struct file *file)
{
    return root_read_start(root, real, SIZE_MAX, file);
}

void file_free(struct file *file)
{
    if (file->bytes)
        munmap((void *)(size_t)file->bytes, file->room);
    file->bytes = NULL;
}

const char *root_cut_off(const char *process, const char *path)
{
    char link[64], root[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%.20s/root", process);
    const ssize_t len = readlink(link, root, sizeof root);
    return len > 1 && strncmp(path, root, (size_t)len) == 0 && path[len] == '/' ? path + len : path;
}

void root_glob(const char *root, const char *pattern, void (*found)(const char *path, void *context), void *context)
{
    char outside[PATH_MAX];
    glob_t matches;
    if (!root_outside(root, pattern, outside))
        return;
    if (glob(outside, GLOB_NOSORT | GLOB_BRACE, NULL, &matches) == 0)
        for (size_t i = 0; i < matches.gl_pathc; i++)
            found(matches.gl_pathv[i] + strlen(root), context);
    globfree(&matches);
}
