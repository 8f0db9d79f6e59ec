/* What a libcurl imports where its wire can be seen: the writes of a TLS library, and nghttp2's requests. Asked by the hooks
 * of a running libcurl, and by the command of a file. */
#ifndef JWTSHIM_HOOKS_LIBCURL_NAMES_H
#define JWTSHIM_HOOKS_LIBCURL_NAMES_H

#define LIBCURL_TLS_WRITES(X)                                                                                          \
    X(SSL_write) X(SSL_write_ex) X(gnutls_record_send) X(PR_Send) X(PR_Write) X(mbedtls_ssl_write)
#define LIBCURL_H2_SUBMITS(X) X(nghttp2_submit_request) X(nghttp2_submit_request2)

#endif
