/* A library whose constructor writes before other libraries' constructors had their turn: half a request into a pipe, and a
 * whole one to the recorder. It is preloaded together with any program. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void write_early(void)
{
    static char request[8192], got[8192];
    int pair[2];
    FILE *file = getenv("EARLY_FILE") ? fopen(getenv("EARLY_FILE"), "r") : NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!file)
        return;
    size_t len = fread(request, 1, sizeof request, file);
    fclose(file);
    address.sin_port = htons((unsigned short)atoi(getenv("EARLY_PORT")));

    if (pipe(pair) != 0)
        return;
    ssize_t written = write(pair[1], request, len / 2);
    ssize_t back = read(pair[0], got, sizeof got);
    printf("early: %zd written, %zd read back, the same %d\n", written, back, memcmp(got, request, len / 2) == 0);
    close(pair[0]);
    close(pair[1]);

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        written = write(fd, request, len / 2);
        printf("early: %zd written\n", written);
        written = send(fd, request + len / 2, len - len / 2, 0);
        printf("early: %zd sent\n", written);
    }
    printf("early: getpid by syscall() is right: %d\n", syscall(SYS_getpid) == getpid());
    close(fd);
}
