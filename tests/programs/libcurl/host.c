/* Loads the client as a plugin, `host PLUGIN SCENARIO URL-FILE...`: its libcurl comes in with it, unknown to the program. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*run)(int, char **) = plugin ? (int (*)(int, char **))dlsym(plugin, "client_main") : NULL;
    if (!run) {
        printf("failed: %s\n", dlerror());
        return 9;
    }
    return run(argc - 1, argv + 1);
}
