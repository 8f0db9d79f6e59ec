/* OpenSSL by its BIOs, as its own samples use them: the SSL is at the end of a chain, and the program never names it. */
#include "openssl.h"

#include <sys/wait.h>

static SSL_CTX *ctx;
static struct bytes request;

static BIO *open_bio(char **arguments)
{
    char target[256];
    SSL *ssl;
    if (!ctx)
        ctx = new_context();
    BIO *bio = BIO_new_ssl_connect(ctx);
    BIO_get_ssl(bio, &ssl);
    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    snprintf(target, sizeof target, "%s:%s", arguments[0], arguments[1]);
    BIO_set_conn_hostname(bio, target);
    check(BIO_do_connect(bio) == 1 && BIO_do_handshake(bio) == 1, "a verified handshake");
    return bio;
}

static long bio_read_some(void *bio, char *buf, size_t len)
{
    int got;
    while ((got = BIO_read(bio, buf, (int)len)) <= 0 && BIO_should_retry((BIO *)bio))
        wait_for(BIO_get_fd((BIO *)bio, NULL), POLLIN);
    return got;
}

typedef void write_fn(BIO *bio, struct bytes bytes);

static void requests(char **arguments, write_fn *write, bool buffered)
{
    BIO *bio = open_bio(arguments);
    if (buffered)
        bio = BIO_push(BIO_new(BIO_f_buffer()), bio);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        request.at[request.len] = '\0';
        write(bio, request);
        check(BIO_flush(bio) == 1, "BIO_flush");
        read_answer(bio_read_some, bio);
        free(request.at);
    }
    BIO_free_all(bio);
    SSL_CTX_free(ctx);
}

static void by_write(BIO *bio, struct bytes bytes)
{
    check(BIO_write(bio, bytes.at, (int)bytes.len) == (int)bytes.len, "BIO_write");
}

static void by_write_ex(BIO *bio, struct bytes bytes)
{
    size_t head = head_of(bytes), written;
    check(BIO_write_ex(bio, bytes.at, head, &written) == 1 && written == head, "BIO_write_ex of a head");
    if (bytes.len > head)
        check(BIO_write_ex(bio, bytes.at + head, bytes.len - head, &written) == 1, "BIO_write_ex of a body");
}

static void by_puts(BIO *bio, struct bytes bytes)
{
    check(BIO_puts(bio, bytes.at) == (int)bytes.len, "BIO_puts");
}

/* Request line, field lines and body, each by a format. */
static void by_printf(BIO *bio, struct bytes bytes)
{
    char *line = strstr(bytes.at, "\r\n") + 2;
    size_t head = head_of(bytes);
    int len = BIO_printf(bio, "%.*s", (int)(line - bytes.at), bytes.at);
    check(len == line - bytes.at, "BIO_printf of a line");
    len = BIO_printf(bio, "%.*s", (int)(bytes.at + head - line), line);
    check(len == bytes.at + head - line, "BIO_printf of the other lines");
    len = BIO_printf(bio, "%s", bytes.at + head);
    check(len == (int)(bytes.len - head), "BIO_printf of a body");
}

/* Head and body are flushed one by one: a buffering BIO then writes to the next one by itself. */
static void by_flushes(BIO *bio, struct bytes bytes)
{
    int head = (int)head_of(bytes), body = (int)bytes.len - head;
    check(BIO_write(bio, bytes.at, head) == head && BIO_flush(bio) == 1, "a head, flushed");
    check(BIO_write(bio, bytes.at + head, body) == body && BIO_flush(bio) == 1, "a body, flushed");
}

/* A body goes to the SSL BIO itself, past the buffering one that the head came by. */
static void by_printf_below(BIO *bio, struct bytes bytes)
{
    int head = (int)head_of(bytes), body = (int)bytes.len - head;
    check(BIO_write(bio, bytes.at, head) == head && BIO_flush(bio) == 1, "a head, flushed");
    check(BIO_printf(BIO_next(bio), "%s", bytes.at + head) == body, "BIO_printf of a body to the next BIO");
}

/* Half a head by BIO_write, the rest by BIO_puts: both by the head of the chain. */
static void by_write_and_puts(BIO *bio, struct bytes bytes)
{
    int half = (int)head_of(bytes) / 2;
    check(BIO_write(bio, bytes.at, half) == half, "half a head");
    check(BIO_puts(bio, bytes.at + half) == (int)bytes.len - half, "BIO_puts of the rest");
}

