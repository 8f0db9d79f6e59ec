/* Programs with OpenSSL or nghttp2 inside (the official Node.js): their own functions are led through our hooks. Most
 * programs have none, which a look into the hash table of what they export tells. */
#include "../config.h"
#include "../patch/patch.h"
#include "../report/events.h"
#include "elf.h"
#include "main_program.h"
#include "object_file.h"
#include "patched.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>

/* A flag of glibc's; musl binds so by itself. */
#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0
#endif

enum set { SET_SSL, SET_BIO, SET_ALPN, SET_NGHTTP2, SETS };

/* The functions, in sets that are led through our hooks as a whole or not at all: a write without the end of its handle's
 * life would meet the state of another one. What OpenSSL is never without is needed; the rest by its version and by what
 * the linker kept. What calls one of these for all that it does is not among them: BIO_printf and BIO_vprintf (BIO_write), and
 * BIO_free_all (BIO_free). Nor is BIO_up_ref: here SSL_free tells when an SSL ends. */
/* clang-format off */
#define WANTED(X)                                                                                                      \
    X(SSL_write, SSL, true) X(SSL_write_ex, SSL, false) X(SSL_write_ex2, SSL, false)                                     \
    X(SSL_write_early_data, SSL, false) X(SSL_sendfile, SSL, false) X(SSL_read, SSL, true) X(SSL_read_ex, SSL, false)     \
    X(SSL_peek, SSL, false) X(SSL_peek_ex, SSL, false) X(SSL_shutdown, SSL, true) X(SSL_new, SSL, true)                   \
    X(SSL_up_ref, SSL, false) X(SSL_dup, SSL, false) X(SSL_free, SSL, true) X(SSL_clear, SSL, true)                       \
    X(BIO_write, BIO, true) X(BIO_write_ex, BIO, false) X(BIO_puts, BIO, false)                                         \
    X(BIO_read, BIO, true) X(BIO_read_ex, BIO, false) X(BIO_gets, BIO, false) X(BIO_free, BIO, true)                      \
    X(SSL_set_alpn_protos, ALPN, false) X(SSL_CTX_set_alpn_protos, ALPN, false) X(SSL_CTX_new, ALPN, true)                \
    X(SSL_CTX_new_ex, ALPN, false) X(SSL_connect, ALPN, false) X(SSL_do_handshake, ALPN, true)                            \
    X(nghttp2_submit_request, NGHTTP2, true) X(nghttp2_submit_request2, NGHTTP2, false)                                   \
    X(nghttp2_submit_headers, NGHTTP2, false)
/* clang-format on */

static const struct {
    unsigned char hook, set;
    bool needed;
} wanted[] = {
#define X(symbol, set, needed) {HOOK_##symbol, SET_##set, needed},
    WANTED(X)
#undef X
};
enum { WANTED_COUNT = sizeof wanted / sizeof wanted[0] };
_Static_assert(HOOK_COUNT <= 256, "a hook fits");

/* The hooks by their names, whatever their types are. Not in a table: each address in one is work for the loader at every
 * start of every program. */
#define X(symbol, set, needed) extern const char hook_##symbol[] __asm__(#symbol);
WANTED(X)
#undef X

static const void *hook_address(enum hook hook)
{
    switch (hook) {
#define X(symbol, set, needed)                                                                                         \
    case HOOK_##symbol: return hook_##symbol;
        WANTED(X)
#undef X
    default: return NULL;
    }
}

/* Names that only say whose the others are: one that lies in one object file with SSL_write where the linker kept nothing
 * else, the versions, and what BoringSSL alone has. */
enum { METHOD, VERSION, OLD_VERSION, BORING, MARKS };
static const char *const mark_names[MARKS] = {"SSL_get_ssl_method", "OpenSSL_version_num", "SSLeay", "BORINGSSL_self_test"};

/* All that the main program has of what hooks and their questions need. */
struct found {
    struct own_function function[SYMBOL_COUNT];
    struct own_function mark[MARKS];
};

static bool is_of_interest(unsigned symbol)
{
    const char *name = symbol_name(symbol);
    return strncmp(name, "SSL_", 4) == 0 || strncmp(name, "BIO_", 4) == 0 || strncmp(name, "ERR_", 4) == 0 ||
           strncmp(name, "nghttp2_", 8) == 0;
}

static void look_up_exports(const struct main_program *program, struct found *found)
{
    for (unsigned symbol = 0; symbol < SYMBOL_COUNT; symbol++)
        if (is_of_interest(symbol))
            found->function[symbol] = main_program_export(program, symbol_name(symbol));
    for (int mark = 0; mark < MARKS; mark++)
        found->mark[mark] = main_program_export(program, mark_names[mark]);
}

