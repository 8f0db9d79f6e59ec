/* Stream functions that stand in libc's tables: they see the bytes that stdio writes by inner calls, the reads that would
 * wait for an answer to them, and the end of a stream's descriptor. */
#include "stdio_streams.h"

#include "../loader/raw.h"
#include "socket.h"
#include "stdio_table.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#ifdef __GLIBC__

enum watching { WATCHING_NOT_YET, WATCHING_BEGINS, WATCHING_SETTLED };
static _Atomic(enum watching) watching;
static _Atomic(bool) streams_are_seen; /* the slots are ours */
static struct stdio_functions libcs;

static ssize_t stream_reads(FILE *stream, void *buf, ssize_t len)
{
    socket_before_read(stream->_fileno, 0);
    return libcs.read(stream, buf, len);
}

/* What a buffer held when its write was refused is gone: libc empties it all the same (new_do_write() in fileops.c). What
 * was refused from the program's own memory may be shown again. */
static bool is_from_buffer(const FILE *stream, const char *data)
{
    return data >= stream->_IO_buf_base && data < stream->_IO_buf_end;
}

/* As libc's _IO_file_write() does it: all of it, or up to an error, which the stream remembers. */
static __attribute__((noinline)) ssize_t write_looked_at(FILE *stream, const void *data, ssize_t len)
{
    const int fd = stream->_fileno;
    const char *at = data;
    ssize_t done = 0;
    while (done < len) {
        struct socket_call call = {.fd = fd};
        const size_t left = (size_t)(len - done);
        if (!socket_needs_look(fd) || !socket_enter(&call, span_of(at + done, left)))
            break;
        ssize_t sent = socket_write_entered(&call, at + done, left);
        if (sent < 0 && is_from_buffer(stream, at))
            socket_gives_up(&call, left);
        socket_leave(&call);
        if (sent < 0) {
            stream->_flags |= _IO_ERR_SEEN;
            len = done;
            break;
        }
        done += sent;
    }
    if (stream->_offset >= 0)
        stream->_offset += done;
    return done < len ? done + libcs.write(stream, at + done, len - done) : done;
}

static ssize_t stream_writes(FILE *stream, const void *data, ssize_t len)
{
    return __builtin_expect(fd_is_low_and_plain(stream->_fileno), 1) ? libcs.write(stream, data, len)
                                                                     : write_looked_at(stream, data, len);
}

/* Behind the last flush of fclose(), and of whatever else closes a stream. */
static int stream_closes(FILE *stream)
{
    int saved = errno;
    if (fd_state(stream->_fileno) != FD_UNKNOWN)
        socket_ends(stream->_fileno);
    errno = saved;
    return libcs.close(stream);
}

static void change_table(void)
{
    static const struct stdio_functions ours = {stream_reads, stream_writes, stream_closes};
    const char *why;
    atomic_store(&streams_are_seen, stdio_table_change(&ours, &libcs, &why));
    atomic_store(&watching, WATCHING_SETTLED);
    if (why)
        report_layer_refused("stdio", "libc.so.6", why);
}

/* Signals wait, so that no handler leaves the page writable by longjmp. A second thread waits for the first, but not for
 * long: at the worst what it writes next is not seen. */
static void begin_watching(void)
{
    enum { YIELDS = 1000 };
    const uint64_t all = ~UINT64_C(0); /* the kernel's set */
    uint64_t before;
    const int saved = errno;
    process_watch_forks();
    if (raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, (long)&before, sizeof all, 0, 0) == 0) {
        enum watching expected = WATCHING_NOT_YET;
        if (atomic_compare_exchange_strong(&watching, &expected, WATCHING_BEGINS))
            change_table();
        raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0, 0);
    }
    for (int i = 0; atomic_load(&watching) != WATCHING_SETTLED && i < YIELDS; i++)
        raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    errno = saved;
}

void stdio_watch(void)
{
    if (atomic_load_explicit(&watching, memory_order_acquire) == WATCHING_SETTLED)
        return;
    const struct config *config = config_get();
    if (config->mode != MODE_OFF && config->stdio)
        begin_watching();
}

void stdio_watch_if_inherited(void)
{
    struct stat status;
    const int saved = errno;
    const struct config *config = config_get();
    if (config->mode != MODE_OFF && config->stdio && fstat(STDOUT_FILENO, &status) == 0 && S_ISSOCK(status.st_mode))
        stdio_watch();
    errno = saved;
}

void stdio_after_fork(void)
{
    if (atomic_load(&watching) == WATCHING_BEGINS)
        change_table();
}

bool stdio_streams_are_seen(void)
{
    return atomic_load(&streams_are_seen);
}

#else /* nothing to stand in */

void stdio_watch(void)
{
}

void stdio_watch_if_inherited(void)
{
}

void stdio_after_fork(void)
{
}

bool stdio_streams_are_seen(void)
{
    return false;
}

#endif
