/* Header lists: reading the program's, and making our own of it. The program's is never written to, and never kept. */
#ifndef JWTSHIM_HOOKS_LIBCURL_LIST_H
#define JWTSHIM_HOOKS_LIBCURL_LIST_H

#include "libcurl.h"

struct list; /* one of ours: a single block of memory */

/* The field line that libcurl makes of an item; an empty name where it makes none ("Name:" takes a line of its own out). */
struct field item_field(const struct curl_slist *item);

size_t items_count(const struct curl_slist *items);

/* The value of the first item of that (lower-case) name, whatever libcurl makes of it. .at is NULL if there is none. */
struct span items_find(const struct curl_slist *items, const char *name, size_t len);

/* Makes a copy of `items` in which Referers have lost their token, `token` (NULL: none) stands in the place of every
 * Authorization, and there is a Referer line more if `referer` says so. *list is NULL where all that changes nothing.
 * False without memory. */
bool list_make(const struct policy *policy, const struct curl_slist *items, const struct span *token,
               struct span referer, struct list **list);

struct curl_slist *list_head(struct list *list);

/* The token that is in it; .at is NULL if none is. `list` may be NULL. */
struct span list_token(const struct list *list);

/* Chains of lists, freed and wiped together. */
void list_put(struct list **lists, struct list *list);
void lists_free(struct list *lists);
void list_free(struct list *list);

#endif
