/* dlclose(): what was resolved for, or in, an object that is gone must not be called again. */
#include "dl.h"
#include "libcurl.h"

#include <dlfcn.h>

EXPORT int dlclose(void *handle)
{
    int result = REAL(dlclose)(handle);
    resolve_forget_unmapped();
    libcurl_forget_unmapped();
    dl_namespace_closed();
    return result;
}
