/* libevent's HTTP client over a bufferevent of OpenSSL's. */
#include "client.h"
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

static void done(struct evhttp_request *answer, void *base)
{
    if (answer)
        printf("%d\n", evhttp_request_get_response_code(answer));
    event_base_loopexit(base, NULL);
}

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    struct event_base *base = event_base_new();
    struct bufferevent *stream = NULL;
    if (request.tls) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_load_verify_locations(context, getenv("CA"), NULL);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL *ssl = SSL_new(context);
        SSL_set_tlsext_host_name(ssl, request.host);
        stream = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    }
    struct evhttp_connection *connection =
        evhttp_connection_base_bufferevent_new(base, NULL, stream, request.host, (unsigned short)atoi(request.port));
    struct evhttp_request *sent = evhttp_request_new(done, base);
    evhttp_add_header(evhttp_request_get_output_headers(sent), "Host", request.host);
    evhttp_add_header(evhttp_request_get_output_headers(sent), "Connection", "close");
    if (request.post)
        evbuffer_add(evhttp_request_get_output_buffer(sent), BODY, sizeof BODY - 1);
    evhttp_make_request(connection, sent, request.post ? EVHTTP_REQ_POST : EVHTTP_REQ_GET, request.target);
    event_base_dispatch(base);
    evhttp_connection_free(connection);
    event_base_free(base);
    return 0;
}
