/* OpenSSL as most C programs use it: SSL_write on a socket. Also built with OpenSSL inside of it. */
#include "client.h"
#include <openssl/ssl.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    char bytes[8192];
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_load_verify_locations(context, getenv("CA"), NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, connect_to(&request));
    SSL_set_tlsext_host_name(ssl, request.host);
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, bytes, write_request(bytes, sizeof bytes, &request)) <= 0)
        return 1;
    for (int got; (got = SSL_read(ssl, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, stdout);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return 0;
}
