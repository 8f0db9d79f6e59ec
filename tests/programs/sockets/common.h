/* What the socket programs share: the connection to the recorder, the requests they were given, and a way to tell what
 * a call answered. They are ordinary programs: nothing in them knows of the shim, and they never print what they send. */
#ifndef SOCKETS_COMMON_H
#define SOCKETS_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct text {
    char *at;
    size_t len;
};

/* What the program was started with: PROGRAM SCENARIO TARGET FILE… */
extern struct text given[4];
extern const char *given_path[4];

struct scenario {
    const char *name;
    void (*run)(void);
};

/* Each program's own, up to a NULL name. */
extern const struct scenario scenarios[];

/* Ends the program if `ok` is false: the test itself cannot go on. */
void need(bool ok, const char *what);

/* A new connection to TARGET. `type` may have SOCK_NONBLOCK and SOCK_CLOEXEC added. */
int dial(void);
int dial_type(int type);
int socket_for_target(int type);
socklen_t target_address(struct sockaddr_storage *address);

/* Both ends of a connection inside this program: [0] connected, [1] was accepted. */
void tcp_pair(int pair[2]);
void unix_pair(int pair[2]); /* with a name, unlike socketpair() */

/* Prints what a call answered, with errno's name: it was set to 77 before, and a success must leave it so. */
long told(const char *call, long result);
#define CALL(expression) (errno = 77, told(#expression, (long)(expression)))

/* Writes all of it with write(), whatever it takes. */
void write_all(int fd, const char *at, size_t len);

/* Lets a paused recorder read. */
void go(void);

void set_nonblocking(int fd);
void set_tiny_buffer(int fd);
int wait_for(int fd, short events); /* up to ten seconds */
char *scratch_path(void);           /* a file name of this program's own */

/* Prints whether the two are the same. */
void compare(const char *what, const char *got, size_t got_len, const char *want, size_t want_len);

#endif
