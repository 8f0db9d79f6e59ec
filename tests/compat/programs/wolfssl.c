/* wolfSSL on a socket: a TLS library that has no hooks. */
#include "client.h"
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    char bytes[8192];
    wolfSSL_Init();
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLS_client_method());
    wolfSSL_CTX_load_verify_locations(context, getenv("CA"), NULL);
    WOLFSSL *ssl = wolfSSL_new(context);
    wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, request.host, (unsigned short)strlen(request.host));
    wolfSSL_set_fd(ssl, connect_to(&request));
    if (wolfSSL_write(ssl, bytes, write_request(bytes, sizeof bytes, &request)) <= 0)
        return 1;
    for (int got; (got = wolfSSL_read(ssl, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, stdout);
    return 0;
}