static void by_bytes(BIO *bio, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        check(BIO_write(bio, bytes.at + i, 1) == 1, "BIO_write of a byte");
}

static void write_scenario(char **arguments)
{
    requests(arguments, by_write, false);
}

static void write_ex_scenario(char **arguments)
{
    requests(arguments, by_write_ex, false);
}

static void puts_scenario(char **arguments)
{
    requests(arguments, by_puts, false);
}

static void printf_scenario(char **arguments)
{
    requests(arguments, by_printf, false);
}

static void bytes_scenario(char **arguments)
{
    requests(arguments, by_bytes, false);
}

static void buffer_scenario(char **arguments)
{
    requests(arguments, by_printf, true);
}

static void flush_scenario(char **arguments)
{
    requests(arguments, by_flushes, true);
}

static void puts_behind(char **arguments)
{
    requests(arguments, by_write_and_puts, true);
}

static void printf_below(char **arguments)
{
    requests(arguments, by_printf_below, true);
}

/* No BIO_do_connect, no BIO_do_handshake: the first BIO_write does all of it. */
static void write_implicit(char **arguments, bool in_halves)
{
    char target[256];
    SSL *ssl;
    ctx = new_context();
    BIO *bio = BIO_new_ssl_connect(ctx);
    BIO_get_ssl(bio, &ssl);
    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    snprintf(target, sizeof target, "%s:%s", arguments[0], arguments[1]);
    BIO_set_conn_hostname(bio, target);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        const struct bytes half = {request.at, in_halves ? head_of(request) / 2 : 0};
        if (half.len)
            by_write(bio, half);
        by_write(bio, (struct bytes){request.at + half.len, request.len - half.len});
        read_answer(bio_read_some, bio);
        free(request.at);
    }
    BIO_free_all(bio);
    SSL_CTX_free(ctx);
}

static void implicit_scenario(char **arguments)
{
    write_implicit(arguments, false);
}

static void implicit_in_halves(char **arguments)
{
    write_implicit(arguments, true);
}

/* A chain whose every connection dies with half a body owed, and the next one at the same addresses. */
static void again_scenario(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    struct bytes request = load(arguments[2]);
    SSL *ssl, *before = NULL;
    int same = 0;
    for (int i = 0; i < 25; i++) {
        BIO *bio = open_bio(arguments);
        BIO_get_ssl(bio, &ssl);
        same += ssl == before;
        before = ssl;
        by_puts(bio, (struct bytes){(char *)unfinished, sizeof unfinished - 1});
        BIO_free_all(bio);
        bio = open_bio(arguments);
        BIO_get_ssl(bio, &ssl);
        same += ssl == before;
        before = ssl;
        by_write(bio, request);
        read_answer(bio_read_some, bio);
        BIO_free_all(bio);
    }
    printf("%s\n", same ? "an address came back" : "no address came back");
    printf("seen the same address %d times\n", same);
    free(request.at);
    SSL_CTX_free(ctx);
}

/* Half a head by BIO_write, the rest by SSL_write of the chain's own SSL, then the other way round. */
static void mixed_scenario(char **arguments)
{
    BIO *bio = open_bio(arguments);
    SSL *ssl;
    BIO_get_ssl(bio, &ssl);
    bool bio_first = true;
    for (char **path = arguments + 2; *path; path++, bio_first = !bio_first) {
        struct bytes request = load(*path);
        int half = (int)head_of(request) / 2, rest = (int)request.len - half;
        check((bio_first ? BIO_write(bio, request.at, half) : SSL_write(ssl, request.at, half)) == half, "half a head");
        check((bio_first ? SSL_write(ssl, request.at + half, rest) : BIO_write(bio, request.at + half, rest)) == rest,
              "the rest");
        read_answer(bio_read_some, bio);
        free(request.at);
    }
    BIO_free_all(bio);
    SSL_CTX_free(ctx);
}

static void read_of_half(char **arguments, bool blocking, long (*read_once)(BIO *bio))
{
    BIO *bio = open_bio(arguments);
    struct bytes request = load(arguments[2]);
    struct timeval limit = {.tv_usec = 50000};
    int half = (int)head_of(request) / 2, fd = (int)BIO_get_fd(bio, NULL);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    set_blocking(fd, blocking);
    check(BIO_write(bio, request.at, half) == half, "half a head");
    check(read_once(bio) <= 0, "no answer to half a head");
    set_blocking(fd, true);
    limit.tv_sec = 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    check(BIO_write(bio, request.at + half, (int)request.len - half) == (int)request.len - half, "the rest");
    read_answer(bio_read_some, bio);
    free(request.at);
    BIO_free_all(bio);
    SSL_CTX_free(ctx);
}

