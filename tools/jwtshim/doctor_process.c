/* A running process, by what /proc says of it: its program, what is really mapped, its environment and its limits. */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { PROC_TEXT_MAX = 4 * 1024 * 1024 };

/* A file of /proc/PID, whole, with a zero byte behind it. NULL with errno. */
static char *read_proc(pid_t pid, const char *name, size_t *len)
{
    char path[64];
    char *text = NULL;
    size_t used = 0;
    ssize_t got = -1;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    for (size_t size = 16384; size <= PROC_TEXT_MAX; size *= 2) {
        char *larger = realloc(text, size + 1);
        if (!larger)
            break;
        text = larger;
        while (used < size && (got = read(fd, text + used, size - used)) > 0)
            used += (size_t)got;
        if (used < size)
            break;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    if (!text || got < 0) {
        free(text);
        return NULL;
    }
    text[used] = '\0';
    *len = used;
    return text;
}

/* A variable's value in a block of "NAME=VALUE", or NULL. */
static const char *variable(const char *environment, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    for (size_t at = 0; at < len; at += strlen(environment + at) + 1)
        if (strncmp(environment + at, name, name_len) == 0 && environment[at + name_len] == '=')
            return environment + at + name_len + 1;
    return NULL;
}

static bool is_secure(pid_t pid)
{
    size_t len;
    char ident[EI_NIDENT] = "";
    char path[64];
    char *auxv = read_proc(pid, "auxv", &len);
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, ident, sizeof ident);
    if (fd >= 0)
        close(fd);
    size_t word = got == (ssize_t)sizeof ident && ident[EI_CLASS] == ELFCLASS32 ? 4 : 8;
    uint64_t secure = 0;
    for (size_t at = 0; auxv && at + 2 * word <= len; at += 2 * word) {
        uint64_t type = 0;
        memcpy(&type, auxv + at, word);
        if (type == AT_SECURE)
            memcpy(&secure, auxv + at + word, word);
    }
    free(auxv);
    return secure != 0;
}

static void note_status(struct subject *subject)
{
    size_t len;
    char *status = read_proc(subject->pid, "status", &len);
    const char *seccomp = status ? strstr(status, "\nSeccomp:\t") : NULL;
    const char *no_new_privileges = status ? strstr(status, "\nNoNewPrivs:\t1") : NULL;
    if (seccomp && seccomp[10] == '2')
        findings_note(subject->findings, "seccomp",
                      "A seccomp filter is on. Where it refuses to make memory executable (systemd's "
                      "MemoryDenyWriteExecute), code inside the program cannot be patched.");
    if (no_new_privileges)
        findings_note(subject->findings, "no-new-privileges", "NoNewPrivs is set: its execs gain no privilege.");
    free(status);
}

static void note_shim(struct subject *subject, const char *path, bool deleted)
{
    struct shim loaded;
    char outside[PATH_MAX];
    if (deleted) {
        findings_note(
            subject->findings, "preloaded",
            "libjwtshim.so is loaded, from %s, which was deleted or replaced since: the process runs the old one.", path);
        return;
    }
    bool known = root_outside(subject->root, path, outside) && shim_open(&loaded, outside);
    findings_note(subject->findings, "preloaded", "libjwtshim.so%s%s is loaded, from %s.", known ? " " : "",
                  known ? loaded.version : "", path);
    if (known)
        shim_close(&loaded);
}

/* One line of maps: the path, if it is a file's and executable. Says whether that was deleted, and cuts that word off. */
static char *mapped_path(char *line, bool *deleted)
{
    static const char suffix[] = " (deleted)";
    char *path = strchr(line, '/');
    char *permissions = strchr(line, ' ');
    if (!path || !permissions || permissions[3] != 'x')
        return NULL;
    size_t len = strlen(path);
    *deleted = len > sizeof suffix - 1 && strcmp(path + len - (sizeof suffix - 1), suffix) == 0;
    if (*deleted)
        path[len - (sizeof suffix - 1)] = '\0';
    return path;
}

