/* libcurl's easy interface, for each of Debian's builds of it. */
#include "client.h"
#include <curl/curl.h>

int main(int argc, char **argv)
{
    struct request request = request_from(argc, argv);
    long status = 0;
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, argv[2]);
    curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("CA"));
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                     strcmp(getenv("VERSION"), "2") == 0 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    if (request.post)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, BODY);
    CURLcode result = curl_easy_perform(curl);
    if (result != CURLE_OK)
        fprintf(stderr, "%s\n", curl_easy_strerror(result));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    printf("\n%ld\n", status);
    curl_easy_cleanup(curl);
    return 0;
}
