/* The head that the bench's programs send: 1 KiB such as a browser-like client sends, with or without a token. */
#ifndef JWTSHIM_BENCH_HEAD_H
#define JWTSHIM_BENCH_HEAD_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TOKEN                                                                                                          \
    "eyJhbGciOiJIUzI1NiJ9."                                                                                            \
    "eyJpc3MiOiJjb20uZXhhbXBsZS5hcHAiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMDE4MCwicXNoIjoiNjk3"                     \
    "NzY4ZjU2Mjk0YWY3OGJlYjIxM2Q1NGE1N2U2Y2VjZDNiOGViZDdkYTg4M2I3ODY1M2ZjODAzZDQ2NzVhNiJ9.c2lnbmF0dXJl"

enum { HEAD_LEN = 1024 };

static inline void make_head(char head[HEAD_LEN + 1], const char *parameter)
{
    enum { END = 4 };
    int len =
        snprintf(head, HEAD_LEN - END,
                 "GET /rest/api/2/search?jql=project&fields=summary%s HTTP/1.1\r\nHost: site.atlassian.net\r\n"
                 "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0\r\n"
                 "Accept: application/json, text/plain, */*\r\nAccept-Encoding: gzip, deflate, br\r\n"
                 "Accept-Language: en-US,en;q=0.9\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n"
                 "Pragma: no-cache\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\nX-Long: ",
                 parameter);
    memset(head + len, 'x', (size_t)(HEAD_LEN - END - len));
    memcpy(head + HEAD_LEN - END, "\r\n\r\n", END);
}

#endif
