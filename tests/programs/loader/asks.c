/* A program that asks the loader for things in each way there is, and prints what it got. It knows nothing of the shim: what
 * it prints has to be the same with it, but for the two lines of a library whose writes are meant to be reached.
 *
 *     asks SCENARIO...         $PLUGINS is the directory of the plugins */
#include "asks.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/lib-names.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__aarch64__)
#define BASE_VERSION "GLIBC_2.17"
#else
#define BASE_VERSION "GLIBC_2.2.5"
#endif

typedef int number_fn(void);
typedef ssize_t write_fn(int fd, const void *buf, size_t len);

const char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("PLUGINS"), name);
    return path;
}

static void *open_plugin(const char *name, int flags)
{
    void *handle = dlopen(path_of(name), RTLD_NOW | flags);
    if (!handle) {
        printf("failed: %s\n", dlerror());
        exit(9);
    }
    return handle;
}

int number_from(void *handle, const char *name)
{
    number_fn *function = (number_fn *)dlsym(handle, name);
    return function ? function() : -1;
}

static const char *error_or_none(void)
{
    const char *error = dlerror();
    return error ? error : "no error";
}

void say_error(const char *what)
{
    const char *error = dlerror();
    const char *name = error ? strrchr(error, '/') : NULL;
    printf("%s: %s\n", what, name ? name + 1 : error ? error : "no error");
}

/* What arrives in a pipe when `writes` writes there. */
static void try_write(const char *what, void *function)
{
    int ends[2];
    char got[16] = "";
    if (!function || pipe(ends) != 0) {
        printf("%s: nothing\n", what);
        return;
    }
    ssize_t written = ((write_fn *)function)(ends[1], "count me", 8);
    close(ends[1]);
    ssize_t arrived = read(ends[0], got, sizeof got - 1);
    close(ends[0]);
    printf("%s: wrote %zd, arrived %zd \"%s\"\n", what, written, arrived, got);
}

static void origin(void)
{
    void *asker = open_plugin("deep/asker.so", RTLD_LOCAL);
    printf("the plugin's neighbour by its RUNPATH: %d\n", number_from(asker, "ask_by_name"));
    printf("the plugin's neighbour by $ORIGIN: %d\n", number_from(asker, "ask_by_origin"));
    printf("the plugin's neighbour in a namespace of its own: %d\n", number_from(asker, "ask_in_namespace"));
    printf("the neighbour's name is known to the plugin alone: %d\n",
           dlopen("neighbour.so", RTLD_NOW | RTLD_NOLOAD) == NULL);
    dlerror();
    printf("from here, by a name that is not loaded: %d\n", dlopen("elsewhere.so", RTLD_NOW) == NULL);
    say_error("dlerror()");
}

static void own(void)
{
    void *plugin = open_plugin("own_write.so", RTLD_LOCAL);
    write_fn *mine = (write_fn *)dlsym(plugin, "write");
    printf("the plugin's own write() answers %zd\n", mine(1, "x", 1));
    printf("the plugin's own SSL_write() answers %d\n",
           ((int (*)(void *, const void *, int))dlsym(plugin, "SSL_write"))(NULL, "x", 1));
    printf("what the plugin finds behind it: %d\n", number_from(plugin, "ask_next"));
    printf("what the plugin finds in libc by a handle is not its own: %d\n", number_from(plugin, "ask_libc"));
    void *deep = open_plugin("own_write.so", RTLD_LOCAL | RTLD_NOLOAD);
    printf("opened twice, it is the same: %d\n", deep == plugin && dlsym(deep, "write") == (void *)mine);
}

static void handles(void)
{
    void *libc = dlopen(LIBC_SO, RTLD_NOW);
    try_write("write() of libc's handle", dlsym(libc, "write"));
    try_write("write() of RTLD_DEFAULT", dlsym(RTLD_DEFAULT, "write"));
    try_write("write() of RTLD_NEXT", dlsym(RTLD_NEXT, "write"));
    try_write("write() of the program's handle", dlsym(dlopen(NULL, RTLD_NOW), "write"));
    Dl_info info;
    printf("dlopen() of libc's handle: %s\n",
           dladdr(dlsym(libc, "dlopen"), &info) ? strrchr(info.dli_fname, '/') + 1 : "nothing");
    printf("the same pointer each time: %d\n", dlsym(libc, "write") == dlsym(libc, "write"));
    printf("one that is not hooked: %d\n", dlsym(libc, "strtoul") == (void *)strtoul);
    printf("a name of one letter: %d, of none: %d\n", dlsym(libc, "w") == NULL, dlsym(libc, "") == NULL);
}

