/* A program started to see whether an object would load: with the settings off, its output caught, its time limited. */
#ifndef JWTSHIM_TOOLS_TRIAL_H
#define JWTSHIM_TOOLS_TRIAL_H

#include "directory_root.h"

/* Why `object` should not be preloaded (to be freed), judged by a run of `program` with it and one without; NULL if all is well.
 * Both are paths in `root`. */
char *trial_fails(const struct directory_root *root, const char *program, const char *object);

#endif
