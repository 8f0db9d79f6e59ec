/* What the golden pairs, which are HTTP/1 as programs send it, do not reach of the core: HTTP/2's fields, lines at the edge
 * of a grammar, more changes than there is room for. */
#include "unit.h"

#include "../../shim/config.h"
#include "../../shim/http/quick.h"
#include "../../shim/http/stream.h"
#include "../../shim/http/wide.h"

static struct config config;

/* --- HTTP/2 --- */

enum { FIELDS = 8 };
static struct field fields[FIELDS];
static size_t field_count;

static struct field field_at(const void *list, size_t index)
{
    return ((const struct field *)list)[index];
}

static void given(const char *name, const char *value)
{
    assert_true(field_count < FIELDS);
    fields[field_count++] = (struct field){text_span(name), text_span(value)};
}

static struct decision decided(void)
{
    struct decision decision;
    fields_decide(&config.policy, field_at, fields, field_count, &decision);
    field_count = 0;
    return decision;
}

static void the_path_of_http_2_loses_its_token(void **state)
{
    (void)state;
    static const char path[] = "/x?a=1&jwt=" TOKEN "&b=2";
    char out[sizeof path];
    given(":method", "GET");
    given(":authority", "s.atlassian.net");
    given(":path", path);
    struct decision decision = decided();
    assert_int_equal(decision.reason, REASON_NONE);
    assert_true(decision.enters);
    assert_int_equal(decision.protocol, PROTOCOL_2);
    assert_span_equal(decision.method, "GET");
    assert_span_equal(decision.token, TOKEN);
    assert_span_equal(span_of(out, edits_cut(&decision.edits, path, strlen(path), out)), "/x?a=1&b=2");
}

static void a_path_without_a_query_or_no_path_is_no_candidate(void **state)
{
    (void)state;
    given(":authority", "s.atlassian.net");
    given(":path", "/x");
    assert_false(decided().candidate);
    given(":method", "CONNECT");
    given(":authority", "s.atlassian.net");
    assert_false(decided().candidate);
}

static void the_first_path_counts(void **state)
{
    (void)state;
    given(":authority", "s.atlassian.net");
    given(":path", "/x");
    given(":path", "/x?jwt=" TOKEN);
    assert_false(decided().candidate);
}

static void the_authority_counts_before_the_host(void **state)
{
    (void)state;
    given(":path", "/?jwt=" TOKEN);
    given("host", "s.atlassian.net");
    given(":authority", "evil.example");
    assert_int_equal(decided().reason, REASON_HOST_NOT_ATLASSIAN);
    given(":path", "/?jwt=" TOKEN);
    given(":authority", "s.atlassian.net");
    given("host", "evil.example");
    assert_int_equal(decided().reason, REASON_NONE);
    given(":path", "/?jwt=" TOKEN);
    given("host", "s.atlassian.net");
    assert_int_equal(decided().reason, REASON_NONE);
    given(":path", "/?jwt=" TOKEN);
    assert_int_equal(decided().reason, REASON_HOST_MISSING);
}

static void two_authorities_or_hosts_are_nobodys(void **state)
{
    (void)state;
    given(":path", "/?jwt=" TOKEN);
    given(":authority", "s.atlassian.net");
    given(":authority", "t.atlassian.net");
    assert_int_equal(decided().reason, REASON_HOST_REPEATED);
    given(":path", "/?jwt=" TOKEN);
    given("host", "evil.example");
    given("host", "s.atlassian.net");
    assert_int_equal(decided().reason, REASON_HOST_REPEATED);
    given(":path", "/?jwt=" TOKEN);
    given("host", "evil.example");
    given("host", "evil.example");
    given(":authority", "s.atlassian.net");
    assert_int_equal(decided().reason, REASON_NONE);
}

static void an_authorization_of_http_2_is_a_conflict_unless_it_is_the_same_token(void **state)
{
    (void)state;
    config.policy.on_conflict = ON_CONFLICT_LEAVE;
    given(":path", "/?jwt=" TOKEN);
    given(":authority", "s.atlassian.net");
    given("authorization", "Basic eA==");
    assert_int_equal(decided().reason, REASON_CONFLICT_LEFT);
    given(":path", "/?jwt=" TOKEN);
    given(":authority", "s.atlassian.net");
    given("authorization", "JWT " TOKEN);
    struct decision decision = decided();
    config.policy.on_conflict = ON_CONFLICT_JWT;
    assert_int_equal(decision.reason, REASON_NONE);
    assert_false(decision.enters);
}

