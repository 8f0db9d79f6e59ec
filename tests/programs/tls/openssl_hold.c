/* Half a head, and what comes then: the program must not be able to tell that the bytes may have been held back. Also its
 * errno, dlerror() and error queue, and SSL_sendfile. */
#include "openssl.h"

#include <dlfcn.h>
#include <sys/time.h>
#include <sys/wait.h>

static SSL_CTX *ctx;
static struct bytes request;

static SSL *open_and_write_half(char **arguments)
{
    ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    request = load(arguments[2]);
    int half = (int)head_of(request) / 2;
    check(SSL_write(ssl, request.at, half) == half, "half a head written");
    return ssl;
}

static void write_rest(SSL *ssl)
{
    size_t half = head_of(request) / 2;
    check(SSL_write(ssl, request.at + half, (int)(request.len - half)) == (int)(request.len - half),
          "the rest written");
    ssl_answer(ssl);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
}

static void released_by_shutdown(char **arguments)
{
    SSL_shutdown(open_and_write_half(arguments));
    end_at_once();
}

static void released_by_free(char **arguments)
{
    SSL_free(open_and_write_half(arguments));
    end_at_once();
}

static void released_by_close(char **arguments)
{
    close(SSL_get_fd(open_and_write_half(arguments)));
    end_at_once();
}

static void released_by_socket_shutdown(char **arguments)
{
    SSL *ssl = open_and_write_half(arguments);
    char byte;
    shutdown(SSL_get_fd(ssl), SHUT_WR);
    while (recv(SSL_get_fd(ssl), &byte, 1, 0) > 0) {
    }
    end_at_once();
}

static void released_by_exit(char **arguments)
{
    open_and_write_half(arguments);
    printf("done\n");
    exit(0);
}

/* Over a transport of the program's own, which is gone before its SSL is. */
static SSL *half_over_vanished_transport(char **arguments)
{
    ctx = new_context();
    SSL *ssl = SSL_new(ctx);
    int *page = page_with(tcp_connect(arguments[0], arguments[1], 0));
    BIO *bio = private_transport(page);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    check(SSL_connect(ssl) == 1, "a verified handshake");
    request = load(arguments[2]);
    int half = (int)head_of(request) / 2;
    check(SSL_write(ssl, request.at, half) == half, "half a head written");
    vanish(page);
    return ssl;
}

static void vanished_free(char **arguments)
{
    SSL_free(half_over_vanished_transport(arguments));
}

static void vanished_exit(char **arguments)
{
    half_over_vanished_transport(arguments);
}

static void vanished_fork(char **arguments)
{
    int status;
    half_over_vanished_transport(arguments);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    check(waitpid(child, &status, 0) == child && status == 0, "a child that ends well");
}

static void released_by_exec(char **arguments)
{
    open_and_write_half(arguments);
    printf("done\n");
    fflush(stdout);
    execl("/bin/true", "true", NULL);
}

/* The child goes on with the stream where its parent stopped. */
static void released_by_fork(char **arguments)
{
    SSL *ssl = open_and_write_half(arguments);
    pid_t child = fork();
    if (child == 0) {
        write_rest(ssl);
        fflush(stdout);
        _exit(0);
    }
    int status;
    check(waitpid(child, &status, 0) == child && status == 0, "a child that ends well");
    end_at_once();
}

/* The read waits, with a time limit of the socket's, before the rest is written. */
static void read_of_half(char **arguments, bool blocking, bool ex)
{
    SSL *ssl = open_and_write_half(arguments);
    struct timeval limit = {.tv_usec = 50000};
    char byte;
    size_t count;
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    set_blocking(SSL_get_fd(ssl), blocking);
    int got = ex ? SSL_read_ex(ssl, &byte, 1, &count) : SSL_read(ssl, &byte, 1);
    check(got <= 0 && SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ, "no answer to half a head");
    limit.tv_sec = 20;
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    write_rest(ssl);
}

static void blocking_read(char **arguments)
{
    read_of_half(arguments, true, false);
}

static void blocking_read_ex(char **arguments)
{
    read_of_half(arguments, true, true);
}

static void nonblocking_read(char **arguments)
{
    read_of_half(arguments, false, false);
}

static void nonblocking_read_ex(char **arguments)
{
    read_of_half(arguments, false, true);
}

