/* `#!` scripts: which interpreter runs them, and what a shell script says of the programs that it starts. */
#include "doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 256, SCRIPT_MAX = 64 * 1024 };

/* The next word of a line: its length is returned, 0 at the end. */
static size_t next_word(const char **at)
{
    *at += strspn(*at, " \t\r");
    return strcspn(*at, " \t\r");
}

static bool take_word(const char **at, char word[PATH_MAX])
{
    size_t len = next_word(at);
    if (len == 0 || len >= PATH_MAX)
        return false;
    memcpy(word, *at, len);
    word[len] = '\0';
    *at += len;
    return true;
}

/* `env [-S] [-i] [-u NAME] [NAME=VALUE]... PROGRAM`. */
static bool behind_env(const struct subject *subject, const char *rest, char path[PATH_MAX])
{
    char word[PATH_MAX];
    while (take_word(&rest, word)) {
        if (strcmp(word, "-u") == 0) {
            if (!take_word(&rest, word))
                return false;
        } else if (word[0] != '-' && !strchr(word, '=')) {
            return search_program(subject, word, path);
        }
    }
    return false;
}

/* The first line of a script, without its `#!`. False if the file is none. */
static bool first_line(const char *root, const char *real, char line[LINE_MAX_LEN])
{
    struct file file;
    if (!root_read_start(root, real, LINE_MAX_LEN + 1, &file))
        return false;
    bool is_script = file.len > 2 && file.bytes[0] == '#' && file.bytes[1] == '!';
    if (is_script) {
        size_t len = file.len - 2 < LINE_MAX_LEN - 1 ? file.len - 2 : LINE_MAX_LEN - 1;
        memcpy(line, file.bytes + 2, len);
        line[len] = '\0';
        line[strcspn(line, "\n")] = '\0';
    }
    file_free(&file);
    return is_script;
}

bool script_follow(struct subject *subject, char path[PATH_MAX])
{
    char line[LINE_MAX_LEN];
    char real[PATH_MAX];
    char word[PATH_MAX];
    if (!root_resolve(subject->root, path, real) || !first_line(subject->root, real, line))
        return false;
    const char *rest = line;
    if (!take_word(&rest, word))
        return false;
    memcpy(path, word, strlen(word) + 1);
    if (strcmp(last_part(word), "env") == 0 && !behind_env(subject, rest, path)) {
        errno = ENOENT;
        *path = '\0';
    }
    return true;
}

/* Programs that speak HTTP, or run what does. Others that a script starts would only be noise. */
static bool is_client(const char *name)
{
    static const char *const names[] = {"curl",    "wget",    "wget2",      "java",  "python", "python2", "python3",
                                        "perl",    "ruby",    "php",        "node",  "nodejs", "git",     "aria2c",
                                        "openssl", "gawk",    "busybox",    "socat", "lynx",   "w3m",     "http",
                                        "https",   "erl",     "beam.smp",   "tclsh", "lua",    "guile",   "mono",
                                        "dotnet",  "Rscript", "gnutls-cli", "ncat",  "axel",   "lftp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Words behind which another command follows. */
static bool is_prefix(const char *word)
{
    static const char *const words[] = {"exec", "env",   "sudo",  "nohup", "time", "then",    "do",   "else",   "if",
                                        "elif", "while", "until", "!",     "{",    "command", "nice", "timeout"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return strchr(word, '=') != NULL;
}

struct scan {
    const char *at, *end;
    bool is_command; /* a word here is a command's name */
    bool after_exec;
};

static void skip_comment(struct scan *scan)
{
    while (scan->at < scan->end && *scan->at != '\n')
        scan->at++;
}

/* The next word, without quotes; what ends a command makes the one behind it a command's name. */
static bool next_shell_word(struct scan *scan, char word[PATH_MAX])
{
    size_t len = 0;
    for (; scan->at < scan->end; scan->at++) {
        char c = *scan->at;
        if (strchr(" \t\r\n;&|()`", c)) {
            if (len)
                break;
            if (!strchr(" \t\r", c)) {
                scan->is_command = true;
                scan->after_exec = false;
            }
        } else if (c == '#' && len == 0) {
            skip_comment(scan);
            scan->at--;
        } else if (c != '"' && c != '\'' && c != '\\' && c != '\0' && len + 1 < PATH_MAX) {
            word[len++] = c;
        }
    }
    word[len] = '\0';
    return len > 0;
}

static void look_at_command(struct subject *subject, struct scan *scan, const char *word)
{
    char path[PATH_MAX];
    if (is_prefix(word)) {
        scan->after_exec |= strcmp(word, "exec") == 0;
        return;
    }
    if (word[0] == '-' && scan->after_exec)
        return;
    scan->is_command = false;
    bool worth = is_client(last_part(word)) || (word[0] == '/' && scan->after_exec);
    if (worth && !strchr(word, '$') && search_program(subject, word, path))
        plugins_start(subject, path, "The script starts");
}

static bool holds(const struct file *file, const char *text)
{
    return memmem(file->bytes, file->len < SCRIPT_MAX ? file->len : SCRIPT_MAX, text, strlen(text)) != NULL;
}

/* Launchers that find their program by a variable. */
static void look_for_runtimes(struct subject *subject, const struct file *file, const char *script)
{
    struct way way = {.name = "own-tls", .object = script};
    if (holds(file, "JAVACMD") || holds(file, "JAVA_HOME") || holds(file, "java -jar"))
        findings_way(subject->findings, &way, "the script starts Java, whose TLS (JSSE) is written in Java");
    else if (holds(file, "erlexec") || holds(file, "exec erl") || holds(file, "ERL_"))
        findings_way(subject->findings, &way, "the script starts Erlang, whose TLS (ssl) is written in Erlang");
    if (holds(file, "pyenv"))
        findings_note(subject->findings, "pyenv", "It is a shim of pyenv: ask about the path that `pyenv which` gives.");
}

static bool is_shell(const char *name)
{
    static const char *const shells[] = {"sh", "dash", "bash", "ksh", "zsh", "ash", "mksh", "busybox"};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shells[i], name) == 0)
            return true;
    return false;
}

void script_hints(struct subject *subject, const char *script)
{
    struct file file;
    char word[PATH_MAX];
    if (!is_shell(last_part(subject->program->path)) || !root_read(subject->root, script, &file))
        return;
    const char *text = (const char *)file.bytes;
    struct scan scan = {text, text + (file.len < SCRIPT_MAX ? file.len : SCRIPT_MAX), true, false};
    findings_note(
        subject->findings, "shell-script",
        "It is a shell script: requests are made by the programs that it starts. Those that are told by its text "
        "were looked at.");
    while (subject->findings->way_count < WAYS_MAX && next_shell_word(&scan, word))
        if (scan.is_command)
            look_at_command(subject, &scan, word);
    look_for_runtimes(subject, &file, script);
    plugins_start_others(subject, last_part(script));
    file_free(&file);
}
