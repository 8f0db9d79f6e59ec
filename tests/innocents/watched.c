/* A program whose memory a sanitizer watches: descriptors, a child, a thread, a plain socket, and text on all of stdio. Clean by itself: what a sanitizer
 * says of it, and whatever its runtime cannot bear, comes from outside. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void *talk(void *way)
{
    const int *ends = way;
    const char text[] = "GET /path HTTP/1.1\r\nHost: example.com\r\n\r\n";
    for (int i = 0; i < 50; i++)
        if (write(ends[0], text, sizeof(text) - 1) != sizeof(text) - 1)
            abort();
    shutdown(ends[0], SHUT_WR);
    return NULL;
}

static size_t drain(int fd)
{
    char *buf = malloc(512);
    size_t sum = 0;
    for (ssize_t got; (got = read(fd, buf, 512)) > 0; sum += (size_t)got)
        ;
    free(buf);
    return sum;
}

int main(void)
{
    int ends[2];
    pthread_t thread;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || pthread_create(&thread, NULL, talk, ends))
        return 1;
    size_t sum = drain(ends[1]);
    pthread_join(thread, NULL);
    printf("%zu bytes\n", sum);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/echo", "echo", "from the child", (char *)NULL);
        _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    FILE *copy = fdopen(dup(1), "w");
    fprintf(copy, "child: %d\n", WEXITSTATUS(status));
    fclose(copy);
    close(ends[0]);
    close(ends[1]);
    return 5;
}
