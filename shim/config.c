#include "config.h"

#include "early.h"
#include "loader/raw.h"
#include "report/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>

static const char config_file[] = "/etc/jwtshim.conf";

static const char *const default_suffixes[] = {"atlassian.net", "jira.com", "jira-dev.com", "atlassian-us-gov-mod.net"};

void config_defaults(struct config *config)
{
    config->mode = MODE_REWRITE;
    config->plaintext = PLAINTEXT_AUTO;
    config->alpn = ALPN_STEER;
    config->policy.on_conflict = ON_CONFLICT_JWT;
    config->log = LOG_OFF;
    config->log_level = LOG_LEVEL_REWRITE;
    config->loader = config->stdio = config->patch = config->inspect = true;
    config->only.count = config->skip.count = 0;
    config->text_used = 0;
    config->policy.hosts.count = 0;
    for (size_t i = 0; i < sizeof default_suffixes / sizeof default_suffixes[0]; i++)
        config->policy.hosts.suffix[config->policy.hosts.count++] =
            span_of(default_suffixes[i], strlen(default_suffixes[i]));
}

static void remove_suffix(struct host_suffixes *hosts, struct span host)
{
    size_t kept = 0;
    for (size_t i = 0; i < hosts->count; i++)
        if (!span_is(host, hosts->suffix[i].at, hosts->suffix[i].len))
            hosts->suffix[kept++] = hosts->suffix[i];
    hosts->count = kept;
}

static bool is_host_suffix(struct span host)
{
    if (host.len == 0 || host.len > 253)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = ascii_lower(host.at[i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '.' && c != '_')
            return false;
        if (c == '.' && (i == 0 || host.at[i - 1] == '.'))
            return false;
    }
    return host.at[host.len - 1] != '.';
}

static const char *add_suffix(struct config *config, struct span host)
{
    struct host_suffixes *hosts = &config->policy.hosts;
    remove_suffix(hosts, host);
    if (hosts->count == HOST_SUFFIXES_MAX || sizeof config->text - config->text_used < host.len)
        return "too many host suffixes";
    char *copy = config->text + config->text_used;
    for (size_t i = 0; i < host.len; i++)
        copy[i] = ascii_lower(host.at[i]);
    config->text_used += host.len;
    hosts->suffix[hosts->count++] = span_of(copy, host.len);
    return NULL;
}

/* The next part of a list separated by commas, trimmed; moves `list` behind it. */
static struct span next_in_list(struct span *list)
{
    const char *comma = memchr(list->at, ',', list->len);
    size_t len = comma ? (size_t)(comma - list->at) : list->len;
    struct span part = span_trim(span_of(list->at, len));
    *list = span_from(*list, comma ? len + 1 : len);
    return part;
}

/* suffix[,suffix…]; "-suffix" takes one out; a leading "." or "*." is what people write for a suffix, and means it. */
static const char *set_hosts(struct config *config, struct span value)
{
    const char *wrong = NULL;
    while (value.len) {
        struct span host = next_in_list(&value);
        if (host.len == 0)
            continue;
        bool out = *host.at == '-';
        if (out)
            host = span_from(host, 1);
        if (host.len > 2 && host.at[0] == '*' && host.at[1] == '.')
            host = span_from(host, 2);
        else if (host.len > 1 && host.at[0] == '.')
            host = span_from(host, 1);
        if (!is_host_suffix(host))
            wrong = "not a host suffix (expected letters, digits, '-' and '.', without scheme or port)";
        else if (out)
            remove_suffix(&config->policy.hosts, host);
        else
            wrong = add_suffix(config, host);
    }
    return wrong;
}

static struct span last_part(struct span path)
{
    while (path.len) {
        const char *slash = memchr(path.at, '/', path.len);
        if (!slash)
            break;
        path = span_from(path, (size_t)(slash - path.at) + 1);
    }
    return path;
}

/* name[,name…]: replaces what was listed before, as a variable replaces the file's line. */
static const char *set_programs(struct config *config, struct program_names *names, struct span value)
{
    struct program_names listed = {.count = 0};
    while (value.len) {
        struct span name = next_in_list(&value);
        if (name.len == 0)
            continue;
        if (memchr(name.at, '/', name.len))
            return "expected program names without a path, separated by commas";
        if (listed.count == CONFIG_PROGRAMS || sizeof config->text - config->text_used < name.len)
            return "too many program names";
        char *copy = config->text + config->text_used;
        memcpy(copy, name.at, name.len);
        config->text_used += name.len;
        listed.name[listed.count++] = span_of(copy, name.len);
    }
    *names = listed;
    return NULL;
}

