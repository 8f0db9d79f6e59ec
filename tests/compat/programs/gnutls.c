/* GnuTLS on a socket. */
#include "client.h"
#include <gnutls/gnutls.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    char bytes[8192];
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_certificate_set_x509_trust_file(credentials, getenv("CA"), GNUTLS_X509_FMT_PEM);
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, request.host, strlen(request.host));
    gnutls_session_set_verify_cert(session, request.host, 0);
    int fd = connect_to(&request); /* the next is a macro that looks twice */
    gnutls_transport_set_int(session, fd);
    if (gnutls_handshake(session) != 0)
        return 1;
    gnutls_record_send(session, bytes, (size_t)write_request(bytes, sizeof bytes, &request));
    for (ssize_t got; (got = gnutls_record_recv(session, bytes, sizeof bytes)) > 0;)
        fwrite(bytes, 1, (size_t)got, stdout);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    return 0;
}
