/* Makes a program of ../tls (its main is program_main here) an addon of Node.js, bound to the OpenSSL that node exports. Its
 * arguments are what follows its own path on node's command line; it ends the process. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int program_main(int count, char **arguments);
void *napi_register_module_v1(void *environment, void *exports);

void *napi_register_module_v1(void *environment, void *exports)
{
    static char line[65536];
    char *arguments[64];
    int count = 0;
    FILE *file = fopen("/proc/self/cmdline", "re");
    const size_t len = file ? fread(line, 1, sizeof line - 1, file) : 0;
    (void)environment;
    for (char *at = line; at < line + len && count < 63; at += strlen(at) + 1)
        if (count > 0 || strstr(at, "+addon"))
            arguments[count++] = at;
    arguments[count] = NULL;
    const int code = count ? program_main(count, arguments) : 3;
    fflush(NULL);
    _exit(code); /* exit() would run what node does not want run from within */
    return exports;
}
