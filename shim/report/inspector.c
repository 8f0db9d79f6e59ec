#include "inspector.h"

#include "../config.h"
#include "../loader/elf.h"
#include "../loader/object_file.h"
#include "../loader/raw.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A flag of glibc's; musl binds so by itself. */
#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0
#endif

/* What the object needs, in the order it needs it: "libjansson.so.4", … Taken from the object when it was built. */
static const char *const needed[] = {
#include "inspector_needs.h"
};

static const char object_name[] = "libjwtshim-inspect.so";

typedef void *dlopen_fn(const char *path, int flags);

static const char *unfit(const char *path)
{
    static const char *const reasons[] = {
        [OBJECT_FILE_MISSING] = "inspector-missing", [OBJECT_FILE_NOT_TRUSTED] = "inspector-not-trusted", [OBJECT_FILE_NOT_WHOLE] = "inspector-not-whole"};
    return reasons[object_file_check(path)];
}

/* The path beside this very object. Not a relative one: the program may have changed its directory since. */
static bool find_object(char *path, size_t size)
{
    Dl_info info;
    if (!dladdr(object_name, &info) || !info.dli_fname || *info.dli_fname != '/')
        return false;
    const char *slash = strrchr(info.dli_fname, '/');
    int len = snprintf(path, size, "%.*s/%s", (int)(slash - info.dli_fname), info.dli_fname, object_name);
    return len > 0 && (size_t)len < size;
}

static const char *loader_failed(char *detail, size_t size)
{
    const char *says = dlerror(); /* which takes it away again */
    snprintf(detail, size, "%s", says ? says : "");
    return "inspector-not-loaded";
}

/* A program that offers all objects a json_object_get of its own (old json-c's, say) would have libjwt call that. */
static bool clashes(void *handle, const char *symbol)
{
    void *theirs = dlsym(RTLD_DEFAULT, symbol);
    void *wanted = dlsym(handle, symbol);
    return theirs && wanted && theirs != wanted;
}

/* Its libraries are loaded as the program itself would load them, since it may do so later and gets these then: with
 * RTLD_DEEPBIND they would go by the allocator, or the socket calls, that the program had replaced. The object itself is
 * bound deeply, so that nothing of the program's stands in for a function of its own. */
static const char *load(inspect_fn **function, char *detail, size_t size)
{
    char path[CONFIG_PATH];
    if (elf_is_copy()) /* what is loaded there for us would keep the program's namespace from ever being empty */
        return "inspector-in-namespace";
    const char *wrong = find_object(path, sizeof path) ? unfit(path) : "inspector-missing";
    dlopen_fn *open_object = (dlopen_fn *)dlsym(RTLD_NEXT, "dlopen"); /* libc's: a sanitizer's ends the process */
    if (wrong || !open_object)
        return wrong ? wrong : loader_failed(detail, size);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        void *library = open_object(needed[i], RTLD_NOW | RTLD_LOCAL);
        if (!library)
            return loader_failed(detail, size);
        if (clashes(library, "json_object_get"))
            return "inspector-clash";
    }
    void *object = open_object(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!object)
        return loader_failed(detail, size);
#define NAME_OF(symbol) #symbol
#define NAMED(symbol) NAME_OF(symbol)
    *function = (inspect_fn *)dlsym(object, NAMED(INSPECT_FUNCTION));
    return *function ? NULL : loader_failed(detail, size);
}

/* The object's function; NULL while somebody loads it, and if that failed. */
static inspect_fn *inspector(struct explanation *out)
{
    static _Atomic(inspect_fn *) loaded;
    static atomic_flag tried = ATOMIC_FLAG_INIT;
    inspect_fn *function = atomic_load_explicit(&loaded, memory_order_acquire);
    if (function || atomic_flag_test_and_set(&tried))
        return function;
    out->failure = load(&function, out->detail, sizeof out->detail);
    if (!out->failure)
        atomic_store_explicit(&loaded, function, memory_order_release);
    return function;
}

/* Which request lines were explained before, as far as a small table remembers. It keeps no token, only a number that many
 * have. */