static void versions(void)
{
    void *libc = dlopen(LIBC_SO, RTLD_NOW);
    try_write("write() of libc's handle", dlvsym(libc, "write", BASE_VERSION));
    try_write("write() of RTLD_DEFAULT", dlvsym(RTLD_DEFAULT, "write", BASE_VERSION));
    try_write("write() of RTLD_NEXT", dlvsym(RTLD_NEXT, "write", BASE_VERSION));
    say_error("dlerror()");
    try_write("write() of a version there is not", dlvsym(libc, "write", "GLIBC_7.7"));
    say_error("dlerror()");
    try_write("write() of the main program in that version", dlvsym(RTLD_DEFAULT, "write", "GLIBC_7.7"));
    say_error("dlerror()");
}

/* Nothing here has OpenSSL, GnuTLS or libcurl. */
static void absent(void)
{
    static const char *const names[] = {"SSL_write", "gnutls_record_send", "curl_easy_perform", "PR_Write", "no_such_name"};
    void *program = dlopen(NULL, RTLD_NOW);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        printf("%s by RTLD_DEFAULT: %d", names[i], dlsym(RTLD_DEFAULT, names[i]) != NULL);
        printf(" %d", dlerror() != NULL);
        printf(", by RTLD_NEXT: %d", dlsym(RTLD_NEXT, names[i]) != NULL);
        printf(" %d", dlerror() != NULL);
        printf(", by the program's handle: %d", dlsym(program, names[i]) != NULL);
        printf(" %d\n", dlerror() != NULL);
    }
}

static void errors(void)
{
    void *libc = dlopen(LIBC_SO, RTLD_NOW);
    char byte;
    struct iovec piece = {&byte, 1};
    say_error("at first");
    printf("nothing found: %d\n", dlsym(libc, "no_such_name") == NULL);
    /* The first calls of these, while an error is pending. */
    printf("%zd %zd %zd %d\n", sendfile(-1, -1, NULL, 1), preadv2(-1, &piece, 1, 0, 0), send(-1, "x", 1, 0),
           shutdown(-1, SHUT_RD));
    printf("%ld %d\n", (long)splice(-1, NULL, -1, NULL, 1, 0), dup3(-1, -1, 0));
    say_error("behind other calls");
    printf("nothing found: %d\n", dlsym(libc, "no_such_name") == NULL);
    errno = 77;
    printf("found: %d, errno %d\n", dlsym(libc, "writev") != NULL, errno);
    say_error("behind one that succeeds");
    errno = 77;
    printf("found: %d, errno %d\n", dlvsym(libc, "recv", BASE_VERSION) != NULL, errno);
    printf("nothing opened: %d\n", dlopen("/no/such/object.so", RTLD_NOW) == NULL);
    say_error("behind dlopen");
    printf("nothing opened: %d\n", dlmopen(LM_ID_NEWLM, "/no/such/object.so", RTLD_NOW) == NULL);
    say_error("behind dlmopen");
    say_error("asked again");
}

/* What a library whose functions are hooked gets: the line says which copy, and where the token was. */
static void write_by(void *handle, const char *versioned)
{
    void *(*make)(void *) = (void *(*)(void *))dlsym(handle, "SSL_new");
    int (*put)(void *, const void *, int) = (int (*)(void *, const void *, int))(
        versioned ? dlvsym(handle, "SSL_write", versioned) : dlsym(handle, "SSL_write"));
    void (*end)(void *) = (void (*)(void *))dlsym(handle, "SSL_free");
    static const char request[] = "GET /rest/api/3/myself?jwt=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln HTTP/1.1\r\n"
                                  "Host: site.atlassian.net\r\n\r\n";
    void *ssl = make(NULL);
    printf("written %d\n", put(ssl, request, sizeof request - 1) == sizeof request - 1);
    end(ssl);
}

