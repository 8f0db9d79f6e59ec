#include "inside.h"

#include <fcntl.h>

size_t inside_write(int fd, size_t len);

_Thread_local size_t first_takes;
static _Thread_local void (*event)(void);
static _Thread_local int due, seen;

void arrange(void (*what)(void), int when)
{
    event = what;
    due = when;
    seen = 0;
}

int has_happened(void)
{
    return !event;
}

size_t inside_write(int fd, size_t len)
{
    (void)fd;
    if (!event)
        return len;
    if (++seen == due) {
        void (*now)(void) = event;
        event = NULL;
        now();
    }
    return seen == 1 && first_takes && first_takes < len ? first_takes : len;
}

static int open_descriptors(void)
{
    int open = 0;
    for (int fd = 0; fd < 1024; fd++)
        open += fcntl(fd, F_GETFD) >= 0;
    return open;
}

static int open_at_start;

__attribute__((constructor)) static void count_at_start(void)
{
    open_at_start = open_descriptors();
}

int open_descriptors_more(void)
{
    return open_descriptors() - open_at_start;
}
