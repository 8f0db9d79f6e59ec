/* A program with OpenSSL inside that waits for a line. It calls what a client calls, so that the linker keeps it. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdio.h>
#include <unistd.h>

#if defined POINTS /* with a libssl of the system: the program's symbol has the address of a stub, and is still an import */
static int (*volatile pointer)(SSL *, const void *, int);
__asm__(".section .rodata\n.skip 1 << 20\n.text\n");
#endif

int main(int count, char **arguments)
{
    char line[16];
#if defined POINTS
    pointer = SSL_write;
#endif
    puts("up");
    fflush(stdout);
    if (read(0, line, sizeof line) < 0 || count < 2)
        return 0;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    BIO *bio = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(bio, arguments[1]);
    BIO_puts(bio, "hello");
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return 0;
}
