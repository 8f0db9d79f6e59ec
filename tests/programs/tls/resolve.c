/* Programs whose OpenSSL is not theirs: plugins by dlopen, each with a libssl of its own, also two versions in one process.
 * Compiled twice: as it is, and with a libssl of the program's own besides (-DLINKED). */
#include "common.h"

#include <dlfcn.h>
#include <libgen.h>
#include <sys/mman.h>

#ifdef LINKED
#include "openssl.h"
#else
typedef struct ssl_st SSL;
#endif

struct plugin {
    void *handle;
    SSL *(*open)(char **arguments);
    int (*write)(SSL *ssl, const void *buf, int len);
    void (*watch)(SSL *ssl, bool *said);
    void (*say_error)(void);
    void (*finish)(SSL *ssl);
    void (*fetch)(char **arguments, const char *path);
};

static struct plugin load_plugin(const char *name, int flags)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("PLUGINS"), name);
    struct plugin plugin = {.handle = dlopen(path, RTLD_LOCAL | RTLD_NOW | flags)};
    if (!plugin.handle)
        die(dlerror());
    plugin.open = (SSL * (*)(char **)) dlsym(plugin.handle, "plugin_open");
    plugin.write = (int (*)(SSL *, const void *, int))dlsym(plugin.handle, "plugin_write");
    plugin.watch = (void (*)(SSL *, bool *))dlsym(plugin.handle, "plugin_watch");
    plugin.say_error = (void (*)(void))dlsym(plugin.handle, "plugin_say_error");
    plugin.finish = (void (*)(SSL *))dlsym(plugin.handle, "plugin_finish");
    plugin.fetch = (void (*)(char **, const char *))dlsym(plugin.handle, "plugin_fetch");
    return plugin;
}

/* The request by way of the plugin's wrapper, called from here. */
static void fetch_by_wrapper(struct plugin plugin, char **arguments, const char *path)
{
    struct bytes request = load(path);
    bool said;
    SSL *ssl = plugin.open(arguments);
    plugin.watch(ssl, &said);
    check(plugin.write(ssl, request.at, (int)request.len) == (int)request.len, "all of it written");
    check(plugin.write(ssl, request.at, -1) <= 0, "no write of a negative length");
    plugin.say_error();
    plugin.finish(ssl);
    free(request.at);
}

static void fetch_by_myself(char **arguments, const char *path)
{
#ifdef LINKED
    struct bytes request = load(path);
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "all of it written");
    ssl_answer(ssl);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
    free(request.at);
#else
    (void)arguments, (void)path;
    die("this program has no libssl");
#endif
}

static void local(char **arguments)
{
    struct plugin plugin = load_plugin("plugin.so", 0);
    for (char **path = arguments + 2; *path; path++)
        plugin.fetch(arguments, *path);
}

static void tail_call(char **arguments)
{
    struct plugin plugin = load_plugin("plugin-tail.so", 0);
    for (char **path = arguments + 2; *path; path++)
        fetch_by_wrapper(plugin, arguments, *path);
}

static void two_copies(char **arguments)
{
    struct plugin a = load_plugin("plugin-a.so", 0), b = load_plugin("plugin-b.so", 0);
    for (int i = 0; i < 2; i++) {
        a.fetch(arguments, arguments[2]);
        b.fetch(arguments, arguments[3]);
    }
}

static void mine_and_copy(char **arguments)
{
    struct plugin a = load_plugin("plugin-a.so", 0);
    for (int i = 0; i < 2; i++) {
        fetch_by_myself(arguments, arguments[2]);
        a.fetch(arguments, arguments[3]);
    }
}

static void mine_and_tail_call(char **arguments)
{
    struct plugin a = load_plugin("plugin-a-tail.so", 0);
    for (int i = 0; i < 2; i++) {
        fetch_by_myself(arguments, arguments[2]);
        fetch_by_wrapper(a, arguments, arguments[3]);
    }
}

static void mine_and_old(char **arguments)
{
    struct plugin old = load_plugin("plugin-1.1.1.so", 0);
    for (int i = 0; i < 2; i++) {
        fetch_by_myself(arguments, arguments[2]);
        old.fetch(arguments, arguments[3]);
    }
}

/* Unloaded, its place taken, loaded again elsewhere; then unloaded and another plugin loaded in its place. */
static void reload(char **arguments)
{
    int moved = 0;
    void *before = NULL;
    for (int i = 0; i < 6; i++) {
        Dl_info info;
        struct plugin plugin = load_plugin(i % 3 == 2 ? "plugin-tail.so" : "plugin.so", 0);
        dladdr((void *)plugin.fetch, &info);
        moved += before && info.dli_fbase != before;
        before = info.dli_fbase;
        plugin.fetch(arguments, arguments[2 + i % 2]);
        check(dlclose(plugin.handle) == 0 && dladdr(before, &info) == 0, "an unloaded plugin");
        if (i % 2)
            mmap(before, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    }
    printf("%s\n", moved ? "was elsewhere" : "was always at one place");
}

static void deep_bind(char **arguments)
{
    struct plugin plugin = load_plugin("plugin.so", RTLD_DEEPBIND);
    for (char **path = arguments + 2; *path; path++)
        plugin.fetch(arguments, *path);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"local", local},
        {"tail-call", tail_call},
        {"two-copies", two_copies},
        {"mine-and-copy", mine_and_copy},
        {"mine-and-tail-call", mine_and_tail_call},
        {"mine-and-old", mine_and_old},
        {"reload", reload},
        {"deep-bind", deep_bind},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
