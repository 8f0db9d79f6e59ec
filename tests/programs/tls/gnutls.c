/* GnuTLS's ways to send: whole, with a range, under a cork, refused and resumed, from a file. */
#include "common.h"

#include <dlfcn.h>
#include <gnutls/gnutls.h>
#include <sys/time.h>

static gnutls_certificate_credentials_t credentials;

static gnutls_session_t open_session(char **arguments, int buffer)
{
    gnutls_session_t session;
    if (!credentials) {
        check(gnutls_certificate_allocate_credentials(&credentials) == 0, "credentials");
        check(gnutls_certificate_set_x509_trust_file(credentials, getenv("CA"), GNUTLS_X509_FMT_PEM) == 1,
              "the CA's file");
    }
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, arguments[0], strlen(arguments[0]));
    gnutls_session_set_verify_cert(session, arguments[0], 0);
    int fd = tcp_connect(arguments[0], arguments[1], buffer);
    gnutls_transport_set_int(session, fd); /* a macro, which evaluates its argument twice */
    check(gnutls_handshake(session) == 0, "a verified handshake");
    return session;
}

static void close_session(gnutls_session_t session)
{
    int fd = gnutls_transport_get_int(session);
    gnutls_bye(session, GNUTLS_SHUT_WR);
    gnutls_deinit(session);
    close(fd);
}

static long read_some(void *ctx, char *buf, size_t len)
{
    ssize_t got;
    while ((got = gnutls_record_recv(ctx, buf, len)) == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
        wait_for(gnutls_transport_get_int(ctx), POLLIN);
    return got;
}

typedef void send_fn(gnutls_session_t session, struct bytes request, const char *path);

static void requests(char **arguments, send_fn *send_request, int buffer)
{
    gnutls_session_t session = open_session(arguments, buffer);
    if (buffer)
        set_blocking(gnutls_transport_get_int(session), false);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        send_request(session, request, *path);
        read_answer(read_some, session);
        free(request.at);
    }
    close_session(session);
    gnutls_certificate_free_credentials(credentials);
}

static void send_all(gnutls_session_t session, const char *at, size_t len)
{
    while (len) {
        ssize_t sent = gnutls_record_send(session, at, len);
        check(sent > 0, "gnutls_record_send");
        at += sent;
        len -= (size_t)sent;
    }
}

static void whole(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    send_all(session, request.at, request.len);
}

static void head_and_body(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    size_t head = head_of(request);
    check(gnutls_record_send2(session, request.at, head, 0, 0) == (ssize_t)head, "gnutls_record_send2 of a head");
    for (size_t done = head; done < request.len;) {
        ssize_t sent = gnutls_record_send2(session, request.at + done, request.len - done, 0, 0);
        check(sent > 0, "gnutls_record_send2 of a body");
        done += (size_t)sent;
    }
}

static void in_bytes(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    for (size_t i = 0; i < request.len; i++)
        check(gnutls_record_send(session, request.at + i, 1) == 1, "a byte sent");
}

static void ranged(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    size_t head = head_of(request);
    gnutls_range_st range = {head, head + 100};
    check(gnutls_record_send_range(session, request.at, head, &range) == (ssize_t)head,
          "gnutls_record_send_range of a head");
    if (request.len > head) {
        size_t body = request.len - head;
        gnutls_range_st exact = {body, body};
        check(gnutls_record_send_range(session, request.at + head, body, &exact) == (ssize_t)body, "of a body");
    }
}

static void corked(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    size_t head = head_of(request);
    gnutls_record_cork(session);
    send_all(session, request.at, head / 3);
    send_all(session, request.at + head / 3, head - head / 3);
    send_all(session, request.at + head, request.len - head);
    check(gnutls_record_uncork(session, GNUTLS_RECORD_WAIT) >= 0, "gnutls_record_uncork");
}

/* A cork that nothing was sent under comes first; the head is half under one, half behind it. */
static void half_corked(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    size_t half = head_of(request) / 2;
    gnutls_record_cork(session);
    gnutls_record_uncork(session, 0);
    gnutls_record_cork(session);
    send_all(session, request.at, half);
    check(gnutls_record_uncork(session, GNUTLS_RECORD_WAIT) >= 0, "gnutls_record_uncork");
    send_all(session, request.at + half, request.len - half);
}

static int refused;

static void send_refused(gnutls_session_t session, struct bytes request, bool with_data)
{
    for (size_t done = 0; done < request.len;) {
        ssize_t sent = gnutls_record_send(session, request.at + done, request.len - done);
        while (sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED) {
            refused++;
            wait_for(gnutls_transport_get_int(session), POLLOUT);
            sent = with_data ? gnutls_record_send(session, request.at + done, request.len - done)
                             : gnutls_record_send(session, NULL, 0);
        }
        check(sent > 0, "nothing but GNUTLS_E_AGAIN");
        done += (size_t)sent;
    }
}

static void again_with_data(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    send_refused(session, request, true);
}

static void again_without_data(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    send_refused(session, request, false);
}

/* Under a cork all is taken; uncork is what is refused, and repeated. */
static void again_corked(gnutls_session_t session, struct bytes request, const char *path)
{
    (void)path;
    int left;
    gnutls_record_cork(session);
    send_all(session, request.at, request.len);
    while ((left = gnutls_record_uncork(session, 0)) == GNUTLS_E_AGAIN || left == GNUTLS_E_INTERRUPTED || left > 0) {
        refused++;
        wait_for(gnutls_transport_get_int(session), POLLOUT);
        if (left > 0)
            break;
    }
    check(left >= 0, "gnutls_record_uncork");
}

