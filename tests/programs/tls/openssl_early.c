/* SSL_write_early_data: a second connection sends a request, its head or half of it before the handshake is done. What the
 * server refuses is written again from its start, as OpenSSL's manual tells programs to. */
#include "openssl.h"

static SSL_SESSION *session;

static int keep_session(SSL *ssl, SSL_SESSION *new_session)
{
    (void)ssl;
    SSL_SESSION_free(session);
    session = new_session;
    return 1;
}

/* `early` bytes of the first request go ahead of the handshake, in two calls if `twice`. */
static void early(char **arguments, size_t (*early_part)(struct bytes request), bool twice)
{
    SSL_CTX *ctx = new_context();
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    struct bytes request = load(arguments[2]);
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "a first request");
    ssl_answer(ssl);
    close_ssl(ssl);
    check(session && SSL_SESSION_get_max_early_data(session) > 0, "a session that allows early data");

    ssl = SSL_new(ctx);
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    SSL_set_fd(ssl, tcp_connect(arguments[0], arguments[1], 0));
    SSL_set_session(ssl, session);
    size_t len = early_part(request), written, done = 0;
    if (twice) {
        check(SSL_write_early_data(ssl, request.at, len / 2, &written) == 1 && written == len / 2,
              "a first piece of early data");
        done = written;
    }
    check(SSL_write_early_data(ssl, request.at + done, len - done, &written) == 1 && written == len - done,
          "early data");
    check(SSL_connect(ssl) == 1, "a verified handshake");
    int status = SSL_get_early_data_status(ssl);
    printf("early data: %s\n", status == SSL_EARLY_DATA_ACCEPTED   ? "accepted"
                               : status == SSL_EARLY_DATA_REJECTED ? "rejected"
                                                                   : "not sent");
    done = status == SSL_EARLY_DATA_ACCEPTED ? len : 0;
    if (done < request.len)
        check(SSL_write(ssl, request.at + done, (int)(request.len - done)) == (int)(request.len - done), "the rest");
    ssl_answer(ssl);
    struct bytes next = load(arguments[3]);
    check(SSL_write(ssl, next.at, (int)next.len) == (int)next.len, "another request");
    ssl_answer(ssl);
    close_ssl(ssl);
    free(request.at);
    free(next.at);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static size_t all_of(struct bytes request)
{
    return request.len;
}

static size_t half_of(struct bytes request)
{
    return head_of(request) / 2;
}

static void early_whole(char **arguments)
{
    early(arguments, all_of, false);
}

static void early_twice(char **arguments)
{
    early(arguments, all_of, true);
}

static void early_head(char **arguments)
{
    early(arguments, head_of, false);
}

static void early_half(char **arguments)
{
    early(arguments, half_of, false);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"whole", early_whole}, {"twice", early_twice}, {"head", early_head}, {"half", early_half}, {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
