#include "events.h"

#include "inspector.h"
#include "log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

const char *reason_name(enum reason reason)
{
    static const char *const names[] = {
#define X(name, text) [REASON_##name] = text,
        REASONS(X)
#undef X
    };
    return names[reason];
}

/* A line under construction. What does not fit is cut from values, never from the structure around them. */
enum { LINE_MAX_LEN = 3072, VALUE_MAX = 512, CLOSING = 64 };
struct line {
    char text[LINE_MAX_LEN];
    size_t len;
};

static void put_raw(struct line *line, const char *text, size_t len)
{
    if (len > sizeof line->text - line->len)
        len = sizeof line->text - line->len;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_literal(struct line *line, const char *text)
{
    put_raw(line, text, strlen(text));
}

/* A JSON string's inside. Bytes beyond ASCII are escaped one by one: a target may hold anything. */
static void put_escaped(struct line *line, struct span value)
{
    static const char hex[] = "0123456789abcdef";
    const size_t end = line->len + VALUE_MAX;
    for (size_t i = 0; i < value.len && line->len + sizeof "\\u0000" <= end; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c == '"' || c == '\\') {
            put_raw(line, (char[]){'\\', (char)c}, 2);
        } else if (c < ' ' || c >= 0x7f) {
            put_raw(line, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        } else {
            put_raw(line, (const char *)&value.at[i], 1);
        }
    }
}

static void put_string(struct line *line, const char *name, struct span value)
{
    if (!value.at)
        return;
    if (line->len + VALUE_MAX + CLOSING > sizeof line->text)
        return;
    put_literal(line, ",\"");
    put_literal(line, name);
    put_literal(line, "\":\"");
    put_escaped(line, value);
    put_literal(line, "\"");
}

static void put_text(struct line *line, const char *name, const char *value)
{
    put_string(line, name, span_of(value, strlen(value)));
}

/* Civil date from days since 1970-01-01, by the usual arithmetic of 400-year eras: gmtime() takes locks. */
static void civil(long days, int *year, int *month, int *day)
{
    days += 719468;
    long era = days / 146097;
    long of_era = days - era * 146097;
    long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    long shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Lines are not on the stack, since the program's thread may have one of a few KiB, and not on the heap as long as there are these: a
 * signal handler that interrupted malloc() may write a request. */
static struct line lines[4];
static _Atomic bool taken[sizeof lines / sizeof lines[0]];

/* NULL without memory, and errno as it was: there is no event then. */
static struct line *line_take(void)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!atomic_exchange(&taken[i], true))
            return &lines[i];
    const int saved = errno;
    struct line *line = malloc(sizeof *line);
    errno = saved;
    return line;
}

static void line_give_back(struct line *line)
{
    if (line < lines || line >= lines + sizeof lines / sizeof lines[0])
        free(line);
    else
        atomic_store(&taken[line - lines], false);
}

/* What is needed for a moment only (a path) does not stay on the stack either. NULL: there is no event. */
static __attribute__((noinline)) struct line *begin(void)
{
    struct line *line = line_take();
    if (!line)
        return NULL;
    struct timespec now;
    char text[96];
    char path[512];
    int year, month, day;
    line->len = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    civil(now.tv_sec / 86400, &year, &month, &day);
    long second = now.tv_sec % 86400;
    snprintf(text, sizeof text, "{\"timestamp\":\"%04d-%02d-%02dT%02ld:%02ld:%02ld.%03ldZ\",\"process.pid\":%ld", year,
             month, day, second / 3600, second / 60 % 60, second % 60, now.tv_nsec / 1000000, (long)getpid());
    put_literal(line, text);
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    if (len > 0)
        put_string(line, "process.executable.path", span_of(path, (size_t)len));
    return line;
}

static void finish(struct line *line, const struct config *config)
{
    put_literal(line, "}\n");
    log_line(config, line->text, line->len);
    line_give_back(line);
}

/* From here on events have no explanation, for this reason. */
static void report_unexplained(const struct config *config, const struct explanation *explanation)
{
    struct line *line = begin();
    if (!line)
        return;
    put_text(line, "jwtshim.action", "unexplained");
    put_text(line, "jwtshim.reason", explanation->failure);
    if (*explanation->detail)
        put_text(line, "jwtshim.detail", explanation->detail);
    finish(line, config);
}

