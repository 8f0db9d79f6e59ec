/* jwtshim sign: a Connect token for trying things out. Sends nothing and keeps nothing. */
#include "base_url.h"
#include "command.h"
#include "secret.h"
#include "words.h"

#include "../../shim/http/target.h"
#include "../../shim/inspect/examine.h"
#include "../../shim/inspect/libjwt.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum form { FORM_HEADER = 'H', FORM_QUERY = 'Q', FORM_TOKEN = 'T' };
enum { DEFAULT_LIFETIME = 180, LONGEST = 10 * 365 * 86400 };

struct options {
    const char *method, *url, *iss, *secret_file, *base_url;
    long long lifetime;
    int form;
    json_t *claims; /* those of --claim */
};

static bool is_number(const char *text, long long *number)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return *text && !*end && errno == 0 && *number <= LONGEST && *number >= -LONGEST;
}

/* NAME=VALUE: a number, true, false, null, an array or an object is taken as JSON, anything else as a string. */
static bool add_claim(json_t *claims, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return false;
    char *name = strndup(text, (size_t)(equals - text));
    json_t *value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
    if (!value || json_is_string(value)) {
        json_decref(value);
        value = json_string(equals + 1);
    }
    const bool added = name && json_object_set_new(claims, name, value) == 0;
    free(name);
    return added;
}

static int parse_options(const struct command *command, int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"method", required_argument, NULL, 'm'},
                                          {"url", required_argument, NULL, 'u'},
                                          {"iss", required_argument, NULL, 'i'},
                                          {"secret-file", required_argument, NULL, 's'},
                                          {"base-url", required_argument, NULL, 'b'},
                                          {"exp-in", required_argument, NULL, 'e'},
                                          {"claim", required_argument, NULL, 'c'},
                                          {"header", no_argument, NULL, FORM_HEADER},
                                          {"query", no_argument, NULL, FORM_QUERY},
                                          {"token", no_argument, NULL, FORM_TOKEN},
                                          {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", known, NULL)) != -1;) {
        switch (option) {
        case 'm': options->method = optarg; break;
        case 'u': options->url = optarg; break;
        case 'i': options->iss = optarg; break;
        case 's': options->secret_file = optarg; break;
        case 'b': options->base_url = optarg; break;
        case 'e':
            if (!is_number(optarg, &options->lifetime))
                return command_misused(command, "--exp-in needs a number of seconds, not %.40s", optarg);
            break;
        case 'c':
            if (!add_claim(options->claims, optarg))
                return command_misused(command, "--claim needs NAME=VALUE in UTF-8, not %.40s", optarg);
            break;
        case FORM_HEADER:
        case FORM_QUERY:
        case FORM_TOKEN: options->form = option; break;
        case ':': return command_misused(command, "%s needs a value", argv[optind - 1]);
        default: return command_misused(command, "unknown option: %.40s", argv[optind - 1]);
        }
    }
    if (optind != argc)
        return command_misused(command, "%.40s is too much: the URL goes behind --url", argv[optind]);
    if (!*options->url || !*options->iss || !*options->secret_file)
        return command_misused(command, "one of --url, --iss and --secret-file is missing");
    return EX_OK;
}

static int check_url(const struct command *command, const char *url, struct target *target)
{
    const struct span text = span_of(url, strlen(url));
    target_parse(text, target);
    if (target->form != TARGET_ABSOLUTE || target->authority.len == 0)
        return command_misused(command, "--url needs a whole URL: https://HOST/PATH");
    if (has_blank_or_control(text))
        return command_misused(command, "the URL holds a space or a control character");
    if (target->query.at && query_has_jwt(target->query))
        return command_misused(command, "the URL has a jwt parameter already");
    return EX_OK;
}

