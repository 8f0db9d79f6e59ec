/* A preload as others write them: wraps functions by RTLD_NEXT and counts. Compiled with WRAP as its letter; WRAP_DLSYM wraps
 * dlsym() too, in C, and finds the real one by dlvsym(); WRAP_HANDLE finds libc's by a handle. */
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOIN(a, b, c) a##b##c
#define NAME(letter) JOIN(wrap_, letter, _say)
#define TEXT(letter) #letter
#define LETTER(letter) TEXT(letter)

static int writes, records, lookups;

ssize_t write(int fd, const void *buf, size_t len)
{
    static ssize_t (*next)(int, const void *, size_t);
#ifdef WRAP_HANDLE
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t))dlsym(dlopen(LIBC_SO, RTLD_NOW), "write");
#endif
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    writes += len == 8 && memcmp(buf, "count me", 8) == 0;
    return next(fd, buf, len);
}

int SSL_write(void *ssl, const void *buf, int len)
{
    static int (*next)(void *, const void *, int);
    if (!next)
        next = (int (*)(void *, const void *, int))dlsym(RTLD_NEXT, "SSL_write");
    records++;
    return next(ssl, buf, len);
}

#ifdef WRAP_DLSYM
void *dlsym(void *handle, const char *name)
{
    static void *(*next)(void *, const char *);
    if (!next)
        next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    lookups++;
    return next(handle, name);
}
#endif

/* Behind the shim this runs before the shim's own constructor. */
static ssize_t early;

__attribute__((constructor)) static void ask_early(void)
{
    ssize_t (*by_handle)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(dlopen(LIBC_SO, RTLD_NOW | RTLD_DEEPBIND), "write");
    early = by_handle && dlsym(RTLD_DEFAULT, "no_such_name") == NULL &&
                    dlvsym(RTLD_NEXT, "write", "GLIBC_7.7") == NULL && dlerror()
                ? by_handle(-1, "x", 1)
                : 0;
}

void NAME(WRAP)(void)
{
    printf("found in the constructor of preload %s: %zd\n", LETTER(WRAP), early);
#ifndef WRAP_DLSYM /* whose lookups go past ours to libc */
    printf("preload %s has a next SSL_write: %d\n", LETTER(WRAP), dlsym(RTLD_NEXT, "SSL_write") != NULL);
#endif
    printf("preload %s: %d writes, %s records\n", LETTER(WRAP), writes, records ? "some" : "no");
    if (lookups < 0)
        printf("%d lookups\n", lookups);
}
