/* SSL_write and SSL_write_ex as programs use them: whole, in pieces, refused and repeated, over memory BIOs, with an SSL
 * used again. */
#include "openssl.h"

static void write_whole(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "all of it written");
        ssl_answer(ssl);
        free(request.at);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

static void write_ex(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        size_t head = head_of(request), written = 0;
        check(SSL_write_ex(ssl, request.at, head, &written) == 1 && written == head, "the head written");
        if (request.len > head) {
            check(SSL_write_ex(ssl, request.at + head, request.len - head, &written) == 1, "the body written");
            check(written == request.len - head, "all of the body written");
        }
        ssl_answer(ssl);
        free(request.at);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

static void write_bytes(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        for (size_t i = 0; i < request.len; i++)
            check(SSL_write(ssl, request.at + i, 1) == 1, "a byte written");
        ssl_answer(ssl);
        free(request.at);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

/* All requests in one write: what is behind a rewritten head is another. */
static void write_pipelined(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    struct bytes all = {malloc(1 << 22), 0};
    int count = 0;
    for (char **path = arguments + 2; *path; path++, count++) {
        struct bytes request = load(*path);
        memcpy(all.at + all.len, request.at, request.len);
        all.len += request.len;
        free(request.at);
    }
    check(SSL_write(ssl, all.at, (int)all.len) == (int)all.len, "all of them written");
    while (count--)
        ssl_answer(ssl);
    free(all.at);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

/* The first write does the handshake, which clears the SSL on its way; the first of them may be half a head. */
enum first_write { WHOLE, HALF_A_HEAD, HEAD };
static void write_implicit(char **arguments, enum first_write how)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = SSL_new(ctx);
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    SSL_set_fd(ssl, tcp_connect(arguments[0], arguments[1], 0));
    SSL_set_connect_state(ssl);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        const int head = (int)head_of(request), len = (int)request.len;
        const int first = how == WHOLE ? len : how == HEAD ? head : head / 2, rest = len - first;
        check(SSL_write(ssl, request.at, first) == first, "a write that connects");
        if (how == HALF_A_HEAD && path == arguments + 2)
            check(SSL_connect(ssl) == 1, "SSL_connect where that is done already");
        check(rest == 0 || SSL_write(ssl, request.at + first, rest) == rest, "the rest written");
        ssl_answer(ssl);
        free(request.at);
    }
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

static void implicit_handshake(char **arguments)
{
    write_implicit(arguments, WHOLE);
}

static void implicit_in_halves(char **arguments)
{
    write_implicit(arguments, HALF_A_HEAD);
}

static void implicit_with_body(char **arguments)
{
    write_implicit(arguments, HEAD);
}

/* The same without waiting: what the handshake lacks is told of the write, and the write is repeated from a copy elsewhere. */
static void implicit_refused(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL *ssl = SSL_new(ctx);
    int wanted = 0;
    SSL_set_tlsext_host_name(ssl, arguments[0]);
    SSL_set1_host(ssl, arguments[0]);
    SSL_set_fd(ssl, tcp_connect(arguments[0], arguments[1], 0));
    set_blocking(SSL_get_fd(ssl), false);
    SSL_set_connect_state(ssl);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        for (int written = 0; written <= 0;) {
            char *copy = malloc(request.len);
            memcpy(copy, request.at, request.len);
            written = SSL_write(ssl, copy, (int)request.len);
            memset(copy, '#', request.len);
            free(copy);
            int error = SSL_get_error(ssl, written);
            check(written == (int)request.len || error == SSL_ERROR_WANT_READ, "all of it, or WANT_READ");
            if (written <= 0)
                wait_for(SSL_get_fd(ssl), POLLIN);
            wanted += written <= 0;
        }
        ssl_answer(ssl);
        free(request.at);
    }
    printf("seen wanted to read %d times\n",
           wanted); /* a server may have answered before the client is back from its first record */
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

/* Repeats what is refused: from the same place, or a copy of it elsewhere where the mode allows that, with the old one
 * overwritten. */
static void write_refused(char **arguments, long mode, bool moves)
{
    SSL_CTX *ctx = new_context();
    SSL_CTX_set_mode(ctx, mode);
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 4096);
    set_blocking(SSL_get_fd(ssl), false);
    int refused = 0, partial = 0;
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        size_t done = 0;
        while (done < request.len) {
            size_t len = request.len - done;
            char *copy = moves ? malloc(len) : NULL;
            if (copy)
                memcpy(copy, request.at + done, len);
            ERR_clear_error();
            int written = SSL_write(ssl, copy ? copy : request.at + done, (int)len);
            if (copy) {
                memset(copy, '#', len);
                free(copy);
            }
            if (written > 0) {
                partial += (size_t)written < len;
                check((size_t)written == len || (mode & SSL_MODE_ENABLE_PARTIAL_WRITE), "all or nothing");
                done += (size_t)written;
                continue;
            }
            int error = SSL_get_error(ssl, written);
            if (error == SSL_ERROR_SSL)
                printf("%s\n", ERR_reason_error_string(ERR_peek_error()));
            check(error == SSL_ERROR_WANT_WRITE, "nothing but WANT_WRITE");
            check(ERR_peek_error() == 0, "an empty error queue behind WANT_WRITE");
            refused++;
            wait_for(SSL_get_fd(ssl), POLLOUT);
        }
        ssl_answer(ssl);
        free(request.at);
    }
    printf("%s\n", refused ? "was refused" : "was never refused");
    if (mode & SSL_MODE_ENABLE_PARTIAL_WRITE)
        printf("%s\n", partial ? "wrote in parts" : "never wrote in parts");
    printf("seen refused %d, partial %d\n", refused, partial);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

static void write_retry(char **arguments)
{
    write_refused(arguments, 0, false);
}

static void write_moving(char **arguments)
{
    write_refused(arguments, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, true);
}

static void write_partial(char **arguments)
{
    write_refused(arguments, SSL_MODE_ENABLE_PARTIAL_WRITE, false);
}

static void write_partial_moving(char **arguments)
{
    write_refused(arguments, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, true);
}

/* Memory BIOs, as asyncio and node drive OpenSSL: TLS records are carried to the socket by hand. */
struct carried {
    SSL *ssl;
    BIO *in, *out;
    int fd;
};

static void carry_out(struct carried *carried)
{
    char record[4096];
    int len;
    while ((len = BIO_read(carried->out, record, sizeof record)) > 0)
        for (int sent = 0; sent < len;) {
            ssize_t now = send(carried->fd, record + sent, (size_t)(len - sent), 0);
            check(now > 0, "send");
            sent += (int)now;
        }
}

static void carry_in(struct carried *carried)
{
    char record[4096];
    ssize_t len = recv(carried->fd, record, sizeof record, 0);
    if (len > 0)
        check(BIO_write(carried->in, record, (int)len) == len, "a memory BIO takes all");
    else
        BIO_set_mem_eof_return(carried->in, 0);
}

static long carried_read_some(void *ctx, char *buf, size_t len)
{
    struct carried *carried = ctx;
    for (;;) {
        int got = SSL_read(carried->ssl, buf, (int)len);
        carry_out(carried);
        if (got > 0 || SSL_get_error(carried->ssl, got) != SSL_ERROR_WANT_READ)
            return got;
        carry_in(carried);
    }
}

static void memory_bios(char **arguments)
{
    SSL_CTX *ctx = new_context();
    struct carried carried = {SSL_new(ctx), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()),
                              tcp_connect(arguments[0], arguments[1], 0)};
    BIO_set_mem_eof_return(carried.in, -1);
    BIO_set_mem_eof_return(carried.out, -1);
    SSL_set_bio(carried.ssl, carried.in, carried.out);
    SSL_set_tlsext_host_name(carried.ssl, arguments[0]);
    SSL_set1_host(carried.ssl, arguments[0]);
    SSL_set_connect_state(carried.ssl);
    for (int done = 0; done != 1;) {
        done = SSL_do_handshake(carried.ssl);
        carry_out(&carried);
        if (done != 1) {
            check(SSL_get_error(carried.ssl, done) == SSL_ERROR_WANT_READ, "a verified handshake");
            carry_in(&carried);
        }
    }
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        size_t head = head_of(request), written;
        check(SSL_write_ex(carried.ssl, request.at, head / 2, &written) == 1, "half a head written");
        carry_out(&carried);
        /* Between the halves the program looks for bytes, as an event loop does. */
        char byte;
        check(SSL_read(carried.ssl, &byte, 1) <= 0, "no answer yet");
        check(SSL_write_ex(carried.ssl, request.at + head / 2, request.len - head / 2, &written) == 1,
              "the rest written");
        carry_out(&carried);
        read_answer(carried_read_some, &carried);
        free(request.at);
    }
    SSL_shutdown(carried.ssl);
    carry_out(&carried);
    SSL_free(carried.ssl);
    close(carried.fd);
    SSL_CTX_free(ctx);
}

