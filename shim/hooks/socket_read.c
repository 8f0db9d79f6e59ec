/* Reading changes nothing here, but a program that waits for an answer needs what it wrote to be on the wire: held bytes
 * are released before a read that blocks. Descriptors that arrive over a socket are new ones. */
#include "socket.h"

#include <errno.h>
#include <unistd.h>

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
    socket_before_read(fd, 0);
    return REAL(read)(fd, buf, len);
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
    socket_before_read(fd, 0);
    return REAL(readv)(fd, iov, count);
}

EXPORT ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
    socket_before_read(fd, flags & RWF_NOWAIT ? MSG_DONTWAIT : 0);
    return REAL(preadv2)(fd, iov, count, offset, flags);
}

#ifdef __LP64__
EXPORT ssize_t preadv64v2(int fd, const struct iovec *iov, int count, off64_t offset, int flags)
    __attribute__((alias("preadv2")));
#endif

EXPORT ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    socket_before_read(fd, flags);
    return REAL(recv)(fd, buf, len, flags);
}

EXPORT ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags, struct sockaddr *restrict from,
                        socklen_t *restrict from_len)
{
    socket_before_read(fd, flags);
    return REAL(recvfrom)(fd, buf, len, flags, from, from_len);
}

static void forget_passed_descriptors(struct msghdr *message)
{
    if (!message->msg_control || message->msg_controllen < sizeof(struct cmsghdr))
        return;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS || control->cmsg_len < CMSG_LEN(0))
            continue;
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            fd_forget(fd);
        }
    }
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    socket_before_read(fd, flags);
    ssize_t received = REAL(recvmsg)(fd, message, flags);
    if (received >= 0)
        forget_passed_descriptors(message);
    return received;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    socket_before_read(fd, flags);
    int received = REAL(recvmmsg)(fd, messages, count, flags, timeout);
    for (int i = 0; i < received; i++)
        forget_passed_descriptors(&messages[i].msg_hdr);
    return received;
}

/* The fortified forms check the buffer's size, which is the real ones' affair. */
extern ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
extern ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
extern ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t size, int flags,
                              struct sockaddr *restrict from, socklen_t *restrict from_len);

EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t size)
{
    socket_before_read(fd, 0);
    return REAL(__read_chk)(fd, buf, len, size);
}

EXPORT ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags)
{
    socket_before_read(fd, flags);
    return REAL(__recv_chk)(fd, buf, len, size, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t size, int flags,
                              struct sockaddr *restrict from, socklen_t *restrict from_len)
{
    socket_before_read(fd, flags);
    return REAL(__recvfrom_chk)(fd, buf, len, size, flags, from, from_len);
}
