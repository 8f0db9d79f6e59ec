/* One TLS connection of a program, by OpenSSL or by GnuTLS: tls.c is linked with one of the two. Ordinary clients, which know nothing of
 * the shim: writes that were refused or interrupted are repeated as the library's manual says. */
#ifndef FAULT_TLS_H
#define FAULT_TLS_H

#include "../programs/tls/common.h"

struct tls {
    void *session;
    int fd;
};

/* Once, before there are threads. */
void tls_start(void);

/* Verified. `buffer` 0: the kernel's own size. */
struct tls tls_open(const char *host, const char *port, int buffer);

/* All of it, in one write of the library's where that takes so much. Returns how often it was refused before. */
int tls_write(struct tls *tls, const char *at, size_t len);

/* Looks for an answer without waiting, where there is none yet. `meanwhile` comes before the library is asked why there was none. */
void tls_read_nothing(struct tls *tls, void (*meanwhile)(void));

/* With a word of farewell. */
void tls_close(struct tls *tls);

/* Without one: what was canceled in the middle of a record cannot say one. */
void tls_drop(struct tls *tls);

#endif
