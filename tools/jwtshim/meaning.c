/* What reasons and findings mean, and what helps, for people who have not read the shim's source. */
#include "finding.h"

#include "../../shim/inspect/examine.h"

/* clang-format off */
static const struct {
    const char *id, *meaning;
} meanings[] = {
    /* reasons, as in shim/http/reason.h */
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
    {"redirect-with-credentials", "In a redirect libcurl would send the program's credentials with the token to another origin."},
    /* findings of the inspector, in its words */
#define X(id, name, fails, text) {name, "Its token: " text "."},
    FINDINGS(X)
#undef X
};
/* clang-format on */

const char *finding_meaning(struct span finding)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (finding.len == strlen(meanings[i].id) && memcmp(finding.at, meanings[i].id, finding.len) == 0)
            return meanings[i].meaning;
    return NULL;
}