/* A peek waits as a read does. */
static void blocking_peek(char **arguments)
{
    SSL *ssl = open_and_write_half(arguments);
    struct timeval limit = {.tv_usec = 50000};
    char byte;
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    check(SSL_peek(ssl, &byte, 1) <= 0, "no answer to half a head");
    limit.tv_sec = 20;
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    write_rest(ssl);
}

static void show_state(const char *when)
{
    const char *error = dlerror();
    printf("%s: errno %d, queue %lu, dlerror %s\n", when, errno, ERR_peek_error(), error ? error : "none");
}

/* What a hook does on its way must not show: in errno, in the error queue, in dlerror(). */
static void invisible(char **arguments)
{
    ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    request = load(arguments[2]);
    int half = (int)head_of(request) / 2;
    ERR_clear_error();
    errno = 0; /* a write that succeeds leaves it so */
    SSL_write(ssl, request.at, half);
    show_state("behind half a head");
    SSL_write(ssl, request.at + half, (int)request.len - half);
    show_state("behind the head");
    ssl_answer(ssl);
    ERR_put_error(ERR_LIB_USER, 0, 7, "here", 1);
    unsigned long mine = ERR_peek_error();
    SSL_write(ssl, request.at, (int)request.len);
    printf("the program's own error %s in the queue\n",
           ERR_peek_error() == mine && ERR_peek_last_error() == mine ? "is" : "is not");
    ERR_clear_error();
    show_state("behind the second");
    ssl_answer(ssl);
    BIO *memory = BIO_new(BIO_s_mem());
    errno = 4242;
    BIO_write(memory, request.at, (int)request.len);
    show_state("behind a memory BIO's write");
    BIO *digest = BIO_push(BIO_new(BIO_f_md()), memory); /* whose next is gone when it is freed, as in "openssl dgst" */
    BIO_free(memory);
    errno = 4242;
    BIO_free(digest);
    show_state("behind a chain that was freed from its end");
    errno = 4242;
    BIO_free(NULL);
    BIO_free_all(NULL);
    SSL_free(NULL);
    show_state("behind freeing nothing");
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
}

/* A write to an SSL that has no socket yet fails as ever, with its own error and no other. */
static void without_connection(char **arguments)
{
    ctx = new_context();
    request = load(arguments[2]);
    SSL *ssl = SSL_new(ctx);
    int result = SSL_write(ssl, request.at, (int)head_of(request) / 2);
    printf("half a head written without a connection: %s\n", result > 0 ? "success" : "failure");
    for (unsigned long error; (error = ERR_get_error());)
        printf("error: %s\n", ERR_reason_error_string(error));
    handshake(ssl, arguments[0], tcp_connect(arguments[0], arguments[1], 0));
    check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "all of it written");
    ssl_answer(ssl);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
}

/* The head by SSL_write, the body by SSL_sendfile where the kernel does TLS; without that the call fails as ever. */
static void send_file(char **arguments)
{
    ctx = new_context();
    SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    for (char **path = arguments + 2; *path; path++) {
        request = load(*path);
        size_t head = head_of(request);
        int file = open(*path, O_RDONLY);
        check(SSL_write(ssl, request.at, (int)head) == (int)head, "the head written");
        ossl_ssize_t sent = SSL_sendfile(ssl, file, (off_t)head, request.len - head, 0);
        printf("seen %s\n", sent == (ossl_ssize_t)(request.len - head) ? "sendfile works" : "no kernel TLS");
        if (sent < 0) {
            printf("error %d\n", ERR_GET_REASON(ERR_get_error()));
            check(SSL_write(ssl, request.at + head, (int)(request.len - head)) > 0, "the body written");
        }
        ssl_answer(ssl);
        close(file);
        free(request.at);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"shutdown", released_by_shutdown},
        {"free", released_by_free},
        {"close", released_by_close},
        {"socket-shutdown", released_by_socket_shutdown},
        {"vanished-free", vanished_free},
        {"vanished-exit", vanished_exit},
        {"vanished-fork", vanished_fork},
        {"exit", released_by_exit},
        {"exec", released_by_exec},
        {"fork", released_by_fork},
        {"blocking-read", blocking_read},
        {"blocking-read-ex", blocking_read_ex},
        {"nonblocking-read", nonblocking_read},
        {"nonblocking-read-ex", nonblocking_read_ex},
        {"blocking-peek", blocking_peek},
        {"invisible", invisible},
        {"without-connection", without_connection},
        {"sendfile", send_file},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
