/* A client over OpenSSL that offers protocols by ALPN in each way there is. Prints "PROTOCOL STATUS" for each connection, with a
 * request only where the server chose HTTP/1.1: this program has no HTTP/2. Returns 2 where OpenSSL behaved unusually.
 *
 *     openssl WAY HOST TARGET [HOST TARGET]      $CA: the file with the CA */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char both[] = "\x02h2\x08http/1.1";
static const unsigned char only_h2[] = "\x02h2";
static const unsigned char only_1[] = "\x08http/1.1";
#define LIST(list) list, sizeof list - 1

static void fail(const char *what)
{
    fprintf(stderr, "openssl: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static void must(int good, const char *what)
{
    if (!good)
        fail(what);
}

static int way_is(const char *way, const char *name)
{
    return strcmp(way, name) == 0;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    must(context && SSL_CTX_load_verify_locations(context, getenv("CA"), NULL), "the context");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

static int connect_to(const char *host)
{
    struct addrinfo *list = NULL, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    must(getaddrinfo(host, "443", &hints, &list) == 0, "the host's address");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0, "connect");
    freeaddrinfo(list);
    return fd;
}

/* One connection from handshake to end. With `implicit` the first write makes the handshake. */
static void talk(SSL *ssl, int implicit, const char *host, const char *target)
{
    char request[8192], answer[65536];
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host);
    must(size < (int)sizeof request, "the target's length");
    errno = 4242;
    if (!implicit) {
        must(SSL_connect(ssl) == 1, "SSL_connect");
    } else {
        SSL_set_connect_state(ssl);
        must(SSL_write(ssl, request, size) == size, "SSL_write");
    }
    must(ERR_peek_error() == 0, "the error queue");
    SSL_get0_alpn_selected(ssl, &protocol, &len);
    printf("%.*s", len ? (int)len : 4, len ? (const char *)protocol : "none");
    if (len == 2) { /* h2 */
        puts(" -");
        return;
    }
    if (!implicit)
        must(SSL_write(ssl, request, size) == size, "SSL_write");
    int got = 0, more;
    while (got < 4096 && (more = SSL_read(ssl, answer + got, (int)sizeof answer - 1 - got)) > 0)
        got += more;
    answer[got] = '\0';
    must(got > 12, "the answer");
    printf(" %.3s\n", answer + 9);
    SSL_shutdown(ssl);
}

static void one(SSL_CTX *context, const char *way, const char *host, const char *target)
{
    SSL *ssl = SSL_new(context);
    int fd = connect_to(host);
    must(ssl && SSL_set_fd(ssl, fd), "the SSL");
    if (way_is(way, "ssl-before-name") || way_is(way, "implicit") || way_is(way, "fork"))
        must(SSL_set_alpn_protos(ssl, LIST(both)) == 0, "SSL_set_alpn_protos");
    if (!way_is(way, "no-name"))
        must(SSL_set_tlsext_host_name(ssl, host) == 1, "SSL_set_tlsext_host_name");
    if (way_is(way, "ssl-after-name"))
        must(SSL_set_alpn_protos(ssl, LIST(both)) == 0, "SSL_set_alpn_protos");
    if (way_is(way, "only-h2"))
        must(SSL_set_alpn_protos(ssl, LIST(only_h2)) == 0, "SSL_set_alpn_protos");
    if (way_is(way, "own-over-context"))
        must(SSL_set_alpn_protos(ssl, LIST(only_1)) == 0, "SSL_set_alpn_protos");
    if (way_is(way, "context-changed")) /* too late for this SSL */
        must(SSL_CTX_set_alpn_protos(context, LIST(only_1)) == 0, "SSL_CTX_set_alpn_protos");
    if (way_is(way, "fork")) {
        fflush(stdout);
        pid_t child = fork();
        if (child != 0) {
            int status = -1;
            waitpid(child, &status, 0);
            must(status == 0, "the child");
            return;
        }
        talk(ssl, 0, host, target);
        exit(fflush(stdout) != 0);
    }
    talk(ssl, way_is(way, "implicit"), host, target);
    SSL_free(ssl);
    close(fd);
}

/* One SSL for two hosts in turn. */
static void reuse(char **argv)
{
    SSL_CTX *context = new_context();
    must(SSL_CTX_set_alpn_protos(context, LIST(both)) == 0, "SSL_CTX_set_alpn_protos");
    SSL *ssl = SSL_new(context);
    for (int i = 2; argv[i] && argv[i + 1]; i += 2) {
        int fd = connect_to(argv[i]);
        must(SSL_set_fd(ssl, fd) && SSL_set_tlsext_host_name(ssl, argv[i]) == 1, "the SSL");
        talk(ssl, 0, argv[i], argv[i + 1]);
        must(SSL_clear(ssl), "SSL_clear");
        SSL_set_session(ssl, NULL);
        close(fd);
    }
    SSL_free(ssl);
}

int main(int argc, char **argv)
{
    must(argc >= 4, "usage: openssl WAY HOST TARGET [HOST TARGET]");
    const char *way = argv[1];
    if (way_is(way, "reuse")) {
        reuse(argv);
        return 0;
    }
    SSL_CTX *context = new_context();
    must(SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x09h2", 3) != 0 || OPENSSL_VERSION_NUMBER < 0x30000000L,
         "a malformed list was taken");
    ERR_clear_error();
    if (way_is(way, "gone-context")) { /* the next context lies where this one lay */
        must(SSL_CTX_set_alpn_protos(context, LIST(both)) == 0, "SSL_CTX_set_alpn_protos");
        SSL_CTX_free(context);
        SSL_CTX *gone = context;
        for (int i = 0; i < 200 && (i == 0 || context != gone); i++)
            context = new_context();
        fprintf(stderr, "openssl: the %s address\n", gone == context ? "same" : "other");
    } else if (strncmp(way, "ssl-", 4) != 0 && !way_is(way, "implicit") && !way_is(way, "fork") && !way_is(way, "only-h2")) {
        must(SSL_CTX_set_alpn_protos(context, LIST(both)) == 0, "SSL_CTX_set_alpn_protos");
    }
    for (int i = 2; argv[i] && argv[i + 1]; i += 2)
        one(context, way, argv[i], argv[i + 1]);
    SSL_CTX_free(context);
    return 0;
}
