/* jwtshim enable, jwtshim disable: the shim into /etc/ld.so.preload, and out of it. A path there that cannot be loaded makes every
 * program print an error, and an object that others may change makes them root: so all of that is looked at first. */
#include "command.h"

#include "beside.h"
#include "shim_object.h"
#include "preload_file.h"
#include "preload_text.h"
#include "text.h"
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char enable_help[] =
    "Usage: jwtshim enable [OPTION]...\n"
    "\n"
    "Puts the shim into /etc/ld.so.preload, so that every program that is started from then on loads it. Everything "
    "else in\n"
    "that file stays. The object is tried first: a program is run with it, and any complaint keeps it out.\n"
    "\n"
    "  --object PATH  the object (default: the one installed or built beside this command)\n"
    "  --root DIR     change the root file system below DIR: an image, a chroot. PATH and PROGRAM are paths in it\n"
    "  --try PROGRAM  run this one with the object (default: /bin/true)\n"
    "  --force        take an object that others than root could change, or that is none of ours\n"
    "  --dry-run      print what the file would hold, change nothing\n"
    "  --help         show this and end\n"
    "\n"
    "Settings are in /etc/jwtshim.conf. Programs that run already are not changed.\n"
    "Exit codes: 0 it is in the file; 64 wrong use; 65 the object would not load; 66 there is none; 73, 74 the file "
    "cannot\n"
    "be changed; 75 another run is changing it; 77 not root, or others than root could change the object.\n";

static const char disable_help[] =
    "Usage: jwtshim disable [OPTION]...\n"
    "\n"
    "Takes the shim out of /etc/ld.so.preload, whether or not the object is still there. Everything else in that file "
    "stays;\n"
    "with nothing else in it, it is removed. Programs that run already keep the object until they end.\n"
    "\n"
    "  --object PATH  take out this path too\n"
    "  --root DIR     change the root file system below DIR: an image, a chroot\n"
    "  --dry-run      print what the file would hold, change nothing\n"
    "  --help         show this and end\n"
    "\n"
    "Exit codes: 0 it is not in the file; 64 wrong use; 66 there is no such root; 73, 74 the file cannot be changed;\n"
    "75 another run is changing it; 77 not root.\n";

struct options {
    const char *object, *root, *trial;
    bool force, dry_run;
};

static bool is_absolute(const char *path)
{
    return path && *path == '/';
}

static int read_options(const struct command *command, int argc, char **argv, bool enables, struct options *options)
{
    static const struct option long_options[] = {
        {"object", required_argument, NULL, 'o'}, {"root", required_argument, NULL, 'r'},
        {"dry-run", no_argument, NULL, 'n'},      {"try", required_argument, NULL, 't'},
        {"force", no_argument, NULL, 'f'},        {NULL, 0, NULL, 0},
    };
    int option;
    *options = (struct options){.trial = "/bin/true"};
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
        if (option == ':')
            return command_misused(command, "%s needs a value", argv[optind - 1]);
        if (option == '?' || (!enables && (option == 't' || option == 'f')))
            return command_misused(command, "unknown option: %s", argv[optind - 1]);
        if (option == 'o')
            options->object = optarg;
        else if (option == 'r')
            options->root = optarg;
        else if (option == 't')
            options->trial = optarg;
        else if (option == 'f')
            options->force = true;
        else
            options->dry_run = true;
    }
    if (optind < argc)
        return command_misused(command, "no argument is expected: %s", argv[optind]);
    if ((options->object && !is_absolute(options->object)) || !is_absolute(options->trial))
        return command_misused(command, "paths must be absolute: ld.so knows no current directory");
    return EX_OK;
}

/* Where the object is, if nobody says so: beside this command, or where it is installed in a root. To be freed; or NULL. */
static char *find_object(const struct directory_root *root)
{
    static const char *const names[] = {"/usr/local/lib/jwtshim/libjwtshim.so", "/usr/$LIB/jwtshim/libjwtshim.so",
                                        "/opt/jwtshim/$LIB/libjwtshim.so"};
    char *found = root->ours ? beside_us_object() : NULL;
    for (size_t i = 0; !found && i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        object_path(root, span_of_text(names[i]), path);
        const int fd = root_open(root, path, O_PATH);
        if (fd >= 0) {
            found = strdup(path);
            close(fd);
        }
    }
    return found;
}

/* EX_OK, or after a complaint why this object is not for every program. */
static int judge_file(const struct command *command, const struct directory_root *root, const char *name, bool force)
{
    struct shim_object object;
    struct stat status;
    char path[PATH_MAX];
    object_path(root, span_of_text(name), path);
    const int fd = root_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0)
        return command_failed(command, EX_NOINPUT, "%s: %s", name, strerror(errno));
    object_read(fd, &object);
    close(fd);
    if (!S_ISREG(status.st_mode) || !object.elf)
        return command_failed(command, EX_DATAERR, "%s is no shared object", name);
    if (object.cut_off)
        return command_failed(command, EX_DATAERR, "%s is cut off: programs would be ended by it", name);
    if (!object.ours && !force)
        return command_failed(command, EX_DATAERR,
                              "%s is not libjwtshim.so: it has no note of its version (--force takes it)", name);
    if (!(status.st_mode & S_IROTH))
        return command_failed(command, EX_DATAERR,
                              "%s cannot be read by everyone: other users' programs would complain", name);
    char *unsafe = force ? NULL : object_is_unsafe(root, path);
    if (!unsafe)
        return EX_OK;
    const int code = command_failed(command, EX_NOPERM, "refused: %s (--force takes it)", unsafe);
    free(unsafe);
    return code;
}

