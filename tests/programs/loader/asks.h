/* What the parts of asks.c share. */
#ifndef TESTS_PROGRAMS_LOADER_ASKS_H
#define TESTS_PROGRAMS_LOADER_ASKS_H

/* The path of a plugin, in one buffer. */
const char *path_of(const char *name);

/* What a plugin's function answers; -1 if there is none. */
int number_from(void *handle, const char *name);

/* Prints what dlerror() says, without the directory that its text begins with. */
void say_error(const char *what);

void namespaces(void);
void namespaces_again(void);
void namespaces_by_threads(void);
void namespace_life(void);
void many_namespaces(void);
void many_libcs(void);

#endif
