/* What Atlassian hashes of a request, and what can be said of a token beside it. The vectors are those of Atlassian's library. */
#include "unit.h"

#include "../../shim/inspect/base64url.h"
#include "../../shim/inspect/examine.h"
#include "../../shim/inspect/inspect.h"
#include "../../shim/inspect/libjwt.h"

#include <stdio.h>
#include <sys/auxv.h>

/* The allocation that fails, ours and jansson's counted together; 0: none. */
static size_t allocations, fail_at;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return ++allocations == fail_at ? NULL : __real_malloc(size);
}

enum { NOW = 1700000000 };
static const struct span no_base = {"", 0};
static const struct span either_base = {NULL, 0};

static struct signed_request request_of(const char *method, const char *path, const char *query)
{
    return (struct signed_request){text_span(method), text_span(path), text_span(query)};
}

/* --- the hash ------------------------------------------------------------------------------------------------------------------- */

static void assert_canonical(const char *method, const char *path, const char *query, const char *base, const char *canonical)
{
    size_t len;
    struct signed_request request = request_of(method, path, query);
    struct qsh_form form = {.base = text_span(base)};
    char *made = qsh_canonical(&request, &form, &len);
    assert_non_null(made);
    struct span seen = span_of(made, len);
    assert_span_equal(seen, canonical);
    free(made);
}

static void hash_of(const struct signed_request *request, const struct qsh_form *form, char hex[QSH_LENGTH + 1])
{
    size_t len;
    char *made = qsh_canonical(request, form, &len);
    assert_non_null(made);
    qsh_hash(made, len, hex);
    free(made);
}

