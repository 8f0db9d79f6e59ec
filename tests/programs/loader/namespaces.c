/* asks.c's questions to dlmopen(). */
#include "asks.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef ssize_t write_fn(int fd, const void *buf, size_t len);

void namespaces(void)
{
    int good = 0;
    for (int i = 0; i < 40; i++) {
        void *plugin = dlmopen(LM_ID_NEWLM, path_of("neighbour.so"), RTLD_NOW);
        good += number_from(plugin, "neighbour") == 12;
        dlclose(plugin);
    }
    printf("one after the other: %d\n", good);
    for (int i = 0; i < 40; i++)
        good -= dlmopen(LM_ID_NEWLM, "/no/such/object.so", RTLD_NOW) == NULL;
    printf("failing: %d\n", good);
    void *held = dlmopen(LM_ID_NEWLM, path_of("neighbour.so"), RTLD_NOW);
    Lmid_t id = 0;
    printf("its number: %d\n", dlinfo(held, RTLD_DI_LMID, &id) == 0 && id > 0);
    void *same = dlmopen(id, path_of("own_write.so"), RTLD_NOW | RTLD_DEEPBIND);
    printf("another one there: %d\n", same != NULL);
    if (same)
        printf("its own write() answers %zd\n", ((write_fn *)dlsym(same, "write"))(1, "x", 1));
}

/* As many as there is room for: of objects that need no libc, and of those that do. */
static void many_namespaces_of(const char *name)
{
    int count = 0;
    while (count < 20 && dlmopen(LM_ID_NEWLM, path_of(name), RTLD_NOW))
        count++;
    printf("%d at once, and then: ", count);
    say_error(name);
}

void many_namespaces(void)
{
    many_namespaces_of("bare.so");
}

void many_libcs(void)
{
    many_namespaces_of("own_write.so");
}

/* A plugin in a namespace of its own, whose libc is not ours. */
void namespace_life(void)
{
    void *plugin = dlmopen(LM_ID_NEWLM, path_of("fake_user.so"), RTLD_NOW);
    if (!plugin)
        say_error("dlmopen");
    number_from(plugin, "use");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        number_from(plugin, "use");
        exit(3);
    }
    int status = 0;
    printf("the child ended: %d\n", waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    number_from(plugin, "use");
    printf("closed: %d\n", dlclose(plugin));
}

/* Each in one that is empty again. */
void namespaces_again(void)
{
    for (int i = 0; i < 10; i++) {
        void *plugin = dlmopen(LM_ID_NEWLM, path_of("fake_user.so"), RTLD_NOW);
        printf("used: %d, ", number_from(plugin, "use"));
        printf("closed: %d, ", dlclose(plugin));
        printf("not opened: %d\n", dlmopen(LM_ID_NEWLM, "/no/such/object.so", RTLD_NOW) == NULL);
    }
}

static pthread_barrier_t all_are_there;

/* Threads neither begin nor end while another is at it: glibc 2.36 itself has no order between these. */
static void *open_namespace(void *path)
{
    pthread_barrier_wait(&all_are_there);
    void *handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
    pthread_barrier_wait(&all_are_there);
    return handle;
}

void namespaces_by_threads(void)
{
    int apart = 0;
    char *path = strdup(path_of("neighbour.so"));
    pthread_barrier_init(&all_are_there, NULL, 2);
    for (int i = 0; i < 20; i++) {
        pthread_t threads[2];
        void *handles[2];
        Lmid_t ids[2] = {0, 0};
        for (int j = 0; j < 2; j++)
            pthread_create(&threads[j], NULL, open_namespace, path);
        for (int j = 0; j < 2; j++)
            pthread_join(threads[j], &handles[j]);
        for (int j = 0; j < 2; j++)
            if (handles[j])
                dlinfo(handles[j], RTLD_DI_LMID, &ids[j]);
        apart += ids[0] > 0 && ids[1] > 0 && ids[0] != ids[1];
        for (int j = 0; j < 2; j++)
            dlclose(handles[j]);
    }
    free(path);
    printf("apart: %d\n", apart);
}