/* Adds what is to be said of the token, and ends the line. */
static __attribute__((noinline)) void finish_explained(struct line *line, const struct config *config,
                                                       const struct decision *decision)
{
    struct explanation explanation;
    inspector_explain(decision, &explanation);
    if (explanation.len && explanation.len + CLOSING <= sizeof line->text - line->len)
        put_raw(line, explanation.fields, explanation.len);
    finish(line, config);
    if (explanation.failure)
        report_unexplained(config, &explanation);
}

void report_decision(const char *layer, const struct decision *decision)
{
    static const char *const versions[] = {
        [PROTOCOL_1_1] = "1.1", [PROTOCOL_1_0] = "1.0", [PROTOCOL_2] = "2", [PROTOCOL_UNKNOWN] = NULL};
    const struct config *config = config_get();
    const bool moved = decision->reason == REASON_NONE;
    if (config->log == LOG_OFF || (config->log_level == LOG_LEVEL_REWRITE && !moved && decision->reason != REASON_AUDIT))
        return;
    int saved = errno;
    struct line *line = begin();
    if (!line)
        return;
    put_string(line, "http.request.method", decision->method);
    put_string(line, "server.address", decision->host);
    put_string(line, "url.path", decision->path);
    if (decision->method.at && versions[decision->protocol])
        put_text(line, "network.protocol.version", versions[decision->protocol]);
    put_text(line, "jwtshim.action",
             moved                              ? "rewritten"
             : decision->reason == REASON_AUDIT ? "would-rewrite"
                                                : "passed");
    if (!moved)
        put_text(line, "jwtshim.reason", reason_name(decision->reason));
    if (decision->referer)
        put_literal(line, ",\"jwtshim.referer\":true");
    put_text(line, "jwtshim.layer", layer);
    if ((moved || decision->reason == REASON_AUDIT) && inspector_can_explain(decision))
        finish_explained(line, config, decision);
    else
        finish(line, config);
    errno = saved;
}

void report_steering(const char *layer, struct span host, enum reason reason)
{
    const struct config *config = config_get();
    const bool steered = reason == REASON_NONE;
    if (config->log == LOG_OFF || (config->log_level == LOG_LEVEL_REWRITE && !steered && reason != REASON_AUDIT))
        return;
    int saved = errno;
    struct line *line = begin();
    if (!line)
        return;
    put_string(line, "server.address", host);
    put_text(line, "jwtshim.action", steered ? "steered" : reason == REASON_AUDIT ? "would-steer" : "passed");
    if (!steered)
        put_text(line, "jwtshim.reason", reason_name(reason));
    put_text(line, "jwtshim.layer", layer);
    finish(line, config);
    errno = saved;
}

/* About `what`, a member named `kind`; `why` may be NULL. */
static void report_about(const char *action, const char *layer, const char *kind, const char *what, const char *why)
{
    const struct config *config = config_get();
    if (config->log == LOG_OFF)
        return;
    int saved = errno;
    struct line *line = begin();
    if (!line)
        return;
    put_text(line, "jwtshim.action", action);
    if (why)
        put_text(line, "jwtshim.reason", why);
    put_text(line, kind, what);
    put_text(line, "jwtshim.layer", layer);
    finish(line, config);
    errno = saved;
}

void report_layer(const char *layer, const char *object, const char *why)
{
    report_about("layer-applies", layer, "jwtshim.object", object, why);
}

void report_layer_refused(const char *layer, const char *object, const char *why)
{
    report_about("layer-refused", layer, "jwtshim.object", object, why);
}

void report_patch(const char *symbol, const char *why)
{
    if (why || config_get()->log_level == LOG_LEVEL_ALL)
        report_about(why ? "not-patched" : "patched", "patch", "jwtshim.symbol", symbol, why);
}

void report_setting(const char *where, const char *what)
{
    const struct config *config = config_get();
    if (config->log == LOG_OFF)
        return;
    int saved = errno;
    struct line *line = begin();
    if (!line)
        return;
    put_text(line, "jwtshim.action", "setting-ignored");
    put_text(line, "jwtshim.setting", where);
    put_text(line, "jwtshim.reason", what);
    finish(line, config);
    errno = saved;
}
