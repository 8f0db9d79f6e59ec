/* What `jwtshim inspect` is asked about: a URL, a token, a curl command or the head of a request, as somebody pasted it. */
#ifndef JWTSHIM_TOOLS_SUBJECT_H
#define JWTSHIM_TOOLS_SUBJECT_H

#include "../../shim/http/span.h"

enum { SUBJECT_MAX = 256 * 1024 };

struct subject {
    char *head; /* the request's head, in HTTP/1.1; NULL for a token alone */
    size_t head_len;
    struct span token; /* of a token alone */
    bool plain;        /* by http, not https */
    const char *wrong; /* NULL, or what is wrong with what was given */
    char *words;       /* memory that the others point into */
};

/* Takes `text` apart. `method` replaces the one it has, where it is not NULL. `text` must outlive the subject. */
void subject_of(struct span text, const char *method, struct subject *subject);

/* The same for the words of a curl command behind "curl"; `subject` is empty before. */
void subject_of_curl(char **words, size_t count, const char *method, struct subject *subject);

/* Makes the head for a URL, with `query` (may be empty) added to its own and `fields`, whole field lines. */
void subject_set_url(struct subject *subject, const char *method, struct span url, struct span query, struct span fields);

void subject_end(struct subject *subject);

#endif
