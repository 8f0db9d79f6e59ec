/* Streams over a socket in processes that fork, end or have many threads, and streams that are no business of anybody's:
 * files, pipes, terminals, memory. Nothing in here knows of the shim. */
#include "common.h"

#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 8, ROUNDS = 50 };

static char room[1 << 20]; /* of a stream's: libc heeds no size without it */

static FILE *stream_to_target(const char *mode)
{
    FILE *stream = fdopen(dial(), mode);
    need(stream, "fdopen");
    return stream;
}

static void put(FILE *stream, const char *at, size_t len)
{
    need(fwrite(at, 1, len, stream) == len, "fwrite");
}

static void wait_for_child(pid_t pid)
{
    int status = 0;
    need(pid > 0 && waitpid(pid, &status, 0) == pid, "wait");
    printf("the child: %d\n", status);
}

static void exit_unflushed(void)
{
    put(stream_to_target("w"), given[0].at, given[0].len);
}

/* Nothing runs after libc's last flush that could still send what is held. */
static void exit_half_unflushed(void)
{
    put(stream_to_target("w"), given[0].at, given[0].len / 2);
}

static void exit_half_flushed(void)
{
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len / 2);
    CALL(fflush(stream));
    put(stream, given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
}

static FILE *late;

static void write_late(void)
{
    put(late, given[0].at, given[0].len);
}

static void exit_handler_writes(void)
{
    late = stream_to_target("w");
    atexit(write_late);
}

/* The child has a copy of the buffer, and both flush it. */
static void fork_unflushed(void)
{
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len);
    pid_t pid = fork();
    if (pid == 0) {
        fflush(stream);
        _exit(0);
    }
    wait_for_child(pid);
    CALL(fclose(stream));
}

static void fork_in_the_middle(void)
{
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len / 2);
    CALL(fflush(stream));
    pid_t pid = fork();
    if (pid == 0) {
        put(stream, given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
        fclose(stream);
        _exit(0);
    }
    wait_for_child(pid);
    CALL(fclose(stream));
}

static void vfork_and_exec(void)
{
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len / 2);
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    wait_for_child(pid);
    put(stream, given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
    CALL(fclose(stream));
}

/* A process that has inherited its connection: what a child does before it becomes another program, in the same memory, is
 * the first that anybody sees of that. */
static void vfork_child_duplicates(void)
{
    if (!getenv("CONNECTION")) {
        char number[16];
        snprintf(number, sizeof number, "%d", dial());
        setenv("CONNECTION", number, 1);
        execl("/proc/self/exe", "lives", "vfork-child-duplicates", "no target", given_path[0], (char *)NULL);
    }
    int fd = atoi(getenv("CONNECTION"));
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(fd, 100);
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    wait_for_child(pid);
    write_all(fd, given[0].at, given[0].len / 2);
    CALL(close(fd));
}

static void popen_in_the_middle(void)
{
    FILE *stream = stream_to_target("w");
    char line[64];
    FILE *pipe = popen("echo from a pipe", "r");
    put(stream, given[0].at, given[0].len / 2);
    need(pipe && fgets(line, sizeof line, pipe), "read the pipe");
    printf("%s", line);
    CALL(pclose(pipe));
    put(stream, given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
    CALL(fclose(stream));
}

static FILE *shared;

static void *print_requests(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        need(fprintf(shared, given[0].at, 'a' + (int)(intptr_t)arg, i) > 0, "fprintf");
    return NULL;
}

static void run_threads(void *(*run)(void *arg))
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        need(pthread_create(&threads[i], NULL, run, (void *)i) == 0, "pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void threads_on_one_stream(void)
{
    shared = stream_to_target("w");
    setvbuf(shared, room, _IOFBF, sizeof room);
    run_threads(print_requests);
    CALL(fclose(shared));
}

static void threads_on_one_unbuffered_stream(void)
{
    shared = stream_to_target("w");
    setvbuf(shared, NULL, _IONBF, 0);
    run_threads(print_requests);
    CALL(fclose(shared));
}

static pthread_barrier_t barrier;

static void *print_on_own(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&barrier);
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len);
    need(fclose(stream) == 0, "fclose");
    return NULL;
}

/* All of them make the process's first connection. */
static void threads_on_their_own(void)
{
    pthread_barrier_init(&barrier, NULL, THREADS);
    run_threads(print_on_own);
}

