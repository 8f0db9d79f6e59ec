/* NSPR's writes: on a plain TCP descriptor, on one with NSS's TLS layered over it, and on a file. */
#include "common.h"

#include <nspr.h>
#include <nss.h>
#include <ssl.h>

static bool over_tls;

/* NSS has no use for a PEM file without a module of its own; who the peer is, other programs here verify. */
static SECStatus accept_certificate(void *arg, PRFileDesc *fd, PRBool check_signature, PRBool is_server)
{
    (void)arg, (void)fd, (void)check_signature, (void)is_server;
    return SECSuccess;
}

static PRFileDesc *open_fd(char **arguments)
{
    PRNetAddr address;
    PRFileDesc *fd = PR_NewTCPSocket();
    PR_InitializeNetAddr(PR_IpAddrLoopback, (PRUint16)atoi(arguments[1]), &address);
    if (over_tls) {
        fd = SSL_ImportFD(NULL, fd);
        check(fd && SSL_AuthCertificateHook(fd, accept_certificate, NULL) == SECSuccess, "a TLS layer");
        SSL_SetURL(fd, arguments[0]);
    }
    check(PR_Connect(fd, &address, PR_SecondsToInterval(20)) == PR_SUCCESS, "PR_Connect");
    if (over_tls)
        check(SSL_ResetHandshake(fd, PR_FALSE) == SECSuccess && SSL_ForceHandshake(fd) == SECSuccess, "a handshake");
    return fd;
}

static long read_some(void *ctx, char *buf, size_t len)
{
    return PR_Recv(ctx, buf, (PRInt32)len, 0, PR_SecondsToInterval(20));
}

typedef void write_fn(PRFileDesc *fd, struct bytes request);

static void requests(char **arguments, write_fn *write_request)
{
    PRFileDesc *fd = open_fd(arguments);
    for (char **path = arguments + 2; *path; path++) {
        struct bytes request = load(*path);
        write_request(fd, request);
        read_answer(read_some, fd);
        free(request.at);
    }
    PR_Close(fd);
}

static void by_write(PRFileDesc *fd, struct bytes request)
{
    check(PR_Write(fd, request.at, (PRInt32)request.len) == (PRInt32)request.len, "PR_Write");
}

static void by_send(PRFileDesc *fd, struct bytes request)
{
    PRInt32 head = (PRInt32)head_of(request), body = (PRInt32)request.len - head;
    check(PR_Send(fd, request.at, head, 0, PR_INTERVAL_NO_TIMEOUT) == head, "PR_Send of a head");
    if (body)
        check(PR_Send(fd, request.at + head, body, 0, PR_INTERVAL_NO_TIMEOUT) == body, "PR_Send of a body");
}

/* Sixteen pieces, the first of them empty. */
static void by_writev(PRFileDesc *fd, struct bytes request)
{
    PRIOVec pieces[PR_MAX_IOVECTOR_SIZE];
    size_t done = 0, step = request.len / (PR_MAX_IOVECTOR_SIZE - 1);
    for (int i = 0; i < PR_MAX_IOVECTOR_SIZE; i++) {
        size_t len = i == 0 ? 0 : i == PR_MAX_IOVECTOR_SIZE - 1 ? request.len - done : step;
        pieces[i] = (PRIOVec){request.at + done, (int)len};
        done += len;
    }
    PRInt32 written = PR_Writev(fd, pieces, PR_MAX_IOVECTOR_SIZE, PR_INTERVAL_NO_TIMEOUT);
    check(written == (PRInt32)request.len, "PR_Writev");
}

static void by_bytes(PRFileDesc *fd, struct bytes request)
{
    for (size_t i = 0; i < request.len; i++)
        check(PR_Write(fd, request.at + i, 1) == 1, "PR_Write of a byte");
}

static void scenario_write(char **arguments)
{
    requests(arguments, by_write);
}

static void scenario_send(char **arguments)
{
    requests(arguments, by_send);
}

static void scenario_writev(char **arguments)
{
    requests(arguments, by_writev);
}

static void scenario_bytes(char **arguments)
{
    requests(arguments, by_bytes);
}

