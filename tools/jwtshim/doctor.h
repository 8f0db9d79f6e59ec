/* What the rooms of `jwtshim doctor` share: the target, what is known of the shim, and what was found. */
#ifndef JWTSHIM_TOOLS_DOCTOR_H
#define JWTSHIM_TOOLS_DOCTOR_H

#include "../../shim/config.h"
#include "closure.h"
#include "command.h"
#include "settings.h"

#include <sys/types.h>

enum verdict { VERDICT_REACHABLE, VERDICT_PARTLY, VERDICT_UNREACHABLE };

enum { WAYS_MAX = 64, NOTES_MAX = 32, REMEDIES_MAX = 8 };

/* One way by which requests would leave, or what keeps the shim out as a whole. */
struct way {
    const char *name; /* "openssl", "static", …: stable, for scripts */
    const char *hook; /* the symbol that sees it, or NULL */
    bool seen;
    bool plain; /* without TLS */
    const char *object;
    char *why;
};

struct note {
    const char *id;
    char *text;
};

/* What was found of one target. All texts are its own. */
struct findings {
    const char *target;
    char path[PATH_MAX];
    const char *kind; /* "program", "script", "process" */
    struct way ways[WAYS_MAX];
    size_t way_count;
    struct note notes[NOTES_MAX];
    size_t note_count;
    char *remedies[REMEDIES_MAX];
    size_t remedy_count;
};

/* The shim that would be preloaded, as its file tells. */
struct shim {
    bool found;
    char path[PATH_MAX];
    struct file file;
    struct image image;
    struct names defined;
    char version[32];
    bool is_musl;
    unsigned glibc;            /* GLIBC_2.N is the newest version that it needs */
    bool loader, stdio, patch; /* which of the deep hooks it has */
};

/* A program that is being looked at: the target, or one that it starts. */
struct subject {
    struct findings *findings;
    const struct shim *shim;
    const struct config *config;
    const char *root;         /* "" or /proc/PID/root */
    const char *search_path;  /* PATH */
    const char *library_path; /* LD_LIBRARY_PATH, or NULL */
    pid_t pid;                /* 0: a file */
    bool secure;              /* the process has AT_SECURE */
    const char *given;        /* the program's path before its links were followed */
    struct closure closure;
    const struct object *program; /* the closure's first */
    bool opens_deepbind;          /* its plugins are bound past the preload */
    bool is_blocked;              /* nothing of this program can be seen */
    unsigned depth;               /* how many programs start this one */
};

/* Findings: texts are formatted and copied. What is there already is not added again. */
void findings_way(struct findings *findings, const struct way *way, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void findings_note(struct findings *findings, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void findings_remedy(struct findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum verdict findings_verdict(const struct findings *findings);
bool findings_https_is_unseen(const struct findings *findings); /* it has TLS, and no way of it is seen */
void findings_free(struct findings *findings);
const char *verdict_word(enum verdict verdict);

/* The shim's file: `path`, or NULL for the one that belongs to this command. False if there is none to read. */
bool shim_open(struct shim *shim, const char *path);
void shim_close(struct shim *shim);

/* Looks at a program by a path inside the root. 0, or an exit code with errno. */
int subject_examine(struct subject *subject, const char *path);

/* What keeps the shim out of a program as a whole. */
void blocks_find(struct subject *subject);

/* Objects that the program loads while it runs, and programs that it starts. */
void plugins_add(struct subject *subject);
bool plugins_looks_up_libcurl(const struct subject *subject);
void plugins_start_others(struct subject *subject, const char *name);
void plugins_start(struct subject *subject, const char *program, const char *why);

/* How requests leave. */
void ways_find(struct subject *subject);
void ways_find_own_tls(struct subject *subject);
void ways_find_deep(struct subject *subject);
const char *ways_loader_lacks(const struct subject *subject); /* what keeps a deep hook from working, or NULL */
const char *ways_stdio_lacks(const struct subject *subject);
extern const int ways_openssl[], ways_nghttp2[];         /* the names that write, ended by -1 */
bool ways_is_other_traffic(const struct object *object); /* carries no HTTP of the program's */
bool ways_is_go(const struct image *image);

/* Follows `#!` lines; `path` becomes the interpreter's. False if `path` is no script. With `hints`, notes what is in it. */
bool script_follow(struct subject *subject, char path[PATH_MAX]);
void script_hints(struct subject *subject, const char *script);

/* A program's path by its name, in PATH. */
bool search_program(const struct subject *subject, const char *name, char path[PATH_MAX]);

/* A process. 0, or an exit code with errno. process_add_mapped(): what is mapped in it joins its closure. */
int process_examine(struct subject *subject);
void process_add_mapped(struct subject *subject);

/* Output. */
void doctor_print_json(const struct findings *findings);
void doctor_print_text(const struct findings *findings, bool colours);

/* The proxy's configuration. */
struct proxy {
    const char *listen;      /* ADDRESS:PORT */
    const char *certificate; /* PEM of certificate and key: the listener speaks TLS; or NULL */
    const char *ca_file;
    const char *resolver; /* ADDRESS[:PORT] of a DNS server */
};
bool proxy_print(const char *name, const struct proxy *proxy, const struct config *config);

#endif
