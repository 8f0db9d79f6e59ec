/* One path of the shim, over and over, for callgrind to count: `cost PATH TIMES`. The call under measurement is made by a
 * function measured_*() alone. `cost smaps 1` uses descriptors of several kinds, and prints what memory that took;
 * `cost nanoseconds TIMES` prints what a write takes. */
#include "head.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

__attribute__((noipa)) static ssize_t measured_write(int fd, const void *buf, size_t len)
{
    ssize_t sent = write(fd, buf, len);
    __asm__ volatile("" ::: "memory");
    return sent;
}

__attribute__((noipa)) static ssize_t measured_send(int fd, const void *buf, size_t len)
{
    ssize_t sent = send(fd, buf, len, 0);
    __asm__ volatile("" ::: "memory");
    return sent;
}

__attribute__((noipa)) static void measured_flush(FILE *stream)
{
    putc('x', stream);
    fflush(stream);
    __asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) static void *measured_dlsym(void *handle, const char *name)
{
    void *found = dlsym(handle, name);
    __asm__ volatile("" ::: "memory");
    return found;
}

static int look_up(const char *name, int times)
{
    void *libc = dlopen(LIBC_SO, RTLD_NOW);
    _Alignas(64) char aligned[64]; /* what comparing it costs must not hang on where it lies */
    snprintf(aligned, sizeof aligned, "%s", name);
    while (times-- > 0)
        if (!measured_dlsym(libc, aligned))
            return 1;
    return 0;
}

static int print_nanoseconds(FILE *file, int times)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < times; i++)
        measured_write(fileno(file), "x", 1);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return printf("%.1f\n", ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / times) < 0;
}

static void connected_pair(int *client, int *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &len) ||
        connect(*client, (struct sockaddr *)&address, len) || (*server = accept(listener, NULL, NULL)) < 0) {
        perror("connected_pair");
        exit(1);
    }
    close(listener);
}

/* A process that has streams, pipes, sockets and TLS on one of them, but no HTTP that anybody could see. */
static int print_smaps(int client, int pipe_end)
{
    static char line[4096];
    const char hello[] = {0x16, 3, 1, 0, 2, 1, 0};
    FILE *smaps = fopen("/proc/self/smaps", "r");
    if (!smaps || measured_send(client, hello, sizeof hello) != sizeof hello || measured_write(pipe_end, "x", 1) != 1)
        return 1;
    while (fgets(line, sizeof line, smaps))
        fputs(line, stdout);
    return fclose(smaps);
}

int main(int argc, char **argv)
{
    char head[HEAD_LEN + 1];
    char drain[8192];
    char record[1024] = {0x17, 3, 3}; /* TLS application data */
    int client, server, ends[2];
    if (argc != 3 || pipe(ends) != 0)
        return 2;
    const char *path = argv[1];
    if (strncmp(path, "dlsym-", 6) == 0)
        return look_up(path + 6, atoi(argv[2]));
    FILE *file = fopen("/dev/null", "w");
    if (strcmp(path, "nanoseconds") == 0)
        return print_nanoseconds(file, atoi(argv[2]));
    make_head(head, strcmp(path, "rewrite") == 0 ? "&jwt=" TOKEN : "");
    connected_pair(&client, &server);
    if (strcmp(path, "smaps") == 0)
        return print_smaps(client, ends[1]);
    for (int i = atoi(argv[2]); i > 0; i--) {
        if (strcmp(path, "unrelated") == 0) {
            measured_write(ends[1], "x", 1);
            if (read(ends[0], drain, sizeof drain) != 1)
                return 1;
            continue;
        }
        if (strcmp(path, "stream") == 0) {
            measured_flush(file);
            continue;
        }
        if (strcmp(path, "record") == 0)
            measured_send(client, record, sizeof record);
        else
            measured_send(client, head, HEAD_LEN);
        while (recv(server, drain, sizeof drain, MSG_DONTWAIT) > 0)
            ;
    }
    return 0;
}