static void atlassians_vectors_give_their_hashes(void **state)
{
    static const struct {
        const char *method, *path, *query, *base, *canonical, *qsh;
    } vectors[] = {
        {"GET", "/rest/api/3/issue/AC-1", "jwt=T", "", "GET&/rest/api/3/issue/AC-1&",
         "697768f56294af78beb213d54a57e6cecd3b8ebd7da883b78653fc803d4675a6"},
        {"GET", "/rest/api/3/search", "jql=project%20%3D%20ZEP%20AND%20issuetype%20in%20(Feature%2C%20Sub)&startAt=50&jwt=T",
         "", "GET&/rest/api/3/search&jql=project%20%3D%20ZEP%20AND%20issuetype%20in%20%28Feature%2C%20Sub%29&startAt=50",
         "83cd241f1b2f0ed854070866481f3dd4e4d9bd0e90d502e19e940004679db2a0"},
        {"GET", "/wiki/rest/api/content", "expand=body.storage&spaceKey=TST&jwt=T", "/wiki",
         "GET&/rest/api/content&expand=body.storage&spaceKey=TST",
         "90d84b1764605ef40b5210f57e8524a1c54fbfcb4d984e893af9059da12a36ff"},
        {"GET", "/wiki/", "jwt=T", "/wiki", "GET&/&", "c88caad15a1c1a900b8ac08aa9686f4e8184539bea1deda36e2f649430df3239"},
        {"GET", "/rest/a&b/c&d", "x=y&jwt=T", "", "GET&/rest/a%26b/c%26d&x=y",
         "4a378aae13b11bf739c3f64c5e0285a48c4902715dc7928e949fdd0f18d9c32d"},
        {"GET", "/p", "r=2&r=10&r=1&jwt=T", "", "GET&/p&r=1,10,2",
         "823802eb924fcaaf045000fdeaa5e99275eea88a6e8facecbdb54b780cdfdb49"},
        {"GET", "/p", "q=a+b%20c%2Bd~e*f%2Ag!h'i(j)&jwt=T", "", "GET&/p&q=a%20b%20c%2Bd~e%2Af%2Ag%21h%27i%28j%29",
         "88c11c7d990d158847db62fa40a2eb656ca898e6a5bcf58577a7887c786884e7"},
        {"GET", "/p", "notmuch=&flag&jwt=T", "",
         "GET&/p&flag=&notmuch=", "0e1533972899177a0feb6fce6b81fa14155cde159283a205cd039b09ac5e615d"},
        {"POST", "/rest/api/2/issue", "jwt=T", "", "POST&/rest/api/2/issue&",
         "43dd1779e33c34fae00c308d62e5dd153a32147d1bcb5d40b3936457fda0ece4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char hex[QSH_LENGTH + 1];
        struct signed_request request = request_of(vectors[i].method, vectors[i].path, vectors[i].query);
        assert_canonical(vectors[i].method, vectors[i].path, vectors[i].query, vectors[i].base, vectors[i].canonical);
        hash_of(&request, &(struct qsh_form){.base = text_span(vectors[i].base)}, hex);
        assert_string_equal(hex, vectors[i].qsh);
    }
}

static void a_method_is_hashed_in_upper_case(void **state)
{
    (void)state;
    assert_canonical("get", "/p", "", "", "GET&/p&");
}

static void a_path_loses_one_trailing_slash_and_a_whole_context_path(void **state)
{
    (void)state;
    assert_canonical("GET", "", "", "", "GET&/&");
    assert_canonical("GET", "/", "", "", "GET&/&");
    assert_canonical("GET", "/a//", "", "", "GET&/a/&");
    assert_canonical("GET", "/wiki", "", "/wiki", "GET&/&");
    assert_canonical("GET", "/wikipedia", "", "/wiki", "GET&/wikipedia&");
    assert_canonical("GET", "/a%2fB%20'c/../d", "", "", "GET&/a%2fB%20'c/../d&");
}

static void parameters_are_decoded_encoded_again_and_sorted(void **state)
{
    (void)state;
    assert_canonical("GET", "/p", "&&b=1&&a=2&", "", "GET&/p&a=2&b=1");
    assert_canonical("GET", "/p", "=v&a=b=c", "", "GET&/p&=v&a=b%3Dc");
    assert_canonical("GET", "/p", "a=%zz%4&%61=1", "", "GET&/p&a=%25zz%254,1");
    assert_canonical("GET", "/p", "%6Awt=T&JWT=1&xjwt=2", "", "GET&/p&JWT=1&xjwt=2");
    assert_canonical("GET", "/p", "q=\xc3\xa9&q=%00", "", "GET&/p&q=%00,%C3%A9");
    /* U+1F600 comes before U+FF01, as in UTF-16 */
    assert_canonical("GET", "/p", "%EF%BC%81=2&%F0%9F%98%80=1", "", "GET&/p&%F0%9F%98%80=1&%EF%BC%81=2");
}

static void the_orders_of_decoded_and_encoded_names_differ(void **state)
{
    size_t len;
    struct signed_request request = request_of("GET", "/p", "a~=1&a%7B=2");
    char *made = qsh_canonical(&request, &(struct qsh_form){.order = QSH_BY_ENCODED}, &len);
    (void)state;
    assert_span_equal(span_of(made, len), "GET&/p&a%7B=2&a~=1");
    free(made);
    request = request_of("GET", "/p", "a%7B=2&a-=1");
    assert_canonical("GET", "/p", "a%7B=2&a-=1", "", "GET&/p&a-=1&a%7B=2");
    made = qsh_canonical(&request, &(struct qsh_form){.order = QSH_BY_ENCODED}, &len);
    assert_span_equal(span_of(made, len), "GET&/p&a%7B=2&a-=1");
    free(made);
}

/* --- tokens --------------------------------------------------------------------------------------------------------------------- */

static struct span token_of(const char *header, const char *claims)
{
    static char token[4096];
    size_t len = base64url_encode(header, strlen(header), token);
    token[len++] = '.';
    len += base64url_encode(claims, strlen(claims), token + len);
    memcpy(token + len, ".c2ln", 5);
    return span_of(token, len + 5);
}

static const char hs256[] = "{\"typ\":\"JWT\",\"alg\":\"HS256\"}";

static unsigned set_of(enum finding finding)
{
    return 1u << finding;
}

/* The findings of a token with these claims, beside no request. */
static unsigned found_in(const char *header, const char *claims)
{
    struct examination examination;
    examine(token_of(header, claims), NULL, no_base, NOW, &examination);
    unsigned findings = examination.findings;
    examination_end(&examination);
    return findings;
}

#define IN_ORDER "\"iss\":\"app\",\"qsh\":\"00\",\"iat\":1699999990"

static void a_token_in_order_has_no_finding(void **state)
{
    (void)state;
    assert_int_equal(found_in(hs256, "{" IN_ORDER ",\"exp\":1700000180}"), 0);
}

static void a_token_expires_thirty_seconds_late(void **state)
{
    (void)state;
    assert_int_equal(found_in(hs256, "{" IN_ORDER ",\"exp\":1699999970}"), 0);
    assert_int_equal(found_in(hs256, "{" IN_ORDER ",\"exp\":1699999969}"), set_of(FINDING_EXPIRED));
}

static void a_clock_may_be_thirty_seconds_wrong(void **state)
{
    (void)state;
    assert_int_equal(
        found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":1700000180,\"iat\":1700000030,\"nbf\":1700000030}"), 0);
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":1700000180,\"iat\":1700000031}"),
                     set_of(FINDING_IAT_IN_FUTURE));
    assert_int_equal(found_in(hs256, "{" IN_ORDER ",\"exp\":1700000180,\"nbf\":1700000031}"),
                     set_of(FINDING_NOT_YET_VALID));
}

