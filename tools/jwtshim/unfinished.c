#include "unfinished.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ};
enum { ENDING = sizeof ending / sizeof *ending };

static const char *volatile name_there;
static volatile int directory_there;
static sigset_t before;

/* The signal ends the command as it would have, but for the file. */
static void tidy(int number)
{
    if (name_there)
        unlinkat(directory_there, name_there, 0);
    raise(number);
}

void unfinished_hold(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ENDING; i++)
        sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
}

void unfinished_let(void)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void unfinished_is(int directory, const char *name)
{
    struct sigaction action = {.sa_handler = tidy, .sa_flags = (int)SA_RESETHAND}, old;
    directory_there = directory;
    name_there = name;
    for (size_t i = 0; i < ENDING; i++)
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) /* nohup's stays */
            sigaction(ending[i], &action, NULL);
}

bool unfinished_becomes(int directory, const char *name, const char *own)
{
    unfinished_hold();
    const bool moved = renameat(directory, name, directory, own) == 0;
    const int error = errno;
    if (moved)
        name_there = NULL;
    unfinished_let();
    errno = error;
    return moved;
}

void unfinished_goes(int directory, const char *name)
{
    unfinished_hold();
    unlinkat(directory, name, 0);
    name_there = NULL;
    unfinished_let();
}