/* One SSL for one connection after another, by SSL_clear. The first ends with half a head. */
static void clear_and_reuse(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = SSL_new(ctx);
    struct bytes half = load(arguments[2]);
    handshake(ssl, arguments[0], tcp_connect(arguments[0], arguments[1], 0));
    check(SSL_write(ssl, half.at, (int)head_of(half) / 2) > 0, "half a head written");
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        int fd = SSL_get_fd(ssl);
        SSL_shutdown(ssl);
        check(SSL_clear(ssl) == 1, "SSL_clear");
        close(fd);
        handshake(ssl, arguments[0], tcp_connect(arguments[0], arguments[1], 0));
        check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "all of it written");
        ssl_answer(ssl);
        free(request.at);
    }
    free(half.at);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

/* Freed and made anew until the same address comes back; each first one dies in the middle of a body that promised more. */
static void free_and_reuse(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    SSL_CTX *ctx = new_context();
    struct bytes request = load(arguments[2]);
    int same = 0;
    for (int i = 0; i < 5; i++) {
        SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
        SSL *before = ssl;
        check(SSL_write(ssl, unfinished, sizeof unfinished - 1) > 0, "an unfinished request written");
        close_ssl(ssl);
        ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
        same += ssl == before;
        check(SSL_write(ssl, request.at, (int)request.len) == (int)request.len, "all of it written");
        ssl_answer(ssl);
        close_ssl(ssl);
    }
    printf("seen the same address %d times\n", same);
    free(request.at);
    SSL_CTX_free(ctx);
}

