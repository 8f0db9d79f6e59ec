/* The main() of every socket program and their few helpers; nothing in here knows of the shim. */
#include "common.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

struct text given[4];
const char *given_path[4];
static const char *target;

void need(bool ok, const char *what)
{
    if (ok)
        return;
    printf("cannot go on: %s: %s\n", what, strerrorname_np(errno));
    fflush(stdout);
    exit(70);
}

static struct text load(const char *path)
{
    struct text text = {NULL, 0};
    FILE *file = fopen(path, "r");
    need(file && fseek(file, 0, SEEK_END) == 0, "open the given file");
    text.len = (size_t)ftell(file);
    text.at = malloc(text.len + 1);
    rewind(file);
    need(text.at && fread(text.at, 1, text.len, file) == text.len, "read the given file");
    text.at[text.len] = '\0';
    fclose(file);
    return text;
}

/* TARGET is tcp:ADDRESS:PORT or unix:PATH. */
socklen_t target_address(struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (strncmp(target, "unix:", 5) == 0) {
        struct sockaddr_un *un = (struct sockaddr_un *)address;
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%s", target + 5);
        return sizeof *un;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)address;
    char host[64];
    int port;
    need(sscanf(target, "tcp:%63[0-9.]:%d", host, &port) == 2, "understand the target");
    in->sin_family = AF_INET;
    in->sin_port = htons((unsigned short)port);
    need(inet_pton(AF_INET, host, &in->sin_addr) == 1, "understand the address");
    return sizeof *in;
}

int socket_for_target(int type)
{
    struct sockaddr_storage address;
    target_address(&address);
    int fd = socket(address.ss_family, SOCK_STREAM | type, 0);
    need(fd >= 0, "socket");
    return fd;
}

int dial_type(int type)
{
    struct sockaddr_storage address;
    socklen_t len = target_address(&address);
    int fd = socket_for_target(type & ~SOCK_NONBLOCK);
    need(connect(fd, (struct sockaddr *)&address, len) == 0, "connect");
    if (type & SOCK_NONBLOCK)
        set_nonblocking(fd);
    return fd;
}

int dial(void)
{
    return dial_type(0);
}

/* `address` has room for any. */
static void make_pair(int pair[2], struct sockaddr *address, socklen_t len)
{
    int listener = socket(address->sa_family, SOCK_STREAM, 0);
    need(listener >= 0 && bind(listener, address, len) == 0 && listen(listener, 1) == 0, "listen");
    socklen_t real_len = sizeof(struct sockaddr_storage);
    need(getsockname(listener, address, &real_len) == 0, "getsockname");
    pair[0] = socket(address->sa_family, SOCK_STREAM, 0);
    need(pair[0] >= 0 && connect(pair[0], address, real_len) == 0, "connect");
    pair[1] = accept(listener, NULL, NULL);
    need(pair[1] >= 0, "accept");
    close(listener);
}

void tcp_pair(int pair[2])
{
    struct sockaddr_storage room = {.ss_family = AF_INET};
    struct sockaddr_in *address = (struct sockaddr_in *)&room;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    make_pair(pair, (struct sockaddr *)&room, sizeof *address);
}

/* bind() with no more than the family gives an abstract name of its own. */
void unix_pair(int pair[2])
{
    struct sockaddr_storage room = {.ss_family = AF_UNIX};
    make_pair(pair, (struct sockaddr *)&room, sizeof(sa_family_t));
}

long told(const char *call, long result)
{
    int saved = errno;
    const char *name = saved == 77 ? "untouched" : strerrorname_np(saved);
    printf("%s: %ld, errno %s\n", call, result, name);
    fflush(stdout);
    errno = saved;
    return result;
}

void write_all(int fd, const char *at, size_t len)
{
    while (len) {
        ssize_t sent = write(fd, at, len);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN) {
            need(wait_for(fd, POLLOUT) == 1, "wait to write");
            continue;
        }
        need(sent > 0 && (size_t)sent <= len, "write");
        at += sent;
        len -= (size_t)sent;
    }
}

void go(void)
{
    need(write(atoi(getenv("CONTROL")), "r", 1) == 1, "tell the recorder");
}

void set_nonblocking(int fd)
{
    need(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0, "O_NONBLOCK");
}

void set_tiny_buffer(int fd)
{
    int size = 1; /* the kernel makes its minimum of it */
    need(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0, "SO_SNDBUF");
}

int wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    return poll(&poll_fd, 1, 10000);
}

char *scratch_path(void)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/scratch", getenv("TMPDIR"));
    return path;
}

void compare(const char *what, const char *got, size_t got_len, const char *want, size_t want_len)
{
    bool same = got_len == want_len && memcmp(got, want, want_len) == 0;
    printf("%s: %s, %zu of %zu bytes\n", what, same ? "identical" : "DIFFERENT", got_len, want_len);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3)
        return 64;
    target = argv[2];
    for (int i = 3; i < argc && i < 7; i++) {
        given_path[i - 3] = argv[i];
        given[i - 3] = load(argv[i]);
    }
    for (const struct scenario *scenario = scenarios; scenario->name; scenario++)
        if (strcmp(scenario->name, argv[1]) == 0) {
            scenario->run();
            return 0;
        }
    printf("no such scenario\n");
    return 64;
}