void process_add_mapped(struct subject *subject)
{
    size_t len;
    char *rest = NULL;
    char *maps = read_proc(subject->pid, "maps", &len);
    bool has_shim = false;
    char process[16];
    snprintf(process, sizeof process, "%d", (int)subject->pid);
    if (!maps) {
        findings_note(subject->findings, "maps-unreadable", "What is mapped cannot be read: ask as its user, or as root.");
        return;
    }
    for (char *line = strtok_r(maps, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        bool deleted = false;
        const char *path = mapped_path(line, &deleted);
        if (!path)
            continue;
        path = root_cut_off(process, path);
        if (strncmp(last_part(path), "libjwtshim.so", 13) == 0) {
            has_shim = true;
            note_shim(subject, path, deleted);
        } else if (deleted) {
            findings_note(subject->findings, "deleted",
                          "%s was deleted or replaced since it was loaded: what was looked at is the file of today.",
                          path);
        }
        if (strncmp(last_part(path), "libjwtshim", 10) != 0)
            closure_add(&subject->closure, path, ORIGIN_MAPPED, subject->program);
    }
    if (!has_shim)
        findings_note(
            subject->findings, "not-preloaded",
            "libjwtshim.so is not in this process, and a running process cannot take it in: what is said here is "
            "how it would be after a start with it.");
    free(maps);
}

/* The program's path inside the process's root. */
static bool program_path(pid_t pid, char path[PATH_MAX], bool *deleted)
{
    static const char suffix[] = " (deleted)";
    char link[64], process[16];
    snprintf(process, sizeof process, "%d", (int)pid);
    snprintf(link, sizeof link, "/proc/%s/exe", process);
    ssize_t len = readlink(link, path, PATH_MAX - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    *deleted = len > (ssize_t)sizeof suffix - 1 && strcmp(path + len - (sizeof suffix - 1), suffix) == 0;
    if (*deleted)
        path[len - (ssize_t)(sizeof suffix - 1)] = '\0';
    const char *inside = root_cut_off(process, path);
    memmove(path, inside, strlen(inside) + 1);
    return true;
}

int process_examine(struct subject *subject)
{
    char root[64];
    char path[PATH_MAX];
    bool deleted = false;
    size_t len = 0;
    snprintf(root, sizeof root, "/proc/%d", (int)subject->pid);
    if (access(root, F_OK) != 0)
        return EX_NOINPUT;
    if (!program_path(subject->pid, path, &deleted))
        return errno == ENOENT ? EX_DATAERR : EX_NOPERM; /* a thread of the kernel has no program */
    snprintf(root, sizeof root, "/proc/%d/root", (int)subject->pid);
    subject->findings->kind = "process";
    snprintf(subject->findings->path, PATH_MAX, "%s", path);
    subject->root = root;
    subject->secure = is_secure(subject->pid);
    char *environment = read_proc(subject->pid, "environ", &len);
    if (!environment)
        findings_note(subject->findings, "environment-unreadable",
                      "Its environment cannot be read, nor the settings in it: ask as its user, or as root.");
    struct config *config = malloc(sizeof *config);
    int code = EX_OSERR;
    if (config) {
        settings_read(config, root, environment, environment ? len : 0, subject->secure, settings_keep_quiet);
        subject->config = config;
        subject->library_path = environment && !subject->secure ? variable(environment, len, "LD_LIBRARY_PATH") : NULL;
        const char *search_path = environment ? variable(environment, len, "PATH") : NULL;
        subject->search_path = search_path ? search_path : subject->search_path;
        if (deleted)
            findings_note(
                subject->findings, "deleted",
                "Its program was deleted or replaced since it started: what was looked at is the file of today.");
        code = subject_examine(subject, path);
    }
    note_status(subject);
    findings_note(subject->findings, "children", "Programs that it starts are processes of their own: ask about each.");
    free(config);
    free(environment);
    return code;
}
