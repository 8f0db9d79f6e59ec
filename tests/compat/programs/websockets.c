/* libwebsockets as an HTTP client, over HTTP/1.1; GET only. */
#include "client.h"
#include <libwebsockets.h>

static bool ended;

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    (void)user;
    (void)in;
    (void)length;
    char bytes[4096 + LWS_PRE], *at = bytes + LWS_PRE;
    int room = sizeof bytes - LWS_PRE;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP: printf("%u\n", lws_http_client_http_response(wsi)); return 0;
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: return lws_http_client_read(wsi, &at, &room) < 0 ? -1 : 0;
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: ended = true; return 0;
    default: return 0;
    }
}

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    static const struct lws_protocols protocols[] = {{.name = "http", .callback = on_event}, {0}};
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = getenv("CA"),
    };
    struct lws_context *context = lws_create_context(&info);
    struct lws_client_connect_info connect = {
        .context = context,
        .address = request.host,
        .host = request.host,
        .origin = request.host,
        .port = atoi(request.port),
        .path = request.target,
        .method = "GET",
        .protocol = protocols[0].name,
        .ssl_connection = request.tls ? LCCSCF_USE_SSL : 0,
        .alpn = "http/1.1",
    };
    if (!context || !lws_client_connect_via_info(&connect))
        return 1;
    while (!ended && lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
