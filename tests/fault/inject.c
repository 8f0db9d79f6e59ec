/* Stands behind the shim and makes one call fail: FAULT=KIND:N, for the N-th of its kind in the process. FAULT_MARK is made a
 * file once that has happened, so that a test knows when there was none left. Nothing in here knows what the shim does.
 *
 *     memory    an allocation of the shim's own         any-memory  any allocation
 *     no-memory that one and all behind it
 *     short     a write to a stream socket takes a byte
 *     EAGAIN, EINTR, EPIPE, ECONNRESET, ENOBUFS         such a write fails so
 *     short-EAGAIN, short-EINTR                         one takes a byte, and the next one fails so
 * A program may export inside_write(): it is called in the middle of each such write, and may take from its length. With WRITES_ALONE
 * defined no allocation comes by here: valgrind brings an allocator of its own. */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void __libc_free(void *at);
extern void before_free(void) __attribute__((weak)); /* a program's: called before each block is given back */
extern size_t inside_write(int fd, size_t len) __attribute__((weak));

static const struct kind {
    const char *name;
    int error; /* 0: a short write */
    int then;  /* the error of the next one */
} kinds[] = {
    {"memory", ENOMEM, 0},       {"any-memory", ENOMEM, 0},     {"no-memory", ENOMEM, 0}, {"short", 0, 0},
    {"short-EAGAIN", 0, EAGAIN}, {"short-EINTR", 0, EINTR},     {"EAGAIN", EAGAIN, 0},    {"EINTR", EINTR, 0},
    {"EPIPE", EPIPE, 0},         {"ECONNRESET", ECONNRESET, 0}, {"ENOBUFS", ENOBUFS, 0},
};
static const struct kind *kind;
static long due; /* how many calls of the kind are still to go; only this one's thread gets to 0 */
static const char *mark;
static uintptr_t shim_start, shim_end;

static int find_shim(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (!strstr(info->dlpi_name, "/libjwtshim.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD)
            continue;
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        shim_start = shim_start ? shim_start : start;
        shim_end = start + header->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void start(void)
{
    const char *fault = getenv("FAULT");
    const char *number = fault ? strchr(fault, ':') : NULL;
    mark = getenv("FAULT_MARK");
    dl_iterate_phdr(find_shim, NULL);
    for (size_t i = 0; number && i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == (size_t)(number - fault) && strncmp(kinds[i].name, fault, strlen(kinds[i].name)) == 0) {
            due = atol(number + 1);
            kind = &kinds[i];
        }
}

/* Whether this is the call that fails. */
static bool falls_now(void)
{
    if (__atomic_sub_fetch(&due, 1, __ATOMIC_RELAXED) != 0)
        return false;
    int fd = mark ? (int)syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT, 0600) : -1;
    if (fd >= 0)
        syscall(SYS_close, fd);
    return true;
}

#ifndef WRITES_ALONE
static bool has_no_memory(const void *caller)
{
    if (!kind || kind->error != ENOMEM)
        return false;
    const bool is_shims = (uintptr_t)caller >= shim_start && (uintptr_t)caller < shim_end;
    if (!is_shims && kind->name[0] != 'a')
        return false;
    bool falls = falls_now() || (kind->name[0] == 'n' && __atomic_load_n(&due, __ATOMIC_RELAXED) < 0);
    if (falls)
        errno = ENOMEM;
    return falls;
}

void *malloc(size_t size)
{
    return has_no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return has_no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
    return has_no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(at, size);
}

void free(void *at)
{
    if (before_free)
        before_free();
    __libc_free(at);
}
#endif

static bool is_stream_socket(int fd)
{
    int saved = errno, type = 0;
    socklen_t len = sizeof type;
    bool is = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
    errno = saved;
    return is;
}

/* Whether the real call is made, and with how much. A refusal "for now" is only for who expects one. */
static bool write_goes_on(int fd, size_t *len)
{
    if ((!kind && !inside_write) || !is_stream_socket(fd))
        return true;
    if (inside_write)
        *len = inside_write(fd, *len);
    if (!kind || kind->error == ENOMEM)
        return true;
    const bool waits = !(fcntl(fd, F_GETFL) & O_NONBLOCK);
    if (waits && (kind->error == EAGAIN || kind->then == EAGAIN))
        return true;
    int error = kind->error;
    if (!falls_now()) {
        if (!kind->then || __atomic_load_n(&due, __ATOMIC_RELAXED) != -1)
            return true;
        error = kind->then;
    }
    if (error == 0) {
        *len = *len ? 1 : 0;
        return true;
    }
    errno = error;
    return false;
}

ssize_t write(int fd, const void *buf, size_t len)
{
    return write_goes_on(fd, &len) ? syscall(SYS_write, fd, buf, len) : -1;
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    return write_goes_on(fd, &len) ? syscall(SYS_sendto, fd, buf, len, flags, to, to_len) : -1;
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    return write_goes_on(fd, &len) ? syscall(SYS_sendto, fd, buf, len, flags, NULL, 0) : -1;
}

static size_t total(const struct iovec *iov, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += iov[i].iov_len;
    return sum;
}

/* The first `len` bytes of the pieces, in `cut`. */
static size_t shorten(const struct iovec *iov, size_t count, size_t len, struct iovec *cut)
{
    size_t used = 0;
    for (; used < count && len; used++) {
        cut[used] = iov[used];
        if (cut[used].iov_len > len)
            cut[used].iov_len = len;
        len -= cut[used].iov_len;
    }
    return used;
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct iovec cut[IOV_MAX];
    size_t whole = count > 0 && count <= IOV_MAX ? total(iov, (size_t)count) : 0, len = whole;
    if (!write_goes_on(fd, &len))
        return -1;
    if (len == whole)
        return syscall(SYS_writev, fd, iov, count);
    return syscall(SYS_writev, fd, cut, shorten(iov, (size_t)count, len, cut));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec cut[IOV_MAX];
    struct msghdr shorter = *message;
    size_t whole = message->msg_iovlen <= IOV_MAX ? total(message->msg_iov, message->msg_iovlen) : 0, len = whole;
    if (!write_goes_on(fd, &len))
        return -1;
    if (len == whole)
        return syscall(SYS_sendmsg, fd, message, flags);
    shorter.msg_iov = cut;
    shorter.msg_iovlen = shorten(message->msg_iov, message->msg_iovlen, len, cut);
    return syscall(SYS_sendmsg, fd, &shorter, flags);
}
