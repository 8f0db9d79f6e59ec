/* One path of the shim, over and over, for callgrind to count: `cost PATH TIMES`. The call under measurement is made by
 * measured_write(), measured_send(), measured_flush() or measured_dlsym() alone. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN                                                                                                          \
    "eyJhbGciOiJIUzI1NiJ9."                                                                                            \
    "eyJpc3MiOiJjb20uZXhhbXBsZS5hcHAiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMDE4MCwicXNoIjoiNjk3"                     \
    "NzY4ZjU2Mjk0YWY3OGJlYjIxM2Q1NGE1N2U2Y2VjZDNiOGViZDdkYTg4M2I3ODY1M2ZjODAzZDQ2NzVhNiJ9.c2lnbmF0dXJl"

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

/* A head of 1 KiB such as a browser-like client sends, with or without a token. */
static size_t make_head(char *head, const char *parameter)
{
    int len =
        sprintf(head,
                "GET /rest/api/2/search?jql=project&fields=summary%s HTTP/1.1\r\nHost: site.atlassian.net\r\n"
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0\r\n"
                "Accept: application/json, text/plain, */*\r\nAccept-Encoding: gzip, deflate, br\r\n"
                "Accept-Language: en-US,en;q=0.9\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n"
                "Pragma: no-cache\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\nX-Long: ",
                parameter);
    memset(head + len, 'x', (size_t)(1020 - len));
    memcpy(head + 1020, "\r\n\r\n", 4);
    return 1024;
}

int main(int argc, char **argv)
{
    char head[2048];
    char drain[8192];
    char record[1024] = {0x17, 3, 3}; /* TLS application data */
    int client, server, ends[2];
    if (argc != 3 || pipe(ends) != 0)
        return 2;
    const char *path = argv[1];
    if (strncmp(path, "dlsym-", 6) == 0)
        return look_up(path + 6, atoi(argv[2]));
    size_t len = make_head(head, strcmp(path, "rewrite") == 0 ? "&jwt=" TOKEN : "");
    connected_pair(&client, &server);
    FILE *file = fopen("/dev/null", "w");
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
            measured_send(client, head, len);
        while (recv(server, drain, sizeof drain, MSG_DONTWAIT) > 0)
            ;
    }
    return 0;
}
