/* replay: what a program writes on one connection, through the shim's connection layer, to what leaves on the wire.
 * For the golden pairs, the oracles and for trying things out; never part of the shim. */
#include "../../shim/http/wide.h"
#include "../../shim/config.h"
#include "../../shim/conn/conn.h"
#include "../../shim/report/events.h"

#include <stdio.h>
#include <stdlib.h>

static struct config config;

struct wire {
    char *at;
    size_t len, size;
};

static void append(struct wire *wire, const void *from, size_t len)
{
    if (wire->len + len > wire->size) {
        wire->size = (wire->len + len) * 2 + 64;
        wire->at = realloc(wire->at, wire->size);
        if (!wire->at)
            abort();
    }
    if (len)
        memcpy(wire->at + wire->len, from, len);
    wire->len += len;
}

static ssize_t to_wire(void *ctx, const void *buf, size_t len)
{
    append(ctx, buf, len);
    return (ssize_t)len;
}

static const struct sink wire_sink = {.layer = "replay", .write = to_wire};

static struct conn_call call_for(struct wire *wire)
{
    return (struct conn_call){.sink = &wire_sink, .ctx = wire, .policy = &config.policy, .audit = config.mode == MODE_AUDIT};
}

/* The writes of `in`, cut at `first` (a first write) and every `piece` bytes from there; held bytes go out at the end, as
 * they do when a connection is closed. */
static struct wire feed(struct span in, size_t first, size_t piece)
{
    struct wire wire = {.at = NULL};
    struct conn conn;
    memset(&conn, 0, sizeof conn);
    struct conn_call call = call_for(&wire);
    for (size_t done = 0; done < in.len;) {
        size_t len = done == 0 && first ? first : piece;
        if (len > in.len - done)
            len = in.len - done;
        if (conn_write(&conn, &call, in.at + done, len) != (ssize_t)len)
            abort();
        done += len;
    }
    conn_release(&conn, &call, REASON_RELEASED);
    conn_reset(&conn);
    return wire;
}

static bool is_same(const struct wire *a, const struct wire *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len) == 0);
}

/* Every split in two, and byte by byte, must leave the wire as the whole does. */
static bool all_splits_agree(struct span in)
{
    struct wire whole = feed(in, 0, in.len + 1);
    struct wire bytes = feed(in, 0, 1);
    bool agree = is_same(&whole, &bytes);
    if (!agree)
        fprintf(stderr, "differs when fed byte by byte\n");
    free(bytes.at);
    for (size_t at = 1; at < in.len && agree; at++) {
        struct wire split = feed(in, at, in.len);
        agree = is_same(&whole, &split);
        if (!agree)
            fprintf(stderr, "differs when split at %zu\n", at);
        free(split.at);
    }
    free(whole.at);
    return agree;
}

static bool in_head(enum stream_state state)
{
    return state == STREAM_START || state == STREAM_FIELD || state == STREAM_FIELD_REST;
}

static const char *framing_name(const struct stream *stream)
{
    if (stream->state == STREAM_OPAQUE)
        return reason_name(stream->opaque_reason);
    return stream->state == STREAM_LENGTH ? "length" : stream->state == STREAM_CHUNK_SIZE ? "chunked" : "none";
}

