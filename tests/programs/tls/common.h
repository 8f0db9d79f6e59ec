/* What the test programs share: connecting, requests from files, reading answers. Plain C and POSIX; knows no TLS library,
 * and nothing of the shim: these are ordinary programs.
 *
 * Each is called `PROGRAM SCENARIO HOST PORT REQUEST...` with the CA's file in $CA. A REQUEST is a file with a head and its
 * body. Standard output gets the status of each answer and what the program saw of its library, one line each; lines that
 * begin with "seen " may differ from run to run. */
#ifndef TESTS_PROGRAMS_TLS_COMMON_H
#define TESTS_PROGRAMS_TLS_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct bytes {
    char *at;
    size_t len;
};

static inline void die(const char *what)
{
    printf("failed: %s\n", what);
    fflush(stdout);
    exit(9);
}

static inline void check(bool fine, const char *what)
{
    if (!fine)
        die(what);
}

static inline struct bytes load(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct bytes bytes = {malloc(1 << 22), 0};
    check(file && bytes.at, path);
    bytes.len = fread(bytes.at, 1, 1 << 22, file);
    fclose(file);
    return bytes;
}

/* The length of the head, its empty line included. */
static inline size_t head_of(struct bytes request)
{
    char *end = memmem(request.at, request.len, "\r\n\r\n", 4);
    check(end, "a request with a head");
    return (size_t)(end - request.at) + 4;
}

/* `buffer` 0: the kernel's own size. Small ones make a slow peer felt at once. */
static inline int tcp_connect(const char *host, const char *port, int buffer)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    check(getaddrinfo(host, port, &hints, &found) == 0, "getaddrinfo");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0, "socket");
    if (buffer)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    check(connect(fd, found->ai_addr, found->ai_addrlen) == 0, "connect");
    freeaddrinfo(found);
    return fd;
}

static inline void set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static inline void wait_for(int fd, short events)
{
    struct pollfd entry = {.fd = fd, .events = events};
    check(poll(&entry, 1, 10000) == 1, "poll within ten seconds");
}

/* A page of memory with a descriptor in it, for transports of the program's own, and how both vanish. */
static inline int *page_with(int fd)
{
    int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED, "a page");
    *page = fd;
    return page;
}

static inline void vanish(int *page)
{
    close(*page);
    munmap(page, 4096);
}

/* Reads one answer by `read_some` and prints its status. */
static inline void read_answer(long (*read_some)(void *ctx, char *buf, size_t len), void *ctx)
{
    static char text[1 << 16];
    size_t len = 0;
    char *end = NULL;
    while (!end) {
        check(len < sizeof text - 1, "an answer's head of a reasonable size");
        if (read_some(ctx, text + len, 1) != 1) {
            printf("no answer\n");
            return;
        }
        text[++len] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    printf("%.3s\n", strchr(text, ' ') ? strchr(text, ' ') + 1 : "???");
    char *length = strcasestr(text, "content-length:");
    long left = length ? strtol(length + 15, NULL, 10) : 0;
    while (left > 0) {
        long got = read_some(ctx, text, left < (long)sizeof text ? (size_t)left : sizeof text);
        check(got > 0, "an answer's body");
        left -= got;
    }
}

/* Ends the process as it stands: no library's or libc's clean-up sends anything. */
static inline void end_at_once(void)
{
    fflush(stdout);
    kill(getpid(), SIGKILL);
}

struct scenario {
    const char *name;
    void (*run)(char **arguments); /* HOST PORT REQUEST... */
};

static inline int run_scenario(const struct scenario *scenarios, int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    alarm(60); /* valgrind's runs take their time */
    check(argc >= 4, "SCENARIO HOST PORT REQUEST...");
    for (; scenarios->name; scenarios++)
        if (strcmp(scenarios->name, argv[1]) == 0) {
            scenarios->run(argv + 2);
            printf("done\n");
            return 0;
        }
    die("no such scenario");
    return 9;
}

#endif
