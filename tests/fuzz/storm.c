/* Many streams, made from pieces of requests and spoilt here and there, for the promises of fuzz_core or fuzz_conn: the numbers that a fuzzer
 * led by coverage does not reach. Says how many it ran; ends at the first broken promise.
 *
 *     storm_core|storm_conn SEED COUNT */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 2048, FLUSH_EVERY = 1000000 };

static uint64_t dice;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)((dice >> 32) * sides >> 32);
}

static char text[ROOM];
static size_t len;

static void add(const char *piece)
{
    size_t n = strlen(piece);
    if (len + n > ROOM)
        return;
    memcpy(text + len, piece, n);
    len += n;
}

#define ONE_OF(pieces) add(pieces[roll(sizeof pieces / sizeof pieces[0])])

static void add_parameter(void)
{
    static const char *const names[] = {"jwt",  "jwt",  "jwt", "%6Awt", "j%77t", "jw%74", "%6a%77%74", "JWT",
                                        "xjwt", "jwtx", "a",   "",      "jql",   "j",     "%"};
    static const char *const values[] = {"=a.b.c",
                                         "=a.b.c",
                                         "=a.b.c",
                                         "=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
                                         "=eyJ.eyI.s_-",
                                         "=a.b.c",
                                         "=eyJ.eyI.s_-",
                                         "=a%2Eb.c",
                                         "=x.y",
                                         "=",
                                         "",
                                         "=a.b.c%0D%0AX:1",
                                         "=a..c",
                                         "=1",
                                         "=a=b",
                                         "=a.b.c?jwt=d.e.f",
                                         "=u%26jwt%3Da.b.c",
                                         "=%61.b.c",
                                         "=a.b.%",
                                         "=a.b.c;x=1"};
    ONE_OF(names);
    ONE_OF(values);
}

static void add_query(void)
{
    if (roll(8) == 0)
        return;
    add("?");
    uint32_t parameters = roll(60) == 0 ? 100 : 1 + roll(4);
    for (uint32_t i = 0; i < parameters; i++) {
        if (i)
            add(roll(20) ? "&" : ";");
        add_parameter();
    }
    if (roll(12) == 0)
        add("#f?jwt=a.b.c");
}

static void add_host(void)
{
    static const char *const hosts[] = {"s.atlassian.net",
                                        "s.atlassian.net",
                                        "s.atlassian.net",
                                        "S.Atlassian.NET:8443",
                                        "s.atlassian.net.",
                                        "jira.com",
                                        "evilatlassian.net",
                                        "atlassian.net.evil.com",
                                        "s.atlassian.net@evil.com",
                                        "u:p@s.atlassian.net",
                                        "evil.com#s.atlassian.net",
                                        "api.media.atlassian.com",
                                        "[::1]",
                                        "s.atlassian.net:x",
                                        "a..jira.com",
                                        ".jira.com",
                                        "127.0.0.1:8080",
                                        "",
                                        "a_b.jira-dev.com"};
    ONE_OF(hosts);
}

static void add_target(void)
{
    static const char *const paths[] = {"/", "/rest/api/3/myself", "/a%20b//..", "/x;jwt=a.b.c"};
    static const char *const schemes[] = {"http://", "https://", "HTTP://", "httpx://"};
    uint32_t form = roll(12);
    if (form == 0)
        add("*");
    else if (form == 1)
        add("s.atlassian.net:443");
    else {
        if (form < 4) {
            ONE_OF(schemes);
            add_host();
        }
        if (form != 3 || roll(2))
            ONE_OF(paths);
        add_query();
    }
}

static void add_line_end(void)
{
    add(roll(12) ? "\r\n" : "\n");
}

