/* What the C clients share: a URL taken apart, a body, a connection, a head. No client needs all of it. */
#ifndef COMPAT_CLIENT_H
#define COMPAT_CLIENT_H

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY "{\"fields\":{\"summary\":\"x\"}}"

struct request {
    bool tls, post;
    char host[256];
    const char *port, *target; /* origin-form */
};

/* MODE URL, as every client is called; ends the program if that is not how it was. */
__attribute__((unused)) static struct request request_from(int argc, char **argv)
{
    struct request request = {0};
    const char *host = argc == 3 ? strstr(argv[2], "://") : NULL;
    if (!host) {
        fprintf(stderr, "usage: %s get|post URL\n", argv[0]);
        exit(2);
    }
    host += 3;
    request.post = strcmp(argv[1], "post") == 0;
    request.tls = strncmp(argv[2], "https:", 6) == 0;
    request.port = request.tls ? "443" : "80";
    request.target = strchr(host, '/');
    snprintf(request.host, sizeof request.host, "%.*s", (int)(request.target - host), host);
    return request;
}

__attribute__((unused)) static int connect_to(const struct request *request)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(request->host, request->port, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* Head and body in one piece; returns its length. */
__attribute__((unused)) static int write_request(char *to, size_t room, const struct request *request)
{
    int length = snprintf(to, room, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n",
                          request->post ? "POST" : "GET", request->target, request->host);
    if (request->post)
        return length + snprintf(to + length, room - (size_t)length,
                                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", sizeof BODY - 1, BODY);
    return length + snprintf(to + length, room - (size_t)length, "\r\n");
}

#endif
