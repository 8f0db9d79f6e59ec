/* Everything `jwtshim inspect` knows when it has looked, for those who print it. */
#ifndef JWTSHIM_TOOLS_INSPECTION_H
#define JWTSHIM_TOOLS_INSPECTION_H

#include "../../shim/config.h"
#include "../../shim/inspect/examine.h"
#include "command.h"
#include "subject.h"

enum signature {
    SIGNATURE_NOT_ASKED,
    SIGNATURE_RIGHT,
    SIGNATURE_RIGHT_WITHOUT_LINE_END, /* the file's line end is not part of the secret */
    SIGNATURE_RIGHT_WITH_LINE_END,    /* it is, whoever put it there */
    SIGNATURE_WRONG,
};

struct inspection {
    struct config config;
    struct subject subject;
    struct decision decision; /* about the request; unset for a token alone */
    enum reason reason;       /* why it would leave as it is; NONE if its token moves, or where it has none */
    char *token;              /* decoded; NULL if there is none */
    size_t token_len;
    bool in_header; /* the token is in an Authorization already */
    struct examination examination;
    time_t now;
    char *canonical; /* NULL for a token alone */
    size_t canonical_len;
    enum signature signature;
    bool show_signature;
};

/* Whether the request would leave with its token in the query of an Atlassian host, where it is refused. */
bool inspection_stays(const struct inspection *inspection);

/* Whether Atlassian would refuse it, as far as can be told. */
bool inspection_fails(const struct inspection *inspection);

/* What becomes of the target; for free(). With every jwt's value taken out. NULL without memory. */
char *inspection_target(const struct inspection *inspection, bool after);

const char *signature_text(enum signature signature);

void inspection_print(const struct inspection *inspection, FILE *to);
void inspection_print_json(const struct inspection *inspection, FILE *to);

#endif
