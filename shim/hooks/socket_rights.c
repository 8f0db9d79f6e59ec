/* A descriptor that is passed to another process is written to by that one too: what is held for it goes out before. */
#include "socket.h"

#include <sys/socket.h>

void socket_release_passed(const struct msghdr *message)
{
    if (!message || !message->msg_control || message->msg_controllen < sizeof(struct cmsghdr))
        return;
    struct msghdr copy = *message; /* the macros take no const one */
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&copy); at; at = CMSG_NXTHDR(&copy, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS || at->cmsg_len < CMSG_LEN(0))
            continue;
        const char *fds = (const char *)CMSG_DATA(at);
        for (size_t i = 0; i < (at->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, fds + i * sizeof fd, sizeof fd);
            socket_release_last(fd);
        }
    }
}
