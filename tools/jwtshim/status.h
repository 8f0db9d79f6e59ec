/* What `jwtshim status` finds out, as JSON; each room adds its part, and to `troubles` a sentence for what must be looked at. */
#ifndef JWTSHIM_TOOLS_STATUS_H
#define JWTSHIM_TOOLS_STATUS_H

#include "directory_root.h"
#include "text.h"

struct status {
    const struct directory_root *root;
    json_t *found;      /* an object */
    json_t *troubles;   /* a list of strings */
    size_t last;        /* so many events are wanted */
    char log[PATH_MAX]; /* the log's path by the configuration file, or "" */
};

/* "preload": what /etc/ld.so.preload says. Returns how many names of ours it has. */
size_t status_preload(struct status *status);

/* "processes": which have the shim. Returns how many. */
size_t status_processes(struct status *status);

/* "settings": /etc/jwtshim.conf. */
void status_settings(struct status *status);

/* "last_events": the end of the log. */
void status_events(struct status *status);

void status_trouble(struct status *status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets a member of an object to a text. */
void status_set(json_t *object, const char *name, const char *text);

#endif
