/* A plugin that brings its own libssl, for resolve.c. It says which copy of the library really wrote its records (a message
 * callback returns into the library that called it), and which one took its call (the error of a bad length is in that copy's
 * queue alone). */
#include "openssl.h"

#include <dlfcn.h>

static const char *object_at(const void *address)
{
    Dl_info info;
    if (!dladdr(address, &info))
        return "nothing";
    const char *slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : info.dli_fname;
}

static void on_message(int write_p, int version, int type, const void *buf, size_t len, SSL *ssl, void *said)
{
    (void)version, (void)buf, (void)len, (void)ssl;
    if (!write_p || type != SSL3_RT_HEADER || *(bool *)said)
        return;
    *(bool *)said = true;
    printf("its own library is %s, the record is written by %s\n",
           object_at((const void *)SSL_CTX_load_verify_locations), object_at(__builtin_return_address(0)));
}

SSL *plugin_open(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    SSL_CTX_free(ctx);
    return ssl;
}

/* A tail call where it is compiled for one: the hook then sees plugin_write's caller as its own. */
int plugin_write(SSL *ssl, const void *buf, int len)
{
    return SSL_write(ssl, buf, len);
}

void plugin_watch(SSL *ssl, bool *said)
{
    *said = false;
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, said);
}

/* Behind a write of a negative length. */
void plugin_say_error(void)
{
    unsigned long error = ERR_get_error();
    printf("its own queue has: %s\n", error ? ERR_reason_error_string(error) : "nothing");
}

void plugin_finish(SSL *ssl)
{
    ssl_answer(ssl);
    SSL_set_msg_callback(ssl, NULL);
    close_ssl(ssl);
}

/* A connection and a request of the plugin's own, head and rest in two calls. */
void plugin_fetch(char **arguments, const char *path)
{
    struct bytes request = load(path);
    int half = (int)head_of(request) / 2, rest = (int)request.len - half;
    bool said;
    SSL *ssl = plugin_open(arguments);
    plugin_watch(ssl, &said);
    int first = SSL_write(ssl, request.at, half);
    int second = SSL_write(ssl, request.at + half, rest);
    int third = SSL_write(ssl, request.at, -1);
    check(first == half && second == rest && third <= 0, "all of it written");
    plugin_say_error();
    plugin_finish(ssl);
    free(request.at);
}
