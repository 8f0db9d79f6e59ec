/* jwtshim inspect: what the shim would do with a request, and what is in its token. Reads, computes and prints; sends nothing. */
#include "base_url.h"
#include "inspection.h"
#include "secret.h"
#include "settings.h"

#include "../../shim/inspect/inspect.h"
#include "../../shim/inspect/libjwt.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
    const char *method, *base_url, *secret_file;
    bool json;
};

bool inspection_stays(const struct inspection *inspection)
{
    return inspection->reason != REASON_NONE && inspection->reason != REASON_HOST_NOT_ATLASSIAN &&
           inspection->decision.candidate;
}

bool inspection_fails(const struct inspection *inspection)
{
    if (inspection_stays(inspection) || inspection->signature == SIGNATURE_WRONG)
        return true;
    for (unsigned i = 0; inspection->token && i < FINDING_COUNT; i++)
        if (examination_has(&inspection->examination, i) && finding_fails(i))
            return true;
    return false;
}

/* The whole of standard input, for free(); NULL once it is said what is wrong. */
static char *read_input(const struct command *command, size_t *len, int *code)
{
    char *text = malloc(SUBJECT_MAX + 1);
    *len = text ? fread(text, 1, SUBJECT_MAX + 1, stdin) : 0;
    if (text && !ferror(stdin) && *len <= SUBJECT_MAX)
        return text;
    if (!text || ferror(stdin))
        *code = command_failed(command, EX_IOERR, "cannot read standard input: %s", strerror(errno));
    else
        *code = command_failed(command, EX_DATAERR,
                               "standard input is longer than 256 KiB: that is no request's head and no token");
    free(text);
    return NULL;
}

/* The token of an Authorization field that is there already. */
static struct span authorization_token(const struct subject *subject)
{
    struct field field;
    struct span rest = span_of(subject->head, subject->head_len);
    rest = span_from(rest, (size_t)((const char *)memchr(rest.at, '\n', rest.len) - rest.at) + 1);
    for (ssize_t len; (len = field_next(rest, &field)) > 0 && field.name.len; rest = span_from(rest, (size_t)len))
        if (SPAN_IS(field.name, "authorization") && field.value.len > 4 && memcmp(field.value.at, "JWT ", 4) == 0)
            return span_trim(span_from(field.value, 4));
    return span_of(NULL, 0);
}

/* By what stands behind the host in its head: a port, or the line's end. */
static bool is_on_port_80(struct span host)
{
    const char *at = host.at + host.len;
    at += *at == '.';
    return *at != ':' || strtol(at + 1, NULL, 10) == 80 || at[1] == '\r';
}

/* A plain request on port 80 is left alone unless its peer is near, which only the connection could tell. */
static bool is_left_for_plaintext(const struct inspection *inspection)
{
    const struct decision *decision = &inspection->decision;
    if (!inspection->subject.plain || inspection->config.plaintext == PLAINTEXT_ALWAYS)
        return false;
    if (inspection->config.plaintext == PLAINTEXT_NEVER)
        return true;
    return decision->form == TARGET_ORIGIN && is_on_port_80(decision->host);
}

static void decide(struct inspection *inspection)
{
    struct framing framing;
    struct request_line request;
    struct target target;
    struct decision *decision = &inspection->decision;
    const struct span head = span_of(inspection->subject.head, inspection->subject.head_len);
    const size_t line = (size_t)((const char *)memchr(head.at, '\n', head.len) - head.at) + 1;
    if (!request_line_parse(span_of(head.at, line), &request)) {
        inspection->subject.wrong = "it makes no HTTP/1.1 request line";
        return;
    }
    target_parse(request.target, &target);
    head_decide(&inspection->config.policy, head, &request, &target, line, &framing, decision);
    inspection->reason = head.len > HEAD_MAX ? REASON_HEAD_TOO_LARGE : decision->reason;
    if (inspection->reason == REASON_NONE && decision->candidate && is_left_for_plaintext(inspection))
        inspection->reason = REASON_PLAINTEXT;
}

static bool take_token(struct inspection *inspection)
{
    struct span token = inspection->subject.head ? inspection->decision.token : inspection->subject.token;
    if (inspection->subject.head && !token.len) {
        token = authorization_token(&inspection->subject);
        inspection->in_header = token.len != 0;
    }
    if (!token.len)
        return true;
    inspection->token = malloc(token.len + 1);
    if (!inspection->token)
        return false;
    inspection->token_len = token_decode(token, inspection->token);
    inspection->token[inspection->token_len] = '\0';
    return true;
}

static void look(struct inspection *inspection, const struct options *options)
{
    const struct decision *decision = &inspection->decision;
    const struct signed_request request = {decision->method, decision->path, decision->query};
    const bool has_request = inspection->subject.head != NULL;
    struct span base = context_path_of(request.path);
    if (options->base_url)
        base_url_path(options->base_url, &base);
    if (has_request)
        inspection->canonical = qsh_canonical(&request, &(struct qsh_form){.base = base}, &inspection->canonical_len);
    if (inspection->token)
        examine(span_of(inspection->token, inspection->token_len), has_request ? &request : NULL, base, inspection->now,
                &inspection->examination);
    else if (inspection->canonical)
        qsh_hash(inspection->canonical, inspection->canonical_len, inspection->examination.computed_qsh);
}

