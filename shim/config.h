/* The settings: environment over /etc/jwtshim.conf, read once, constant from then on.
 * A bad value is logged once and the default stands; nothing here can end the program. */
#ifndef JWTSHIM_CONFIG_H
#define JWTSHIM_CONFIG_H

#include "http/rewrite.h"

#include <stdatomic.h>

enum mode { MODE_REWRITE, MODE_AUDIT, MODE_OFF };
enum plaintext { PLAINTEXT_AUTO, PLAINTEXT_ALWAYS, PLAINTEXT_NEVER };
enum alpn { ALPN_STEER, ALPN_OFF };
enum log_target { LOG_OFF, LOG_STDERR, LOG_SYSLOG, LOG_FILE };
enum log_level { LOG_LEVEL_REWRITE, LOG_LEVEL_ALL };

enum { CONFIG_TEXT = 8192, CONFIG_PATH = 1024, CONFIG_PROGRAMS = 64 };

/* Names of programs, as JWTSHIM_ONLY and JWTSHIM_SKIP list them. */
struct program_names {
    size_t count; /* first: written at every start */
    struct span name[CONFIG_PROGRAMS];
};

struct config {
    enum mode mode;
    enum plaintext plaintext;
    enum alpn alpn;
    enum log_target log;
    enum log_level log_level;
    bool loader, stdio, patch; /* the deep hooks, each by itself */
    bool inspect;
    size_t text_used;
    struct policy policy;
    /* Untouched, and no page of theirs, where nothing was set. */
    struct program_names only, skip; /* which programs are meant: all but `skip`, and if `only` has any, none but those */
    char log_path[CONFIG_PATH];
    char text[CONFIG_TEXT]; /* what the host suffixes and program names point into; `text_used` of it */
};

/* A setting that was not understood: where it stands ("JWTSHIM_LOG", "/etc/jwtshim.conf:3") and what is wrong with it. */
typedef void config_complaint(const char *where, const char *what);

/* The defaults. */
void config_defaults(struct config *config);

/* Applies one setting by its name ("JWTSHIM", "JWTSHIM_HOSTS", …). False if there is no such setting. */
bool config_set(struct config *config, const char *where, struct span name, struct span value, config_complaint *complain);

/* Applies the text of a configuration file, `key = value` lines, '#' comments. `path` is for complaints. */
void config_read(struct config *config, const char *path, struct span text, config_complaint *complain);

/* Whether JWTSHIM_ONLY and JWTSHIM_SKIP leave a program in that any of these `count` paths names: its executable, and what it
 * was started as. A path's last part counts. */
bool config_means_program(const struct config *config, const struct span *paths, size_t count);

/* Reads the process's settings on the first call. Keeps errno. */
const struct config *config_load(void);

extern _Atomic(const struct config *) config_loaded;

/* From here on as with JWTSHIM=off. */
void config_become_inert(void);

/* The process's settings; reads them on the first call. Keeps errno. */
static inline const struct config *config_get(void)
{
    const struct config *config = atomic_load_explicit(&config_loaded, memory_order_acquire);
    return __builtin_expect(config != NULL, 1) ? config : config_load();
}

#endif