static void milliseconds_are_named_and_nothing_else_concluded_from_them(void **state)
{
    (void)state;
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":1700000180000,\"iat\":1700000000000}"),
                     set_of(FINDING_MILLISECONDS));
    assert_int_equal(found_in(hs256, "{" IN_ORDER ",\"exp\":1700000180000}"), set_of(FINDING_MILLISECONDS));
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    assert_int_equal(found_in(hs256, "{}"),
                     set_of(FINDING_NO_IAT) | set_of(FINDING_NO_EXP) | set_of(FINDING_NO_QSH) | set_of(FINDING_NO_ISS));
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":\"1700000180\",\"iat\":1700000000}"),
                     set_of(FINDING_NO_EXP));
}

static void numbers_beyond_all_bounds_are_only_numbers(void **state)
{
    (void)state;
    assert_int_equal(
        found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":9223372036854775807,\"iat\":-9223372036854775808}"),
        set_of(FINDING_MILLISECONDS));
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":1e300,\"iat\":-1e300}"),
                     set_of(FINDING_MILLISECONDS));
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"exp\":1700000180.5,\"iat\":1.7e9}"), 0);
}

static void more_than_a_day_is_long(void **state)
{
    (void)state;
    /* a widely used client: iat a minute back, exp a day ahead */
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"iat\":1699999940,\"exp\":1700086400}"), 0);
    assert_int_equal(found_in(hs256, "{\"iss\":\"a\",\"qsh\":\"0\",\"iat\":1700000000,\"exp\":1700090001}"),
                     set_of(FINDING_LONG_LIFETIME));
}

static void only_hs256_is_the_algorithm(void **state)
{
    const char *claims = "{" IN_ORDER ",\"exp\":1700000180}";
    (void)state;
    assert_int_equal(found_in("{\"alg\":\"none\"}", claims), set_of(FINDING_ALG_NONE));
    assert_int_equal(found_in("{\"alg\":\"HS512\",\"typ\":\"JWT\"}", claims), set_of(FINDING_ALG_NOT_HS256));
    assert_int_equal(found_in("{\"alg\":\"RS256\"}", claims), set_of(FINDING_ALG_NOT_HS256));
    assert_true(found_in("{\"typ\":\"JWT\"}", claims) & set_of(FINDING_ALG_NOT_HS256));
}

static void what_libjwt_refuses_is_read_all_the_same(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"XS1\"}", "{\"alg\":\"hs1\",\"typ\":\"JOSE\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct examination examination;
        examine(token_of(headers[i], "{\"iss\":\"app\",\"exp\":1699990000}"), NULL, no_base, NOW, &examination);
        assert_true(examination_has(&examination, FINDING_LIBJWT_REFUSES));
        assert_true(examination_has(&examination, FINDING_EXPIRED));
        assert_string_equal(examination.iss, "app");
        examination_end(&examination);
    }
}

static void what_is_no_json_object_is_unreadable(void **state)
{
    static const char deep[] = "{\"a\":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}";
    (void)state;
    assert_int_equal(found_in(hs256, "[]"), set_of(FINDING_UNREADABLE));
    assert_int_equal(found_in("1", "{}"), set_of(FINDING_UNREADABLE));
    assert_int_equal(found_in(hs256, "{\"iss\":\"app\""), set_of(FINDING_UNREADABLE));
    assert_int_equal(found_in(hs256, deep), set_of(FINDING_UNREADABLE));
    struct examination examination;
    examine(text_span("a.b"), NULL, no_base, NOW, &examination);
    assert_int_equal(examination.findings, set_of(FINDING_UNREADABLE));
    examination_end(&examination);
}

static void a_token_over_8_kib_is_not_read(void **state)
{
    char *token = malloc(INSPECT_TOKEN_MAX + 1);
    struct examination examination;
    (void)state;
    memset(token, 'a', INSPECT_TOKEN_MAX + 1);
    examine(span_of(token, INSPECT_TOKEN_MAX + 1), NULL, no_base, NOW, &examination);
    assert_int_equal(examination.findings, set_of(FINDING_TOO_LONG));
    examination_end(&examination);
    free(token);
}

