/* A client over GnuTLS that offers protocols by ALPN. Prints "PROTOCOL STATUS" for each connection, with a request only where the
 * server chose HTTP/1.1: this program has no HTTP/2. Returns 2 where GnuTLS behaved unusually.
 *
 *     gnutls WAY HOST TARGET      $CA: the file with the CA
 *     gnutls server CERTIFICATE KEY      a server of its own, over a socket pair */
#include <gnutls/gnutls.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const gnutls_datum_t both[] = {{(unsigned char *)"h2", 2}, {(unsigned char *)"http/1.1", 8}};

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "gnutls: %s\n", what);
    exit(2);
}

static int way_is(const char *way, const char *name)
{
    return strcmp(way, name) == 0;
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

static gnutls_session_t new_session(unsigned flags, gnutls_certificate_credentials_t credentials, int fd)
{
    gnutls_session_t session;
    must(gnutls_init(&session, flags) == 0 && gnutls_set_default_priority(session) == 0, "gnutls_init");
    must(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) == 0, "the credentials");
    gnutls_transport_set_int(session, fd);
    return session;
}

static void set(gnutls_session_t session, const gnutls_datum_t *names, unsigned count)
{
    must(gnutls_alpn_set_protocols(session, names, count, 0) == 0, "gnutls_alpn_set_protocols");
}

static void print_protocol(gnutls_session_t session)
{
    gnutls_datum_t protocol;
    if (gnutls_alpn_get_selected_protocol(session, &protocol) == 0)
        printf("%.*s", (int)protocol.size, protocol.data);
    else
        printf("none");
}

/* A server's list is set inside of the handshake, when the client has spoken: nobody may keep it back. */
static int on_client_hello(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *message)
{
    (void)message;
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && when == GNUTLS_HOOK_PRE && incoming)
        set(session, both, 2);
    return 0;
}

static void serve(const char *certificate, const char *key)
{
    int pair[2], done_client = 0, done_server = 0, client_result = -1, server_result = -1;
    gnutls_certificate_credentials_t own, none;
    must(gnutls_certificate_allocate_credentials(&own) == 0 && gnutls_certificate_allocate_credentials(&none) == 0,
         "credentials");
    must(gnutls_certificate_set_x509_key_file(own, certificate, key, GNUTLS_X509_FMT_PEM) >= 0, "the key");
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0, "socketpair");
    gnutls_session_t server = new_session(GNUTLS_SERVER | GNUTLS_NONBLOCK, own, pair[0]);
    gnutls_session_t client = new_session(GNUTLS_CLIENT | GNUTLS_NONBLOCK, none, pair[1]);
    gnutls_handshake_set_hook_function(server, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, on_client_hello);
    set(client, both, 2);
    must(gnutls_server_name_set(client, GNUTLS_NAME_DNS, "app.example.com", 15) == 0, "gnutls_server_name_set");
    for (int i = 0; i < 1000 && !(done_client && done_server); i++) {
        if (!done_client)
            done_client = (client_result = gnutls_handshake(client)) == 0 || gnutls_error_is_fatal(client_result);
        if (!done_server)
            done_server = (server_result = gnutls_handshake(server)) == 0 || gnutls_error_is_fatal(server_result);
    }
    must(client_result == 0 && server_result == 0, "the handshake");
    print_protocol(server);
    printf(" ");
    print_protocol(client);
    puts("");
}

int main(int argc, char **argv)
{
    char request[8192], answer[65536], long_name[64] = "h2-a-name-that-is-longer-than-thirty-two";
    must(argc == 4, "usage: gnutls WAY HOST TARGET");
    const char *way = argv[1], *host = argv[2], *target = argv[3];
    if (way_is(way, "server")) {
        serve(argv[2], argv[3]);
        return 0;
    }
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host);
    gnutls_certificate_credentials_t credentials;
    must(size < (int)sizeof request && gnutls_certificate_allocate_credentials(&credentials) == 0, "the credentials");
    must(gnutls_certificate_set_x509_trust_file(credentials, getenv("CA"), GNUTLS_X509_FMT_PEM) > 0, "the CA");
    gnutls_session_t session = new_session(GNUTLS_CLIENT, credentials, connect_to(host));
    gnutls_session_set_verify_cert(session, host, 0);

    gnutls_datum_t too_long = {(unsigned char *)long_name, 40};
    must(gnutls_alpn_set_protocols(session, &too_long, 1, 0) == GNUTLS_E_INVALID_REQUEST,
         "a name that is too long was taken");
    if (!way_is(way, "name-first"))
        set(session, both, way_is(way, "only-h2") ? 1 : 2);
    must(gnutls_server_name_set(session, GNUTLS_NAME_DNS, host, strlen(host)) == 0, "gnutls_server_name_set");
    if (way_is(way, "name-first"))
        set(session, both, 2);
    if (way_is(way, "twice"))
        set(session, both, 2);

    int result;
    do
        result = gnutls_handshake(session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    if (way_is(way, "twice")) { /* GnuTLS offers empty names then, which servers refuse */
        puts(result < 0 ? "refused -" : "taken -");
        return 0;
    }
    must(result == 0, gnutls_strerror(result));
    gnutls_datum_t protocol = {0};
    gnutls_alpn_get_selected_protocol(session, &protocol);
    print_protocol(session);
    if (protocol.size == 2) { /* h2 */
        puts(" -");
        return 0;
    }
    must(gnutls_record_send(session, request, (size_t)size) == size, "gnutls_record_send");
    size_t got = 0;
    ssize_t more;
    do { /* a session ticket is GNUTLS_E_AGAIN */
        more = gnutls_record_recv(session, answer + got, sizeof answer - 1 - got);
        got += more > 0 ? (size_t)more : 0;
    } while (got < 4096 && (more > 0 || more == GNUTLS_E_AGAIN));
    answer[got] = '\0';
    must(got > 12, "the answer");
    printf(" %.3s\n", answer + 9);
    gnutls_bye(session, GNUTLS_SHUT_WR);
    gnutls_deinit(session);
    return 0;
}
