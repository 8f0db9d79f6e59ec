/* Looking through bytes, 32 at a time and one by one, held against a plain loop; and the quick look at whole heads, held
 * against the stream. Each span ends where its memory ends, so that a read behind it is seen by the sanitizers. */
#include "unit.h"

#include <stdio.h>

#include "../../shim/config.h"
#include "../../shim/http/bytes.h"
#include "../../shim/http/quick.h"
#include "../../shim/http/stream.h"
#include "../../shim/http/wide.h"

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

static void look_wide(bool is_wide)
{
#ifdef WIDE
    wide_answer = is_wide ? 0 : -1;
#else
    (void)is_wide;
#endif
}

static const char tokens[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hosts[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
static const char names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

static bool in_text(char c, const char *text)
{
    return c && strchr(text, c);
}

/* What each set has, said in another way. */
static bool is_token(char c)
{
    return in_text(c, tokens);
}
static bool is_host(char c)
{
    return in_text(c, hosts);
}
static bool is_name(char c)
{
    return in_text(c, names);
}
static bool is_space_or_control(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}
static bool is_line_control(char c)
{
    return c == '\0' || c == '\r' || c == '\n';
}

static const struct {
    const struct byte_set *set;
    bool (*has)(char c);
} sets[] = {
    {&token_characters, is_token},     {&host_characters, is_host},
    {&name_characters, is_name},       {&space_and_controls, is_space_or_control},
    {&line_controls, is_line_control},
};
enum { SETS = sizeof sets / sizeof sets[0] };

static void every_set_has_the_bytes_that_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETS; i++)
        for (int c = 0; c < 256; c++)
            assert_int_equal(byte_is_in(sets[i].set, (char)c), sets[i].has((char)c));
}

/* Runs of every length to the first byte that is another, in memory of every length. */
static void runs_end_where_a_plain_loop_ends_them(void **state)
{
    (void)state;
    for (size_t len = 0; len < 140; len++)
        for (size_t i = 0; i < SETS; i++) {
            char *bytes = malloc(len ? len : 1);
            size_t stop = roll((uint32_t)len + 2);
            for (size_t k = 0; k < len; k++)
                do
                    bytes[k] = (char)roll(256);
                while (sets[i].has(bytes[k]) != (k < stop) && roll(40));
            size_t in = 0;
            size_t before = 0;
            while (in < len && sets[i].has(bytes[in]))
                in++;
            while (before < len && !sets[i].has(bytes[before]))
                before++;
            for (int is_wide = 0; is_wide < 2; is_wide++) {
                look_wide(is_wide);
                assert_int_equal(bytes_in(sets[i].set, span_of(bytes, len)), in);
                assert_int_equal(bytes_before(sets[i].set, span_of(bytes, len)), before);
            }
            free(bytes);
        }
}

/* A parameter that may be named jwt, by the rule in words. */
static size_t first_jwt_name(const char *at, size_t len, size_t from)
{
    for (size_t i = from; i < len; i++) {
        bool starts = i == from || at[i - 1] == '&';
        bool long_enough = i + 1 < len;
        if (starts && (at[i] == '%' || (at[i] == 'j' && long_enough && (at[i + 1] == 'w' || at[i + 1] == '%'))))
            return i;
    }
    return len;
}

static void names_are_found_where_a_plain_loop_finds_them(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = roll(120);
        char *bytes = malloc(len ? len : 1);
        for (size_t k = 0; k < len; k++)
            bytes[k] = roll(5) ? "abcxyz=019"[roll(10)] : "&jwt%?"[roll(6)];
        size_t from = roll((uint32_t)len + 1);
        while (from > 0 && from < len && bytes[from - 1] != '&')
            from--;
        size_t want = first_jwt_name(bytes, len, from);
        for (int is_wide = 0; is_wide < 2; is_wide++) {
            look_wide(is_wide);
            size_t found = bytes_jwt_name(span_of(bytes, len), from);
            /* One byte at the very end can be no name that is meant: either answer is right. */
            if (found != want && !(want + 2 >= len && found >= len - 2))
                fail_msg("%.*s from %zu: %zu, not %zu", (int)len, bytes, from, found, want);
        }
        free(bytes);
    }
}

