/* How long a process's first rewrite takes, the same request once more, and one with another token: nanoseconds, a line. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long nanoseconds(int client, int server, const char *path)
{
    char head[1024], drain[4096];
    struct timespec from, to;
    int len = snprintf(
        head, sizeof head,
        "GET %s?jwt=eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjb20uZXhhbXBsZS5hcHAiLCJpYXQiOjE3MDAwMDAwMDAsI"
        "mV4cCI6MTcwMDAwMDE4MCwicXNoIjoiNjk3NzY4ZjU2Mjk0YWY3OGJlYjIxM2Q1NGE1N2U2Y2VjZDNiOGViZDdkYTg4M2I3ODY1M2ZjODAz"
        "ZDQ2NzVhNiJ9.c2lnbmF0dXJl HTTP/1.1\r\nHost: site.atlassian.net\r\n\r\n",
        path);
    clock_gettime(CLOCK_MONOTONIC, &from);
    ssize_t sent = send(client, head, (size_t)len, 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (sent != len || recv(server, drain, sizeof drain, 0) <= 0)
        return -1;
    return (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &len) || connect(client, (struct sockaddr *)&address, len))
        return 1;
    int server = accept(listener, NULL, NULL);
    long first = nanoseconds(client, server, "/rest/api/3/issue/AC-1");
    long again = nanoseconds(client, server, "/rest/api/3/issue/AC-1");
    long other = nanoseconds(client, server, "/rest/api/3/issue/AC-2");
    printf("%ld %ld %ld\n", first, again, other);
    return 0;
}
