/* mbedtls_ssl_write: head and body, short writes, refused ones, a context used again. */
#include "common.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <sys/time.h>

static mbedtls_net_context net;
static mbedtls_ssl_context ssl;
static mbedtls_ssl_config config;
static mbedtls_x509_crt ca;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;

static void set_up(char **arguments)
{
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_init(&config);
    mbedtls_x509_crt_init(&ca);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_source);
    check(mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0) == 0, "a random source");
    check(mbedtls_x509_crt_parse_file(&ca, getenv("CA")) == 0, "the CA's file");
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&config, &ca, NULL);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random_source);
    check(mbedtls_ssl_setup(&ssl, &config) == 0 && mbedtls_ssl_set_hostname(&ssl, arguments[0]) == 0, "a context");
}

static void open_connection(char **arguments, int buffer)
{
    net.fd = tcp_connect(arguments[0], arguments[1], buffer);
    mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
    check(mbedtls_ssl_handshake(&ssl) == 0, "a verified handshake");
}

static void tear_down(void)
{
    mbedtls_ssl_close_notify(&ssl);
    mbedtls_ssl_free(&ssl);
    close(net.fd);
    mbedtls_ssl_config_free(&config);
    mbedtls_x509_crt_free(&ca);
    mbedtls_ctr_drbg_free(&random_source);
    mbedtls_entropy_free(&entropy);
}

static long read_some(void *ctx, char *buf, size_t len)
{
    int got;
    (void)ctx;
    while ((got = mbedtls_ssl_read(&ssl, (unsigned char *)buf, len)) == MBEDTLS_ERR_SSL_WANT_READ)
        wait_for(net.fd, POLLIN);
    return got;
}

static int refused, in_parts;

static void write_all(const char *at, size_t len)
{
    while (len) {
        int written = mbedtls_ssl_write(&ssl, (const unsigned char *)at, len);
        if (written == MBEDTLS_ERR_SSL_WANT_WRITE) {
            refused++;
            wait_for(net.fd, POLLOUT);
            continue;
        }
        check(written > 0, "mbedtls_ssl_write");
        in_parts += (size_t)written < len;
        at += written;
        len -= (size_t)written;
    }
}

static void requests(char **arguments, bool whole, int buffer)
{
    set_up(arguments);
    open_connection(arguments, buffer);
    if (buffer)
        set_blocking(net.fd, false);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        size_t first = whole ? request.len : head_of(request);
        write_all(request.at, first);
        write_all(request.at + first, request.len - first);
        read_answer(read_some, NULL);
        free(request.at);
    }
    tear_down();
}

static void head_and_body(char **arguments)
{
    requests(arguments, false, 0);
}

/* More than a record takes: mbedTLS writes the first one's worth, and says so. */
static void short_writes(char **arguments)
{
    requests(arguments, true, 0);
    printf("%s\n", in_parts ? "wrote in parts" : "never wrote in parts");
}

static void retries(char **arguments)
{
    requests(arguments, true, 4096);
    printf("%s\nseen refused %d, in parts %d\n", refused ? "was refused" : "was never refused", refused, in_parts);
}

static void in_bytes(char **arguments)
{
    set_up(arguments);
    open_connection(arguments, 0);
    struct bytes request = load(arguments[2]);
    for (size_t i = 0; i < request.len; i++)
        write_all(request.at + i, 1);
    read_answer(read_some, NULL);
    free(request.at);
    tear_down();
}

/* One context for several connections; each first one ends owing a body. */
static void reset_and_reuse(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    set_up(arguments);
    struct bytes request = load(arguments[2]);
    for (int i = 0; i < 5; i++) {
        open_connection(arguments, 0);
        write_all(unfinished, sizeof unfinished - 1);
        mbedtls_ssl_close_notify(&ssl);
        close(net.fd);
        check(mbedtls_ssl_session_reset(&ssl) == 0, "mbedtls_ssl_session_reset");
        open_connection(arguments, 0);
        write_all(request.at, request.len);
        read_answer(read_some, NULL);
        mbedtls_ssl_close_notify(&ssl);
        close(net.fd);
        check(mbedtls_ssl_session_reset(&ssl) == 0, "mbedtls_ssl_session_reset");
    }
    free(request.at);
    open_connection(arguments, 0);
    tear_down();
}

static struct bytes write_half(char **arguments)
{
    set_up(arguments);
    open_connection(arguments, 0);
    struct bytes request = load(arguments[2]);
    write_all(request.at, head_of(request) / 2);
    return request;
}

static void released_by_close_notify(char **arguments)
{
    write_half(arguments);
    mbedtls_ssl_close_notify(&ssl);
    end_at_once();
}

static void released_by_reset(char **arguments)
{
    write_half(arguments);
    mbedtls_ssl_session_reset(&ssl);
    end_at_once();
}

static void read_of_half(char **arguments, bool blocking)
{
    struct bytes request = write_half(arguments);
    struct timeval limit = {.tv_usec = 50000};
    unsigned char byte;
    setsockopt(net.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    set_blocking(net.fd, blocking);
    check(mbedtls_ssl_read(&ssl, &byte, 1) < 0, "no answer to half a head");
    set_blocking(net.fd, true);
    limit.tv_sec = 20;
    setsockopt(net.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    size_t half = head_of(request) / 2;
    write_all(request.at + half, request.len - half);
    read_answer(read_some, NULL);
    free(request.at);
    tear_down();
}

static void blocking_read(char **arguments)
{
    read_of_half(arguments, true);
}

static void nonblocking_read(char **arguments)
{
    read_of_half(arguments, false);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"head-and-body", head_and_body},
        {"short", short_writes},
        {"retry", retries},
        {"bytes", in_bytes},
        {"reset", reset_and_reuse},
        {"close-notify", released_by_close_notify},
        {"reset-half", released_by_reset},
        {"blocking-read", blocking_read},
        {"nonblocking-read", nonblocking_read},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