static void reached(void)
{
    void *a = open_plugin("fake-a.so", RTLD_LOCAL), *b = open_plugin("fake-b.so", RTLD_LOCAL);
    for (int i = 0; i < 2; i++) {
        write_by(a, NULL);
        write_by(b, NULL);
    }
    write_by(b, "FAKE_1");
}

/* One copy in the global scope, one by its handle, called from one place. */
static void mixed(void)
{
    void *local = open_plugin("fake-a.so", RTLD_LOCAL);
    open_plugin("fake-b.so", RTLD_GLOBAL);
    for (int i = 0; i < 2; i++) {
        write_by(local, NULL);
        write_by(RTLD_DEFAULT, NULL);
        write_by(dlopen(NULL, RTLD_NOW), NULL);
    }
}

/* Unloaded and loaded elsewhere, more often than there are pointers to give; one that is kept open stays what it is. */
static void reload(void)
{
    const void *before = NULL;
    int moved = 0;
    write_by(open_plugin("fake-b.so", RTLD_LOCAL), NULL);
    for (int i = 0; i < 400; i++) {
        void *handle = open_plugin("fake-a.so", RTLD_LOCAL);
        Dl_info info;
        if (!dladdr(dlsym(handle, "SSL_state_string_long"), &info) || !dlsym(handle, "SSL_write"))
            printf("not found\n");
        moved += before && info.dli_fbase != before;
        before = info.dli_fbase;
        if (i % 100 == 0)
            write_by(handle, NULL);
        if (dlclose(handle) != 0 || dladdr(before, &info) != 0)
            printf("not unloaded\n");
        mmap((void *)before, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    }
    printf("was elsewhere %s\n", moved >= 390 ? "nearly each time" : "too seldom");
    void *kept = open_plugin("fake-a.so", RTLD_LOCAL);
    printf("one of two references given back: %d\n", dlclose(open_plugin("fake-a.so", RTLD_LOCAL)));
    write_by(kept, NULL);
    write_by(open_plugin("fake-b.so", RTLD_LOCAL), NULL);
}

/* As many libraries at once as $PLUGINS/many has. */
static void many_libraries(void)
{
    char name[64];
    for (int i = 0; i < 90; i++) {
        snprintf(name, sizeof name, "many/fake-%d.so", i);
        write_by(open_plugin(name, RTLD_LOCAL), NULL);
    }
}

/* Whose library is bound to it alone, past every preload. */
static void deep(void)
{
    void *plugin = open_plugin("fake_user.so", RTLD_LOCAL | RTLD_DEEPBIND);
    number_from(plugin, "use");
}

static void calls(void)
{
    printf("getpid: %d\n", syscall(SYS_getpid) == getpid());
    printf("write: %ld\n", syscall(SYS_write, 1, "by number\n", 10L));
    errno = 0;
    long answer = syscall(100000);
    printf("no such call: %ld, errno %d\n", answer, errno);
    printf("six arguments: %d\n", syscall(SYS_mmap, 0L, 4096L, 1L, 0x22L, -1L, 0L) > 0);
}

/* By wrappers that were preloaded, if any: how much came by them. */
static void count(void)
{
    for (int i = 0; i < 3; i++)
        try_write("write()", (void *)write);
    try_write("write() of RTLD_NEXT", dlsym(RTLD_NEXT, "write"));
    for (const char *letter = "abcd"; *letter; letter++) {
        char name[] = "wrap_?_say";
        name[5] = *letter;
        void (*say)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, name);
        if (say)
            say();
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } scenarios[] = {
        {"origin", origin},
        {"own", own},
        {"handles", handles},
        {"versions", versions},
        {"absent", absent},
        {"errors", errors},
        {"reached", reached},
        {"mixed", mixed},
        {"reload", reload},
        {"many-libraries", many_libraries},
        {"deep", deep},
        {"namespaces", namespaces},
        {"namespaces-again", namespaces_again},
        {"many-namespaces", many_namespaces},
        {"many-libcs", many_libcs},
        {"namespace-life", namespace_life},
        {"namespaces-by-threads", namespaces_by_threads},
        {"calls", calls},
        {"count", count},
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(60);
    for (int i = 1; i < argc; i++)
        for (size_t j = 0; j < sizeof scenarios / sizeof scenarios[0]; j++)
            if (strcmp(argv[i], scenarios[j].name) == 0)
                scenarios[j].run();
    printf("%s\ndone\n", error_or_none());
    return 0;
}