static void a_referer_of_http_2_is_scrubbed_on_an_atlassian_host_alone(void **state)
{
    (void)state;
    given(":path", "/");
    given("referer", "https://s.atlassian.net/?jwt=" TOKEN);
    assert_true(decided().referer);
    given(":path", "/");
    given("referer", "https://evil.example/?jwt=" TOKEN);
    assert_false(decided().referer);
}

/* --- more changes than there is room for --- */

static const char *many_tokens(const char *before, const char *after)
{
    static char text[8192];
    strcpy(text, before);
    for (int i = 0; i < EDITS_MAX + 2; i++)
        strcat(text, i ? "&a&jwt=" TOKEN : "a&jwt=" TOKEN);
    return strcat(text, after);
}

static struct stream_step step_of(const char *text)
{
    static struct stream stream;
    struct stream_step step;
    stream_reset(&stream);
    stream_next(&stream, &config.policy, text_span(text), &step);
    return step;
}

static void too_many_tokens_leave_a_request_as_it_is(void **state)
{
    (void)state;
    struct stream_step step = step_of(many_tokens("GET /?", " HTTP/1.1\r\nHost: s.atlassian.net\r\n\r\n"));
    assert_int_equal(step.verdict, STREAM_PASS);
    assert_int_equal(step.decision.reason, REASON_TOO_MANY_EDITS);
    given(":authority", "s.atlassian.net");
    given(":path", many_tokens("/?", ""));
    struct decision decision = decided();
    assert_int_equal(decision.reason, REASON_TOO_MANY_EDITS);
    assert_int_equal(decision.edits.count, 0);
    assert_false(decision.enters);
}

static void too_many_tokens_leave_a_referer_as_it_is(void **state)
{
    (void)state;
    const char *text = many_tokens("GET / HTTP/1.1\r\nReferer: https://s.atlassian.net/?", "\r\n\r\n");
    struct stream_step step = step_of(text);
    assert_int_equal(step.verdict, STREAM_PASS);
    assert_int_equal(step.len, strlen(text));
}

/* --- edges --- */

static void a_line_too_short_for_a_version_is_no_request_line(void **state)
{
    (void)state;
    struct request_line line;
    assert_false(request_line_parse(text_span("GET /\r\n"), &line));
    assert_false(request_line_parse(text_span("GET HTTP/1.1\r\n"), &line));
    assert_false(request_line_parse(text_span("GET  HTTP/1.1\r\n"), &line));
    assert_true(request_line_parse(text_span("GET / HTTP/1.0\n"), &line));
    assert_true(line.http_1_0);
}

static void a_method_that_is_as_long_as_a_known_one_is_another(void **state)
{
    (void)state;
    assert_true(request_may_begin(text_span("POST /")));
    assert_false(request_may_begin(text_span("PUSH /")));
    assert_false(request_may_begin(text_span("GOT /")));
    assert_true(request_may_begin(text_span("PROPF")));
    assert_false(request_may_begin(text_span("PROPX")));
}

static void a_quick_look_is_at_whole_heads_alone(void **state)
{
    (void)state;
    static const char head[] =
        "GET /rest/api/3/myself?expand=groups HTTP/1.1\r\nHost: s.atlassian.net\r\nAccept: */*\r\n"
        "X-One: 1111111111111111111111\r\nX-Two: 2222222222222222222222\r\nX-Three: 3333333\r\n\r\n";
    const size_t len = strlen(head);
    for (size_t cut = 1; cut < len; cut++)
        assert_false(quick_head_stays(span_of(head, cut)));
#ifdef WIDE
    assert_true(quick_head_stays(span_of(head, len)) == wide_is_there());
#endif
}

static void an_open_bracket_is_no_host(void **state)
{
    (void)state;
    assert_int_equal(authority_host(text_span("[::1")).len, 0);
    assert_span_equal(authority_host(text_span("[::1]:80")), "[::1]");
}

static void a_name_that_only_begins_encoded_is_another(void **state)
{
    (void)state;
    assert_false(query_has_jwt(text_span("%6Axt=1&j%2=1&%=1&j%77=1&%6Awt2=1&j%=t=1")));
    assert_true(query_has_jwt(text_span("%6Axt=1&j%77%74=1")));
}

