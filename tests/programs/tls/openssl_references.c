/* Who holds a reference goes on: a BIO, or its SSL, that is freed in the middle of a body and lives on all the same. The body
 * looks like a request, and must not become one. */
#include "openssl.h"

static SSL_CTX *ctx;
static struct bytes request;
static int head, body;

static BIO *open_bio(char **arguments, SSL **ssl, int close)
{
    ctx = new_context();
    *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    request = load(arguments[2]);
    head = (int)head_of(request);
    body = (int)request.len - head;
    BIO *bio = BIO_new(BIO_f_ssl());
    BIO_set_ssl(bio, *ssl, close);
    return bio;
}

static void write_head(BIO *bio)
{
    check(BIO_write(bio, request.at, head) == head && BIO_flush(bio) == 1, "the head");
}

static void write_body(BIO *bio)
{
    check(BIO_write(bio, request.at + head, body) == body && BIO_flush(bio) == 1, "the body");
}

static void write_body_by_ssl(SSL *ssl)
{
    check(SSL_write(ssl, request.at + head, body) == body, "the body");
}

static void end(SSL *ssl)
{
    ssl_answer(ssl);
    free(request.at);
}

/* The SSL is the program's, and the BIO only stood before it. */
static void without_its_bio(char **arguments, bool all)
{
    SSL *ssl;
    BIO *bio = open_bio(arguments, &ssl, BIO_NOCLOSE);
    write_head(bio);
    if (all)
        BIO_free_all(bio);
    else
        BIO_free(bio);
    write_body_by_ssl(ssl);
    end(ssl);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

static void no_close(char **arguments)
{
    without_its_bio(arguments, false);
}

static void no_close_all(char **arguments)
{
    without_its_bio(arguments, true);
}

static void second_reference(char **arguments)
{
    SSL *ssl;
    BIO *bio = open_bio(arguments, &ssl, BIO_CLOSE);
    write_head(bio);
    BIO_up_ref(bio);
    BIO_free(bio);
    write_body(bio);
    end(ssl);
    BIO_free(bio);
    SSL_CTX_free(ctx);
}

/* BIO_free_all() stops at a BIO that somebody else has: at the head of the chain, or at its end. */
static void in_a_chain(char **arguments, bool at_its_head)
{
    SSL *ssl;
    BIO *below = open_bio(arguments, &ssl, BIO_CLOSE), *kept = below;
    BIO *chain = BIO_push(BIO_new(BIO_f_buffer()), below);
    if (at_its_head)
        kept = chain;
    write_head(chain);
    BIO_up_ref(kept);
    BIO_free_all(chain);
    write_body(kept);
    end(ssl);
    BIO_free_all(kept);
    SSL_CTX_free(ctx);
}

static void head_of_a_chain(char **arguments)
{
    in_a_chain(arguments, true);
}

static void end_of_a_chain(char **arguments)
{
    in_a_chain(arguments, false);
}

/* A connected SSL is not copied by SSL_dup(), it gets a reference. */
static void duplicate(char **arguments)
{
    SSL *ssl;
    BIO *bio = open_bio(arguments, &ssl, BIO_NOCLOSE);
    write_head(bio);
    BIO_free(bio);
    check(SSL_dup(ssl) == ssl, "SSL_dup");
    SSL_free(ssl);
    write_body_by_ssl(ssl);
    end(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* And where every reference is gone, so is what was known: the next connection at the same addresses is another. */
static void last_reference(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    for (int i = 0; i < 10; i++) {
        SSL *ssl;
        BIO *bio = open_bio(arguments, &ssl, BIO_CLOSE);
        BIO_up_ref(bio);
        SSL_up_ref(ssl);
        check(BIO_puts(bio, unfinished) > 0, "a request that is cut off");
        BIO_free(bio);
        BIO_free_all(bio);
        SSL_free(ssl);
        SSL_CTX_free(ctx);
        free(request.at);
        bio = open_bio(arguments, &ssl, BIO_CLOSE);
        write_head(bio);
        write_body(bio);
        end(ssl);
        BIO_free_all(bio);
        SSL_CTX_free(ctx);
    }
}

/* A chain that is reset connects anew, whatever was cut off before. */
static void reset(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    char target[256];
    SSL *ssl;
    ctx = new_context();
    request = load(arguments[2]);
    BIO *bio = BIO_new_ssl_connect(ctx);
    BIO_get_ssl(bio, &ssl);
    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    snprintf(target, sizeof target, "%s:%s", arguments[0], arguments[1]);
    BIO_set_conn_hostname(bio, target);
    check(BIO_do_connect(bio) == 1 && BIO_do_handshake(bio) == 1, "a verified handshake");
    check(BIO_puts(bio, unfinished) > 0, "a request that is cut off");
    BIO_reset(bio);
    check(BIO_do_connect(bio) == 1 && BIO_do_handshake(bio) == 1, "a second handshake");
    check(BIO_write(bio, request.at, (int)request.len) == (int)request.len, "a request");
    ssl_answer(ssl);
    free(request.at);
    BIO_free_all(bio);
    SSL_CTX_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"no-close", no_close},
        {"no-close-all", no_close_all},
        {"second", second_reference},
        {"head", head_of_a_chain},
        {"end", end_of_a_chain},
        {"duplicate", duplicate},
        {"last", last_reference},
        {"reset", reset},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
