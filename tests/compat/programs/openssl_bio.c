/* OpenSSL as its manual's example of BIO_new_ssl_connect has it. */
#include "client.h"
#include <openssl/bio.h>
#include <openssl/ssl.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    char bytes[8192];
    SSL *ssl = NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_load_verify_locations(context, getenv("CA"), NULL);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    BIO *bio = BIO_new_ssl_connect(context);
    BIO_get_ssl(bio, &ssl);
    SSL_set_tlsext_host_name(ssl, request.host);
    BIO_set_conn_hostname(bio, request.host);
    BIO_set_conn_port(bio, request.port);
    write_request(bytes, sizeof bytes, &request);
    if (BIO_do_connect(bio) <= 0 || BIO_puts(bio, bytes) <= 0)
        return 1;
    for (int got; (got = BIO_read(bio, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, stdout);
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return 0;
}
