/* Programs that send requests by a FILE over a socket: each way of buffering, reading in between, and the ends of a stream.
 * Nothing in here knows of the shim. */
#include "common.h"

#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/time.h>
#include <wchar.h>

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

static void put_all(FILE *stream)
{
    for (size_t i = 0; i < 4; i++)
        if (given[i].at)
            put(stream, given[i].at, given[i].len);
}

static void put_first_half(FILE *stream)
{
    put(stream, given[0].at, given[0].len / 2);
}

static void put_second_half(FILE *stream)
{
    put(stream, given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
}

/* What the stream says of itself. */
static void tell(FILE *stream)
{
    printf("pending %zu, error %d, end %d\n", __fpending(stream), ferror(stream), feof(stream));
    CALL(ftell(stream));
}

static void flushed(void)
{
    FILE *stream = stream_to_target("w");
    put_all(stream);
    tell(stream);
    CALL(fflush(stream));
    tell(stream);
    CALL(fclose(stream));
}

static void closed_unflushed(void)
{
    FILE *stream = stream_to_target("w");
    put_all(stream);
    CALL(fclose(stream));
}

/* The number is another's afterwards, and what was known of it is not. */
static void closed_and_number_used_again(void)
{
    FILE *stream = stream_to_target("w");
    int fd = fileno(stream);
    put_all(stream);
    CALL(fclose(stream));
    int file = open(scratch_path(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    printf("the same number: %d\n", file == fd);
    FILE *scratch = fdopen(file, "w+");
    put_all(scratch);
    CALL(fflush(scratch));
    char got[4096];
    compare("the file", got, (size_t)pread(file, got, sizeof got, 0), given[0].at, given[0].len);
    fclose(scratch);
}

static void with_buffer(int mode, size_t size)
{
    FILE *stream = stream_to_target("w");
    need(setvbuf(stream, size ? room : NULL, mode, size) == 0, "setvbuf");
    for (size_t i = 0; i < 4 && given[i].at; i++)
        for (size_t at = 0; at < given[i].len;) {
            const char *line = given[i].at + at;
            const char *lf = memchr(line, '\n', given[i].len - at);
            size_t len = lf ? (size_t)(lf - line) + 1 : given[i].len - at;
            need(fprintf(stream, "%.*s", (int)len, line) == (int)len, "fprintf");
            at += len;
        }
    CALL(fflush(stream));
    tell(stream);
    CALL(fclose(stream));
}

static void line_buffered(void)
{
    with_buffer(_IOLBF, 4096);
}

static void unbuffered(void)
{
    with_buffer(_IONBF, 0);
}

static void tiny_buffer(void)
{
    with_buffer(_IOFBF, 16);
}

static void large_buffer(void)
{
    with_buffer(_IOFBF, 256 * 1024);
}

static void single_characters(void)
{
    FILE *stream = stream_to_target("w");
    setvbuf(stream, NULL, _IONBF, 0);
    for (size_t i = 0; i < given[0].len; i++)
        need(putc(given[0].at[i], stream) == (unsigned char)given[0].at[i], "putc");
    CALL(fclose(stream));
}

static void wide(void)
{
    FILE *stream = stream_to_target("w");
    CALL(fwide(stream, 1));
    for (size_t i = 0; i < given[0].len; i++)
        need(fputwc((wchar_t)given[0].at[i], stream) != WEOF, "fputwc");
    CALL(fflush(stream));
    need(fwprintf(stream, L"%.*s", (int)given[1].len, given[1].at) == (int)given[1].len, "fwprintf");
    CALL(fclose(stream));
}

static void unlocked(void)
{
    FILE *stream = stream_to_target("w");
    flockfile(stream);
    need(fwrite_unlocked(given[0].at, 1, given[0].len, stream) == given[0].len, "fwrite_unlocked");
    CALL(fflush_unlocked(stream));
    funlockfile(stream);
    CALL(fclose(stream));
}

/* One stream for both directions; the recorder answers with one byte. */
static void read_after_write(void)
{
    FILE *stream = stream_to_target("r+");
    put(stream, given[0].at, given[0].len);
    CALL(fflush(stream));
    CALL(getc(stream));
    tell(stream);
    CALL(fclose(stream));
}

/* The read itself flushes, and then waits for an answer to half a head. */
static void read_after_half(void)
{
    FILE *stream = stream_to_target("r+");
    put_first_half(stream);
    CALL(fflush(stream));
    CALL(getc(stream));
    write_all(fileno(stream), given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
    CALL(fclose(stream));
}

/* Two streams over two descriptors of one socket, as many programs have them. */
static void two_streams(void)
{
    int fd = dial();
    FILE *out = fdopen(fd, "w");
    FILE *in = fdopen(dup(fd), "r");
    put_first_half(out);
    CALL(fflush(out));
    put_second_half(out);
    CALL(fflush(out));
    CALL(getc(in));
    CALL(fclose(in));
    put(out, given[1].at, given[1].len);
    CALL(fclose(out));
}

static void non_blocking(FILE *stream)
{
    set_tiny_buffer(fileno(stream));
    set_nonblocking(fileno(stream));
}

/* What fwrite() says it took is taken; the rest is shown again. */
static void non_blocking_unbuffered(void)
{
    FILE *stream = stream_to_target("w");
    setvbuf(stream, NULL, _IONBF, 0);
    non_blocking(stream);
    bool refused = false;
    for (size_t done = 0; done < given[0].len;) {
        errno = 0;
        done += fwrite(given[0].at + done, 1, given[0].len - done, stream);
        if (done == given[0].len)
            break;
        if (!refused)
            printf("errno %s, error %d\n", strerrorname_np(errno), ferror(stream) != 0);
        if (!refused)
            go();
        refused = true;
        clearerr(stream);
        need(wait_for(fileno(stream), POLLOUT) == 1, "wait");
    }
    CALL(fclose(stream));
}

/* What a flush could not send is lost; what is written after that is not. */
static void non_blocking_flush(void)
{
    FILE *stream = stream_to_target("w");
    setvbuf(stream, room, _IOFBF, sizeof room);
    non_blocking(stream);
    put(stream, given[0].at, given[0].len);
    CALL(fflush(stream));
    tell(stream);
    clearerr(stream);
    go();
    need(fcntl(fileno(stream), F_SETFL, 0) == 0, "fcntl");
    put(stream, given[1].at, given[1].len);
    CALL(fflush(stream));
    CALL(fclose(stream));
}

static void broken_pipe(void)
{
    int pair[2];
    signal(SIGPIPE, SIG_IGN);
    unix_pair(pair);
    FILE *stream = fdopen(pair[0], "w");
    close(pair[1]);
    put_first_half(stream);
    CALL(fflush(stream));
    tell(stream);
    clearerr(stream);
    put_second_half(stream);
    CALL(fflush(stream));
    CALL(fputs(given[0].at, stream));
    CALL(fclose(stream));
    CALL(close(pair[0]));
}

static void closed_underneath(void)
{
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len);
    close(fileno(stream));
    CALL(fflush(stream));
    tell(stream);
    CALL(fclose(stream));
}

static void half_by_write(void)
{
    FILE *stream = stream_to_target("w");
    write_all(fileno(stream), given[0].at, given[0].len / 2);
    put_second_half(stream);
    CALL(fclose(stream));
}

/* The stream of a file, whose position libc knows and counts on, writes to a socket in the end. */
static void file_becomes_socket(void)
{
    FILE *stream = fopen(scratch_path(), "w");
    setvbuf(stream, NULL, _IONBF, 0);
    fputs("a line of the file\n", stream);
    CALL(fseek(stream, 2, SEEK_SET));
    int fd = dial();
    need(dup2(fd, fileno(stream)) == fileno(stream) && close(fd) == 0, "dup2");
    put(stream, given[0].at, given[0].len);
    printf("libc counts %ld\n", (long)stream->_offset);
    CALL(fclose(stream));
}

static void handle(int number)
{
    (void)number;
}

/* A write that a signal cuts short is gone on with by libc, and no error. */
static void signals_in_a_write(void)
{
    FILE *stream = stream_to_target("w");
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    const struct itimerval often = {{0, 2000}, {0, 2000}};
    setvbuf(stream, NULL, _IONBF, 0);
    set_tiny_buffer(fileno(stream));
    need(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0, "setitimer");
    put(stream, given[0].at, given[0].len);
    tell(stream);
    CALL(fclose(stream));
}

/* As shells do it: a descriptor is put on standard output for one command, and taken back. */
static void shell_redirections(void)
{
    int fd = dial();
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t at = 0; at < given[0].len;) {
        const char *line = given[0].at + at;
        size_t len = (size_t)((const char *)memchr(line, '\n', given[0].len - at) - line) + 1;
        int kept = fcntl(1, F_DUPFD_CLOEXEC, 10);
        need(kept > 0 && dup2(fd, 1) == 1, "dup2");
        put(stdout, line, len);
        fflush(stdout);
        need(dup2(kept, 1) == 1 && close(kept) == 0, "dup2 back");
        at += len;
    }
    CALL(close(fd));
}

static void close_of_one_of_two(void)
{
    FILE *stream = stream_to_target("w");
    int copy = dup(fileno(stream));
    put_first_half(stream);
    CALL(fclose(stream));
    write_all(copy, given[0].at + given[0].len / 2, given[0].len - given[0].len / 2);
    CALL(close(copy));
}

static void half(void (*end)(FILE *stream))
{
    FILE *stream = stream_to_target("w");
    put_first_half(stream);
    CALL(fflush(stream));
    end(stream);
}

static void end_by_fclose(FILE *stream)
{
    CALL(fclose(stream));
}

static void end_by_fclose_with_the_rest(FILE *stream)
{
    put_second_half(stream);
    CALL(fclose(stream));
}

static void end_by_freopen(FILE *stream)
{
    printf("reopened: %d\n", freopen("/dev/null", "w", stream) == stream);
    put_second_half(stream);
    CALL(fclose(stream));
}

static void end_by_freopen_with_the_rest(FILE *stream)
{
    put_second_half(stream);
    end_by_freopen(stream);
}

static void end_by_freopen64(FILE *stream)
{
    printf("reopened: %d\n", freopen64("/dev/null", "w", stream) == stream);
    put_second_half(stream);
    CALL(fclose(stream));
}

static void end_by_close_range(FILE *stream)
{
    int copy = dup(fileno(stream));
    need(close_range((unsigned)fileno(stream), (unsigned)copy, 0) == 0, "close_range");
}

static void end_by_dup2(FILE *stream)
{
    int null = open("/dev/null", O_WRONLY);
    need(dup2(null, fileno(stream)) == fileno(stream), "dup2");
    put_second_half(stream);
    CALL(fclose(stream));
}

static void end_by_shutdown(FILE *stream)
{
    int copy = dup(fileno(stream));
    CALL(shutdown(copy, SHUT_WR));
}

static void half_then_fclose(void)
{
    half(end_by_fclose);
}

static void half_then_the_rest_by_fclose(void)
{
    half(end_by_fclose_with_the_rest);
}

static void half_then_freopen(void)
{
    half(end_by_freopen);
}

static void half_then_the_rest_by_freopen(void)
{
    half(end_by_freopen_with_the_rest);
}

static void half_then_freopen64(void)
{
    half(end_by_freopen64);
}

static void half_then_close_range(void)
{
    half(end_by_close_range);
}

static void half_then_dup2(void)
{
    half(end_by_dup2);
}

static void half_then_shutdown(void)
{
    half(end_by_shutdown);
}

/* What is in the buffer goes to the old descriptor, what is printed later to the file. */
static void reopened_unflushed(void)
{
    FILE *stream = stream_to_target("w");
    put(stream, given[0].at, given[0].len);
    need(freopen(scratch_path(), "w", stream) == stream, "freopen");
    put(stream, given[0].at, given[0].len);
    CALL(fclose(stream));
    char got[4096];
    int file = open(scratch_path(), O_RDONLY);
    compare("the file", got, (size_t)read(file, got, sizeof got), given[0].at, given[0].len);
}

const struct scenario scenarios[] = {
    {"flushed", flushed},
    {"closed-unflushed", closed_unflushed},
    {"closed-and-number-used-again", closed_and_number_used_again},
    {"line-buffered", line_buffered},
    {"unbuffered", unbuffered},
    {"tiny-buffer", tiny_buffer},
    {"large-buffer", large_buffer},
    {"single-characters", single_characters},
    {"wide", wide},
    {"unlocked", unlocked},
    {"read-after-write", read_after_write},
    {"read-after-half", read_after_half},
    {"two-streams", two_streams},
    {"non-blocking-unbuffered", non_blocking_unbuffered},
    {"non-blocking-flush", non_blocking_flush},
    {"broken-pipe", broken_pipe},
    {"closed-underneath", closed_underneath},
    {"half-by-write", half_by_write},
    {"file-becomes-socket", file_becomes_socket},
    {"signals-in-a-write", signals_in_a_write},
    {"shell-redirections", shell_redirections},
    {"close-of-one-of-two", close_of_one_of_two},
    {"half-then-fclose", half_then_fclose},
    {"half-then-the-rest-by-fclose", half_then_the_rest_by_fclose},
    {"half-then-the-rest-by-freopen", half_then_the_rest_by_freopen},
    {"half-then-freopen", half_then_freopen},
    {"half-then-freopen64", half_then_freopen64},
    {"half-then-close-range", half_then_close_range},
    {"half-then-dup2", half_then_dup2},
    {"half-then-shutdown", half_then_shutdown},
    {"reopened-unflushed", reopened_unflushed},
    {NULL, NULL},
};