/* With the line end that the file ends in, and without: nobody can say whether it was meant. */
static int verify(const struct command *command, const struct options *options, struct inspection *inspection)
{
    struct secret secret;
    if (!options->secret_file || !inspection->token)
        return EX_OK;
    int code = secret_read(command, options->secret_file, &secret);
    if (code == EX_OK) {
        const bool has_line_end = secret.len != secret.line_len;
        inspection->signature = SIGNATURE_WRONG;
        if (inspection->token_len > INSPECT_TOKEN_MAX)
            inspection->signature = SIGNATURE_NOT_ASKED;
        else if (libjwt_verifies(inspection->token, secret.bytes, secret.line_len))
            inspection->signature = has_line_end ? SIGNATURE_RIGHT_WITHOUT_LINE_END : SIGNATURE_RIGHT;
        else if (has_line_end && libjwt_verifies(inspection->token, secret.bytes, secret.len))
            inspection->signature = SIGNATURE_RIGHT_WITH_LINE_END;
    }
    secret_wipe(&secret);
    return code;
}

static int inspect(const struct command *command, const struct options *options, struct inspection *inspection)
{
    size_t len;
    char *environment = settings_own_environment(&len);
    settings_read(&inspection->config, "", environment, environment ? len : 0, false, settings_complain);
    free(environment);
    if (!inspection->subject.wrong && inspection->subject.head)
        decide(inspection);
    if (inspection->subject.wrong)
        return command_failed(command, EX_DATAERR, "cannot make sense of what was given: %s", inspection->subject.wrong);
    if (!take_token(inspection))
        return command_failed(command, EX_OSERR, "there is not enough memory");
    int code = verify(command, options, inspection);
    if (code != EX_OK)
        return code;
    look(inspection, options);
    if (options->json)
        inspection_print_json(inspection, stdout);
    else
        inspection_print(inspection, stdout);
    return inspection_fails(inspection) ? 1 : EX_OK;
}

static bool is_method(const char *method)
{
    char line[64];
    int len = snprintf(line, sizeof line, "%s /", method);
    return len > 2 && (size_t)len < sizeof line && request_may_begin(span_of(line, (size_t)len));
}

static int parse_options(const struct command *command, int argc, char **argv, struct options *options, bool *show_signature)
{
    static const struct option known[] = {
        {"method", required_argument, NULL, 'm'},      {"base-url", required_argument, NULL, 'b'},
        {"secret-file", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
        {"show-signature", no_argument, NULL, 'S'},    {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", known, NULL)) != -1;) {
        switch (option) {
        case 'm': options->method = optarg; break;
        case 'b': options->base_url = optarg; break;
        case 's': options->secret_file = optarg; break;
        case 'j': options->json = true; break;
        case 'S': *show_signature = true; break;
        case ':': return command_misused(command, "%s needs a value", argv[optind - 1]);
        default: return command_misused(command, "unknown option: %.40s", argv[optind - 1]);
        }
    }
    if (options->method && !is_method(options->method))
        return command_misused(command, "%.40s is no method (they are in capitals: GET, POST, …)", options->method);
    struct span base;
    if (options->base_url && !base_url_path(options->base_url, &base))
        return command_misused(command, BASE_URL_WANTED, options->base_url);
    if (argc - optind != 1)
        return command_misused(command, argc == optind
                                            ? "a URL or a token is missing, or - for standard input"
                                            : "there is more than one URL or token (quote what holds & or ?)");
    return EX_OK;
}

static int run(const struct command *command, int argc, char **argv)
{
    static struct inspection inspection;
    struct options options = {.json = false};
    char *input = NULL;
    int code = parse_options(command, argc, argv, &options, &inspection.show_signature);
    if (code != EX_OK)
        return code;
    struct span given = span_of(argv[optind], strlen(argv[optind]));
    if (SPAN_IS(given, "-")) {
        given.at = input = read_input(command, &given.len, &code);
        if (!input)
            return code;
    }
    inspection.now = time(NULL);
    subject_of(given, options.method, &inspection.subject);
    code = inspect(command, &options, &inspection);
    examination_end(&inspection.examination);
    subject_end(&inspection.subject);
    if (inspection.token)
        explicit_bzero(inspection.token, inspection.token_len);
    free(inspection.token);
    free(inspection.canonical);
    free(input);
    return code;
}

const struct command inspect_command = {
    .name = "inspect",
    .summary = "what would become of a request, and what is in its token",
    .help = "Usage: jwtshim inspect [OPTION]... URL|TOKEN|-\n"
            "\n"
            "Says what the shim would do with a request, by the settings of /etc/jwtshim.conf and the\n"
            "environment, and what is right and wrong with its token. Sends nothing. With -, standard input\n"
            "has a URL, a token, a curl command or the head of a request.\n"
            "\n"
            "  --method METHOD     the request's method, if it is not GET or the one that was pasted\n"
            "  --base-url URL      the site's base URL, whose path is left out of the qsh\n"
            "                      (default: /wiki for paths below it)\n"
            "  --secret-file FILE  verify the signature by the shared secret in FILE\n"
            "                      (libjwt 3 takes none under 32 bytes)\n"
            "  --json              one JSON object instead of text\n"
            "  --show-signature    show the token's signature too: whoever has it has the token\n"
            "\n"
            "Exit codes: 0 nothing speaks against it; 1 Atlassian would refuse the request; 64 wrong usage;\n"
            "65 what was given is neither a request nor a token, or there is no secret in the file; 66 the\n"
            "secret file cannot be read.\n",
    .run = run,
};
