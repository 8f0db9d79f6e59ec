/* syscall() with a number whose libc function is hooked does what that hook does; syscall_jump.S decides which. */
#include "syscall.h"

#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__aarch64__)

/* Read by syscall_jump.S only. 1: the hook does it; 2: held bytes are released first, and then the kernel does it. */
/* clang-format off */
__attribute__((visibility("hidden"))) const unsigned char syscall_is_hooked[SYSCALL_NUMBERS] = {
    [SYS_write] = 1,   [SYS_writev] = 1, [SYS_sendto] = 1,  [SYS_sendmsg] = 1,     [SYS_sendmmsg] = 1,
    [SYS_sendfile] = 1, [SYS_splice] = 1, [SYS_connect] = 1, [SYS_socket] = 1,      [SYS_close] = 1,
    [SYS_dup] = 1,     [SYS_dup3] = 1,   [SYS_fcntl] = 1,   [SYS_shutdown] = 1,    [SYS_read] = 1,
    [SYS_readv] = 1,   [SYS_recvfrom] = 1, [SYS_recvmsg] = 1, [SYS_close_range] = 1, [SYS_accept] = 1,
    [SYS_accept4] = 1, [SYS_pwritev2] = 1, [SYS_pipe2] = 1,
    [SYS_recvmmsg] = 1, [SYS_socketpair] = 1, [SYS_preadv2] = 1,
    [SYS_clone] = 2,   [SYS_clone3] = 2, [SYS_execve] = 2,  [SYS_execveat] = 2,    [SYS_exit_group] = 2,
    [SYS_seccomp] = 2, [SYS_prctl] = 1,
#ifdef SYS_fork
    [SYS_fork] = 2,
#endif
#ifdef SYS_dup2
    [SYS_dup2] = 1,
#endif
};
/* clang-format on */

typedef long syscall_fn(long number, long a, long b, long c, long d, long e, long f);

static long first_call(long number, long a, long b, long c, long d, long e, long f);

__attribute__((visibility("hidden"))) syscall_fn *syscall_real = first_call;

/* Before the constructor ran: some other library's constructor, or an allocator that starts. */
static long first_call(long number, long a, long b, long c, long d, long e, long f)
{
    syscall_real = (syscall_fn *)next_function(HOOK_syscall);
    return syscall_real(number, a, b, c, d, e, f);
}

__attribute__((constructor)) static void find_syscall(void)
{
    void *real = next_function(HOOK_syscall);
    if (real)
        syscall_real = (syscall_fn *)real;
}

static bool is_settled(int fd)
{
    return fd_state(fd) == FD_PLAIN || socket_is_inside(fd);
}

/* Where there is nothing left for a hook to do the kernel is asked, and not libc's function by its name: a preload behind us
 * may make its own of syscall(), on behalf of the call that led here, and would come back for ever. */
static bool needs_no_hook(long number, int fd, long b, long d)
{
    switch (number) {
    case SYS_sendmsg:
        if (fd_state(fd) == FD_PLAIN)
            socket_before_passing((const struct msghdr *)b);
        return is_settled(fd);
    case SYS_write:
    case SYS_writev:
    case SYS_pwritev2:
    case SYS_sendto:
    case SYS_sendfile: return is_settled(fd);
    case SYS_sendmmsg: return socket_is_inside(fd);
    case SYS_read:
    case SYS_readv: socket_before_read(fd, 0); return true;
    case SYS_recvfrom: socket_before_read(fd, (int)d); return true;
    case SYS_close: return fd_state(fd) == FD_UNKNOWN;
    default: return false;
    }
}

/* The arguments are the kernel's, in the order of the libc function's but where a comment says otherwise. */
__attribute__((visibility("hidden"))) long syscall_hooked(long number, long a, long b, long c, long d, long e, long f)
{
    const int fd = (int)a;
    if (needs_no_hook(number, fd, b, d))
        return syscall_real(number, a, b, c, d, e, f);
    switch (number) {
    case SYS_write: return write(fd, (const void *)b, (size_t)c);
    case SYS_writev: return writev(fd, (const struct iovec *)b, (int)c);
    case SYS_pwritev2: /* the offset's two halves; on 64-bit machines the first is all of it */
        return pwritev2(fd, (const struct iovec *)b, (int)c, (off_t)d, (int)f);
    case SYS_sendto: return sendto(fd, (const void *)b, (size_t)c, (int)d, (const struct sockaddr *)e, (socklen_t)f);
    case SYS_sendmsg: return sendmsg(fd, (const struct msghdr *)b, (int)c);
    case SYS_sendmmsg: return sendmmsg(fd, (struct mmsghdr *)b, (unsigned)c, (int)d);
    case SYS_sendfile: return sendfile(fd, (int)b, (off_t *)c, (size_t)d);
    case SYS_splice: return splice(fd, (off64_t *)b, (int)c, (off64_t *)d, (size_t)e, (unsigned)f);
    case SYS_connect: return connect(fd, (const struct sockaddr *)b, (socklen_t)c);
    case SYS_socket: return socket((int)a, (int)b, (int)c);
    case SYS_accept: return accept(fd, (struct sockaddr *)b, (socklen_t *)c);
    case SYS_accept4: return accept4(fd, (struct sockaddr *)b, (socklen_t *)c, (int)d);
    case SYS_close: return close(fd);
    case SYS_close_range: return close_range((unsigned)a, (unsigned)b, (int)c);
    case SYS_pipe2: return pipe2((int *)a, (int)b);
    case SYS_dup: return dup(fd);
#ifdef SYS_dup2
    case SYS_dup2: return dup2(fd, (int)b);
#endif
    case SYS_dup3: return dup3(fd, (int)b, (int)c);
    case SYS_fcntl: return fcntl(fd, (int)b, c);
    case SYS_shutdown: return shutdown(fd, (int)b);
    case SYS_recvmsg: return recvmsg(fd, (struct msghdr *)b, (int)c);
    case SYS_recvmmsg: return recvmmsg(fd, (struct mmsghdr *)b, (unsigned)c, (int)d, (struct timespec *)e);
    case SYS_socketpair: return socketpair((int)a, (int)b, (int)c, (int *)d);
    case SYS_prctl: return prctl((int)a, b, c, d, e);
    case SYS_preadv2: return preadv2(fd, (const struct iovec *)b, (int)c, (off_t)d, (int)f);
    default: return syscall_real(number, a, b, c, d, e, f);
    }
}

#endif
