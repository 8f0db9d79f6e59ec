/* A program that is linked with no TLS library and reaches it by pointers alone, as Qt and .NET do: dlopen(), dlsym() for each
 * function. It says which copy of libssl wrote its records and which one took a call that fails. */
#include "../tls/openssl.h"

#include <dlfcn.h>
#include <sys/mman.h>

/* clang-format off */
#define FUNCTIONS(X)                                                                                                     \
    X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_load_verify_locations) X(SSL_CTX_set_verify) X(SSL_new) X(SSL_free)         \
    X(SSL_ctrl) X(SSL_set1_host) X(SSL_set_fd) X(SSL_get_fd) X(SSL_connect) X(SSL_write) X(SSL_write_ex) X(SSL_read)     \
    X(SSL_get_error) X(SSL_shutdown) X(SSL_set_msg_callback) X(TLS_client_method)
/* clang-format on */

struct library {
    void *handle;
    const char *versions; /* the version to ask by dlvsym() for; NULL: dlsym() */
#define X(function) __typeof__(&(function)) function;
    FUNCTIONS(X)
#undef X
};

static void *function_of(const struct library *lib, const char *name)
{
    void *function = lib->versions ? dlvsym(lib->handle, name, lib->versions) : dlsym(lib->handle, name);
    check(function && !dlerror(), name);
    return function;
}

static struct library open_library(const char *path, const char *versions)
{
    struct library lib = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL), .versions = versions};
    check(lib.handle, "dlopen of libssl");
#define X(function) lib.function = (__typeof__(&(function)))function_of(&lib, #function);
    FUNCTIONS(X)
#undef X
    check((void *)lib.SSL_write == function_of(&lib, "SSL_write"), "the same pointer again");
    return lib;
}

static const char *copy(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("PLUGINS"), name);
    return path;
}

static bool said;

static void on_message(int write_p, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg)
{
    Dl_info info;
    (void)version, (void)buf, (void)len, (void)ssl, (void)arg;
    if (!write_p || type != SSL3_RT_HEADER || said)
        return;
    said = true;
    printf("the record is written by %s\n",
           dladdr(__builtin_return_address(0), &info) ? strrchr(info.dli_fname, '/') + 1 : "nothing");
}

static const struct library *reading; /* by which read_answer() reads */

static long read_some(void *ssl, char *buf, size_t len)
{
    return reading->SSL_read(ssl, buf, (int)len);
}

static void fetch(const struct library *lib, char **arguments, const char *path)
{
    struct bytes request = load(path);
    size_t written, half = head_of(request) / 2;
    SSL_CTX *ctx = lib->SSL_CTX_new(lib->TLS_client_method());
    check(ctx && lib->SSL_CTX_load_verify_locations(ctx, getenv("CA"), NULL) == 1, "the CA's file");
    lib->SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL *ssl = lib->SSL_new(ctx);
    int fd = tcp_connect(arguments[0], arguments[1], 0);
    lib->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, arguments[0]);
    lib->SSL_set1_host(ssl, arguments[0]);
    check(lib->SSL_set_fd(ssl, fd) == 1 && lib->SSL_connect(ssl) == 1, "a verified handshake");
    said = false;
    lib->SSL_set_msg_callback(ssl, on_message);
    check(lib->SSL_write(ssl, request.at, (int)half) == (int)half, "the first half");
    check(lib->SSL_write_ex(ssl, request.at + half, request.len - half, &written) == 1 && written == request.len - half,
          "the second half");
    reading = lib;
    read_answer(read_some, ssl);
    lib->SSL_set_msg_callback(ssl, NULL);
    lib->SSL_shutdown(ssl);
    lib->SSL_free(ssl);
    lib->SSL_CTX_free(ctx);
    close(fd);
    free(request.at);
}

static void fetch_all(const char *path, const char *versions, char **arguments)
{
    struct library lib = open_library(path, versions);
    for (char **request = arguments + 2; *request; request++)
        fetch(&lib, arguments, *request);
}

static void by_dlsym(char **arguments)
{
    fetch_all("libssl.so.3", NULL, arguments);
}

static void by_dlvsym(char **arguments)
{
    fetch_all("libssl.so.3", "OPENSSL_3.0.0", arguments);
}

/* Both asked by the same code, and called from the same place. */
static void two_copies(char **arguments)
{
    struct library a = open_library(copy("libssl-a.so"), NULL);
    struct library b = open_library(copy("libssl-b.so"), NULL);
    for (int i = 0; i < 2; i++) {
        fetch(&a, arguments, arguments[2]);
        fetch(&b, arguments, arguments[3]);
    }
}

/* SSL_write by code that lies in no object, as a just-in-time compiler makes it. */
#if defined(__x86_64__)
static const unsigned char call_first[] = {0x48, 0x83, 0xec, 8, 0xff, 0xd1, 0x48, 0x83, 0xc4, 8, 0xc3}; /* call *%rcx */
static int (*made)(SSL *ssl, const void *buf, int len, void *function);
static struct library jit_lib;

static int write_from_nowhere(SSL *ssl, const void *buf, int len)
{
    return made(ssl, buf, len, (void *)jit_lib.SSL_write);
}

static void jit(char **arguments)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, call_first, sizeof call_first);
    check(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0, "mprotect");
    made = (int (*)(SSL *, const void *, int, void *))page;
    for (int i = 0; i < 2; i++) {
        jit_lib = open_library(copy(i ? "libssl-b.so" : "libssl-a.so"), NULL);
        struct library lib = jit_lib;
        lib.SSL_write = write_from_nowhere;
        fetch(&lib, arguments, arguments[2 + i]);
    }
}
#else
static void jit(char **arguments)
{
    (void)arguments;
    printf("skipped: the code is for another machine\n");
}
#endif

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"dlsym", by_dlsym}, {"dlvsym", by_dlvsym}, {"two-copies", two_copies}, {"jit", jit}, {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
