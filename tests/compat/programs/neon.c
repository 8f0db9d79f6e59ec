/* neon, the WebDAV library. */
#include "client.h"
#include <ne_auth.h>
#include <ne_request.h>
#include <ne_session.h>
#include <ne_ssl.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    ne_sock_init();
    ne_session *session = ne_session_create(request.tls ? "https" : "http", request.host, (unsigned)atoi(request.port));
    if (request.tls)
        ne_ssl_trust_cert(session, ne_ssl_cert_read(getenv("CA")));
    ne_request *sent = ne_request_create(session, request.post ? "POST" : "GET", request.target);
    if (request.post)
        ne_set_request_body_buffer(sent, BODY, sizeof BODY - 1);
    if (ne_request_dispatch(sent) != NE_OK)
        fprintf(stderr, "%s\n", ne_get_error(session));
    printf("%d\n", ne_get_status(sent)->code);
    ne_request_destroy(sent);
    ne_session_destroy(session);
    return 0;
}
