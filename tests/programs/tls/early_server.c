/* A TLS 1.3 server that takes early data, or refuses it, and keeps what each connection sent in a file of its own. Serves so
 * many connections, one after another, each until its end.
 *
 *     early_server accept|refuse LISTENING-DESCRIPTOR CERTIFICATE KEY CONNECTIONS FILE-PREFIX */
#include "common.h"

#include <openssl/ssl.h>

static char text[1 << 16];
static size_t len;

/* True once a head and the body that it promises are there behind `from`; moves `*from` past them. */
static bool one_more_request(size_t *from)
{
    text[len] = '\0';
    char *end = strstr(text + *from, "\r\n\r\n");
    if (!end)
        return false;
    char *length = strcasestr(text + *from, "content-length:");
    size_t whole = (size_t)(end - text) + 4 + (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
    if (len < whole)
        return false;
    *from = whole;
    return true;
}

static void serve(SSL *ssl, bool accepts)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    size_t got, seen = 0;
    len = 0;
    for (int state = 0; accepts && state != SSL_READ_EARLY_DATA_FINISH;) {
        state = SSL_read_early_data(ssl, text + len, sizeof text - 1 - len, &got);
        check(state != SSL_READ_EARLY_DATA_ERROR, "early data");
        len += got;
    }
    check(SSL_accept(ssl) == 1, "a handshake");
    for (;;) {
        while (one_more_request(&seen))
            check(SSL_write(ssl, answer, sizeof answer - 1) > 0, "an answer");
        if (SSL_read_ex(ssl, text + len, sizeof text - 1 - len, &got) != 1)
            return;
        len += got;
    }
}

int main(int argc, char **argv)
{
    alarm(60);
    check(argc == 7, "six arguments");
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_max_early_data(ctx, 16384);
    SSL_CTX_set_recv_max_early_data(ctx, 16384);
    check(SSL_CTX_use_certificate_file(ctx, argv[3], SSL_FILETYPE_PEM) == 1, argv[3]);
    check(SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) == 1, argv[4]);
    for (int i = 0; i < atoi(argv[5]); i++) {
        char name[512];
        int fd = accept(atoi(argv[2]), NULL, NULL);
        SSL *ssl = SSL_new(ctx);
        SSL_set_fd(ssl, fd);
        serve(ssl, strcmp(argv[1], "accept") == 0);
        snprintf(name, sizeof name, "%s-%d", argv[6], i);
        FILE *file = fopen(name, "wb");
        check(file && fwrite(text, 1, len, file) == len && fclose(file) == 0, name);
        SSL_free(ssl);
        close(fd);
    }
    SSL_CTX_free(ctx);
    return 0;
}