static void a_head_without_an_end_is_held_for_64_kib(void **state)
{
    (void)state;
    static char text[HEAD_MAX + 2];
    struct stream stream;
    struct stream_step step;
    static const char begins[] = "GET /?jwt=" TOKEN " HTTP/1.1\r\nX: ";
    memset(text, 'x', sizeof text);
    memcpy(text, begins, strlen(begins));
    stream_reset(&stream);
    stream_next(&stream, &config.policy, span_of(text, HEAD_MAX), &step);
    assert_int_equal(step.verdict, STREAM_HOLD);
    stream_next(&stream, &config.policy, span_of(text, HEAD_MAX + 1), &step);
    assert_int_equal(step.verdict, STREAM_PASS);
    assert_int_equal(step.decision.reason, REASON_HEAD_TOO_LARGE);
    assert_int_equal(stream.state, STREAM_OPAQUE);

    /* and one that comes whole, but is longer */
    memcpy(text + HEAD_MAX - 2, "\r\n\r\n", 4);
    stream_reset(&stream);
    stream_next(&stream, &config.policy, span_of(text, sizeof text), &step);
    assert_int_equal(step.verdict, STREAM_PASS);
    assert_int_equal(step.decision.reason, REASON_HEAD_TOO_LARGE);
}

static void an_encoded_token_has_three_parts_too(void **state)
{
    (void)state;
    assert_true(token_is_well_formed(text_span("%61.b%2Ec")));
    assert_false(token_is_well_formed(text_span("%61..c")));
    assert_false(token_is_well_formed(text_span("%61.b.c.d")));
    assert_false(token_is_well_formed(text_span("%61.b.c%0D%0Ax")));
    assert_false(token_is_well_formed(text_span("%61.b.")));
    assert_false(token_is_well_formed(text_span("%2Eb.c")));
}

/* Where the request behind a chunked body is found if the chunk is framed as it is given. */
static bool is_found_behind(const char *chunks)
{
    static char text[512];
    struct stream stream;
    struct stream_step step;
    strcat(strcpy(text, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), chunks);
    strcat(text, "GET /?jwt=" TOKEN " HTTP/1.1\r\nHost: s.atlassian.net\r\n\r\n");
    stream_reset(&stream);
    struct span rest = text_span(text);
    while (rest.len) {
        stream_next(&stream, &config.policy, rest, &step);
        if (step.verdict != STREAM_PASS)
            return step.verdict == STREAM_REWRITE && step.len == rest.len;
        rest = span_from(rest, step.len);
    }
    return false;
}

static void chunk_lines_may_have_blanks_and_extensions_and_bare_line_feeds(void **state)
{
    (void)state;
    assert_true(is_found_behind("3\r\nabc\r\n0\r\n\r\n"));
    assert_true(is_found_behind("3 \t\r\nabc\r\n0\r\n\r\n"));
    assert_true(is_found_behind("3 ;x=\"y\"\nabc\n0\nT: v\n\n"));
    assert_false(is_found_behind("3 3\r\nabc\r\n0\r\n\r\n"));
    assert_false(is_found_behind(" 3\r\nabc\r\n0\r\n\r\n"));
    assert_false(is_found_behind("5\r\nabc\r\n0\r\n\r\n"));
    assert_false(is_found_behind("3\rabc\r\n0\r\n\r\n"));
    assert_false(is_found_behind("8000000000000000a\r\n"));
}

static int set_up(void **state)
{
    (void)state;
    config_defaults(&config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_of_http_2_loses_its_token),
        cmocka_unit_test(a_path_without_a_query_or_no_path_is_no_candidate),
        cmocka_unit_test(the_first_path_counts),
        cmocka_unit_test(the_authority_counts_before_the_host),
        cmocka_unit_test(two_authorities_or_hosts_are_nobodys),
        cmocka_unit_test(an_authorization_of_http_2_is_a_conflict_unless_it_is_the_same_token),
        cmocka_unit_test(a_referer_of_http_2_is_scrubbed_on_an_atlassian_host_alone),
        cmocka_unit_test(too_many_tokens_leave_a_request_as_it_is),
        cmocka_unit_test(too_many_tokens_leave_a_referer_as_it_is),
        cmocka_unit_test(a_line_too_short_for_a_version_is_no_request_line),
        cmocka_unit_test(a_method_that_is_as_long_as_a_known_one_is_another),
        cmocka_unit_test(a_quick_look_is_at_whole_heads_alone),
        cmocka_unit_test(an_open_bracket_is_no_host),
        cmocka_unit_test(a_name_that_only_begins_encoded_is_another),
        cmocka_unit_test(a_head_without_an_end_is_held_for_64_kib),
        cmocka_unit_test(an_encoded_token_has_three_parts_too),
        cmocka_unit_test(chunk_lines_may_have_blanks_and_extensions_and_bare_line_feeds),
    };
    return cmocka_run_group_tests_name("the core beyond the golden pairs", tests, set_up, NULL);
}