/* --- both --------------------------------------------------------------------------------------------------------------------- */

/* What is found in a token whose qsh is that of `form`, beside `request`. */
static unsigned found_beside(const struct signed_request *request, const struct signed_request *hashed,
                             struct qsh_form form, enum qsh_verdict *verdict)
{
    char claims[256];
    char hex[QSH_LENGTH + 1];
    struct examination examination;
    hash_of(hashed, &form, hex);
    snprintf(claims, sizeof claims, "{\"iss\":\"app\",\"iat\":1699999990,\"exp\":1700000180,\"qsh\":\"%s\"}", hex);
    examine(token_of(hs256, claims), request, either_base, NOW, &examination);
    unsigned findings = examination.findings;
    *verdict = examination.qsh;
    examination_end(&examination);
    return findings;
}

#define assert_cause(request, hashed, finding, ...)                                                                    \
    do {                                                                                                               \
        enum qsh_verdict verdict_;                                                                                     \
        assert_int_equal(found_beside(request, hashed, (struct qsh_form){__VA_ARGS__}, &verdict_), set_of(finding));   \
        assert_int_equal(verdict_, QSH_MISMATCH);                                                                      \
    } while (0)

#define assert_match(request, findings, ...)                                                                           \
    do {                                                                                                               \
        enum qsh_verdict verdict_;                                                                                     \
        assert_int_equal(found_beside(request, request, (struct qsh_form){__VA_ARGS__}, &verdict_), findings);         \
        assert_int_equal(verdict_, QSH_MATCH);                                                                         \
    } while (0)

static void both_orders_and_both_paths_match(void **state)
{
    const struct signed_request jira = request_of("GET", "/rest/x/", "a%7B=2&a-=1&jwt=T");
    const struct signed_request wiki = request_of("GET", "/wiki/rest/x", "a%7B=2&a-=1&jwt=T");
    (void)state;
    assert_match(&jira, 0, .order = QSH_BY_DECODED);
    assert_match(&jira, 0, .order = QSH_BY_ENCODED);
    assert_match(&wiki, 0, .base = text_span("/wiki"));
    assert_match(&wiki, 0, .base = text_span("/wiki"), .order = QSH_BY_ENCODED);
    assert_match(&wiki, set_of(FINDING_CONTEXT_PATH_KEPT), .order = QSH_BY_DECODED);
    assert_match(&wiki, set_of(FINDING_CONTEXT_PATH_KEPT), .order = QSH_BY_ENCODED);
}

static void the_usual_mistakes_are_named(void **state)
{
    const struct signed_request request = request_of("GET", "/rest/x/", "b=2&a=x+(y)&b=1&jwt=T");
    const struct signed_request posted = request_of("POST", "/rest/x/", "b=2&a=x+(y)&b=1&jwt=T");
    const struct signed_request another = request_of("GET", "/rest/y", "");
    (void)state;
    assert_cause(&request, &request, FINDING_CONTEXT_PATH_CUT, .base = text_span("/rest"));
    assert_cause(&request, &request, FINDING_SLASH_KEPT, .slash_kept = true);
    assert_cause(&request, &request, FINDING_JWT_HASHED, .jwt_kept = true);
    assert_cause(&request, &request, FINDING_UNSORTED, .order = QSH_UNSORTED);
    assert_cause(&request, &request, FINDING_UNSORTED, .order = QSH_UNSORTED, .repeats_apart = true);
    assert_cause(&request, &request, FINDING_QUERY_LEFT_OUT, .query_left_out = true);
    assert_cause(&request, &request, FINDING_REPEATS_APART, .repeats_apart = true);
    assert_cause(&request, &request, FINDING_MARKS_KEPT, .marks_kept = true);
    assert_cause(&request, &request, FINDING_PLUS_KEPT, .plus_kept = true);
    assert_cause(&request, &posted, FINDING_METHOD, .order = QSH_BY_DECODED);
    assert_cause(&request, &another, FINDING_MISMATCH, .order = QSH_BY_DECODED);
}