static void from_file(gnutls_session_t session, struct bytes request, const char *path)
{
    ssize_t (*send_file)(gnutls_session_t, int, off_t *, size_t) =
        (ssize_t(*)(gnutls_session_t, int, off_t *, size_t))dlsym(RTLD_DEFAULT, "gnutls_record_send_file");
    if (!send_file) {
        printf("skipped: this libgnutls has no gnutls_record_send_file\n");
        exit(0);
    }
    size_t head = head_of(request);
    off_t offset = (off_t)head;
    int file = open(path, O_RDONLY);
    send_all(session, request.at, head);
    while (offset < (off_t)request.len)
        check(send_file(session, file, &offset, request.len - (size_t)offset) > 0, "gnutls_record_send_file");
    close(file);
}

static void scenario_send(char **arguments)
{
    requests(arguments, whole, 0);
}

static void scenario_send2(char **arguments)
{
    requests(arguments, head_and_body, 0);
}

static void scenario_bytes(char **arguments)
{
    requests(arguments, in_bytes, 0);
}

static void scenario_range(char **arguments)
{
    requests(arguments, ranged, 0);
}

static void scenario_cork(char **arguments)
{
    requests(arguments, corked, 0);
}

static void scenario_half_cork(char **arguments)
{
    requests(arguments, half_corked, 0);
}

static void scenario_file(char **arguments)
{
    requests(arguments, from_file, 0);
}

static void say_refused(void)
{
    printf("%s\nseen refused %d\n", refused ? "was refused" : "was never refused", refused);
}

static void scenario_again(char **arguments)
{
    requests(arguments, again_with_data, 4096);
    say_refused();
}

static void scenario_again_null(char **arguments)
{
    requests(arguments, again_without_data, 4096);
    say_refused();
}

static void scenario_again_cork(char **arguments)
{
    requests(arguments, again_corked, 4096);
    say_refused();
}

/* Half a head, then what must let it out. */
static gnutls_session_t half_sent(char **arguments, struct bytes *request)
{
    gnutls_session_t session = open_session(arguments, 0);
    *request = load(arguments[2]);
    send_all(session, request->at, head_of(*request) / 2);
    return session;
}

static void scenario_bye(char **arguments)
{
    struct bytes request;
    gnutls_bye(half_sent(arguments, &request), GNUTLS_SHUT_WR);
    end_at_once();
}

/* Without gnutls_bye, what was sent is on its way all the same. */
static void scenario_deinit_half(char **arguments)
{
    struct bytes request;
    gnutls_deinit(half_sent(arguments, &request));
    end_at_once();
}

static ssize_t private_push(gnutls_transport_ptr_t page, const void *at, size_t len)
{
    return send(*(int *)page, at, len, 0);
}

static ssize_t private_pull(gnutls_transport_ptr_t page, void *at, size_t len)
{
    return recv(*(int *)page, at, len, 0);
}

/* A transport of the program's own is gone before the session is. */
static void scenario_vanished_deinit(char **arguments)
{
    struct bytes request = load(arguments[2]);
    gnutls_session_t session = open_session(arguments, 0);
    int *page = page_with(gnutls_transport_get_int(session));
    gnutls_transport_set_ptr(session, page);
    gnutls_transport_set_push_function(session, private_push);
    gnutls_transport_set_pull_function(session, private_pull);
    send_all(session, request.at, head_of(request) / 2);
    vanish(page);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
}

static void read_of_half(char **arguments, bool blocking)
{
    struct bytes request;
    gnutls_session_t session = half_sent(arguments, &request);
    struct timeval limit = {.tv_usec = 50000};
    int fd = gnutls_transport_get_int(session);
    char byte;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    set_blocking(fd, blocking);
    check(gnutls_record_recv(session, &byte, 1) == GNUTLS_E_AGAIN, "no answer to half a head");
    set_blocking(fd, true);
    limit.tv_sec = 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    send_all(session, request.at + head_of(request) / 2, request.len - head_of(request) / 2);
    read_answer(read_some, session);
    free(request.at);
    close_session(session);
    gnutls_certificate_free_credentials(credentials);
}

static void scenario_blocking_read(char **arguments)
{
    read_of_half(arguments, true);
}

static void scenario_nonblocking_read(char **arguments)
{
    read_of_half(arguments, false);
}

/* Each first session dies owing a body; the next one may have its address. */
static void scenario_deinit(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    struct bytes request = load(arguments[2]);
    int same = 0;
    for (int i = 0; i < 10; i++) {
        gnutls_session_t session = open_session(arguments, 0), before = session;
        send_all(session, unfinished, sizeof unfinished - 1);
        close_session(session);
        session = open_session(arguments, 0);
        same += session == before;
        send_all(session, request.at, request.len);
        read_answer(read_some, session);
        close_session(session);
    }
    printf("seen the same address %d times\n", same);
    free(request.at);
    gnutls_certificate_free_credentials(credentials);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"send", scenario_send},
        {"send2", scenario_send2},
        {"bytes", scenario_bytes},
        {"range", scenario_range},
        {"cork", scenario_cork},
        {"half-cork", scenario_half_cork},
        {"again", scenario_again},
        {"again-null", scenario_again_null},
        {"again-cork", scenario_again_cork},
        {"file", scenario_file},
        {"bye", scenario_bye},
        {"deinit-half", scenario_deinit_half},
        {"vanished-deinit", scenario_vanished_deinit},
        {"blocking-read", scenario_blocking_read},
        {"nonblocking-read", scenario_nonblocking_read},
        {"deinit", scenario_deinit},
        {NULL, NULL},
    };
    return run_scenario(scenarios, argc, argv);
}