/* The same, by the file. */
static bool look_up_all(const struct main_program *program, const struct symbol_table *table, struct found *found)
{
    const char *names[SYMBOL_COUNT + MARKS];
    struct own_function functions[SYMBOL_COUNT + MARKS] = {{0}};
    unsigned symbols[SYMBOL_COUNT + MARKS];
    size_t count = 0;
    for (unsigned symbol = 0; symbol < SYMBOL_COUNT; symbol++)
        if (is_of_interest(symbol)) {
            symbols[count] = symbol;
            names[count++] = symbol_name(symbol);
        }
    for (int mark = 0; mark < MARKS; mark++)
        names[count + (size_t)mark] = mark_names[mark];
    main_program_look_up(program, table, names, count + MARKS, functions);
    for (size_t i = 0; i < count; i++)
        found->function[symbols[i]] = functions[i];
    for (int mark = 0; mark < MARKS; mark++)
        found->mark[mark] = functions[count + (size_t)mark];
    return found->function[HOOK_SSL_write].at || found->function[HOOK_nghttp2_submit_request].at;
}

/* Whether a set has what it needs, and NONE if so. */
static enum patch_refusal refusal_of_set(const struct found *found, enum set set)
{
    for (size_t i = 0; i < WANTED_COUNT; i++)
        if (wanted[i].set == set && wanted[i].needed && !found->function[wanted[i].hook].at)
            return PATCH_INCOMPLETE;
    if (set == SET_NGHTTP2)
        return PATCH_NONE;
    if (found->mark[BORING].at)
        return PATCH_OTHER_LIBRARY;
    const bool is_openssl = found->mark[METHOD].at || found->mark[VERSION].at || found->mark[OLD_VERSION].at;
    return is_openssl ? PATCH_NONE : PATCH_OTHER_LIBRARY;
}

static const char *refusal_name(enum patch_refusal refused)
{
    static const char names[] =
#define X(name, text) text "\0"
        PATCH_REFUSALS(X);
#undef X
    const char *name = names;
    for (int i = 0; i < (int)refused; i++)
        name += strlen(name) + 1;
    return name;
}

/* Why a set is not reached, once: by the first of its functions that is missing, or that is there and another library's.
 * A set of which nothing is there is not worth a line. */
static void report_refusal(const struct found *found, enum set set, enum patch_refusal refused)
{
    const char *missing = NULL, *present = NULL;
    for (size_t i = WANTED_COUNT; i-- > 0;)
        if (wanted[i].set == set && wanted[i].needed)
            *(found->function[wanted[i].hook].at ? &present : &missing) = symbol_name(wanted[i].hook);
    if (present)
        report_patch(missing ? missing : present, refusal_name(refused));
}

/* Code is moved on amd64 only. */
#if defined(__x86_64__)
static const bool can_patch = true;
#else
static const bool can_patch = false;
#endif

/* The second object lies beside this one. */
static patch_apply_fn *load(void **handle)
{
    static const char name[] = "libjwtshim-patch.so";
    char path[1024];
    Dl_info info;
    if (!dladdr((const void *)&patched, &info) || !info.dli_fname)
        return NULL;
    const char *slash = strrchr(info.dli_fname, '/');
    const size_t directory = slash ? (size_t)(slash + 1 - info.dli_fname) : 0;
    if (directory + sizeof name > sizeof path)
        return NULL;
    memcpy(path, info.dli_fname, directory);
    memcpy(path + directory, name, sizeof name);
    if (object_file_check(path) != OBJECT_FILE_FIT)
        return NULL;
    __typeof__(&dlopen) open_object = (__typeof__(&dlopen))next_function(HOOK_dlopen); /* not by our own hook */
    *handle = open_object ? open_object(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
    void *apply = *handle ? dlsym(*handle, "jwtshim_patch_apply") : NULL;
    if (!apply)
        dlerror();
    return (patch_apply_fn *)apply;
}

static size_t list_functions(const struct found *found, struct patch_function *functions, unsigned char *hooks)
{
    size_t count = 0;
    for (enum set set = 0; set < SETS; set++) {
        const enum patch_refusal refused = refusal_of_set(found, set);
        if (refused != PATCH_NONE)
            report_refusal(found, set, refused);
    }
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        const enum hook hook = wanted[i].hook;
        const struct own_function *function = &found->function[hook];
        const enum patch_refusal refused = refusal_of_set(found, wanted[i].set);
        if (refused == PATCH_NONE && function->at && elf_is_ours(hook_address(hook))) {
            hooks[count] = (unsigned char)hook;
            functions[count++] = (struct patch_function){
                .code = function->at, .size = function->size, .hook = hook_address(hook), .set = wanted[i].set};
        }
    }
    return count;
}

