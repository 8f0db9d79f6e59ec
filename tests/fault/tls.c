/* Control that leaves a library's TLS write by another way than its return, or enters it twice: cancellation, new processes, ends,
 * signals and stops, each in the middle of a request. Nothing here knows of the shim or decides whether what arrived is right.
 * Arguments: SCENARIO HOST PORT TARGET FILE… */
#include "tls_scenarios.h"

#include <stdatomic.h>

const char *host, *port;
struct bytes given[2];

struct tls dial(void)
{
    return tls_open(host, port, 0);
}

void tell(const char *what, long number)
{
    printf("%s: %ld\n", what, number);
}

void tell_descriptors(void)
{
    tell("descriptors more than at the start", open_descriptors_more());
}

void request_on_its_own(struct bytes request)
{
    struct tls tls = dial();
    tls_write(&tls, request.at, request.len);
    tls_close(&tls);
}

static pthread_t writers[WRITERS];
pthread_barrier_t barrier;
static _Atomic bool stop;
size_t piece;
struct bytes *written = &given[0];

static void *write_requests(void *unused)
{
    (void)unused;
    struct tls tls = dial();
    pthread_barrier_wait(&barrier);
    do {
        for (size_t at = 0, len; at < written->len; at += len) {
            len = piece && piece < written->len - at ? piece : written->len - at;
            tls_write(&tls, written->at + at, len);
        }
        usleep(50); /* the peer must not drown */
    } while (!stop);
    tls_close(&tls);
    return NULL;
}

void start_writers(int count)
{
    check(pthread_barrier_init(&barrier, NULL, (unsigned)count + 1) == 0, "barrier");
    for (int i = 0; i < count; i++)
        check(pthread_create(&writers[i], NULL, write_requests, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&barrier);
}

void join_writers(int count)
{
    stop = true;
    for (int i = 0; i < count; i++)
        check(pthread_join(writers[i], NULL) == 0, "pthread_join");
}

bool sleeps(pid_t process, pid_t thread)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", process, thread);
    int fd = open(path, O_RDONLY);
    check(fd >= 0 && read(fd, text, sizeof text - 1) > 0, "read a thread's state");
    close(fd);
    const char *state = strrchr(text, ')');
    return state && state[2] == 'S';
}

int main(int argc, char **argv)
{
    const struct scenario *const kinds[] = {cancellations, processes, signals};
    struct scenario all[32] = {{NULL, NULL}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (const struct scenario *scenario = kinds[i]; scenario->name; scenario++)
            all[count++] = *scenario;
    check(argc >= 6, "SCENARIO HOST PORT TARGET FILE…");
    host = argv[2];
    port = argv[3];
    for (int i = 5; i < argc && i < 7; i++)
        given[i - 5] = load(argv[i]);
    tls_start();
    return run_scenario(all, argc, argv);
}