static void a_context_token_is_told_from_a_mismatch(void **state)
{
    const struct signed_request request = request_of("GET", "/rest/x", "jwt=T");
    struct examination examination;
    (void)state;
    examine(token_of(hs256, "{\"iss\":\"a\",\"iat\":1699999990,\"exp\":1700000180,\"qsh\":\"context-qsh\"}"), &request,
            either_base, NOW, &examination);
    assert_int_equal(examination.findings, set_of(FINDING_CONTEXT_QSH));
    assert_int_equal(examination.qsh, QSH_CONTEXT);
    examination_end(&examination);
}

static void the_sites_own_context_path_is_left_out(void **state)
{
    const struct signed_request request = request_of("GET", "/jira/rest/x", "");
    struct examination examination;
    (void)state;
    examine(token_of(hs256, "{}"), &request, text_span("/jira"), NOW, &examination);
    char hex[QSH_LENGTH + 1];
    hash_of(&request, &(struct qsh_form){.base = text_span("/jira")}, hex);
    assert_string_equal(examination.computed_qsh, hex);
    examination_end(&examination);
}

/* --- the object's function ---------------------------------------------------------------------------------------------------- */

static size_t explain(unsigned version, struct span token, char *out, size_t size)
{
    const struct inspect_request request = {version, text_span("GET"), text_span("/p"), text_span("jwt=T"), token};
    inspect_fn INSPECT_FUNCTION;
    return INSPECT_FUNCTION(&request, out, size);
}

static void an_explanation_is_members_of_an_object(void **state)
{
    char out[INSPECT_FIELDS_MAX];
    char object[INSPECT_FIELDS_MAX + 16];
    (void)state;
    size_t len =
        explain(INSPECT_VERSION, token_of(hs256, "{\"iss\":\"a\\\"b\xc3\xa9\",\"iat\":1,\"exp\":2}"), out, sizeof out);
    assert_true(len > 0);
    snprintf(object, sizeof object, "{\"x\":1%.*s}", (int)len, out);
    json_t *parsed = json_loads(object, 0, NULL);
    assert_non_null(parsed);
    assert_string_equal(json_string_value(json_object_get(parsed, "jwt.iss")), "a\"b\xc3\xa9");
    assert_string_equal(json_string_value(json_object_get(parsed, "jwt.qsh")), "missing");
    assert_string_equal(json_string_value(json_object_get(parsed, "jwt.alg")), "HS256");
    assert_int_equal(json_integer_value(json_object_get(parsed, "jwt.exp")), 2);
    assert_int_equal(json_array_size(json_object_get(parsed, "jwt.findings")), 2);
    json_decref(parsed);
}

static void an_issuer_of_any_length_fits(void **state)
{
    char out[INSPECT_FIELDS_MAX];
    char claims[3000] = "{\"iss\":\"";
    (void)state;
    for (size_t i = 0; i < 100; i++)
        strcat(claims, "\\u0001\\ud83d\\ude00");
    strcat(claims, "\"}");
    size_t len = explain(INSPECT_VERSION, token_of("{\"alg\":\"\\u0001\\u0001\\u0001\\u0001\\u0001\\u0001\"}", claims),
                         out, sizeof out);
    assert_true(len > 0 && len < sizeof out);
}

static void another_version_and_no_room_give_nothing(void **state)
{
    char out[INSPECT_FIELDS_MAX];
    struct span token = token_of(hs256, "{\"iss\":\"a\"}");
    (void)state;
    assert_int_equal(explain(INSPECT_VERSION + 1, token, out, sizeof out), 0);
    assert_int_equal(explain(INSPECT_VERSION, token, out, 20), 0);
}

static void without_memory_there_is_less_to_say_and_nothing_else(void **state)
{
    char whole[INSPECT_FIELDS_MAX];
    char out[INSPECT_FIELDS_MAX];
    const char *claims =
        "{\"iss\":\"app\",\"iat\":1699999990,\"exp\":1700000180,\"qsh\":\"00\",\"context\":{\"user\":{}}}";
    (void)state;
    size_t len = explain(INSPECT_VERSION, token_of(hs256, claims), whole, sizeof whole);
    json_set_alloc_funcs(__wrap_malloc, free);
    for (size_t i = 1;; i++) {
        allocations = 0;
        fail_at = i;
        size_t made = explain(INSPECT_VERSION, token_of(hs256, claims), out, sizeof out);
        fail_at = 0;
        assert_true(made <= sizeof out);
        if (allocations < i) {
            assert_int_equal(made, len);
            assert_memory_equal(out, whole, len);
            assert_true(i > 20);
            break;
        }
    }
    json_set_alloc_funcs(malloc, free);
}

/* --- libjwt -------------------------------------------------------------------------------------------------------------------- */