static long read_once(BIO *bio)
{
    char byte;
    return BIO_read(bio, &byte, 1);
}

static long read_ex_once(BIO *bio)
{
    char byte;
    size_t count;
    return BIO_read_ex(bio, &byte, 1, &count);
}

static void blocking_read(char **arguments)
{
    read_of_half(arguments, true, read_once);
}

static void blocking_read_ex(char **arguments)
{
    read_of_half(arguments, true, read_ex_once);
}

static void nonblocking_read(char **arguments)
{
    read_of_half(arguments, false, read_once);
}

static void nonblocking_read_ex(char **arguments)
{
    read_of_half(arguments, false, read_ex_once);
}

static BIO *open_and_write_half(char **arguments)
{
    BIO *bio = open_bio(arguments);
    request = load(arguments[2]);
    int half = (int)head_of(request) / 2;
    check(BIO_write(bio, request.at, half) == half, "half a head");
    return bio;
}

static void released_by_free(char **arguments)
{
    BIO_free_all(open_and_write_half(arguments));
    end_at_once();
}

static void released_by_shutdown(char **arguments)
{
    BIO_ssl_shutdown(open_and_write_half(arguments));
    end_at_once();
}

/* What was for one connection must not be the start of the next one. */
static void released_by_reset(char **arguments)
{
    BIO *bio = open_and_write_half(arguments);
    BIO_reset(bio);
    check(BIO_do_connect(bio) == 1 && BIO_do_handshake(bio) == 1, "a second handshake");
    by_puts(bio, (struct bytes){(char *)"GET /other HTTP/1.1\r\n\r\n", 23});
    end_at_once();
}

static void released_by_exit(char **arguments)
{
    open_and_write_half(arguments);
    printf("done\n");
    exit(0);
}

/* The child goes on with the stream where its parent stopped. */
static void released_by_fork(char **arguments)
{
    BIO *bio = open_and_write_half(arguments);
    int half = (int)head_of(request) / 2, status;
    pid_t child = fork();
    if (child == 0) {
        by_write(bio, (struct bytes){request.at + half, request.len - (size_t)half});
        read_answer(bio_read_some, bio);
        fflush(stdout);
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0, "a child that ends well");
    end_at_once();
}

/* Text that looks like a request, into BIOs that are no connection's. */
static void not_a_connection(char **arguments)
{
    struct bytes request = load(arguments[2]);
    BIO *memory = BIO_new(BIO_s_mem());
    char *text;
    request.at[request.len] = '\0';
    int half = (int)request.len / 2;
    check(BIO_write(memory, request.at, half) == half, "half into memory");
    check(BIO_puts(memory, request.at + half) == (int)request.len - half, "half into memory by BIO_puts");
    check(BIO_printf(memory, "%s", request.at) == (int)request.len, "all into memory by BIO_printf");
    long len = BIO_get_mem_data(memory, &text);
    printf("%ld bytes, %s\n", len,
           len == 2 * (long)request.len && memcmp(text, request.at, request.len) == 0 &&
                   memcmp(text + request.len, request.at, request.len) == 0
               ? "as they were"
               : "changed");
    BIO_free(memory);
    BIO *bio = open_bio(arguments);
    by_write(bio, request);
    read_answer(bio_read_some, bio);
    BIO_free_all(bio);
    free(request.at);
    SSL_CTX_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"write", write_scenario},
        {"write-ex", write_ex_scenario},
        {"puts", puts_scenario},
        {"printf", printf_scenario},
        {"bytes", bytes_scenario},
        {"buffer", buffer_scenario},
        {"flush", flush_scenario},
        {"puts-behind", puts_behind},
        {"printf-below", printf_below},
        {"implicit", implicit_scenario},
        {"implicit-halves", implicit_in_halves},
        {"again", again_scenario},
        {"mixed", mixed_scenario},
        {"blocking-read", blocking_read},
        {"blocking-read-ex", blocking_read_ex},
        {"nonblocking-read", nonblocking_read},
        {"nonblocking-read-ex", nonblocking_read_ex},
        {"free", released_by_free},
        {"shutdown", released_by_shutdown},
        {"reset", released_by_reset},
        {"exit", released_by_exit},
        {"fork", released_by_fork},
        {"memory", not_a_connection},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