static int judge(const struct command *command, const struct directory_root *root, const char *name,
                 const struct options *options)
{
    if (strlen(name) >= PATH_MAX || strpbrk(name, " \t\n:#"))
        return command_failed(command, EX_DATAERR, "ld.so.preload cannot hold a path with a space, a colon or a #: %s",
                              name);
    const int code = judge_file(command, root, name, options->force);
    if (code != EX_OK)
        return code;
    if (!root->ours && geteuid() != 0)
        return EX_OK; /* a dry run of somebody who may not enter the root */
    char *why = trial_fails(root, options->trial, name);
    if (!why)
        return EX_OK;
    const int refused = command_failed(command, EX_DATAERR, "refused: %s would not load: %s", name, why);
    free(why);
    return refused;
}

/* Programs of 32 bits find an object of 64 bits in the file, and say so each time. */
static void warn_of_others(const struct command *command, const struct directory_root *root)
{
    static const char *const loaders[] = {
#if defined(__x86_64__)
        "/lib/ld-linux.so.2",
        "/libx32/ld-linux-x32.so.2",
#elif defined(__aarch64__)
        "/lib/ld-linux-armhf.so.3",
#endif
        NULL
    };
    for (const char *const *loader = loaders; *loader; loader++) {
        const int fd = root_open(root, *loader, O_PATH);
        if (fd < 0)
            continue;
        close(fd);
        command_failed(command, EX_OK, "note: there is %s; programs that need it will print an error at each start",
                       *loader);
    }
}

/* Writes the text, or shows it. */
static int apply(const struct command *command, const struct directory_root *root, struct preload_file *file,
                 struct span text, const struct options *options, const char *what)
{
    const bool same = text.len == file->len && (text.len == 0 || memcmp(text.at, file->text, text.len) == 0);
    if (options->dry_run) {
        fwrite(text.at, 1, text.len, stdout);
        return EX_OK;
    }
    if (same) {
        printf("Already %s: %s%s is as it should be.\n", what, root->path, PRELOAD_PATH);
        return EX_OK;
    }
    const int code = preload_replace(file, command, text);
    if (code == EX_OK)
        printf("Now %s in %s%s. Programs that run already are not changed.\n", what, root->path, PRELOAD_PATH);
    return code;
}

static int enable_object(const struct command *command, const struct directory_root *root, const char *name,
                         const struct options *options)
{
    struct preload_file file;
    int code = judge(command, root, name, options);
    if (code != EX_OK)
        return code;
    code = preload_open(&file, command, root, !options->dry_run);
    if (code == EX_OK) {
        size_t len;
        char *text = preload_with(span_of(file.text, file.len), span_of_text(name), object_is_ours, root, &len);
        code = text ? apply(command, root, &file, span_of(text, len), options, "enabled")
                    : command_failed(command, EX_OSERR, "out of memory");
        free(text);
        if (code == EX_OK)
            warn_of_others(command, root);
    }
    preload_close(&file);
    return code;
}

static int enable(const struct command *command, const struct directory_root *root, const struct options *options)
{
    char *found = options->object ? NULL : find_object(root);
    const char *name = options->object ? options->object : found;
    const int code = name ? enable_object(command, root, name, options)
                          : command_failed(command, EX_NOINPUT, "libjwtshim.so is not installed: --object names it");
    free(found);
    return code;
}

/* What disable takes out: what is ours, and a path that was named. */
struct unwanted {
    const struct directory_root *root;
    const char *object;
};

static bool is_unwanted(struct span name, const void *context)
{
    const struct unwanted *unwanted = context;
    if (unwanted->object && name.len == strlen(unwanted->object) && memcmp(name.at, unwanted->object, name.len) == 0)
        return true;
    return object_is_ours(name, unwanted->root);
}

static int disable(const struct command *command, const struct directory_root *root, const struct options *options)
{
    const struct unwanted unwanted = {root, options->object};
    struct preload_file file;
    int code = preload_open(&file, command, root, !options->dry_run);
    if (code == EX_OK) {
        size_t len;
        char *text = preload_without(span_of(file.text, file.len), is_unwanted, &unwanted, &len);
        code = text ? apply(command, root, &file, span_of(text, len), options, "disabled")
                    : command_failed(command, EX_OSERR, "out of memory");
        free(text);
    }
    preload_close(&file);
    return code;
}

static int run(const struct command *command, int argc, char **argv)
{
    const bool enables = command == &enable_command;
    struct options options;
    struct directory_root root;
    int code = read_options(command, argc, argv, enables, &options);
    if (code != EX_OK)
        return code;
    if (geteuid() != 0 && !options.dry_run)
        return command_failed(command, EX_NOPERM, "only root can change %s", PRELOAD_PATH);
    if (!root_begin(&root, options.root))
        return command_failed(command, EX_NOINPUT, "%s: %s", options.root ? options.root : "/", strerror(errno));
    code = (enables ? enable : disable)(command, &root, &options);
    root_end(&root);
    return code;
}

const struct command enable_command = {
    .name = "enable", .summary = "puts the shim into /etc/ld.so.preload", .help = enable_help, .run = run};

const struct command disable_command = {
    .name = "disable", .summary = "takes the shim out of /etc/ld.so.preload", .help = disable_help, .run = run};
