/* What the scenarios of the libcurl programs share. Ordinary use of libcurl's public header; knows nothing of the shim.
 * Prints what the program saw: statuses, and the effective URL without its query. Never prints a token. */
#ifndef TESTS_PROGRAMS_LIBCURL_CLIENT_H
#define TESTS_PROGRAMS_LIBCURL_CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { URLS_MAX = 8 };
extern char *urls[URLS_MAX]; /* absolute, from the files of the command line */
extern int url_count;

struct scenario {
    const char *name;
    void (*run)(void);
};
extern const struct scenario easy_scenarios[], multi_scenarios[];

void check(bool fine, const char *what);

/* A new handle with the CA, a limit of time, the protocol of $HTTP, a silent body, and the options of $OPTIONS: words
 * like follow, autoreferer, unrestricted, proxy=URL, unified, user=…, bearer=…, auth=NUMBER. */
CURL *new_handle(void);

/* Prints the status, and what CURLINFO_EFFECTIVE_URL says of `programs`. */
void tell(CURL *easy, const char *programs);
void perform(CURL *easy, const char *programs);

/* The status alone, of a request whose URL is no business of the scenario's. */
struct curl_slist *list_of(const char *first, const char *second, const char *third);

#endif
