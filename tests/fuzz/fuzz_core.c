/* The pure core against the model: the same leaves, the same is told, and no byte more is held back than must be; on either kind of
 * processor, wherever the stream is cut in two. The golden inputs are the seed corpus. */
#include "../../shim/config.h"
#include "../../shim/http/quick.h"
#include "../../shim/http/stream.h"
#include "../../shim/http/wide.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config config;
static const enum model_conflict conflicts[] = {MODEL_JWT, MODEL_HEADER, MODEL_LEAVE};

/* What the core made of a stream. */
struct made {
    char out[2 * MODEL_MAX + 1024];
    size_t len;
    char events[MODEL_EVENTS + 1];
    size_t told;
    size_t taken; /* of the input */
    struct stream stream;
};

static char event_of(const struct decision *decision)
{
    switch (decision->reason) {
    case REASON_NONE: return decision->candidate ? MODEL_MOVED : MODEL_REFERER;
    case REASON_NOT_A_TOKEN: return MODEL_NO_TOKEN;
    case REASON_HOST_MISSING: return MODEL_NO_HOST;
    case REASON_HOST_REPEATED: return MODEL_TWO_HOSTS;
    case REASON_HOST_NOT_ATLASSIAN: return MODEL_OTHER_HOST;
    case REASON_CONFLICT_LEFT: return MODEL_CONFLICT;
    case REASON_TOO_MANY_EDITS: return MODEL_MANY;
    case REASON_HEAD_MALFORMED:
    case REASON_FRAMING_CONFLICT:
    case REASON_FRAMING_UNKNOWN: return MODEL_FAULT;
    default: abort();
    }
}

static void broken(const char *promise)
{
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

/* Shows the core the input up to `len`, from what it has not taken yet. */
static void show(struct made *made, const char *in, size_t len)
{
    while (made->taken < len) {
        struct stream_step step;
        struct span rest = span_of(in + made->taken, len - made->taken);
        stream_next(&made->stream, &config.policy, rest, &step);
        if (step.verdict == STREAM_HOLD)
            return;
        if (step.len == 0 || step.len > rest.len)
            broken("a step goes on, and not behind the end");
        if (step.decided && (step.decision.candidate || step.decision.referer)) {
            if (made->told == MODEL_EVENTS)
                abort();
            made->events[made->told++] = event_of(&step.decision);
        }
        if (step.verdict == STREAM_REWRITE) {
            size_t len_made = decision_apply(&step.decision, rest.at, step.len, made->out + made->len);
            if (len_made > decision_bound(&step.decision, step.len))
                broken("a rewrite keeps within its bound");
            made->len += len_made;
        } else {
            memcpy(made->out + made->len, rest.at, step.len);
            made->len += step.len;
        }
        made->taken += step.len;
    }
}

static void give_up(struct made *made, const char *in, size_t len)
{
    memcpy(made->out + made->len, in + made->taken, len - made->taken);
    made->len += len - made->taken;
    made->events[made->told] = '\0';
}

static void begin(struct made *made)
{
    made->len = made->told = made->taken = 0;
    stream_reset(&made->stream);
}

static void expect(const struct made *made, const struct model *model, const char *promise)
{
    if (made->len == model->len && memcmp(made->out, model->out, made->len) == 0 && strcmp(made->events, model->events) == 0)
        return;
    fprintf(stderr, "core:  %zu bytes, events \"%s\"\nmodel: %zu bytes, events \"%s\"\n", made->len, made->events,
            model->len, model->events);
    broken(promise);
}

static void against_model(const char *in, size_t size, size_t cut, enum model_conflict conflict)
{
    static struct model whole, part;
    static struct made made;
    config.policy.on_conflict = (enum on_conflict)conflict;
    model_run(&whole, in, size, conflict);

    begin(&made);
    show(&made, in, size);
    if (made.taken != whole.held_from)
        broken("what is held is what the model holds");
    if ((made.stream.state == STREAM_OPAQUE) != whole.opaque)
        broken("a stream is given up where the model gives it up");
    give_up(&made, in, size);
    expect(&made, &whole, "the same leaves as by the model");

    bool stays = !whole.told && !whole.opaque && whole.held_from == size && whole.len == size;
    if (quick_head_stays(span_of(in, size)) && (!stays || made.stream.state != STREAM_START))
        broken("a head that stays by the quick look stays by the model, and is whole");

    model_run(&part, in, cut, conflict);
    begin(&made);
    show(&made, in, cut);
    if (made.taken != part.held_from)
        broken("what is held at a cut is what the model holds");
    show(&made, in, size);
    give_up(&made, in, size);
    expect(&made, &whole, "the same leaves, cut in two");
}

/* HTTP/2: the first line is the path, the second the authority. */
struct two_fields {
    struct field field[2];
};

static struct field two_fields_at(const void *list, size_t index)
{
    return ((const struct two_fields *)list)->field[index];
}

static void fields_against_model(const char *in, size_t size)
{
    static char path[MODEL_MAX + 1], authority[MODEL_MAX + 1], left[MODEL_MAX + 1], token[MODEL_MAX + 1];
    static char made[MODEL_MAX + 1], made_token[MODEL_MAX + 1];
    const char *newline = memchr(in, '\n', size);
    size_t path_len = newline ? (size_t)(newline - in) : size;
    size_t rest = newline ? size - path_len - 1 : 0;
    const char *second = rest ? memchr(newline + 1, '\n', rest) : NULL;
    size_t authority_len = second ? (size_t)(second - newline - 1) : rest;
    memcpy(path, in, path_len);
    memcpy(authority, in + size - rest, authority_len);
    path[path_len] = authority[authority_len] = '\0';
    if (strlen(path) != path_len || strlen(authority) != authority_len)
        return;

    struct two_fields fields = {{{span_of(":path", 5), span_of(path, path_len)},
                                 {span_of(":authority", 10), span_of(authority, authority_len)}}};
    struct decision decision;
    fields_decide(&config.policy, two_fields_at, &fields, 2, &decision);
    bool moves = decision.reason == REASON_NONE && decision.token.at;
    if (moves != model_path(path, authority, left, token))
        broken("a token of HTTP/2 moves where the model moves it");
    if (!moves)
        return;
    made[edits_cut(&decision.edits, path, path_len, made)] = '\0';
    made_token[token_decode(decision.token, made_token)] = '\0';
    if (strcmp(made, left) != 0 || strcmp(made_token, token) != 0)
        broken("the path and the token of HTTP/2 are the model's");
}

/* The processor is asked once: that costs more than all the rest. */
#ifdef WIDE
static signed char wide_here;
#endif

static void get_ready(void)
{
    config_defaults(&config);
#ifdef WIDE
    wide_here = wide_is_there() ? 1 : -1;
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready)
        get_ready();
    ready = true;
    if (size == 0 || size > MODEL_MAX)
        return 0;
    uint32_t seed = 2166136261u;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * 16777619u;

    /* A copy of the very size, so that a read behind its end is seen. */
    char *in = malloc(size);
    if (!in)
        return 0;
    memcpy(in, data, size);
    enum model_conflict conflict = conflicts[seed % 3];
#ifdef WIDE
    wide_answer = seed >> 8 & 1 ? -1 : wide_here;
#endif
    against_model(in, size, (seed >> 9) % size, conflict);
    fields_against_model(in, size);
    free(in);
    return 0;
}