/* Shows where messages begin and end, by offsets in what the program wrote. */
static void trace(FILE *to, struct span in)
{
    struct stream stream;
    stream_reset(&stream);
    size_t from = 0;
    size_t start = 0;
    size_t head_end = 0;
    char framing[32] = "none";
    for (size_t end = 1; end <= in.len && stream.state != STREAM_OPAQUE; end++) {
        while (from < end && stream.state != STREAM_OPAQUE) {
            struct stream_step step;
            enum stream_state before = stream.state;
            stream_next(&stream, &config.policy, span_of(in.at + from, end - from), &step);
            if (step.verdict == STREAM_HOLD)
                break;
            bool empty_line = before == STREAM_START && stream.state == STREAM_START && step.len == 1;
            if (before == STREAM_START && !empty_line)
                start = from;
            if (step.decided && (step.decision.candidate || step.decision.referer))
                fprintf(to, "decision %zu %s\n", from, reason_name(step.decision.reason));
            if (stream.state == STREAM_OPAQUE && in_head(before) && stream.opaque_reason != REASON_UPGRADE) {
                fprintf(to, "opaque %zu %s\n", start, reason_name(stream.opaque_reason));
                return;
            }
            from += step.len;
            if (in_head(before) && !empty_line && (!in_head(stream.state) || stream.state == STREAM_START)) {
                head_end = from;
                snprintf(framing, sizeof framing, "%s", stream.tunnel ? "connect" : framing_name(&stream));
            }
            if (!empty_line && (stream.state == STREAM_START || stream.opaque_reason == REASON_UPGRADE))
                fprintf(to, "request %zu %zu %zu %s\n", start, from, head_end, framing);
            if (stream.state == STREAM_OPAQUE)
                fprintf(to, "opaque %zu %s\n", from, reason_name(stream.opaque_reason));
        }
    }
}

/* Records of a little-endian 32-bit length and as many bytes; for each its trace, and what leaves in hex. */
static int batch(const char *path)
{
    FILE *file = fopen(path, "rb");
    unsigned char size[4];
    if (!file) {
        perror(path);
        return 1;
    }
    while (fread(size, 1, sizeof size, file) == sizeof size) {
        size_t len = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
        char *bytes = malloc(len + 1);
        if (!bytes || fread(bytes, 1, len, file) != len) {
            fprintf(stderr, "%s: truncated record\n", path);
            return 1;
        }
        struct wire wire = feed(span_of(bytes, len), 0, len + 1);
        trace(stdout, span_of(bytes, len));
        fputs("out ", stdout);
        for (size_t i = 0; i < wire.len; i++)
            printf("%02x", (unsigned char)wire.at[i]);
        fputs("\nend\n", stdout);
        free(wire.at);
        free(bytes);
    }
    fclose(file);
    return 0;
}

static void complain(const char *where, const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", where, what);
    exit(2);
}

static void set(const char *setting)
{
    char name[64];
    const char *equals = strchr(setting, '=');
    if (!equals)
        complain(setting, "expected KEY=VALUE");
    if (strncmp(setting, "JWTSHIM", 7) == 0)
        snprintf(name, sizeof name, "%.*s", (int)(equals - setting), setting);
    else
        snprintf(name, sizeof name, "JWTSHIM_%.*s", (int)(equals - setting), setting);
    if (!config_set(&config, name, span_of(name, strlen(name)), span_of(equals + 1, strlen(equals + 1)), complain))
        complain(name, "no such setting");
}

int main(int argc, char **argv)
{
    size_t first = 0;
    size_t piece = (size_t)1 << 40;
    bool all_splits = false;
    bool tracing = false;
    config_defaults(&config);
#ifdef WIDE
    if (getenv("REPLAY_NARROW"))
        wide_answer = -1;
#endif
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--whole") == 0) {
            first = 0;
        } else if (strcmp(argv[i], "--bytes") == 0) {
            piece = 1;
        } else if (strcmp(argv[i], "--split") == 0) {
            first = strtoul(value, NULL, 10), i++;
        } else if (strcmp(argv[i], "--all-splits") == 0) {
            all_splits = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            tracing = true;
        } else if (strcmp(argv[i], "--setting") == 0) {
            set(value), i++;
        } else if (strcmp(argv[i], "--batch") == 0) {
            return batch(value);
        } else {
            complain(argv[i], "no such option");
        }
    }

    struct wire in = {.at = NULL};
    char bytes[65536];
    for (size_t len; (len = fread(bytes, 1, sizeof bytes, stdin)) > 0;)
        append(&in, bytes, len);
    struct span span = span_of(in.at, in.len);
    if (all_splits) {
        bool agree = all_splits_agree(span);
        free(in.at);
        return agree ? 0 : 1;
    }
    if (tracing)
        trace(stderr, span);
    struct wire wire = feed(span, first, piece);
    fwrite(wire.at, 1, wire.len, stdout);
    free(wire.at);
    free(in.at);
    return 0;
}