static void what_is_signed_verifies_and_nothing_else_does(void **state)
{
    static const char secret[] = "a secret of thirty-two characters";
    json_t *claims = json_pack("{s:s, s:I}", "iss", "app", "exp", (json_int_t)1);
    char *token = libjwt_sign(claims, secret, strlen(secret));
    (void)state;
    assert_non_null(token);
    assert_true(libjwt_verifies(token, secret, strlen(secret)));
    assert_false(libjwt_verifies(token, "another one of thirty-two characters", 36));
    assert_false(libjwt_verifies(token, secret, 0));
    token[strlen(token) - 3] ^= 1;
    assert_false(libjwt_verifies(token, secret, strlen(secret)));
    free(token);
    json_decref(claims);
    struct span unsigned_token = token_of("{\"alg\":\"none\"}", "{\"iss\":\"app\"}");
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)unsigned_token.len - 4, unsigned_token.at);
    assert_false(libjwt_verifies(text, secret, strlen(secret)));
}

static void base64url_is_decoded_as_it_was_encoded(void **state)
{
    (void)state;
    for (size_t len = 0; len < 64; len++) {
        char in[64], text[96], back[96];
        for (size_t i = 0; i < len; i++)
            in[i] = (char)(i * 37 + len);
        size_t encoded = base64url_encode(in, len, text);
        assert_int_equal(base64url_decode(text, encoded, back), len);
        assert_memory_equal(in, back, len);
    }
    char out[16];
    assert_int_equal(base64url_decode("a", 1, out), (size_t)-1);
    assert_int_equal(base64url_decode("a+b/", 4, out), (size_t)-1);
}

/* jansson's, which takes the first seed for all objects of the process. */
static size_t seed;
void json_object_seed(size_t given)
{
    seed = given;
}

static size_t seed_of_an_examination(void)
{
    struct examination examination;
    seed = 0;
    examine(text_span("e30.e30.c"), NULL, no_base, NOW, &examination);
    examination_end(&examination);
    return seed;
}

static void jansson_is_seeded_with_what_the_kernel_gave_the_process(void **state)
{
    (void)state;
    char *random = (char *)getauxval(AT_RANDOM);
    const size_t first = seed_of_an_examination();
    assert_int_not_equal(first, 0); /* for which jansson would open a file */
    assert_int_equal(seed_of_an_examination(), first);
    random[15] ^= 0x55;
    assert_int_not_equal(seed_of_an_examination(), first);
    random[15] ^= 0x55;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(atlassians_vectors_give_their_hashes),
        cmocka_unit_test(a_method_is_hashed_in_upper_case),
        cmocka_unit_test(a_path_loses_one_trailing_slash_and_a_whole_context_path),
        cmocka_unit_test(parameters_are_decoded_encoded_again_and_sorted),
        cmocka_unit_test(the_orders_of_decoded_and_encoded_names_differ),
        cmocka_unit_test(a_token_in_order_has_no_finding),
        cmocka_unit_test(a_token_expires_thirty_seconds_late),
        cmocka_unit_test(a_clock_may_be_thirty_seconds_wrong),
        cmocka_unit_test(milliseconds_are_named_and_nothing_else_concluded_from_them),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(numbers_beyond_all_bounds_are_only_numbers),
        cmocka_unit_test(more_than_a_day_is_long),
        cmocka_unit_test(only_hs256_is_the_algorithm),
        cmocka_unit_test(what_libjwt_refuses_is_read_all_the_same),
        cmocka_unit_test(what_is_no_json_object_is_unreadable),
        cmocka_unit_test(a_token_over_8_kib_is_not_read),
        cmocka_unit_test(both_orders_and_both_paths_match),
        cmocka_unit_test(the_usual_mistakes_are_named),
        cmocka_unit_test(a_context_token_is_told_from_a_mismatch),
        cmocka_unit_test(the_sites_own_context_path_is_left_out),
        cmocka_unit_test(an_explanation_is_members_of_an_object),
        cmocka_unit_test(an_issuer_of_any_length_fits),
        cmocka_unit_test(another_version_and_no_room_give_nothing),
        cmocka_unit_test(without_memory_there_is_less_to_say_and_nothing_else),
        cmocka_unit_test(what_is_signed_verifies_and_nothing_else_does),
        cmocka_unit_test(base64url_is_decoded_as_it_was_encoded),
        cmocka_unit_test(jansson_is_seeded_with_what_the_kernel_gave_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
