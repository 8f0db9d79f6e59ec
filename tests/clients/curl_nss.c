// libcurl3-nss over HTTP/1.1: Debian's last libcurl on NSPR's PR_Send. Prints the status of each response.
// Declares the few functions it uses, because libcurl4-nss-dev conflicts with every other libcurl's headers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void CURL;
extern CURL *curl_easy_init(void);
extern int curl_easy_setopt(CURL *, int, ...);
extern int curl_easy_perform(CURL *);
extern int curl_easy_getinfo(CURL *, int, ...);
extern const char *curl_easy_strerror(int);
extern void curl_easy_cleanup(CURL *);
extern void *curl_slist_append(void *, const char *);

// Values from curl/curl.h, where they are part of the ABI.
enum {
    CURLOPT_WRITEDATA = 10001,
    CURLOPT_URL = 10002,
    CURLOPT_POSTFIELDS = 10015,
    CURLOPT_HTTPHEADER = 10023,
    CURLOPT_POSTFIELDSIZE = 60,
    CURLOPT_CAINFO = 10065,
    CURLOPT_HTTP_VERSION = 84,
    CURL_HTTP_VERSION_1_1 = 2,
    CURLINFO_RESPONSE_CODE = 0x200002,
};

int main(int argc, char **argv)
{
    CURL *curl = curl_easy_init();
    FILE *sink = fopen("/dev/null", "w");
    if (argc < 3 || !curl || !sink)
        return 2;
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("CA"));
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
    if (strcmp(argv[1], "post") == 0) {
        static char body[1 << 16];
        FILE *file = fopen(getenv("BODY"), "rb");
        if (!file)
            return 2;
        size_t length = fread(body, 1, sizeof body, file);
        fclose(file);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, curl_slist_append(NULL, "Content-Type: application/json"));
    }
    for (int i = 2; i < argc; i++) {
        long status = 0;
        curl_easy_setopt(curl, CURLOPT_URL, argv[i]);
        int result = curl_easy_perform(curl);
        if (result != 0)
            fprintf(stderr, "%s\n", curl_easy_strerror(result));
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        printf("%ld\n", status);
    }
    curl_easy_cleanup(curl);
    return 0;
}
