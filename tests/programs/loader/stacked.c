/* A program that is linked with libssl, between preloads that wrap its functions. An error of dlsym() is pending all along. */
#include "../tls/openssl.h"

#include <dlfcn.h>

static void say(char letter)
{
    char name[] = "wrap_?_say";
    name[5] = letter;
    void (*function)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, name);
    if (function)
        function();
}

static void linked(char **arguments)
{
    SSL_CTX *ctx = new_context();
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        int half = (int)head_of(request) / 2, rest = (int)request.len - half;
        int fd = tcp_connect(arguments[0], arguments[1], 0);
        check(dlsym(RTLD_DEFAULT, "no_such_name") == NULL, "no such function");
        SSL *ssl = SSL_new(ctx);
        handshake(ssl, arguments[0], fd);
        check(SSL_write(ssl, request.at, half) == half && SSL_write(ssl, request.at + half, rest) == rest,
              "all of it written");
        ssl_answer(ssl);
        close_ssl(ssl);
        const char *error = dlerror();
        printf("still pending: %s\n", error ? strrchr(error, ' ') + 1 : "nothing");
        free(request.at);
    }
    SSL_CTX_free(ctx);
    say('a');
    say('b');
    say('c');
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {{"linked", linked}, {NULL, NULL}};
    return run_scenario(scenarios, argc, argv);
}
