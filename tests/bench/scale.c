/* One more thread, connection, descriptor or TLS handle costs what the first did, and leaves nothing behind.
 * `scale WHAT COUNT TIMES`: COUNT of them are there, and the calls in measured_*() are made TIMES times, for callgrind to
 * count. `scale WHAT COUNT rounds`: all of it three times over; what memory and descriptors there are after each, a line. */
#include "head.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char head[HEAD_LEN + 1];

static void must(int fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

__attribute__((noipa)) static void measured_send(int fd)
{
    must(send(fd, head, HEAD_LEN, 0) == HEAD_LEN, "send");
    __asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) static void measured_open_close(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && close(fd) == 0, "socket");
    __asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) static void measured_ssl_write(SSL *ssl)
{
    must(SSL_write(ssl, head, HEAD_LEN) == HEAD_LEN, "SSL_write");
    __asm__ volatile("" ::: "memory");
}

/* --- connections: nobody accepts them, since a listener's queue receives as well --------------------------------------- */

enum { QUEUE = 4000, CONNECTIONS_MAX = 10000 };

static int make_listener(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    must(listener >= 0 && bind(listener, (struct sockaddr *)address, len) == 0 && listen(listener, QUEUE) == 0 &&
             getsockname(listener, (struct sockaddr *)address, &len) == 0,
         "listen");
    return listener;
}

static int make_connection(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0, "connect");
    return fd;
}

static void use_connections(int count, int times)
{
    static int fds[CONNECTIONS_MAX], listeners[CONNECTIONS_MAX / QUEUE + 1];
    struct sockaddr_in address;
    for (int i = 0; i < count; i++) {
        if (i % QUEUE == 0)
            listeners[i / QUEUE] = make_listener(&address);
        fds[i] = make_connection(&address);
        must(send(fds[i], head, HEAD_LEN, 0) == HEAD_LEN, "send");
    }
    for (int i = 0; i < times; i++)
        measured_send(fds[(long)i * count / times]);
    for (int i = 0; i < count; i++)
        close(fds[i]);
    for (int i = 0; i * QUEUE < count; i++)
        close(listeners[i]);
}

/* --- threads ----------------------------------------------------------------------------------------------------------- */

static int sends_of_each;
static pthread_barrier_t all_are_there;

static void *run_thread(void *unused)
{
    char drain[8192];
    struct sockaddr_in address;
    int listener = make_listener(&address), client = make_connection(&address), server = accept(listener, NULL, NULL);
    must(server >= 0, "accept");
    pthread_barrier_wait(&all_are_there);
    for (int i = 0; i < sends_of_each; i++) {
        measured_send(client);
        while (recv(server, drain, sizeof drain, MSG_DONTWAIT) > 0)
            ;
    }
    pthread_barrier_wait(&all_are_there);
    close(client);
    close(server);
    close(listener);
    return unused;
}

static void use_threads(int count, int times)
{
    enum { THREADS_MAX = 64 };
    pthread_t threads[THREADS_MAX];
    sends_of_each = times;
    must(count <= THREADS_MAX && pthread_barrier_init(&all_are_there, NULL, (unsigned)count) == 0, "threads");
    for (int i = 0; i < count; i++)
        must(pthread_create(&threads[i], NULL, run_thread, NULL) == 0, "pthread_create");
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_are_there);
}

/* --- descriptors: so many opened and closed before, up to a thousand at once ------------------------------------------ */

