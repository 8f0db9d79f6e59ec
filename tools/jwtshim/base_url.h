/* A site's base URL, whose path (the context path) is no part of what is hashed. */
#ifndef JWTSHIM_TOOLS_BASE_URL_H
#define JWTSHIM_TOOLS_BASE_URL_H

#include "../../shim/http/span.h"

#define BASE_URL_WANTED "--base-url needs a whole URL (https://HOST/PATH) or a path (/PATH), not %.200s"

/* Its path, without slashes at its end. False if it is neither a whole URL nor a path: what is hashed would be a guess. */
bool base_url_path(const char *base_url, struct span *path);

#endif
