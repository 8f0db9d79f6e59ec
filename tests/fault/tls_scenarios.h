/* What the scenarios inside TLS share, and the scenarios, a file for each kind. */
#ifndef FAULT_TLS_SCENARIOS_H
#define FAULT_TLS_SCENARIOS_H

#include "tls.h"

#include "inside.h"

#include <pthread.h>

extern const char *host, *port;
extern struct bytes given[2];

struct tls dial(void);
void tell(const char *what, long number);

/* Whatever happened, none is left open. */
void tell_descriptors(void);

/* One that is written to by nobody else, and must never notice what happens to others. */
void request_on_its_own(struct bytes request);

/* Threads that write requests on connections of their own until they are joined: `written`, in pieces of `piece` bytes or, 0, in one
 * write. Each starts behind the barrier, connected. */
enum { WRITERS = 4 };
extern pthread_barrier_t barrier;
extern size_t piece;
extern struct bytes *written;
void start_writers(int count);
void join_writers(int count);

/* Whether a thread waits in the kernel. */
bool sleeps(pid_t process, pid_t thread);

extern const struct scenario cancellations[], processes[], signals[];

#endif