/* While other threads write to files by the very table that changes. */
static void *print_to_file(void *arg)
{
    FILE *file = tmpfile();
    (void)arg;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 20000; i++)
        need(fprintf(file, "%d\n", i) > 0 && (i % 7 || fflush(file) == 0), "print to the file");
    need(ftell(file) == 108890, "find the file as long as it was written");
    fclose(file);
    return NULL;
}

static void first_socket_while_others_print(void)
{
    pthread_t threads[4];
    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 4; i++)
        need(pthread_create(&threads[i], NULL, print_to_file, NULL) == 0, "pthread_create");
    print_on_own(NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static sigjmp_buf back;

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

/* A read of stdio's is left by a jump out of a handler; the connection goes on. */
static void jump_out_of_a_read(void)
{
    int fd = dial();
    FILE *out = fdopen(fd, "w");
    put(out, given[0].at, given[0].len);
    CALL(fflush(out));
    signal(SIGALRM, jump);
    if (sigsetjmp(back, 1) == 0) {
        FILE *in = fdopen(dup(fd), "r");
        ualarm(50000, 0);
        getc(in);
        printf("an answer nobody sent\n");
    }
    put(out, given[1].at, given[1].len);
    CALL(fclose(out));
}

/* Every kind of stream, after the process has made a connection. */
static void say(const char *what, FILE *stream)
{
    errno = 77;
    int printed = fprintf(stream, "%s", given[0].at);
    int flushed = fflush(stream);
    int error = errno;
    printf("%s: printed %d, flushed %d, errno %d, error %d, at %ld\n", what, printed, flushed, error,
           ferror(stream) != 0, ftell(stream));
}

static void innocents(void)
{
    char got[4096];
    char *memory = NULL;
    size_t len = 0;
    int ends[2], master, terminal;
    FILE *unused = stream_to_target("w");

    FILE *file = fopen(scratch_path(), "w+");
    say("a file", file);
    rewind(file);
    compare("the file", got, fread(got, 1, sizeof got, file), given[0].at, given[0].len);
    CALL(fseek(file, 5, SEEK_SET));
    CALL(getc(file));
    CALL(fseek(file, 0, SEEK_CUR));
    say("a file, further on", file);
    CALL(fclose(file));
    file = fopen(scratch_path(), "a");
    say("a file's end", file);
    CALL(fclose(file));
    file = fopen("/dev/full", "w");
    say("a full device", file);
    CALL(fclose(file));
    file = tmpfile();
    say("a file without a name", file);
    CALL(fclose(file));

    need(pipe(ends) == 0, "pipe");
    FILE *stream = fdopen(ends[1], "w");
    say("a pipe", stream);
    CALL(fclose(stream));
    compare("the pipe", got, (size_t)read(ends[0], got, sizeof got), given[0].at, given[0].len);
    close(ends[0]);

    need(openpty(&master, &terminal, NULL, NULL, NULL) == 0, "openpty");
    stream = fdopen(terminal, "r+");
    say("a terminal", stream);
    CALL(fclose(stream));

    stream = open_memstream(&memory, &len);
    say("memory", stream);
    fclose(stream);
    compare("the memory", memory, len, given[0].at, given[0].len);
    free(memory);
    stream = popen("cat > /dev/null", "w");
    say("a program", stream);
    CALL(pclose(stream));
    CALL(fclose(unused));
}

const struct scenario scenarios[] = {
    {"exit-unflushed", exit_unflushed},
    {"exit-half-unflushed", exit_half_unflushed},
    {"exit-half-flushed", exit_half_flushed},
    {"exit-handler-writes", exit_handler_writes},
    {"fork-unflushed", fork_unflushed},
    {"fork-in-the-middle", fork_in_the_middle},
    {"vfork-and-exec", vfork_and_exec},
    {"vfork-child-duplicates", vfork_child_duplicates},
    {"popen-in-the-middle", popen_in_the_middle},
    {"threads-on-one-stream", threads_on_one_stream},
    {"threads-on-one-unbuffered-stream", threads_on_one_unbuffered_stream},
    {"threads-on-their-own", threads_on_their_own},
    {"first-socket-while-others-print", first_socket_while_others_print},
    {"jump-out-of-a-read", jump_out_of_a_read},
    {"innocents", innocents},
    {NULL, NULL},
};
