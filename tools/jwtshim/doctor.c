/* `jwtshim doctor`: whether the shim would see a program's requests, told by files and /proc alone. It starts nothing of the
 * target and writes nothing. */
#include "doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: jwtshim doctor [--json] [--object PATH] PROGRAM|PID|SCRIPT...\n"
    "       jwtshim doctor --proxy-config[=haproxy|nginx] [--listen ADDRESS:PORT] [--cert FILE] [--ca-file FILE]\n"
    "                      [--resolver ADDRESS:PORT]\n\n"
    "Tells how a program's requests would leave, which of these ways the shim sees, and what to do about the others. "
    "Reads\n"
    "ELF files and /proc, and starts nothing. PROGRAM is a path or a name in PATH; a script is followed to its "
    "interpreter.\n\n"
    "  --json              one JSON object a line and target\n"
    "  --object PATH       the libjwtshim.so to be preloaded (else the one that was built or installed with this "
    "command)\n"
    "  --proxy-config      prints the configuration of a local proxy that makes the same change, for HAProxy or nginx\n"
    "  --listen            where that proxy listens (127.0.0.1:8480)\n"
    "  --cert FILE         a certificate and its key: the proxy's listener speaks TLS\n"
    "  --ca-file FILE      who the sites' certificates are signed by (/etc/ssl/certs/ca-certificates.crt)\n"
    "  --resolver          the DNS server that is asked for the sites (the first of /etc/resolv.conf)\n\n"
    "A program whose name is a number must be given as a path (./42).\n\n"
    "Exit codes: 0 reachable, 1 partly (some ways are seen), 2 not reachable (the worst of all targets); 64 and above "
    "are errors: 64 usage,\n"
    "65 no ELF file, 66 no such program or process, 77 not permitted.\n";

struct options {
    bool json;
    const char *object, *proxy_name;
    struct proxy proxy;
};

enum { OPTION_JSON = 256, OPTION_OBJECT, OPTION_PROXY, OPTION_LISTEN, OPTION_CERT, OPTION_CA, OPTION_RESOLVER };

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"object", required_argument, NULL, OPTION_OBJECT},
    {"proxy-config", optional_argument, NULL, OPTION_PROXY},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"cert", required_argument, NULL, OPTION_CERT},
    {"ca-file", required_argument, NULL, OPTION_CA},
    {"resolver", required_argument, NULL, OPTION_RESOLVER},
    {NULL, 0, NULL, 0},
};

static bool is_pid(const char *target)
{
    return *target && strspn(target, "0123456789") == strlen(target) && strlen(target) < 10;
}

/* A path as the target's root sees it: absolute. */
static bool locate(const struct subject *subject, const char *target, char path[PATH_MAX])
{
    if (!strchr(target, '/'))
        return search_program(subject, target, path);
    char *directory = *target == '/' ? NULL : getcwd(NULL, 0);
    int len = snprintf(path, PATH_MAX, "%s%s%s", directory ? directory : "", directory ? "/" : "", target);
    free(directory);
    return len < PATH_MAX;
}

static bool has_way(const struct findings *findings, const char *name)
{
    for (size_t i = 0; i < findings->way_count; i++)
        if (strcmp(findings->ways[i].name, name) == 0)
            return true;
    return false;
}

static void add_remedies(struct findings *findings)
{
    enum verdict verdict = findings_verdict(findings);
    if (verdict != VERDICT_UNREACHABLE) {
        findings_remedy(findings,
                        strcmp(findings->kind, "process") == 0 ? "start it again by: jwtshim run -- %s ..."
                                                               : "jwtshim run -- %s ...",
                        strcmp(findings->kind, "process") == 0 ? findings->path : findings->target);
        if (verdict == VERDICT_REACHABLE)
            return;
    }
    if (verdict == VERDICT_PARTLY && findings_https_is_unseen(findings))
        findings_note(
            findings, "plain-http",
            "Only its requests without TLS are seen, and Atlassian's sites answer those with a redirect to https. "
            "They help behind a proxy of yours that speaks TLS for it.");
    if (has_way(findings, "musl") || has_way(findings, "wrong-class") || has_way(findings, "wrong-machine"))
        findings_remedy(findings, "build the object for its C library and machine, and ask again with --object PATH");
    if (findings->way_count)
        findings_remedy(findings, "for what is not seen, a local proxy makes the same change: jwtshim doctor "
                                  "--proxy-config=haproxy (or nginx) prints its configuration");
}

static int explain(const struct command *command, const char *target, int code)
{
    switch (code) {
    case EX_NOINPUT:
        return command_failed(command, code, is_pid(target) ? "there is no process %s" : "there is no program %s", target);
    case EX_NOPERM:
        return command_failed(command, code, "%s: not permitted to read it: ask as its user, or as root", target);
    case EX_DATAERR: return command_failed(command, code, "%s: is no ELF program that can be read", target);
    default: return command_failed(command, code, "%s: %s", target, strerror(errno));
    }
}

