/* Half a head to a peer that can get no more of it, then the end of that connection: what is held can go nowhere, and the error that
 * OpenSSL has for that is not the program's. The next connection of the same thread would stumble over it. */
#include "openssl.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

/* A client that shook hands with a server of this very process. */
struct pair {
    SSL_CTX *ctx;
    SSL *client, *server;
};

static struct pair shake_hands(void)
{
    struct pair pair = {.ctx = SSL_CTX_new(TLS_method())};
    int ends[2];
    SSL_CTX_set_max_proto_version(pair.ctx, TLS1_2_VERSION);
    SSL_CTX_set_dh_auto(pair.ctx, 1);
    check(SSL_CTX_set_cipher_list(pair.ctx, "aNULL:@SECLEVEL=0") == 1, "ciphers that need no certificate");
    pair.client = SSL_new(pair.ctx);
    pair.server = SSL_new(pair.ctx);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "a pair of sockets");
    SSL_set_fd(pair.client, ends[0]);
    SSL_set_fd(pair.server, ends[1]);
    SSL_set_connect_state(pair.client);
    SSL_set_accept_state(pair.server);
    for (int i = 0; i < 10 && !(SSL_is_init_finished(pair.client) && SSL_is_init_finished(pair.server)); i++) {
        SSL_do_handshake(pair.client);
        SSL_do_handshake(pair.server);
    }
    check(SSL_is_init_finished(pair.client), "a handshake within the process");
    ERR_clear_error();
    return pair;
}

static void show_queue(const char *when)
{
    printf("%s:", when);
    for (unsigned long error; (error = ERR_get_error());)
        printf(" [%s]", ERR_reason_error_string(error) ? ERR_reason_error_string(error) : "the program's own");
    printf("\n");
}

static void half_a_head(SSL *ssl, struct bytes request)
{
    int half = (int)head_of(request) / 2;
    check(SSL_write(ssl, request.at, half) == half, "half a head written");
}

/* As servers and pools do: no more words, and away with it. */
static void ends_at_once(struct bytes request, bool fails_before, const char *where)
{
    struct pair pair = shake_hands();
    half_a_head(pair.client, request);
    SSL_set_shutdown(pair.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (fails_before)
        check(!BIO_new_file("/nonexistent/file", "r"), "an error of the program's own");
    SSL_free(pair.client);
    show_queue(where);
    SSL_free(pair.server);
    SSL_CTX_free(pair.ctx);
}

static void by_free(struct bytes request)
{
    ends_at_once(request, false, "behind SSL_free");
}

static void by_free_with_an_error_before(struct bytes request)
{
    ends_at_once(request, true, "behind SSL_free with an error before");
}

static void without_a_transport(struct bytes request)
{
    struct pair pair = shake_hands();
    half_a_head(pair.client, request);
    SSL_set_bio(pair.client, NULL, NULL);
    SSL_free(pair.client);
    show_queue("behind SSL_free without a transport");
    SSL_free(pair.server);
    SSL_CTX_free(pair.ctx);
}

static void by_chain(struct bytes request, bool all)
{
    struct pair pair = shake_hands();
    BIO *bio = BIO_new(BIO_f_ssl());
    int half = (int)head_of(request) / 2;
    BIO_set_ssl(bio, pair.client, BIO_CLOSE);
    check(BIO_write(bio, request.at, half) == half, "half a head written");
    SSL_set_shutdown(pair.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (all)
        BIO_free_all(bio);
    else
        BIO_free(bio);
    show_queue(all ? "behind BIO_free_all" : "behind BIO_free");
    SSL_free(pair.server);
    SSL_CTX_free(pair.ctx);
}

/* One thread, two connections: an error that the end of the first left makes a read of the second, which only has to wait, a failure. */
static void next_connection(char **arguments)
{
    struct bytes request = load(arguments[2]);
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    set_blocking(SSL_get_fd(ssl), false);
    for (int i = 0; i < 2; i++) {
        check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "a request");
        ssl_answer(ssl);
        struct pair pair = shake_hands();
        half_a_head(pair.client, request);
        SSL_set_shutdown(pair.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(pair.client);
        char byte;
        int got = SSL_read(ssl, &byte, 1);
        printf("a read that has to wait: %s\n", SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ ? "wait" : "failure");
        ERR_clear_error();
        SSL_free(pair.server);
        SSL_CTX_free(pair.ctx);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
}

/* A read that stands in its transport while another thread forks, and shuts the socket down: nothing may be written to that SSL
 * meanwhile. */
static _Atomic(int) armed, reading, has_forked, written_meanwhile;

static long slow_transport(BIO *bio, int when, const char *at, size_t len, int i, long l, int result, size_t *done)
{
    (void)bio, (void)at, (void)len, (void)i, (void)l, (void)done;
    if (when == BIO_CB_READ && armed) {
        armed = 0;
        reading = 1; /* from here on: before the call has come so far it is nobody's yet */
        while (!has_forked)
            sched_yield();
        reading = 0;
    }
    if (when == BIO_CB_WRITE && reading)
        written_meanwhile = 1;
    return result;
}

static void *fork_meanwhile(void *socket)
{
    while (!reading)
        sched_yield();
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    check(waitpid(child, NULL, 0) == child, "a child");
    shutdown(*(int *)socket, SHUT_WR);
    has_forked = 1;
    return NULL;
}

static void read_and_fork(char **arguments, bool by_bio)
{
    struct bytes request = load(arguments[2]);
    struct pair pair = shake_hands();
    pthread_t thread;
    char byte;
    BIO *bio = BIO_new(BIO_f_ssl());
    BIO_set_ssl(bio, pair.client, BIO_NOCLOSE);
    if (by_bio)
        check(BIO_write(bio, request.at, (int)head_of(request) / 2) > 0, "half a head written");
    else
        half_a_head(pair.client, request);
    BIO_set_callback_ex(SSL_get_rbio(pair.client), slow_transport);
    int socket = SSL_get_fd(pair.client);
    check(pthread_create(&thread, NULL, fork_meanwhile, &socket) == 0, "a thread");
    armed = 1;
    int got = by_bio ? BIO_read(bio, &byte, 1) : SSL_read(pair.client, &byte, 1);
    printf("a read that found nothing: %d\n", SSL_get_error(pair.client, got));
    BIO_free(bio);
    pthread_join(thread, NULL);
    printf("written in the middle of it: %d\n", written_meanwhile);
    SSL_free(pair.client);
    SSL_free(pair.server);
    SSL_CTX_free(pair.ctx);
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "a request");
    ssl_answer(ssl);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
}

static void ssl_read_and_fork(char **arguments)
{
    read_and_fork(arguments, false);
}

static void bio_read_and_fork(char **arguments)
{
    read_and_fork(arguments, true);
}

static void each_end(char **arguments)
{
    struct bytes request = load(arguments[2]);
    by_free(request);
    by_free_with_an_error_before(request);
    without_a_transport(request);
    by_chain(request, false);
    by_chain(request, true);
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "a request");
    ssl_answer(ssl);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"each-end", each_end},
        {"next-connection", next_connection},
        {"ssl-read-and-fork", ssl_read_and_fork},
        {"bio-read-and-fork", bio_read_and_fork},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