/* A descriptor of each kind after the other: text in a file and a pipe is no request, and an address may come back. */
static void scenario_file(char **arguments)
{
    struct bytes request = load(arguments[2]);
    static char back[1 << 16];
    PRFileDesc *pipe_ends[2], *before = NULL;
    int same = 0;
    for (int i = 0; i < 10; i++) {
        char name[] = "nspr-file-XXXXXX";
        close(mkstemp(name));
        PRFileDesc *file = PR_Open(name, PR_RDWR | PR_TRUNCATE, 0600);
        same += file == before;
        PRInt32 half = (PRInt32)head_of(request) / 2;
        check(PR_Write(file, request.at, half) == half, "half into a file");
        check(PR_Write(file, request.at + half, (PRInt32)request.len - half) == (PRInt32)request.len - half,
              "the rest");
        PRIOVec piece = {request.at, (int)request.len};
        PR_Writev(file, &piece, 1, PR_INTERVAL_NO_TIMEOUT);
        PR_Seek(file, 0, PR_SEEK_SET);
        PRInt32 len = PR_Read(file, back, sizeof back);
        printf("file: %s\n",
               len >= (PRInt32)request.len && memcmp(back, request.at, request.len) == 0 ? "as it was" : "changed");
        PR_Close(file);
        PR_Delete(name);
        check(PR_CreatePipe(&pipe_ends[0], &pipe_ends[1]) == PR_SUCCESS, "a pipe");
        PR_Write(pipe_ends[1], request.at, (PRInt32)request.len);
        PR_Close(pipe_ends[1]);
        len = PR_Read(pipe_ends[0], back, sizeof back);
        printf("pipe: %s\n",
               len == (PRInt32)request.len && memcmp(back, request.at, request.len) == 0 ? "as it was" : "changed");
        PR_Close(pipe_ends[0]);
        PRFileDesc *fd = open_fd(arguments);
        by_write(fd, request);
        read_answer(read_some, fd);
        before = fd;
        PR_Close(fd);
    }
    printf("seen the same address %d times\n", same);
    free(request.at);
}

static void scenario_reuse(char **arguments)
{
    static const char unfinished[] =
        "POST /unfinished HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 99\r\n\r\nmore";
    struct bytes request = load(arguments[2]);
    int same = 0;
    for (int i = 0; i < 10; i++) {
        PRFileDesc *fd = open_fd(arguments), *before = fd;
        PR_Write(fd, unfinished, sizeof unfinished - 1);
        PR_Close(fd);
        fd = open_fd(arguments);
        same += fd == before;
        by_write(fd, request);
        read_answer(read_some, fd);
        PR_Close(fd);
    }
    printf("%s\n", same ? "an address came back" : "no address came back");
    free(request.at);
}

static PRFileDesc *write_half(char **arguments, struct bytes *request)
{
    PRFileDesc *fd = open_fd(arguments);
    *request = load(arguments[2]);
    PRInt32 half = (PRInt32)head_of(*request) / 2;
    check(PR_Write(fd, request->at, half) == half, "half a head");
    return fd;
}

static void scenario_shutdown(char **arguments)
{
    struct bytes request;
    PR_Shutdown(write_half(arguments, &request), PR_SHUTDOWN_SEND);
    end_at_once();
}

static void scenario_close(char **arguments)
{
    struct bytes request;
    PR_Close(write_half(arguments, &request));
    end_at_once();
}

static void read_of_half(char **arguments, PRIntervalTime patience)
{
    struct bytes request;
    PRFileDesc *fd = write_half(arguments, &request);
    char byte;
    check(PR_Recv(fd, &byte, 1, 0, patience) < 0, "no answer to half a head");
    size_t half = head_of(request) / 2;
    check(PR_Write(fd, request.at + half, (PRInt32)(request.len - half)) == (PRInt32)(request.len - half), "the rest");
    read_answer(read_some, fd);
    free(request.at);
    PR_Close(fd);
}

static void scenario_blocking_read(char **arguments)
{
    read_of_half(arguments, PR_MillisecondsToInterval(50));
}

static void scenario_no_wait_read(char **arguments)
{
    read_of_half(arguments, PR_INTERVAL_NO_WAIT);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"write", scenario_write},
        {"send", scenario_send},
        {"writev", scenario_writev},
        {"bytes", scenario_bytes},
        {"file", scenario_file},
        {"reuse", scenario_reuse},
        {"shutdown", scenario_shutdown},
        {"close", scenario_close},
        {"blocking-read", scenario_blocking_read},
        {"no-wait-read", scenario_no_wait_read},
        {NULL, NULL},
    };
    over_tls = getenv("PLAIN") == NULL;
    PR_Init(PR_USER_THREAD, PR_PRIORITY_NORMAL, 0);
    if (over_tls)
        check(NSS_NoDB_Init(NULL) == SECSuccess && NSS_SetDomesticPolicy() == SECSuccess, "NSS");
    int result = run_scenario(scenarios, argc, argv);
    if (over_tls) {
        SSL_ClearSessionCache();
        NSS_Shutdown();
    }
    return result;
}
