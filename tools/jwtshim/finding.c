#include "finding.h"

#define IS(span, literal) ((span).len == sizeof(literal) - 1 && memcmp((span).at, literal, sizeof(literal) - 1) == 0)

static const struct {
    const char *id, *name, *meaning;
} standings[STANDINGS] = {
    [STANDING_FAILING] = {"failing", "Still fails", "The token is still in the query, and Atlassian refuses it there."},
    [STANDING_TOKEN] = {"token", "Moved, token doubtful", "The token is in the header, but something is wrong with it."},
    [STANDING_AUDIT] = {"audit", "Would be moved", "Audit mode: nothing was changed. Without it the token would be moved."},
    [STANDING_MOVED] = {"moved", "Moved", "The token is in the Authorization header."},
    [STANDING_LEFT] = {"left", "Left on purpose", "Not for Atlassian, or a setting says to leave it."},
};

const char *standing_id(enum standing standing)
{
    return standings[standing].id;
}

const char *standing_name(enum standing standing)
{
    return standings[standing].name;
}

const char *standing_meaning(enum standing standing)
{
    return standings[standing].meaning;
}

/* Reasons by which a request stays as it is because that is right. */
static bool is_on_purpose(struct span reason)
{
    return IS(reason, "host-not-atlassian") || IS(reason, "plaintext") || IS(reason, "authorization-present");
}

static void add(char text[FINDING_TEXT], size_t *len, struct span part)
{
    const char *comma = *len ? ", " : "";
    for (; *comma && *len < FINDING_TEXT; comma++)
        text[(*len)++] = *comma;
    const size_t left = FINDING_TEXT - *len;
    if (part.len > left)
        part.len = left;
    if (part.len)
        memcpy(text + *len, part.at, part.len);
    *len += part.len;
}

static void token_findings(const struct event *event, char text[FINDING_TEXT], size_t *len)
{
    bool said = false;
    for (size_t i = 0; i < event->findings; i++) {
        said |= event->finding[i].len >= 3 && memcmp(event->finding[i].at, "qsh", 3) == 0;
        add(text, len, event->finding[i]);
    }
    if (event->qsh.at && IS(event->qsh, "mismatch") && !said)
        add(text, len, span_of("qsh-mismatch", 12));
}

enum standing finding_of(const struct event *event, char text[FINDING_TEXT], size_t *len)
{
    *len = 0;
    if (IS(event->action, "passed")) {
        add(text, len, event->reason.at ? event->reason : span_of("no-reason", 9));
        return is_on_purpose(event->reason) ? STANDING_LEFT : STANDING_FAILING;
    }
    if (!IS(event->action, "rewritten") && !IS(event->action, "would-rewrite"))
        return STANDING_NONE;
    token_findings(event, text, len);
    if (IS(event->action, "would-rewrite"))
        return STANDING_AUDIT;
    return *len ? STANDING_TOKEN : STANDING_MOVED;
}

const char *finding_meaning(struct span finding)
{
    /* clang-format off */
    static const struct {
        const char *id, *meaning;
    } meanings[] = {
        {"not-a-token", "The jwt parameter holds no token (three parts of letters, digits, - and _). Look at what the program puts there."},
        {"host-not-atlassian", "The host is none of Atlassian's. If it is a site of yours, name it in JWTSHIM_HOSTS."},
        {"host-missing", "The request names no host, so nothing says that it is for Atlassian."},
        {"host-repeated", "The request names two hosts; which one counts is not for the shim to say."},
        {"authorization-present", "There is an Authorization header already, and JWTSHIM_ON_CONFLICT says to leave such requests."},
        {"target-form", "The request target has a form that is not understood."},
        {"plaintext", "http without TLS to a public address only redirects to https. JWTSHIM_PLAINTEXT=always rewrites it all the same."},
        {"head-too-large", "The request's head is over 64 KiB."},
        {"head-malformed", "The request's head is malformed; its receiver refuses it too."},
        {"framing-conflict", "The request contradicts itself about the length of its body."},
        {"framing-unknown", "The length or coding of the request's body is not understood."},
        {"upgrade", "The connection left HTTP by an Upgrade."},
        {"too-many-edits", "The token stands in more places than the shim changes at once."},
        {"no-memory", "The program had no memory left."},
        {"released-early", "The program needed the bytes sent before its request was whole (a blocking read, a fork, a close)."},
        {"concurrent-writers", "Two threads wrote on one connection at once."},
        {"unseen-bytes", "Bytes entered the connection by a way that shows no content (splice)."},
        {"zerocopy", "The program sends with MSG_ZEROCOPY."},
        {"fast-open", "The program sends half a head with MSG_FASTOPEN."},
        {"ancillary-data", "The program sends descriptors along with half a head."},
        {"handshake-unfinished", "The program wrote before its TLS handshake was finished."},
        {"socket-error", "The connection had an error waiting."},
        {"only-h2-offered", "The client offers HTTP/2 alone, by an implementation of its own. Let it offer http/1.1 too, or use a local proxy."},
        {"descriptor-changed", "The descriptor became another socket in the middle of a request."},
        {"redirect-with-credentials", "libcurl would send the program's credentials with the token to another origin."},
        {"expired", "The token was expired when it was sent: look at the program's clock, and at how long it keeps a token."},
        {"qsh-mismatch", "The token is signed for another method, path or query. \"jwtshim inspect\" says what differs."},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (finding.len == strlen(meanings[i].id) && memcmp(finding.at, meanings[i].id, finding.len) == 0)
            return meanings[i].meaning;
    return NULL;
}