static bool lists_any(const struct program_names *names, const struct span *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct span name = last_part(paths[i]);
        for (size_t j = 0; j < names->count; j++)
            if (name.len == names->name[j].len && memcmp(name.at, names->name[j].at, name.len) == 0)
                return true;
    }
    return false;
}

bool config_means_program(const struct config *config, const struct span *paths, size_t count)
{
    if (config->only.count && !lists_any(&config->only, paths, count))
        return false;
    return !lists_any(&config->skip, paths, count);
}

static const char *set_log(struct config *config, struct span value)
{
    if (SPAN_IS(value, "off")) {
        config->log = LOG_OFF;
    } else if (SPAN_IS(value, "stderr")) {
        config->log = LOG_STDERR;
    } else if (SPAN_IS(value, "syslog")) {
        config->log = LOG_SYSLOG;
    } else if (value.len && value.at[0] == '/' && value.len < sizeof config->log_path) {
        memcpy(config->log_path, value.at, value.len);
        config->log_path[value.len] = '\0';
        config->log = LOG_FILE;
    } else {
        return "expected off, stderr, syslog or an absolute path";
    }
    return NULL;
}

/* Sets `*to` to the place of `value` among the words of `choices`, which are separated by one space. */
static const char *set_choice(int *to, struct span value, const char *choices, const char *expected)
{
    int index = 0;
    for (const char *word = choices; *word; index++) {
        size_t len = strcspn(word, " ");
        if (span_is(value, word, len)) {
            *to = index;
            return NULL;
        }
        word += len + (word[len] == ' ');
    }
    return expected;
}

#define SET_CHOICE(field, choices, expected)                                                                           \
    do {                                                                                                               \
        int chosen;                                                                                                    \
        wrong = set_choice(&chosen, value, choices, expected);                                                         \
        if (!wrong)                                                                                                    \
            config->field = chosen;                                                                                    \
    } while (0)

/* For the settings that are on or off. */
static const char *set_switch(bool *to, struct span value)
{
    if (!SPAN_IS(value, "on") && !SPAN_IS(value, "off"))
        return "expected on or off";
    *to = SPAN_IS(value, "on");
    return NULL;
}

bool config_set(struct config *config, const char *where, struct span name, struct span value, config_complaint *complain)
{
    const char *wrong = NULL;
    value = span_trim(value);
    if (SPAN_IS(name, "jwtshim"))
        SET_CHOICE(mode, "rewrite audit off", "expected rewrite, audit or off");
    else if (SPAN_IS(name, "jwtshim_hosts"))
        wrong = set_hosts(config, value);
    else if (SPAN_IS(name, "jwtshim_on_conflict"))
        SET_CHOICE(policy.on_conflict, "jwt header leave", "expected jwt, header or leave");
    else if (SPAN_IS(name, "jwtshim_plaintext"))
        SET_CHOICE(plaintext, "auto always never", "expected auto, always or never");
    else if (SPAN_IS(name, "jwtshim_alpn"))
        SET_CHOICE(alpn, "steer off", "expected steer or off");
    else if (SPAN_IS(name, "jwtshim_log"))
        wrong = set_log(config, value);
    else if (SPAN_IS(name, "jwtshim_log_level"))
        SET_CHOICE(log_level, "rewrite all", "expected rewrite or all");
    else if (SPAN_IS(name, "jwtshim_loader"))
        wrong = set_switch(&config->loader, value);
    else if (SPAN_IS(name, "jwtshim_stdio"))
        wrong = set_switch(&config->stdio, value);
    else if (SPAN_IS(name, "jwtshim_patch"))
        wrong = set_switch(&config->patch, value);
    else if (SPAN_IS(name, "jwtshim_inspect"))
        wrong = set_switch(&config->inspect, value);
    else if (SPAN_IS(name, "jwtshim_only"))
        wrong = set_programs(config, &config->only, value);
    else if (SPAN_IS(name, "jwtshim_skip"))
        wrong = set_programs(config, &config->skip, value);
    else
        return false;
    if (wrong)
        complain(where, wrong);
    return true;
}

void config_read(struct config *config, const char *path, struct span text, config_complaint *complain)
{
    char where[128];
    for (unsigned line_number = 1; text.len; line_number++) {
        const char *newline = memchr(text.at, '\n', text.len);
        size_t len = newline ? (size_t)(newline - text.at) : text.len;
        struct span line = span_trim(span_of(text.at, len));
        text = span_from(text, newline ? len + 1 : len);
        if (line.len == 0 || *line.at == '#')
            continue;
        snprintf(where, sizeof where, "%s:%u", path, line_number);
        const char *equals = memchr(line.at, '=', line.len);
        if (!equals) {
            complain(where, "expected key = value");
            continue;
        }
        size_t name = (size_t)(equals - line.at);
        if (!config_set(config, where, span_trim(span_of(line.at, name)), span_from(line, name + 1), complain))
            complain(where, "no such setting");
    }
}

