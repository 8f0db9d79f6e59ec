/* System calls made without libc: what the shim does for itself must be seen by no hook, ours or another preload's, and must
 * work before anything is resolved, in a signal handler and in the child of a vfork. Leaves errno alone. */
#ifndef JWTSHIM_LOADER_RAW_H
#define JWTSHIM_LOADER_RAW_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own answer: a negative errno where it refused. */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
    int saved = errno;
    long result = syscall(number, a, b, c, d, e, f);
    if (result == -1)
        result = -errno;
    errno = saved;
    return result;
#endif
}

static inline long raw_open(const char *path, int flags, int mode)
{
    return raw_syscall(SYS_openat, -100 /* AT_FDCWD */, (long)path, flags, mode, 0, 0);
}

static inline long raw_read(int fd, void *to, size_t len)
{
    return raw_syscall(SYS_read, fd, (long)to, (long)len, 0, 0, 0);
}

static inline long raw_write(int fd, const void *from, size_t len)
{
    return raw_syscall(SYS_write, fd, (long)from, (long)len, 0, 0, 0);
}

static inline long raw_readlink(const char *path, char *to, size_t len)
{
    return raw_syscall(SYS_readlinkat, -100 /* AT_FDCWD */, (long)path, (long)to, (long)len, 0, 0);
}

static inline void raw_close(int fd)
{
    raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

#endif
