/* The configuration file's parser, for any bytes. */
#include "../../shim/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t complaints;

static void complain(const char *where, const char *what)
{
    complaints += strlen(where) > 0 && strlen(what) > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    config_defaults(&config);
    config_read(&config, "fuzz.conf", span_of(text, size), complain);
    if (config.policy.hosts.count > HOST_SUFFIXES_MAX || config.text_used > sizeof config.text)
        abort();
    host_matches(&config.policy.hosts, authority_host(span_of(text, size)));
    free(text);
    return 0;
}
