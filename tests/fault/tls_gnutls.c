/* tls.h by GnuTLS. */
#include "tls.h"

#include <gnutls/gnutls.h>

static gnutls_certificate_credentials_t credentials;

void tls_start(void)
{
    check(gnutls_certificate_allocate_credentials(&credentials) == 0, "credentials");
    check(gnutls_certificate_set_x509_trust_file(credentials, getenv("CA"), GNUTLS_X509_FMT_PEM) == 1, "the CA's file");
}

struct tls tls_open(const char *host, const char *port, int buffer)
{
    gnutls_session_t session;
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, host, strlen(host));
    gnutls_session_set_verify_cert(session, host, 0);
    int fd = tcp_connect(host, port, buffer);
    gnutls_transport_set_int(session, fd);
    check(gnutls_handshake(session) == 0, "a verified handshake");
    return (struct tls){session, fd};
}

int tls_write(struct tls *tls, const char *at, size_t len)
{
    int refused = 0;
    while (len) {
        ssize_t sent = gnutls_record_send(tls->session, at, len);
        if (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED) {
            refused++;
            continue;
        }
        check(sent > 0, "nothing but GNUTLS_E_AGAIN and GNUTLS_E_INTERRUPTED");
        at += sent;
        len -= (size_t)sent;
    }
    return refused;
}

void tls_read_nothing(struct tls *tls, void (*meanwhile)(void))
{
    char byte;
    set_blocking(tls->fd, false);
    ssize_t got = gnutls_record_recv(tls->session, &byte, 1);
    meanwhile();
    check(got == GNUTLS_E_AGAIN, "nothing but GNUTLS_E_AGAIN");
    set_blocking(tls->fd, true);
}

void tls_close(struct tls *tls)
{
    gnutls_bye(tls->session, GNUTLS_SHUT_WR);
    tls_drop(tls);
}

void tls_drop(struct tls *tls)
{
    gnutls_deinit(tls->session);
    close(tls->fd);
}
