/* What the hooks of every TLS library share: a handle's connection around one of the program's calls.
 * A library's file names its real calls and how they report errors, and nothing more. */
#ifndef JWTSHIM_HOOKS_HANDLE_H
#define JWTSHIM_HOOKS_HANDLE_H

#include "../conn/handle_table.h"
#include "hooks.h"

/* Sends what `conn` holds for `handle` by itself, or drops it where nobody is left to get it. */
typedef void handle_release_fn(struct conn *conn, const void *handle, enum reason reason);

/* One call of the program's that writes to `handle`. A library puts this first in a struct of its own, which its sink gets
 * as its context. */
struct handle_call {
    const struct sink *sink;
    const void *handle;
    void *real; /* the library's function behind the call */
    handle_release_fn *release;
    bool (*is_server)(const struct handle_call *call); /* a server's side sends no requests; NULL: nothing tells */
    const void *way;   /* what the bytes come by, if that is more than the handle: a BIO */
    struct conn *conn; /* entered */
};

/* Enters the connection of the handle, tracking it if `first` bytes may begin a request. False: nothing to look at. */
bool handle_call_enter(struct handle_call *call, struct span first);
void handle_call_leave(struct handle_call *call);

/* Writes, as conn_write() does; by the sink alone where there is nothing to look at. `call` is the context. */
ssize_t handle_write(struct handle_call *call, const void *buf, size_t len);

/* A call that puts bytes into the stream unseen goes between these two: the library's inner calls are not counted, and
 * `len` of the program's bytes (0 if none were taken) are skipped. True if it was entered. */
bool handle_unseen_begins(struct handle_call *call);
void handle_unseen_ends(struct handle_call *call, bool entered, uint64_t len);

/* Releases what is held for `handle`, if anything is, since the program is about to write by it. */
void handle_release(const void *handle);

/* Before holding, where the library can be asked: which socket the bytes are for, so that they are never sent to another. 0: they
 * go by functions of the program's own, which are not called once it may have ended them. */
void handle_note_socket(struct conn *conn, uint64_t identity);

/* What identifies the socket behind `fd` beyond its number: its inode; 0 if it is none. */
uint64_t socket_identity(int fd);

/* Releases what is held for handles that write to that socket, which is about to end. */
void handle_release_for_socket(uint64_t identity);

/* The handle's life ends: releases to a socket that is known, forgets. */
void handle_ends(const void *handle);

/* Another connection begins on the handle: forgets the stream so far, unless this happens in the middle of a write. */
void handle_begins_anew(const void *handle);

/* Between these two what is held for `handle` stays held, whatever another thread is about to release. NULL where nothing is. */
struct conn *handle_keep_held(const void *handle);
void handle_kept(const void *handle, struct conn *conn);

#endif
