/* mbedTLS on a socket. */
#include "client.h"
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    unsigned char bytes[8192];
    mbedtls_net_context net;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt ca;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context source;
    mbedtls_net_init(&net);
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_init(&config);
    mbedtls_x509_crt_init(&ca);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&source);
    mbedtls_ctr_drbg_seed(&source, mbedtls_entropy_func, &entropy, NULL, 0);
    mbedtls_x509_crt_parse_file(&ca, getenv("CA"));
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_ca_chain(&config, &ca, NULL);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &source);
    mbedtls_ssl_setup(&ssl, &config);
    mbedtls_ssl_set_hostname(&ssl, request.host);
    mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
    if (mbedtls_net_connect(&net, request.host, request.port, MBEDTLS_NET_PROTO_TCP) != 0)
        return 1;
    int length = write_request((char *)bytes, sizeof bytes, &request);
    if (request.tls)
        mbedtls_ssl_write(&ssl, bytes, (size_t)length);
    else
        mbedtls_net_send(&net, bytes, (size_t)length);
    for (int got; (got = request.tls ? mbedtls_ssl_read(&ssl, bytes, sizeof bytes)
                                     : mbedtls_net_recv(&net, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, stdout);
    mbedtls_ssl_free(&ssl);
    mbedtls_net_free(&net);
    return 0;
}
