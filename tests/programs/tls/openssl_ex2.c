/* SSL_write_ex2, new in OpenSSL 3.3: declared here, since older headers do not have it. */
#include "openssl.h"

int SSL_write_ex2(SSL *ssl, const void *buf, size_t len, uint64_t flags, size_t *written);

static void write_ex2(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        size_t head = head_of(request), written = 0;
        check(SSL_write_ex2(ssl, request.at, head, 0, &written) == 1 && written == head, "the head written");
        if (request.len > head)
            check(SSL_write_ex2(ssl, request.at + head, request.len - head, 0, &written) == 1, "the body written");
        ssl_answer(ssl);
        free(request.at);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {{"ex2", write_ex2}, {NULL, NULL}};
    return run_scenario(scenarios, argc, argv);
}
