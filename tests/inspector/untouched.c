/* A program that sends requests over plain sockets and looks at what loading the inspector might have left behind, or broken.
 * It has a malloc of its own, as programs with jemalloc have, and a SHA256_Init; built with -DCLASH also a json_object_get.
 *
 *     untouched SCENARIO TARGET [TARGET]      prints "ok" if all is well */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *targets[2];
static _Atomic(unsigned) counted;

void *__libc_malloc(size_t size);
void *malloc(size_t size)
{
    counted++;
    return __libc_malloc(size);
}

/* As a program that has OpenSSL inside it. */
int SHA256_Init(void *context);
int SHA256_Init(void *context)
{
    (void)context;
    fputs("the program's own SHA256_Init was called\n", stderr);
    abort();
}

#ifdef CLASH
void *json_object_get(void);
void *json_object_get(void)
{
    fputs("the program's own json_object_get was called\n", stderr);
    abort();
}
#endif

static int fail(const char *what)
{
    printf("not ok: %s\n", what);
    return 1;
}

static int connected(void)
{
    struct sockaddr_in site = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&site, sizeof site) == 0 ? fd : -1;
}

static size_t request(char *text, size_t size, const char *target)
{
    return (size_t)snprintf(text, size, "GET %s HTTP/1.1\r\nHost: site.atlassian.net\r\nConnection: close\r\n\r\n", target);
}

/* Sends one request and reads its answer to the end. True for a 200. */
static int ask(const char *target)
{
    static __thread char text[4096];
    size_t len = request(text, sizeof text, target);
    int fd = connected();
    if (fd < 0 || send(fd, text, len, 0) != (ssize_t)len)
        return 0;
    ssize_t got = recv(fd, text, sizeof text, 0);
    int good = got > 12 && memcmp(text, "HTTP/1.1 200", 12) == 0;
    while (recv(fd, text, sizeof text, 0) > 0)
        continue;
    close(fd);
    return good;
}

static int state(void)
{
    char text[4096];
    size_t len = request(text, sizeof text, targets[0]);
    ask("/rest/api/3/myself"); /* so that what a hook looks up at first is found by now */
    int fd = connected();
    ERR_raise(ERR_LIB_USER, 42);
    unsigned long error = ERR_peek_error();
    dlerror();
    errno = 4242;
    if (send(fd, text, len, 0) != (ssize_t)len || errno != 4242)
        return fail("errno");
    if (dlerror())
        return fail("dlerror");
    if (ERR_get_error() != error || ERR_get_error() != 0)
        return fail("the error queue");
    return recv(fd, text, sizeof text, 0) > 12 && !memcmp(text, "HTTP/1.1 200", 12) ? 0 : fail("the answer");
}

static int mask(void)
{
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!ask(targets[0]))
        return fail("the answer");
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int signal = 1; signal < 64; signal++)
        if (sigismember(&after, signal) != (signal == SIGUSR2))
            return fail("the mask");
    return 0;
}

static void *asking(void *target)
{
    return ask(target) ? target : NULL;
}

static int small_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    void *good;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 48 * 1024);
    if (pthread_create(&thread, &attributes, asking, (void *)targets[0]) != 0 || pthread_join(thread, &good) != 0)
        return fail("the thread");
    return good ? 0 : fail("the answer");
}

/* No more is on the stack here than a descriptor and what send() itself needs. */
static char prepared[4096];
static size_t prepared_len;
static int prepared_fd;

static void send_prepared(int signal)
{
    (void)signal;
    if (send(prepared_fd, prepared, prepared_len, 0) != (ssize_t)prepared_len)
        abort();
}

static void *sending(void *nothing)
{
    send_prepared(0);
    return nothing;
}

static int answer_comes(void)
{
    char text[512];
    return recv(prepared_fd, text, sizeof text, 0) > 12 && !memcmp(text, "HTTP/1.1 200", 12) ? 0 : fail("the answer");
}

static void prepare(void)
{
    prepared_fd = connected();
    prepared_len = request(prepared, sizeof prepared, targets[0]);
}

static int least_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    prepare();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
    if (pthread_create(&thread, &attributes, sending, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return fail("the thread");
    return answer_comes();
}

static int handler_stack(void)
{
    const size_t page = 4096, size = ((size_t)sysconf(_SC_MINSIGSTKSZ) + 12 * 1024) / page * page;
    char *at = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const stack_t stack = {.ss_sp = at + page, .ss_size = size};
    const struct sigaction action = {.sa_handler = send_prepared, .sa_flags = SA_ONSTACK};
    prepare();
    if (mprotect(at, page, PROT_NONE) != 0 || sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
        return fail("the stack");
    raise(SIGUSR1);
    return answer_comes();
}

/* As a handler may that interrupted malloc(). */
static int event_alone(void)
{
    unsigned before = 0;
    for (int i = 0; i < 2; i++) {
        prepared_fd = connected();
        prepared_len = request(prepared, sizeof prepared, "/rest/api/3/myself?jwt=none");
        before = counted;
        send_prepared(0);
    }
    return counted == before ? 0 : fail("an allocation");
}

static pthread_barrier_t barrier;
static void *asking_at_once(void *target)
{
    pthread_barrier_wait(&barrier);
    return asking(target);
}

static int threads(void)
{
    enum { THREADS = 16 };
    pthread_t thread[THREADS];
    size_t answered = 0;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, asking_at_once, (void *)targets[i % 2]);
    for (size_t i = 0; i < THREADS; i++) {
        void *good;
        pthread_join(thread[i], &good);
        answered += good != NULL;
    }
    return answered == THREADS ? 0 : fail("an answer");
}

static int forked(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(!ask(targets[0]));
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : fail("the child");
}

/* What the program loads later is bound as if the inspector had never been. */
static int late_libraries(void)
{
    if (!ask(targets[0]))
        return fail("the answer");
    void *library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return fail("dlopen");
    void *(*make)(void) = (void *(*)(void))dlsym(library, "json_object");
    unsigned before = counted;
    if (!make || !make())
        return fail("json_object");
    return counted > before ? 0 : fail("whose malloc");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } scenarios[] = {{"state", state},
                     {"mask", mask},
                     {"small-stack", small_stack},
                     {"least-stack", least_stack},
                     {"handler-stack", handler_stack},
                     {"event-alone", event_alone},
                     {"threads", threads},
                     {"fork", forked},
                     {"late-libraries", late_libraries},
                     {"clash", mask}};
    if (argc < 4)
        return 2;
    targets[0] = argv[2];
    targets[1] = argv[3];
    alarm(30);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            int code = scenarios[i].run();
            if (code == 0)
                puts("ok");
            return code;
        }
    return 2;
}