/* Complaints come before the log's own settings are known: the first few are kept until then. */
enum { COMPLAINTS = 8 };
static struct {
    char where[96];
    const char *what;
} complaints[COMPLAINTS];
EARLY static size_t complaint_count;

static void keep_complaint(const char *where, const char *what)
{
    if (complaint_count == COMPLAINTS)
        return;
    snprintf(complaints[complaint_count].where, sizeof complaints[0].where, "%s", where);
    complaints[complaint_count++].what = what;
}

/* Apart, so that its buffer costs nothing where there is no file, as on most machines. */
static __attribute__((noinline)) void read_opened(struct config *config, int fd, bool trusted_only)
{
    char text[16 * 1024];
    struct stat status;
    bool fit = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    bool trusted = fit && status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    long len = fit ? raw_read(fd, text, sizeof text) : -1;
    if (len < 0)
        keep_complaint(config_file, "is not a readable file");
    else if ((size_t)len == sizeof text)
        keep_complaint(config_file, "is longer than 16 KiB and ignored");
    else if (trusted || !trusted_only)
        config_read(config, config_file, span_of(text, (size_t)len), keep_complaint);
}

/* With `trusted_only`, a file that anybody but root could have written is as good as none. */
static void read_file(struct config *config, bool trusted_only)
{
    long fd = raw_open(config_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) {
        if (fd != -ENOENT)
            keep_complaint(config_file, "cannot be opened");
        return;
    }
    read_opened(config, (int)fd, trusted_only);
    raw_close((int)fd);
}

static void read_environment(struct config *config)
{
    static const char prefix[] = "JWTSHIM";
    for (char **at = environ; at && *at; at++) {
        const char *equals;
        if (strncmp(*at, prefix, sizeof prefix - 1) != 0 || !(equals = strchr(*at, '=')))
            continue;
        char where[64];
        size_t name = (size_t)(equals - *at);
        snprintf(where, sizeof where, "%.*s", (int)(name < sizeof where ? name : sizeof where - 1), *at);
        config_set(config, where, span_of(*at, name), span_of(equals + 1, strlen(equals + 1)), keep_complaint);
    }
}

static bool environment_says_off(void)
{
    const char *mode = getenv("JWTSHIM");
    return mode && SPAN_IS(span_of(mode, strlen(mode)), "off");
}

/* By its executable (an interpreter's own name) and by what it was started as (a script's, a link's). */
static bool is_meant(const struct config *config)
{
    char executable[CONFIG_PATH];
    if (config->only.count == 0 && config->skip.count == 0)
        return true;
    const char *started_as = (const char *)getauxval(AT_EXECFN);
    long len = raw_readlink("/proc/self/exe", executable, sizeof executable);
    const struct span paths[] = {span_of(executable, len > 0 ? (size_t)len : 0),
                                 span_of(started_as, started_as ? strlen(started_as) : 0)};
    return config_means_program(config, paths, 2);
}

static void load(struct config *config)
{
    const bool secure = getauxval(AT_SECURE) != 0;
    config_defaults(config);
    if (!secure && environment_says_off()) {
        config->mode = MODE_OFF;
        return;
    }
    /* With a privilege gained at exec the caller's environment is not to be trusted: inert, unless the file says more. */
    if (secure)
        config->mode = MODE_OFF;
    read_file(config, secure);
    if (!secure)
        read_environment(config);
    if (config->mode != MODE_OFF && !is_meant(config))
        config->mode = MODE_OFF;
}

EARLY _Atomic(const struct config *) config_loaded;

static const struct config inert = {.mode = MODE_OFF};

void config_become_inert(void)
{
    atomic_store_explicit(&config_loaded, &inert, memory_order_release);
}

const struct config *config_load(void)
{
    static struct config config;
    EARLY static _Atomic bool begun;
    if (atomic_exchange(&begun, true))
        return &inert; /* another thread, or we ourselves below, are at it: what is written meanwhile passes */
    int saved = errno;
    load(&config);
    atomic_store_explicit(&config_loaded, &config, memory_order_release);
    for (size_t i = 0; i < complaint_count; i++)
        report_setting(complaints[i].where, complaints[i].what);
    errno = saved;
    return &config;
}
