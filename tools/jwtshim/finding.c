#include "finding.h"

#include "../../shim/inspect/examine.h"

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

/* What the inspector notes though Atlassian takes such a token. */
static bool is_harmless(struct span finding)
{
    static const struct {
        const char *name;
        bool fails;
    } findings[] = {
#define X(id, name, fails, text) {name, fails},
        FINDINGS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++)
        if (finding.len == strlen(findings[i].name) && memcmp(finding.at, findings[i].name, finding.len) == 0)
            return !findings[i].fails;
    return false;
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

/* Whether any of them is more than a note. */
static bool token_findings(const struct event *event, char text[FINDING_TEXT], size_t *len)
{
    bool said = false, wrong = false;
    for (size_t i = 0; i < event->findings; i++) {
        said |= event->finding[i].len >= 3 && memcmp(event->finding[i].at, "qsh", 3) == 0;
        wrong |= !is_harmless(event->finding[i]);
        add(text, len, event->finding[i]);
    }
    if (!event->qsh.at || !IS(event->qsh, "mismatch") || said)
        return wrong;
    add(text, len, span_of("qsh-mismatch", 12));
    return true;
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
    const bool wrong = token_findings(event, text, len);
    if (IS(event->action, "would-rewrite"))
        return STANDING_AUDIT;
    return wrong ? STANDING_TOKEN : STANDING_MOVED;
}