static void use_descriptors(int count, int times)
{
    enum { AT_ONCE = 1000 };
    int fds[AT_ONCE];
    for (int done = 0; done < count; done += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++)
            must((fds[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0, "socket");
        for (int i = 0; i < AT_ONCE; i++)
            close(fds[i]);
    }
    for (int i = 0; i < times; i++)
        measured_open_close();
}

/* --- TLS handles: cheap handshakes with a shared key, in memory ------------------------------------------------------- */

enum { HANDLES_MAX = 1000 };
static const unsigned char key[16] = "0123456789abcdef";

static unsigned client_key(SSL *ssl, const char *hint, char *identity, unsigned identity_len, unsigned char *psk,
                           unsigned max)
{
    (void)ssl, (void)hint, (void)max;
    snprintf(identity, identity_len, "bench");
    memcpy(psk, key, sizeof key);
    return sizeof key;
}

static unsigned server_key(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
    (void)ssl, (void)identity, (void)max;
    memcpy(psk, key, sizeof key);
    return sizeof key;
}

static SSL *make_end(SSL_CTX *context, BIO *bio, int is_client)
{
    SSL *ssl = SSL_new(context);
    SSL_set_bio(ssl, bio, bio);
    if (is_client)
        SSL_set_connect_state(ssl);
    else
        SSL_set_accept_state(ssl);
    return ssl;
}

static void shake_hands(SSL *client, SSL *server)
{
    for (int i = 0; i < 10; i++)
        if (SSL_do_handshake(client) == 1 && SSL_do_handshake(server) == 1)
            return;
        else
            SSL_do_handshake(server);
    must(0, "handshake");
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    must(context && SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) &&
             SSL_CTX_set_cipher_list(context, "PSK-AES128-GCM-SHA256"),
         "SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_psk_client_callback(context, client_key);
    SSL_CTX_set_psk_server_callback(context, server_key);
    return context;
}

static void use_handles(int count, int times)
{
    static SSL *clients[HANDLES_MAX], *servers[HANDLES_MAX];
    char drain[4096];
    SSL_CTX *context = make_context();
    for (int i = 0; i < count; i++) {
        BIO *one, *other;
        must(BIO_new_bio_pair(&one, 0, &other, 0), "BIO_new_bio_pair");
        clients[i] = make_end(context, one, 1);
        servers[i] = make_end(context, other, 0);
        shake_hands(clients[i], servers[i]);
        must(SSL_write(clients[i], head, HEAD_LEN) == HEAD_LEN && SSL_read(servers[i], drain, sizeof drain) > 0,
             "SSL_write");
    }
    for (int i = 0; i < times; i++) {
        const int which = (int)((long)i * count / times);
        measured_ssl_write(clients[which]);
        must(SSL_read(servers[which], drain, sizeof drain) > 0, "SSL_read");
    }
    for (int i = 0; i < count; i++) {
        SSL_free(clients[i]);
        SSL_free(servers[i]);
    }
    SSL_CTX_free(context);
}

/* --- */

static void print_what_is_left(void)
{
    static char line[1024];
    long pages = 0, kilobytes;
    int descriptors = -1; /* the directory's own */
    FILE *smaps = fopen("/proc/self/smaps", "r");
    while (smaps && fgets(line, sizeof line, smaps))
        if (sscanf(line, "Anonymous: %ld kB", &kilobytes) == 1)
            pages += kilobytes;
    if (smaps)
        fclose(smaps);
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory))
        descriptors++;
    if (directory)
        closedir(directory);
    struct mallinfo2 heap = mallinfo2();
    printf("%zu %ld %d\n", heap.uordblks + heap.hblkhd, pages, descriptors);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*use)(int count, int times);
        const char *parameter;
    } all[] = {{"connections", use_connections, ""},
               {"connections-token", use_connections, "&jwt=" TOKEN},
               {"threads", use_threads, "&jwt=" TOKEN},
               {"descriptors", use_descriptors, ""},
               {"handles", use_handles, ""},
               {"handles-token", use_handles, "&jwt=" TOKEN}};
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (size_t i = 0; argc == 4 && i < sizeof all / sizeof *all; i++) {
        if (strcmp(argv[1], all[i].name) != 0)
            continue;
        make_head(head, all[i].parameter);
        if (strcmp(argv[3], "rounds") != 0) {
            all[i].use(atoi(argv[2]), atoi(argv[3]));
            return 0;
        }
        print_what_is_left(); /* once for what it takes itself */
        for (int round = 0; round < 3; round++) {
            all[i].use(atoi(argv[2]), 100);
            print_what_is_left();
        }
        return 0;
    }
    return 2;
}