/* The claims that a Connect token has, and over them those that were asked for. NULL without memory, or for an iss that is no UTF-8. */
static json_t *claims_of(const struct options *options, const struct target *target, struct span base)
{
    const struct signed_request request = {span_of(options->method, strlen(options->method)), target->path,
                                           target->query.at ? target->query : span_of("", 0)};
    char qsh[QSH_LENGTH + 1];
    size_t len;
    char *canonical = qsh_canonical(&request, &(struct qsh_form){.base = base}, &len);
    if (!canonical)
        return NULL;
    qsh_hash(canonical, len, qsh);
    free(canonical);
    const json_int_t now = (json_int_t)time(NULL);
    json_t *claims = json_pack("{s:s, s:I, s:I, s:s}", "iss", options->iss, "iat", now, "exp",
                               now + (json_int_t)options->lifetime, "qsh", qsh);
    if (claims)
        json_object_update(claims, options->claims);
    return claims;
}

static void print(const struct options *options, const struct target *target, const char *token)
{
    if (options->form == FORM_TOKEN) {
        puts(token);
        return;
    }
    if (options->form == FORM_HEADER) {
        printf("Authorization: JWT %s\n", token);
        return;
    }
    const char *fragment = strchrnul(options->url, '#');
    printf("%.*s%s%cjwt=%s%s\n", (int)(fragment - options->url), options->url,
           target->path.len || target->query.at ? "" : "/", target->query.at ? '&' : '?', token, fragment);
}

static int sign(const struct command *command, const struct options *options, const struct secret *secret)
{
    struct target target;
    struct span base;
    int code = check_url(command, options->url, &target);
    if (code != EX_OK)
        return code;
    if (!options->base_url)
        base = context_path_of(target.path);
    else if (!base_url_path(options->base_url, &base))
        return command_misused(command, BASE_URL_WANTED, options->base_url);
    json_t *claims = claims_of(options, &target, base);
    if (!claims)
        return command_failed(command, EX_DATAERR, "cannot make claims of this: is --iss in UTF-8?");
    char *token = libjwt_sign(claims, secret->bytes, secret->line_len);
    json_decref(claims);
    if (!token)
        return command_failed(command, EX_SOFTWARE, "libjwt does not sign by this secret: is it too short for it?");
    if (secret->line_len != secret->len)
        fprintf(stderr, "jwtshim %s: the line end that the secret file ends in is not taken as part of the secret\n",
                command->name);
    print(options, &target, token);
    explicit_bzero(token, strlen(token));
    free(token);
    return EX_OK;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options = {.method = "GET",
                              .url = "",
                              .iss = "",
                              .secret_file = "",
                              .lifetime = DEFAULT_LIFETIME,
                              .form = FORM_HEADER,
                              .claims = json_object()};
    struct secret secret;
    int code = parse_options(command, argc, argv, &options);
    if (code == EX_OK) {
        code = secret_read(command, options.secret_file, &secret);
        if (code == EX_OK)
            code = sign(command, &options, &secret);
        secret_wipe(&secret);
    }
    json_decref(options.claims);
    return code;
}

const struct command sign_command = {
    .name = "sign",
    .summary = "a Connect token for trying things out",
    .help = "Usage: jwtshim sign --url URL --iss KEY --secret-file FILE [OPTION]...\n"
            "\n"
            "Signs a request as a Connect app does (HS256, with its qsh) and prints what curl wants:\n"
            "\n"
            "  curl -H \"$(jwtshim sign --url \"$url\" --iss com.example.app --secret-file secret)\" \"$url\"\n"
            "\n"
            "  --url URL           the request's URL\n"
            "  --iss KEY           who signs: the app's key\n"
            "  --secret-file FILE  the shared secret; a line end behind it is left out\n"
            "  --method METHOD     default: GET\n"
            "  --base-url URL      the site's base URL, whose path is left out of the qsh\n"
            "                      (default: /wiki for paths below it)\n"
            "  --exp-in SECONDS    default: 180; a negative number makes an expired token\n"
            "  --claim NAME=VALUE  another claim, or another value for one of these; may be repeated\n"
            "  --header            print the header line (default)\n"
            "  --query             print the URL with its jwt parameter\n"
            "  --token             print the token alone\n"
            "\n"
            "Exit codes: 0; 64 wrong usage; 65 there is no secret in the file, or a claim cannot be written;\n"
            "66 the file cannot be read; 70 libjwt does not sign by this secret.\n",
    .run = run,
};
