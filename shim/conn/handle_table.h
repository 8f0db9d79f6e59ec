/* What is known of each handle of a library (SSL *, gnutls_session_t, PRFileDesc *): its connection, or that it needs no
 * look. Keyed by the address; hooks of the library's life cycle must forget an address before it can be another's. */
#ifndef JWTSHIM_CONN_HANDLE_TABLE_H
#define JWTSHIM_CONN_HANDLE_TABLE_H

#include "conn.h"

/* How handle_enter() ended, where it returns no connection. */
enum handle_entry {
    HANDLE_ENTERED,
    HANDLE_PLAIN,   /* nothing to look at: pass on */
    HANDLE_UNKNOWN, /* never seen */
};

/* Enters the connection of `handle`. NULL with the reason in `*entry`; nested and concurrent callers get HANDLE_PLAIN. */
struct conn *handle_enter(const void *handle, enum handle_entry *entry);

/* Starts a connection for `handle` and enters it. NULL without memory. */
struct conn *handle_track(const void *handle);

/* Nothing written to `handle` needs a look, until it is forgotten. */
void handle_set_plain(const void *handle);

/* Leaves; a connection that can never change a byte again becomes plain. */
void handle_leave(const void *handle, struct conn *conn);

/* One more, or one less, reference to the handle. False if there are more: its life goes on. */
void handle_add_reference(const void *handle);
bool handle_drop_reference(const void *handle);

/* The handle's life ends, or begins anew. Bytes that are held are gone: release them before. */
void handle_forget(const void *handle);

/* Has every layer release what it holds for the socket `identity`, or for any (0). `mine`: only what this thread wrote last. Other
 * threads may begin and end handles meanwhile: the table is looked at anew after each release. */
void handle_release_holding(uint64_t identity, bool mine, enum reason reason);

/* In the child of a fork: threads that were inside exist no more. */
void handle_after_fork(bool may_free);

#endif