/* What resolve() answers from now on. */
static void note(const struct found *found, const struct patch_job *job, const unsigned char *hooks,
                 const struct main_program *program)
{
    bool have_ssl = false;
    for (size_t i = 0; i < job->count; i++)
        have_ssl |= hooks[i] == HOOK_SSL_write && job->functions[i].refused == PATCH_NONE;
    for (unsigned symbol = 0; have_ssl && symbol < SYMBOL_COUNT; symbol++)
        if (found->function[symbol].at && strncmp(symbol_name(symbol), "nghttp2_", 8) != 0)
            patched.function[symbol] = found->function[symbol].at;
    for (size_t i = 0; i < job->count; i++)
        for (unsigned symbol = 0; symbol < SYMBOL_COUNT; symbol++)
            if (job->functions[i].refused == PATCH_NONE && strcmp(symbol_name(symbol), symbol_name(hooks[i])) == 0)
                patched.function[symbol] = job->functions[i].trampoline;
    patched.low = job->room;
    patched.high = job->room_end;
    patched.program_low = program->low;
    patched.program_high = program->high;
}

/* Each function that is to blame, or once what is to blame for all; and each set that is led, by its first. */
static void report_outcome(const struct patch_job *job, const unsigned char *hooks)
{
    unsigned told = PATCH_SETS;
    bool told_of_all = false;
    for (size_t i = 0; i < job->count; i++) {
        const struct patch_function *function = &job->functions[i];
        const enum patch_refusal refused = function->refused;
        const bool of_all = refused != PATCH_NONE && (int)refused < (int)PATCH_OF_FUNCTION;
        const bool again = refused == PATCH_NONE ? function->set == told : of_all && told_of_all;
        if (!again && refused != PATCH_COMPANION)
            report_patch(symbol_name(hooks[i]), refused == PATCH_NONE ? NULL : refusal_name(refused));
        told_of_all |= of_all;
        told = function->set;
    }
}

static void apply(const struct main_program *program, const struct found *found)
{
    struct patch_function functions[WANTED_COUNT];
    unsigned char hooks[WANTED_COUNT];
    void *handle = NULL;
    struct patch_job job = {.functions = functions, .low = program->low, .high = program->high};
    for (int set = 0; set < PATCH_SETS; set++)
        job.needs[set] = set == SET_BIO || set == SET_ALPN ? SET_SSL : -1;
    job.arrived = (const char *)&patched_arrived - (const char *)__builtin_thread_pointer();
    job.count = list_functions(found, functions, hooks);
    if (job.count == 0)
        return;
    patch_apply_fn *patch = can_patch ? load(&handle) : NULL;
    if (!patch) {
        report_patch(symbol_name(hooks[0]), refusal_name(can_patch ? PATCH_NO_DECODER : PATCH_ARCHITECTURE));
    } else {
        patch(&job);
        if (job.room)
            note(found, &job, hooks, program);
        report_outcome(&job, hooks);
    }
    if (handle)
        ((__typeof__(&dlclose))next_function(HOOK_dlclose))(handle);
}

/* What is neither exported nor imported may still be there: a program that connects, and asks no library for TLS, is worth
 * a look into its file. */
static bool may_hide_a_library(const struct main_program *program)
{
    return main_program_imports(program, "connect", "SSL_");
}

static void patch_exports(const struct main_program *program)
{
    struct found found = {.mark = {{0}}};
    look_up_exports(program, &found);
    apply(program, &found);
}

static void patch_listed(const struct main_program *program, const struct symbol_table *table)
{
    struct found found = {.mark = {{0}}};
    if (look_up_all(program, table, &found))
        apply(program, &found);
}

void patch_main_program(void)
{
    struct main_program program;
    struct symbol_table table;
    const struct config *config = config_get();
    if (config->mode == MODE_OFF || !config->patch || !main_program_read(&program) || getauxval(AT_SECURE))
        return;
    int saved = errno;
    if (main_program_export(&program, symbol_name(HOOK_SSL_write)).at ||
        main_program_export(&program, symbol_name(HOOK_nghttp2_submit_request)).at)
        patch_exports(&program);
    else if (may_hide_a_library(&program) && main_program_open(&program, &table))
        patch_listed(&program, &table);
    errno = saved;
}
