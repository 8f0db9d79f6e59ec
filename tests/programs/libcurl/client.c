/* A program that uses libcurl: `client SCENARIO URL-FILE...`, with the CA's file in $CA and options in $HTTP and $OPTIONS.
 * Built with each libcurl of the tests, and as a plugin (client_main). */
#include "client.h"

char *urls[URLS_MAX];
int url_count;

void check(bool fine, const char *what)
{
    if (fine)
        return;
    printf("failed: %s\n", what);
    fflush(stdout);
    exit(9);
}

static char *load(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);
    check(file && text && fgets(text, 1 << 16, file), "a file with an URL");
    text[strcspn(text, "\n")] = '\0';
    fclose(file);
    return text;
}

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)context;
    return size * count;
}

static void apply(CURL *easy, const char *word)
{
    const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
    if (strcmp(word, "follow") == 0)
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    else if (strcmp(word, "autoreferer") == 0)
        curl_easy_setopt(easy, CURLOPT_AUTOREFERER, 1L);
    else if (strcmp(word, "unrestricted") == 0)
        curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 1L);
    else if (strcmp(word, "unified") == 0)
        curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_UNIFIED);
    else if (strncmp(word, "proxy=", 6) == 0)
        curl_easy_setopt(easy, CURLOPT_PROXY, value);
    else if (strncmp(word, "user=", 5) == 0)
        curl_easy_setopt(easy, CURLOPT_USERPWD, value);
    else if (strncmp(word, "bearer=", 7) == 0)
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, value);
    else if (strncmp(word, "auth=", 5) == 0)
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, strtol(value, NULL, 10));
    else if (strcmp(word, "verbose") == 0)
        curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    else
        check(false, "a known word in $OPTIONS");
}

CURL *new_handle(void)
{
    const char *http = getenv("HTTP");
    char options[512];
    CURL *easy = curl_easy_init();
    check(easy, "curl_easy_init");
    curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CA"));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     (long)(http && *http == '2' ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    snprintf(options, sizeof options, "%s", getenv("OPTIONS") ? getenv("OPTIONS") : "");
    for (char *word = strtok(options, " "); word; word = strtok(NULL, " "))
        apply(easy, word);
    return easy;
}

void tell(CURL *easy, const char *programs)
{
    long status = 0;
    char *effective = NULL;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    check(curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &effective) == CURLE_OK, "CURLINFO_EFFECTIVE_URL");
    if (programs && strcmp(effective, programs) == 0)
        printf("%03ld\nthe effective URL is the program's own\n", status);
    else
        printf("%03ld\nthe effective URL is %.*s%s\n", status, (int)strcspn(effective, "?"), effective,
               strstr(effective, "jwt=") ? " with a jwt" : "");
}

void perform(CURL *easy, const char *programs)
{
    CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK)
        printf("error: %s\n", curl_easy_strerror(code));
    tell(easy, programs);
}

struct curl_slist *list_of(const char *first, const char *second, const char *third)
{
    struct curl_slist *list = curl_slist_append(NULL, first);
    if (second)
        list = curl_slist_append(list, second);
    return third ? curl_slist_append(list, third) : list;
}

int client_main(int argc, char **argv)
{
    const struct scenario *groups[] = {easy_scenarios, multi_scenarios};
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(100);
    check(argc > 2 && argc - 2 <= URLS_MAX, "SCENARIO URL-FILE...");
    for (int i = 2; i < argc; i++)
        urls[url_count++] = load(argv[i]);
    curl_global_init(CURL_GLOBAL_ALL);
    for (size_t group = 0; group < sizeof groups / sizeof groups[0]; group++)
        for (const struct scenario *scenario = groups[group]; scenario->name; scenario++)
            if (strcmp(scenario->name, argv[1]) == 0) {
                scenario->run();
                curl_global_cleanup();
                for (int i = 0; i < url_count; i++)
                    free(urls[i]);
                printf("done\n");
                return 0;
            }
    check(false, "no such scenario");
    return 9;
}

#ifndef PLUGIN
int main(int argc, char **argv)
{
    return client_main(argc, argv);
}
#endif
