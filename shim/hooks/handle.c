#include "handle.h"

#include <errno.h>
#include <sys/stat.h>

bool handle_call_enter(struct handle_call *call, struct span first)
{
    enum handle_entry entry;
    int saved = errno;
    call->conn = handle_enter(call->handle, &entry);
    if (!call->conn && entry == HANDLE_UNKNOWN && first.len) {
        const bool may_ask =
            request_may_begin(first) && config_get()->mode != MODE_OFF && !(call->is_server && call->is_server(call));
        if (may_ask) {
            process_watch_forks();
            call->conn = handle_track(call->handle);
        } else {
            handle_set_plain(call->handle);
        }
    }
    if (call->conn) {
        if (call->release) {
            __atomic_store_n(&call->conn->release, call->release, __ATOMIC_RELAXED);
            call->conn->library_write = call->real;
        }
        __atomic_store_n(&call->conn->writer, guard_self(), __ATOMIC_RELAXED);
        call->conn->way = call->way ? call->way : call->conn->way;
    }
    errno = saved;
    return call->conn != NULL;
}

void handle_call_leave(struct handle_call *call)
{
    int saved = errno;
    handle_leave(call->handle, call->conn);
    errno = saved;
}

ssize_t handle_write(struct handle_call *call, const void *buf, size_t len)
{
    if (!handle_call_enter(call, span_of(buf, len)))
        return call->sink->write(call, buf, len);
    struct conn_call conn_call = conn_call_for(call->sink, call);
    ssize_t written = conn_write(call->conn, &conn_call, buf, len);
    handle_call_leave(call);
    return written;
}

bool handle_unseen_begins(struct handle_call *call)
{
    enum handle_entry entry;
    call->conn = handle_enter(call->handle, &entry);
    return call->conn != NULL;
}

void handle_unseen_ends(struct handle_call *call, bool entered, uint64_t len)
{
    if (!entered) {
        if (len)
            handle_set_plain(call->handle);
        return;
    }
    if (len)
        conn_skip(call->conn, len);
    handle_call_leave(call);
}

/* `lives`: the program is about to write by the handle itself, so that its way, whatever it is, is there. */
static void release(const void *handle, bool lives)
{
    enum handle_entry entry;
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1))
        return;
    int saved = errno;
    struct conn *conn = handle_enter(handle, &entry);
    if (conn) {
        if (conn->holding && conn->release && (lives || !conn->private_way))
            conn->release(conn, handle, REASON_RELEASED);
        handle_leave(handle, conn);
    }
    errno = saved;
}

void handle_release(const void *handle)
{
    release(handle, true);
}

void handle_note_socket(struct conn *conn, uint64_t identity)
{
    __atomic_store_n(&conn->private_way, identity == 0, __ATOMIC_RELAXED);
    __atomic_store_n(&conn->identity, identity, __ATOMIC_RELAXED);
}

void handle_ends(const void *handle)
{
    int saved = errno;
    release(handle, false);
    handle_forget(handle);
    errno = saved;
}

struct conn *handle_keep_held(const void *handle)
{
    enum handle_entry entry;
    if (__builtin_expect(atomic_load_explicit(&conns_holding, memory_order_relaxed) == 0, 1))
        return NULL;
    int saved = errno;
    struct conn *conn = handle_enter(handle, &entry);
    const bool holds = conn && conn->holding;
    if (conn && !holds)
        handle_leave(handle, conn);
    errno = saved;
    return holds ? conn : NULL;
}

void handle_kept(const void *handle, struct conn *conn)
{
    if (__builtin_expect(conn == NULL, 1))
        return;
    int saved = errno;
    handle_leave(handle, conn);
    errno = saved;
}

void handle_begins_anew(const void *handle)
{
    enum handle_entry entry;
    int saved = errno;
    struct conn *conn = handle_enter(handle, &entry);
    if (conn) {
        conn_reset(conn);
        handle_leave(handle, conn);
    }
    errno = saved;
}

void handle_release_for_socket(uint64_t identity)
{
    handle_release_holding(identity, false, REASON_RELEASED);
}

uint64_t socket_identity(int fd)
{
    struct stat status;
    int saved = errno;
    bool socket = fd >= 0 && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
    errno = saved;
    return socket ? (uint64_t)status.st_ino : 0;
}
