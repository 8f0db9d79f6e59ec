/* A C program that talks HTTP by two FILEs over a socket, as textbooks show it: the head by fprintf, the body by fwrite, one
 * fflush. Prints the status of each response. usage: fdopen_stdio MODE URL [URL2] */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const char *host)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, "80", &hints, &found) != 0)
        exit(1);
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        exit(1);
    freeaddrinfo(found);
    return fd;
}

static size_t load(char *body, size_t room)
{
    FILE *file = fopen(getenv("BODY"), "r");
    size_t len = file ? fread(body, 1, room, file) : 0;
    if (file)
        fclose(file);
    return len;
}

static void read_response(FILE *in)
{
    char line[1024];
    long length = 0;
    while (fgets(line, sizeof line, in) && strcmp(line, "\r\n") != 0) {
        if (strncmp(line, "HTTP/1.1 ", 9) == 0)
            printf("%.3s\n", line + 9);
        else if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = atol(line + 15);
    }
    while (length-- > 0 && getc(in) != EOF)
        ;
}

int main(int argc, char **argv)
{
    static char body[65536];
    char host[256];
    if (argc < 3 || sscanf(argv[2], "http://%255[^/]", host) != 1)
        return 64;
    const int post = strcmp(argv[1], "post") == 0;
    const size_t len = post ? load(body, sizeof body) : 0;
    int fd = dial(host);
    FILE *out = fdopen(fd, "w");
    FILE *in = fdopen(dup(fd), "r");
    for (int i = 2; i < argc; i++) {
        fprintf(out, "%s %s HTTP/1.1\r\n", post ? "POST" : "GET", strchr(argv[i] + 7, '/'));
        fprintf(out, "Host: %s\r\n", host);
        if (post)
            fprintf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", len);
        fprintf(out, "Connection: %s\r\n\r\n", i + 1 < argc ? "keep-alive" : "close");
        fwrite(body, 1, len, out);
        fflush(out);
        read_response(in);
    }
    fclose(in);
    fclose(out);
    return 0;
}
