/* The plugins of asks.c, one for each macro that it is compiled with. */
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef NEIGHBOUR
int neighbour(void)
{
    return 12;
}
#endif

/* Lies beside neighbour.so, in a directory that only its RUNPATH names. */
#ifdef ASKER
static int ask(void *handle)
{
    int (*function)(void) = handle ? (int (*)(void))dlsym(handle, "neighbour") : NULL;
    return function ? function() : -1;
}

int ask_by_name(void)
{
    return ask(dlopen("neighbour.so", RTLD_NOW | RTLD_LOCAL));
}

int ask_by_origin(void)
{
    return ask(dlopen("$ORIGIN/neighbour.so", RTLD_NOW | RTLD_LOCAL));
}

int ask_in_namespace(void)
{
    return ask(dlmopen(LM_ID_NEWLM, "neighbour.so", RTLD_NOW));
}
#endif

/* Functions of hooked names that have nothing to do with those. */
#ifdef OWN_WRITE
ssize_t write(int fd, const void *buf, size_t len)
{
    (void)fd, (void)buf, (void)len;
    return 4711;
}

int SSL_write(void *ssl, const void *buf, int len)
{
    (void)ssl, (void)buf, (void)len;
    return 4712;
}

int ask_next(void)
{
    ssize_t (*next)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    return next ? (int)next(-1, "x", 1) : 0;
}

int ask_libc(void)
{
    ssize_t (*function)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(dlopen(LIBC_SO, RTLD_NOW), "write");
    return function && function(-1, "x", 1) == -1;
}
#endif

/* A library of OpenSSL's names that says what it is given. */
#ifdef FAKE
void *SSL_new(void *context)
{
    (void)context;
    return calloc(1, 64);
}

void SSL_free(void *ssl)
{
    free(ssl);
}

int SSL_write(void *ssl, const void *buf, int len)
{
    (void)ssl;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("copy " FAKE " of the library: the token is in the %s\n",
           memmem(buf, (size_t)len, "\r\nAuthorization: JWT eyJ", 23) ? "header"
           : memmem(buf, (size_t)len, "?jwt=", 5)                     ? "query"
                                                                      : "?");
    fflush(stdout);
    return len;
}

const char *SSL_state_string_long(const void *ssl)
{
    (void)ssl;
    return "none";
}
#endif

/* Is linked with fake-a.so. */
#ifdef FAKE_USER
void *SSL_new(void *context);
void SSL_free(void *ssl);
int SSL_write(void *ssl, const void *buf, int len);

int use(void)
{
    static const char request[] = "GET /rest/api/3/myself?jwt=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln HTTP/1.1\r\n"
                                  "Host: site.atlassian.net\r\n\r\n";
    void *ssl = SSL_new(NULL);
    int written = SSL_write(ssl, request, sizeof request - 1);
    SSL_free(ssl);
    return written == sizeof request - 1;
}
#endif
