#include "event.h"

#include "json_scan.h"
#include "time_text.h"

#define NAME(literal) literal, sizeof(literal) - 1

/* The members that are strings, and where each goes. */
static const struct {
    const char *text;
    size_t len;
    size_t place;
} members[] = {
    {NAME("process.executable.path"), offsetof(struct event, program)},
    {NAME("http.request.method"), offsetof(struct event, method)},
    {NAME("server.address"), offsetof(struct event, host)},
    {NAME("url.path"), offsetof(struct event, path)},
    {NAME("jwtshim.action"), offsetof(struct event, action)},
    {NAME("jwtshim.reason"), offsetof(struct event, reason)},
    {NAME("jwtshim.layer"), offsetof(struct event, layer)},
    {NAME("jwtshim.setting"), offsetof(struct event, setting)},
    {NAME("jwt.qsh"), offsetof(struct event, qsh)},
};

static bool is_name(struct span name, const char *text, size_t len)
{
    return name.len == len && memcmp(name.at, text, len) == 0;
}

static struct span *place_of(struct event *event, struct span name)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (is_name(name, members[i].text, members[i].len))
            return (struct span *)(void *)((char *)event + members[i].place);
    return NULL;
}

static bool read_findings(struct event *event, struct json_scan *scan)
{
    event->findings = 0;
    if (scan_next(scan) != '[')
        return scan_skip(scan);
    scan->at++;
    if (scan_take(scan, ']'))
        return true;
    do {
        struct span finding;
        if (scan_next(scan) != '"') {
            if (!scan_skip(scan))
                return false;
        } else if (!scan_string(scan, &finding)) {
            return false;
        } else if (event->findings < EVENT_FINDINGS_MAX) {
            event->finding[event->findings++] = finding;
        }
    } while (scan_take(scan, ','));
    if (scan_take(scan, ']'))
        return true;
    scan->why = "expected a comma or the end of a list";
    return false;
}

static bool read_time(struct event *event, struct json_scan *scan)
{
    struct span text;
    event->time = EVENT_UNDATED;
    if (scan_next(scan) != '"')
        return scan_skip(scan);
    if (!scan_string(scan, &text))
        return false;
    if (!time_read(text, &event->time))
        event->time = EVENT_UNDATED;
    return true;
}

static bool read_member(struct event *event, struct json_scan *scan)
{
    struct span name;
    if (!scan_string(scan, &name))
        return false;
    if (!scan_take(scan, ':')) {
        scan->why = "expected a colon";
        return false;
    }
    if (is_name(name, NAME("timestamp")))
        return read_time(event, scan);
    if (is_name(name, NAME("jwt.findings")))
        return read_findings(event, scan);
    struct span *place = place_of(event, name);
    if (place && scan_next(scan) == '"')
        return scan_string(scan, place);
    if (place)
        *place = span_of(NULL, 0); /* said twice, the last one counts */
    return scan_skip(scan);
}

static bool read_object(struct event *event, struct json_scan *scan)
{
    if (!scan_take(scan, '{')) {
        scan->why = "not a JSON object";
        return false;
    }
    if (scan_take(scan, '}'))
        return true;
    do {
        if (!read_member(event, scan))
            return false;
    } while (scan_take(scan, ','));
    if (scan_take(scan, '}'))
        return true;
    scan->why = "expected a comma or the end of the object";
    return false;
}

/* Behind a syslog daemon's prefix, or where it was. */
static char *behind_prefix(char *line, size_t len)
{
    static const char mark[] = "jwtshim: {";
    char *found = len && *line != '{' ? memmem(line, len, mark, sizeof mark - 1) : NULL;
    return found ? found + sizeof mark - 2 : line;
}

enum event_kind event_read(struct event *event, char *line, size_t len, const char **why)
{
    char *begin = behind_prefix(line, len);
    struct json_scan scan = {.at = begin, .end = line + len};
    *event = (struct event){.time = EVENT_UNDATED};
    if (scan_next(&scan) == '\0' && scan.at == scan.end)
        return EVENT_NONE;
    bool good = read_object(event, &scan);
    if (good && (scan_next(&scan) != '\0' || scan.at != scan.end)) {
        scan.why = "something follows the object";
        good = false;
    }
    if (good)
        return event->action.at ? EVENT : EVENT_NONE;
    *why = scan.why;
    return EVENT_NO_JSON;
}
