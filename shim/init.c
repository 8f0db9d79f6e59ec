/* What happens at every exec of every program: the settings are read, and no more. Everything else waits for the first
 * bytes that may begin a request. */
#include "config.h"

__attribute__((constructor)) static void start(void)
{
    config_get();
}
