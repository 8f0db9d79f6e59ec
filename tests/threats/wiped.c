/* Sends one request with a token, whole or in two writes, forgets the token itself, and then looks for it in all of its own memory that can
 * be written. What it finds is not its own. The token is made from a seed, so that the program text does not hold it. To be
 * bound at load: a function that is bound at its first call saves the vector registers on the stack, with what the last memcpy left there.
 *
 *     wiped PORT whole|pieces        prints how many copies of the token, and of its signature, are left */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 36, PAYLOAD = 300, SIGNATURE = 43, TOKEN = HEADER + 1 + PAYLOAD + 1 + SIGNATURE };

static char letter(unsigned i)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return i == HEADER || i == HEADER + 1 + PAYLOAD ? '.' : letters[(i * 2654435761u ^ i * i * 40503u) >> 9 & 63];
}

/* By the letters, one at a time: whoever has them side by side would find itself. */
static size_t copies(const char *at, size_t len, unsigned from, unsigned count)
{
    size_t found = 0;
    for (const char *end = at + len - count; len > count && at < end; at++) {
        unsigned i = 0;
        while (i < count && at[i] == letter(from + i))
            i++;
        found += i == count;
    }
    return found;
}

static void look(const char *what, unsigned from, unsigned count)
{
    char line[512];
    size_t found = 0;
    int memory = open("/proc/self/mem", O_RDONLY);
    FILE *maps = fopen("/proc/self/maps", "r");
    char *copy = NULL;
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3 || mode[1] != 'w' || end - start > 64ul << 20)
            continue;
        copy = mmap(NULL, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0); /* not of the heap that is looked at */
        ssize_t got = copy != MAP_FAILED ? pread(memory, copy, end - start, (off_t)start) : -1;
        if (got > 0)
            found += copies(copy, (size_t)got, from, count);
        munmap(copy, end - start);
    }
    printf("%s %zu\n", what, found);
}

int main(int argc, char **argv)
{
    static char head[4096];
    if (argc != 3)
        return 2;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)atoi(argv[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        return 3;
    size_t len = (size_t)sprintf(head, "GET /rest/api/3/myself?jwt=");
    for (unsigned i = 0; i < TOKEN; i++)
        head[len++] = letter(i);
    len += (size_t)sprintf(head + len, " HTTP/1.1\r\nHost: site.atlassian.net\r\nConnection: close\r\n\r\n");
    size_t first = argv[2][0] == 'p' ? len - 10 : len;
    if (write(fd, head, first) != (ssize_t)first ||
        (first < len && write(fd, head + first, len - first) != (ssize_t)(len - first)))
        return 4;
    explicit_bzero(head, sizeof head);
    shutdown(fd, SHUT_WR);
    while (read(fd, head, sizeof head) > 0)
        ;
    explicit_bzero(head, sizeof head);
    look("token", 0, TOKEN);
    look("signature", HEADER + PAYLOAD + 2, SIGNATURE);
    return 0;
}