enum { PLACES = 256 };
static _Atomic(uint64_t) explained[PLACES];

static uint64_t request_line_hash(const struct decision *decision)
{
    const struct span parts[] = {decision->method, decision->path, decision->query};
    uint64_t hash = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (size_t k = 0; k < parts[i].len; k++)
            hash = (hash ^ (unsigned char)parts[i].at[k]) * 0x100000001b3u;
    return hash | 1; /* 0 is an empty place */
}

static _Atomic(uint64_t) *place_of(uint64_t hash)
{
    return &explained[hash >> 32 & (PLACES - 1)];
}

static void ask(inspect_fn *function, const struct decision *decision, struct explanation *out)
{
    char *token = malloc(decision->token.len);
    if (!token)
        return;
    const size_t len = token_decode(decision->token, token);
    const struct inspect_request request = {.version = INSPECT_VERSION,
                                            .method = decision->method,
                                            .path = decision->path,
                                            .query = decision->query,
                                            .token = span_of(token, len)};
    out->len = function(&request, out->fields, sizeof out->fields);
    explicit_bzero(token, len);
    free(token);
}

/* With signals blocked: a handler that wrote a request, or left by longjmp, would do so in the middle of the loader. */
static void explain_undisturbed(const struct decision *decision, struct explanation *out)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    inspect_fn *function = inspector(out);
    if (function)
        ask(function, decision, out);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Loading the object, and libjwt's reading of a token, take more than small stacks have. How much is left is known of
 * a handler's own stack and of a thread's; a coroutine's lies anywhere. */
enum { STACK_NEEDED = 24 * 1024 };

/* Where this thread's stack begins and how long it is. libc's functions for that are found when they are needed: imported they would
 * cost every exec their look-ups. */
static bool own_stack(const char **start, size_t *size)
{
    struct elf_object libc;
    pthread_attr_t attributes;
    void *at = NULL;
    if (!elf_object_of((const void *)(uintptr_t)pthread_sigmask, &libc))
        return false;
    __typeof__(&pthread_self) self = (__typeof__(&pthread_self))elf_function(&libc, "pthread_self");
    __typeof__(&pthread_getattr_np) get = (__typeof__(&pthread_getattr_np))elf_function(&libc, "pthread_getattr_np");
    __typeof__(&pthread_attr_getstack) stack_of =
        (__typeof__(&pthread_attr_getstack))elf_function(&libc, "pthread_attr_getstack");
    __typeof__(&pthread_attr_destroy) end =
        (__typeof__(&pthread_attr_destroy))elf_function(&libc, "pthread_attr_destroy");
    if (!self || !get || !stack_of || !end || get(self(), &attributes) != 0)
        return false;
    const bool known = stack_of(&attributes, &at, size) == 0;
    end(&attributes);
    *start = at;
    return known;
}

static bool has_stack(void)
{
    const char *frame = __builtin_frame_address(0);
    const char *start;
    size_t size;
    stack_t handlers = {.ss_flags = 0};
    if (raw_syscall(SYS_sigaltstack, 0, (long)&handlers, 0, 0, 0, 0) == 0 && handlers.ss_flags & SS_ONSTACK)
        return frame - (const char *)handlers.ss_sp >= STACK_NEEDED;
    if (raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0) == getpid() || !own_stack(&start, &size))
        return true;
    const size_t left = (size_t)(frame - start);
    return left >= size || left >= STACK_NEEDED;
}

static bool was_explained(const struct decision *decision)
{
    const uint64_t hash = request_line_hash(decision);
    return atomic_load_explicit(place_of(hash), memory_order_relaxed) == hash;
}

bool inspector_can_explain(const struct decision *decision)
{
    return decision->token.len && config_get()->inspect && !getauxval(AT_SECURE) && !was_explained(decision) &&
           has_stack();
}

void inspector_explain(const struct decision *decision, struct explanation *out)
{
    out->len = 0;
    out->failure = NULL;
    out->detail[0] = '\0';
    const uint64_t hash = request_line_hash(decision);
    if (atomic_exchange(place_of(hash), hash) != hash)
        explain_undisturbed(decision, out);
}