static int examine_target(const struct command *command, const struct options *options, struct subject subject,
                          const char *target)
{
    struct findings findings = {.target = target, .kind = "program"};
    char path[PATH_MAX];
    int code = EX_NOINPUT;
    subject.findings = &findings;
    if (!subject.shim->found)
        findings_note(&findings, "no-object",
                      "There is no libjwtshim.so to compare with: what is said is of this version's.");
    if (is_pid(target)) {
        subject.pid = (pid_t)strtol(target, NULL, 10);
        code = process_examine(&subject);
    } else if (locate(&subject, target, path)) {
        code = subject_examine(&subject, path);
    }
    if (code == EX_OK) {
        add_remedies(&findings);
        code = (int)findings_verdict(&findings);
        if (options->json)
            doctor_print_json(&findings);
        else
            doctor_print_text(&findings, command_may_colour(stdout));
    } else {
        code = explain(command, target, code);
    }
    findings_free(&findings);
    return code;
}

static int examine_all(const struct command *command, const struct options *options, char **targets)
{
    static struct config config;
    static struct shim shim;
    size_t len;
    int worst = EX_OK;
    if (!shim_open(&shim, options->object) && options->object)
        return command_failed(command, EX_NOINPUT, "%s is no libjwtshim.so", options->object);
    char *environment = settings_own_environment(&len);
    if (!environment)
        return command_failed(command, EX_OSERR, "out of memory");
    settings_read(&config, "", environment, len, false, settings_keep_quiet);
    const char *path = getenv("PATH");
    const struct subject subject = {.shim = &shim,
                                    .config = &config,
                                    .root = "",
                                    .search_path = path ? path : "/usr/local/bin:/usr/bin:/bin",
                                    .library_path = getenv("LD_LIBRARY_PATH")};
    for (; *targets; targets++) {
        int code = examine_target(command, options, subject, *targets);
        worst = code > worst ? code : worst;
    }
    free(environment);
    shim_close(&shim);
    return worst;
}

/* The first server of /etc/resolv.conf. */
static const char *system_resolver(char resolver[128])
{
    char line[256];
    char address[64];
    FILE *file = fopen("/etc/resolv.conf", "re");
    snprintf(resolver, 128, "127.0.0.1:53");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, " nameserver %63s", address) != 1) /* NOLINT(cert-err34-c): a word, no number */
            continue;
        snprintf(resolver, 128, strchr(address, ':') ? "[%s]:53" : "%s:53", address);
        break;
    }
    if (file)
        fclose(file);
    return resolver;
}

static int print_proxy(const struct command *command, struct options *options)
{
    static struct config config;
    static char resolver[128];
    size_t len;
    if (strcmp(options->proxy_name, "haproxy") != 0 && strcmp(options->proxy_name, "nginx") != 0)
        return command_misused(command, "--proxy-config knows haproxy and nginx, not '%s'", options->proxy_name);
    char *environment = settings_own_environment(&len);
    settings_read(&config, "", environment, environment ? len : 0, false, settings_keep_quiet);
    free(environment);
    if (!options->proxy.resolver)
        options->proxy.resolver = system_resolver(resolver);
    if (!proxy_print(options->proxy_name, &options->proxy, &config))
        return command_misused(command, "the proxy's addresses and files must be of letters, digits and _./:+,-[]*%%=");
    return EX_OK;
}

/* False where the command line is wrong; getopt's own words are not printed. */
static bool take_option(struct options *options, int option)
{
    switch (option) {
    case OPTION_JSON: options->json = true; break;
    case OPTION_OBJECT: options->object = optarg; break;
    case OPTION_PROXY: options->proxy_name = optarg ? optarg : "haproxy"; break;
    case OPTION_LISTEN: options->proxy.listen = optarg; break;
    case OPTION_CERT: options->proxy.certificate = optarg; break;
    case OPTION_CA: options->proxy.ca_file = optarg; break;
    case OPTION_RESOLVER: options->proxy.resolver = optarg; break;
    default: return false;
    }
    return true;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options = {.proxy = {.listen = "127.0.0.1:8480", .ca_file = "/etc/ssl/certs/ca-certificates.crt"}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", long_options, NULL)) != -1)
        if (!take_option(&options, option))
            return command_misused(command, option == ':' ? "%s needs a value" : "no such option: %s", argv[optind - 1]);
    if (options.proxy_name) {
        /* `--proxy-config nginx`, with a space, is what people write. */
        if (argc - optind == 1 && strcmp(options.proxy_name, "haproxy") == 0)
            options.proxy_name = argv[optind++];
        if (optind < argc)
            return command_misused(command, "--proxy-config looks at no program: %s", argv[optind]);
        return print_proxy(command, &options);
    }
    if (optind == argc)
        return command_misused(command, "name a program, a script or a process");
    return examine_all(command, &options, argv + optind);
}

const struct command doctor_command = {"doctor", "whether the shim would see a program's requests, and what to do if not",
                                       help, run};
