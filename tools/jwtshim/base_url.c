#include "base_url.h"

#include "../../shim/http/target.h"

bool base_url_path(const char *base_url, struct span *path)
{
    struct target target;
    target_parse(span_of(base_url, strlen(base_url)), &target);
    if (target.form != TARGET_ORIGIN && (target.form != TARGET_ABSOLUTE || target.authority.len == 0))
        return false;
    while (target.path.len && target.path.at[target.path.len - 1] == '/')
        target.path.len--;
    *path = target.path;
    return true;
}