static void add_field(void)
{
    static const char *const other[] = {"Accept: */*",
                                        "User-Agent: x",
                                        "X: GET /?jwt=a.b.c HTTP/1.1",
                                        "Connection: close",
                                        "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                        "Upgrade: h2c",
                                        "Upgrade: websocket",
                                        "Trailer: x",
                                        "Accept-Language: en",
                                        "X-Empty:",
                                        "Cookie: jwt=a.b.c",
                                        "content-lengths: 3"};
    static const char *const lengths[] = {"Content-Length: 0",
                                          "Content-Length: 5",
                                          "content-length:\t3 ",
                                          "Content-Length: -1",
                                          "Content-Length: 18446744073709551617",
                                          "Content-Length: 2, 2"};
    static const char *const codings[] = {"Transfer-Encoding: chunked", "transfer-encoding:gzip, chunked",
                                          "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked,",
                                          "Transfer-Encoding: identity"};
    static const char *const auth[] = {"Authorization: Basic eA==", "Authorization: JWT a.b.c", "authorization: JWT\ta.b.c",
                                       "Authorization: JWT x.y.z", "Authorization:\r\n JWT a.b.c"};
    uint32_t kind = roll(16);
    if (kind == 0) {
        add(roll(2) ? "Host: " : "host:");
        add_host();
    } else if (kind < 4) {
        ONE_OF(auth);
    } else if (kind == 4) {
        ONE_OF(lengths);
    } else if (kind == 5) {
        ONE_OF(codings);
    } else if (kind < 9) {
        add("Referer: https://");
        add_host();
        add("/b");
        add_query();
    } else {
        ONE_OF(other);
    }
    if (roll(24) == 0) {
        static const char *const odd[] = {"\r\n\tfolded", "\r\nHost : s.atlassian.net", "\nNoColon", "\rX: y"};
        ONE_OF(odd);
    }
    add_line_end();
}

static void add_body(void)
{
    static const char *const bodies[] = {"",
                                         "",
                                         "",
                                         "",
                                         "5",
                                         "hello",
                                         "5\r\nhello\r\n0\r\n\r\n",
                                         "3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n",
                                         "a \n0123456789\n0\n\n",
                                         "g\r\n",
                                         "0\r\n\r\n",
                                         "\r\n"};
    ONE_OF(bodies);
}

static void add_request(void)
{
    static const char *const methods[] = {"GET ",     "GET ",      "POST ", "PUT ", "DELETE ", "CONNECT ",
                                          "OPTIONS ", "PROPFIND ", "HEAD ", "get ", "GETX "};
    ONE_OF(methods);
    add_target();
    add(roll(12) ? " HTTP/1.1" : roll(3) ? " HTTP/1.0" : " HTTP/2.0");
    add_line_end();
    if (roll(4)) {
        add(roll(3) ? "Host: s.atlassian.net" : "host: x.jira.com:443 ");
        add_line_end();
    }
    for (uint32_t fields = roll(5); fields; fields--)
        add_field();
    add_line_end();
    add_body();
}

static void spoil(void)
{
    static const char bytes[] = "\r\n\0 \t:=&?%./#jwtJ0aGH@-";
    for (uint32_t n = roll(3) ? 0 : 1 + roll(3); n && len; n--) {
        size_t at = roll((uint32_t)len);
        uint32_t how = roll(4);
        if (how == 0)
            text[at] = (char)roll(256);
        else if (how == 1)
            text[at] = bytes[roll(sizeof bytes)];
        else if (how == 2)
            len = at;
        else
            memmove(text + at, text + at + 1, --len - at);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const uint64_t count = strtoull(argv[2], NULL, 10);
    dice = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    uint64_t bytes = 0;
    for (uint64_t done = 1; done <= count; done++) {
        len = 0;
        for (uint32_t requests = 1 + roll(3); requests; requests--)
            add_request();
        spoil();
        LLVMFuzzerTestOneInput((const uint8_t *)text, len);
        bytes += len;
        if (done % FLUSH_EVERY == 0 || done == count)
            printf("%" PRIu64 " streams of %" PRIu64 " bytes, all as by the model\n", done, bytes);
    }
    return 0;
}
