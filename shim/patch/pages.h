/* Memory that is code: never writable and executable at once. System calls are made by their numbers, since libc's
 * functions may be the main program's own, and lie in the very pages that cannot run meanwhile. */
#ifndef JWTSHIM_PATCH_PAGES_H
#define JWTSHIM_PATCH_PAGES_H

#include "patch.h"

enum { PAGE = 4096 /* amd64 has no other */, PLACES_MAX = 64 };

/* New writable memory of `len` bytes (whole pages) from which a jump reaches all of `low` to `high`. NULL if there is none. */
unsigned char *pages_near(const char *low, const char *high, size_t len);
void pages_free(void *at, size_t len);

/* Makes written memory executable, and no longer writable. */
bool pages_make_code(void *at, size_t len);

/* Why not, if the system does not let a page of the file that `code` was mapped from be changed and run again. Tries that on a page that
 * nobody uses: once the program's own cannot run, it is too late to ask. */
enum patch_refusal pages_may_change(const void *code);

/* Whether this is the only thread, so that nobody is running what is changed. False if that cannot be told. */
bool pages_are_ours_alone(void);

/* Whether the processor keeps a second stack of return addresses for this thread. */
bool pages_have_shadow_stack(void);

/* The mapping that `code` is in, if it may be executed and not written. */
struct mapping {
    unsigned char *low, *high;
};
bool pages_mapping_of(const void *code, struct mapping *mapping);

struct place {
    unsigned char *at;
    unsigned char bytes[8];
    size_t len;
};

/* Writes at `count` places of the main program, ascending. What is near them cannot be run meanwhile, and no signal comes
 * in between. False: nothing was changed. */
bool pages_write(const struct place *places, size_t count);

#endif