/* SSL_free drops one of two references in the middle of a body; what follows is body still, however it looks. */
static void second_reference(char **arguments)
{
    SSL_CTX *ctx = new_context();
    SSL *ssl = open_ssl(ctx, arguments[0], arguments[1], 0);
    struct bytes request = load(arguments[2]);
    size_t head = head_of(request);
    SSL_up_ref(ssl);
    check(SSL_write(ssl, request.at, (int)head) == (int)head, "the head written");
    SSL_free(ssl);
    check(SSL_write(ssl, request.at + head, (int)(request.len - head)) > 0, "the body written");
    ssl_answer(ssl);
    free(request.at);
    close_ssl(ssl);
    SSL_CTX_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"whole", write_whole},
        {"ex", write_ex},
        {"bytes", write_bytes},
        {"pipelined", write_pipelined},
        {"retry", write_retry},
        {"moving", write_moving},
        {"partial", write_partial},
        {"partial-moving", write_partial_moving},
        {"implicit", implicit_handshake},
        {"implicit-halves", implicit_in_halves},
        {"implicit-refused", implicit_refused},
        {"implicit-body", implicit_with_body},
        {"memory", memory_bios},
        {"clear", clear_and_reuse},
        {"free", free_and_reuse},
        {"second-reference", second_reference},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
