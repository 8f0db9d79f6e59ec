/* A library that has a thread running before any program starts. */
#include <pthread.h>
#include <unistd.h>

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

__attribute__((constructor)) static void start(void)
{
    static pthread_t thread;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
}
