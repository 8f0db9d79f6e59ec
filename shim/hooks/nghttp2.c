/* nghttp2_submit_request and its like: the last place where an HTTP/2 request's fields are text. The program's array is
 * never written to: where something changes, nghttp2 gets one of ours, and copies it before it returns. */
#include "hooks.h"

#include <errno.h>
#include <stdlib.h>

typedef struct {
    uint8_t *name, *value;
    size_t name_len, value_len;
    uint8_t flags;
} nghttp2_nv;

typedef int32_t nghttp2_submit_request_fn(void *session, const void *priority, const nghttp2_nv *fields, size_t count,
                                          const void *data, void *user_data);
typedef int32_t nghttp2_submit_headers_fn(void *session, uint8_t flags, int32_t stream, const void *priority,
                                          const nghttp2_nv *fields, size_t count, void *user_data);

enum { NGHTTP2_NV_FLAG_NO_INDEX = 1, NGHTTP2_NV_FLAG_NO_COPY_VALUE = 4, NGHTTP2_ERR_INVALID_ARGUMENT = -501 };

/* What is submitted in place of the program's fields. */
struct submission {
    const nghttp2_nv *fields;
    size_t count;
    nghttp2_nv *own; /* NULL: the program's are submitted */
    char *bytes;
    size_t bytes_len;
};

static struct field field_at(const void *list, size_t index)
{
    const nghttp2_nv *field = &((const nghttp2_nv *)list)[index];
    return (struct field){span_of((const char *)field->name, field->name_len),
                          span_of((const char *)field->value, field->value_len)};
}

/* The value that now begins at *bytes, which moves behind it. Its name may stay uncopied; the value's memory is ours. */
static void set_value(nghttp2_nv *field, char **bytes, size_t len)
{
    field->value = (uint8_t *)*bytes;
    field->value_len = len;
    field->flags &= (uint8_t)~NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    *bytes += len;
}

static void set_authorization(nghttp2_nv *field, char **bytes, struct span token)
{
    static const char name[] = "authorization";
    static const char scheme[] = "JWT ";
    memcpy(*bytes, scheme, sizeof scheme - 1);
    size_t len = sizeof scheme - 1 + token_decode(token, *bytes + sizeof scheme - 1);
    field->name = (uint8_t *)(uintptr_t)name;
    field->name_len = sizeof name - 1;
    field->flags = NGHTTP2_NV_FLAG_NO_INDEX; /* a secret: no compression table on the way may keep it */
    set_value(field, bytes, len);
}

static void scrub_referer(nghttp2_nv *to, const struct field *field, const struct policy *policy, char **bytes)
{
    struct edits edits;
    edits_reset(&edits);
    if (referer_scrub(policy, field, field->value.at, &edits) && !edits.overflow)
        set_value(to, bytes, edits_cut(&edits, field->value.at, field->value.len, *bytes));
}

/* The edited copy of the fields: the same order, `:path` and Referers cut, one Authorization. False without memory. */
static bool edit(struct submission *submission, const struct policy *policy, const struct decision *decision)
{
    const nghttp2_nv *fields = submission->fields;
    size_t len = sizeof "JWT " + decision->token.len;
    for (size_t i = 0; i < submission->count; i++)
        len += fields[i].value_len;
    submission->own = malloc((submission->count + 1) * sizeof *submission->own);
    submission->bytes = malloc(len);
    if (!submission->own || !submission->bytes) {
        free(submission->own);
        free(submission->bytes);
        submission->own = NULL;
        return false;
    }
    submission->bytes_len = len;

    char *bytes = submission->bytes;
    size_t count = 0;
    bool entered = !decision->enters;
    bool path_done = decision->edits.count == 0;
    for (size_t i = 0; i < submission->count; i++) {
        struct field field = field_at(fields, i);
        nghttp2_nv *to = &submission->own[count];
        *to = fields[i];
        if (!path_done && SPAN_IS(field.name, ":path")) {
            set_value(to, &bytes, edits_cut(&decision->edits, field.value.at, field.value.len, bytes));
            path_done = true;
        } else if (decision->enters && SPAN_IS(field.name, "authorization")) {
            if (entered)
                continue;
            set_authorization(to, &bytes, decision->token);
            entered = true;
        } else {
            scrub_referer(to, &field, policy, &bytes);
        }
        count++;
    }
    if (!entered)
        set_authorization(&submission->own[count++], &bytes, decision->token);
    submission->fields = submission->own;
    submission->count = count;
    return true;
}

/* What `fields` shall become; they themselves where nothing changes. */
static struct submission submission_of(const nghttp2_nv *fields, size_t count)
{
    struct submission submission = {.fields = fields, .count = count};
    const struct config *config = config_get();
    struct decision decision;
    if (config->mode == MODE_OFF || !fields || count == 0)
        return submission;
    int saved = errno;
    fields_decide(&config->policy, field_at, fields, count, &decision);
    if (decision.edits.count || decision.referer) {
        if (config->mode == MODE_AUDIT)
            decision.reason = decision.reason == REASON_NONE ? REASON_AUDIT : decision.reason;
        else if (!edit(&submission, &config->policy, &decision))
            decision.reason = REASON_NO_MEMORY;
    }
    if (decision.candidate || decision.referer)
        report_decision("nghttp2", &decision);
    errno = saved;
    return submission;
}

static void submission_end(struct submission *submission)
{
    if (!submission->own)
        return;
    int saved = errno;
    explicit_bzero(submission->bytes, submission->bytes_len);
    free(submission->bytes);
    free(submission->own);
    errno = saved;
}

static int32_t submit_request(nghttp2_submit_request_fn *real, void *session, const void *priority,
                              const nghttp2_nv *fields, size_t count, const void *data, void *user_data)
{
    if (!real)
        return NGHTTP2_ERR_INVALID_ARGUMENT;
    struct submission submission = submission_of(fields, count);
    int32_t stream = real(session, priority, submission.fields, submission.count, data, user_data);
    submission_end(&submission);
    return stream;
}

EXPORT int32_t nghttp2_submit_request(void *session, const void *priority, const nghttp2_nv *fields, size_t count,
                                      const void *data, void *user_data)
{
    nghttp2_submit_request_fn *real = REAL_OF_CALLER(nghttp2_submit_request);
    return submit_request(real, session, priority, fields, count, data, user_data);
}

/* nghttp2 1.60: the data provider's type is another, the arguments are the same. */
EXPORT int32_t nghttp2_submit_request2(void *session, const void *priority, const nghttp2_nv *fields, size_t count,
                                       const void *data, void *user_data)
{
    nghttp2_submit_request_fn *real =
        (nghttp2_submit_request_fn *)resolve_for(HOOK_nghttp2_submit_request2, __builtin_return_address(0));
    return submit_request(real, session, priority, fields, count, data, user_data);
}

/* A request's head by another name; trailers and responses have no `:path`, and are passed on by that. */
EXPORT int32_t nghttp2_submit_headers(void *session, uint8_t flags, int32_t stream, const void *priority,
                                      const nghttp2_nv *fields, size_t count, void *user_data)
{
    nghttp2_submit_headers_fn *real = REAL_OF_CALLER(nghttp2_submit_headers);
    if (!real)
        return NGHTTP2_ERR_INVALID_ARGUMENT;
    struct submission submission = submission_of(fields, count);
    int32_t submitted = real(session, flags, stream, priority, submission.fields, submission.count, user_data);
    submission_end(&submission);
    return submitted;
}