/* A head of so many lines, some of which matter. */
static size_t make_head(char *to)
{
    static const char *const lines[] = {
        "Accept: */*",
        "Accept-Encoding: gzip, deflate, br",
        "Cache-Control: no-cache",
        "Connection: keep-alive",
        "Cookie: a=b",
        "User-Agent: curl/8.5.0",
        "X-Request-Id: 0123456789abcdef0123456789abcdef",
        "Te: x",
        "Range: bytes=0-1",
        "U: 1",
        "c: 2",
        "X-Long: "
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "x",
        "Content-Type: a/b",
        "Content-Length: 3",
        "transfer-encoding: chunked",
        "Referer: https://site.atlassian.net/?jwt=" TOKEN,
        "Upgrade: websocket",
        "Upgrade-Insecure-Requests: 1",
        "Transfer: x",
        "Trailer: y",
        "Content-Length : 1",
        "\tfold",
        "",
    };
    static const char *const targets[] = {
        "/",
        "/rest/api/2/search?jql=project&fields=summary",
        "/a?jwtx=1",
        "/a?b=1&jwt=" TOKEN,
        "/a?%6Awt=" TOKEN,
        "/a?j%77t=x",
        "/a b",
        "/a\tb",
        "/?q=\x7f",
        "/a#?jwt=1",
        "/0123456789012345678901234567890123456789012345678901234567890123456789?startAt=0&maxResults=50&expand=names",
    };
    size_t common = sizeof lines / sizeof lines[0] - 11;
    int len = sprintf(to, "%s %s HTTP/1.%d%s", roll(20) ? "GET" : "HEAD",
                      targets[roll(sizeof targets / sizeof targets[0])], roll(10) ? 1 : 0, roll(20) ? "\r\n" : "\n");
    for (uint32_t i = roll(14); i > 0; i--) {
        const char *line = roll(8) ? lines[roll((uint32_t)common)] : lines[roll(sizeof lines / sizeof lines[0])];
        len += sprintf(to + len, "%s%s", line, roll(20) ? "\r\n" : "\n");
    }
    len += sprintf(to + len, "%s", roll(20) ? "\r\n" : "\n");
    if (roll(10) == 0)
        len += sprintf(to + len, "GET / HTTP/1.1\r\n");
    if (roll(10) == 0)
        len -= (int)roll((uint32_t)len);
    return (size_t)len;
}

/* What the stream makes of `head`: whether all of it passes as one request without a body, and nothing is said. */
static bool stream_stays(const struct policy *policy, struct span head)
{
    struct stream stream;
    stream_reset(&stream);
    while (head.len) {
        struct stream_step step;
        stream_next(&stream, policy, head, &step);
        if (step.verdict != STREAM_PASS || step.decided)
            return false;
        head = span_from(head, step.len);
    }
    return stream.state == STREAM_START && stream.scanned == 0;
}

static void a_head_that_stays_by_the_quick_look_stays_by_the_stream(void **state)
{
    (void)state;
    static struct config config;
    size_t stayed = 0;
    size_t went_by_quickly = 0;
    config_defaults(&config);
    look_wide(true);
    for (int round = 0; round < 60000; round++) {
        char text[4096];
        size_t len = make_head(text);
        char *head = malloc(len ? len : 1);
        memcpy(head, text, len);
        bool stays = stream_stays(&config.policy, span_of(head, len));
        bool quick = quick_head_stays(span_of(head, len));
        stayed += stays;
        went_by_quickly += quick;
        if (quick && !stays)
            fail_msg("not so: %.*s", (int)len, head);
        free(head);
    }
    assert_true(stayed > 1000);
#ifdef WIDE
    if (wide_is_there())
        assert_true(went_by_quickly > stayed / 4);
#endif
}

static int fresh(void **state)
{
    (void)state;
    dice = 20261128;
    look_wide(true);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_set_has_the_bytes_that_it_should, fresh),
        cmocka_unit_test_setup(runs_end_where_a_plain_loop_ends_them, fresh),
        cmocka_unit_test_setup(names_are_found_where_a_plain_loop_finds_them, fresh),
        cmocka_unit_test_setup(a_head_that_stays_by_the_quick_look_stays_by_the_stream, fresh),
    };
    return cmocka_run_group_tests_name("looking through bytes", tests, NULL, NULL);
}
