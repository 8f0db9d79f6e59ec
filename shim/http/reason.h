/* Why a request, or a connection, left as the program wrote it. Every pass-through of something that might have been
 * changed has one of these: they feed the log, the tests and the doctor. */
#ifndef JWTSHIM_HTTP_REASON_H
#define JWTSHIM_HTTP_REASON_H

/* clang-format off */
#define REASONS(X)                                                                                                       \
    X(NONE, "none")                                                                                                      \
    X(NOT_HTTP, "not-http")                           /* the first bytes are no request's */                             \
    X(NOT_A_TOKEN, "not-a-token")                     /* jwt's value is not three parts of [A-Za-z0-9_-] */              \
    X(HOST_NOT_ATLASSIAN, "host-not-atlassian")                                                                          \
    X(HOST_MISSING, "host-missing")                                                                                      \
    X(HOST_REPEATED, "host-repeated")                                                                                    \
    X(CONFLICT_LEFT, "authorization-present")         /* ON_CONFLICT=leave */                                            \
    X(TARGET_FORM, "target-form")                     /* neither origin-form nor absolute-form */                        \
    X(PLAINTEXT, "plaintext")                         /* http to port 80 of a public address only redirects to https */  \
    X(HEAD_TOO_LARGE, "head-too-large")               /* over 64 KiB */                                                  \
    X(HEAD_MALFORMED, "head-malformed")                                                                                  \
    X(FRAMING_CONFLICT, "framing-conflict")           /* Content-Length and Transfer-Encoding, or either twice */        \
    X(FRAMING_UNKNOWN, "framing-unknown")             /* a length or coding that is not understood */                    \
    X(UPGRADE, "upgrade")                             /* another protocol may follow */                                  \
    X(TOO_MANY_EDITS, "too-many-edits")                                                                                  \
    X(AUDIT, "audit")                                 /* would have been rewritten */                                    \
    X(NO_MEMORY, "no-memory")                                                                                            \
    X(RELEASED, "released-early")                     /* held bytes were needed on the wire before the head was whole */ \
    X(CONCURRENT, "concurrent-writers")               /* two threads in one connection at once */                        \
    X(UNSEEN_BYTES, "unseen-bytes")                   /* bytes entered the stream by a way that shows no content */      \
    X(ZEROCOPY, "zerocopy")                           /* MSG_ZEROCOPY: the kernel counts the program's own pages */      \
    X(FAST_OPEN, "fast-open")                         /* MSG_FASTOPEN with an incomplete head cannot be held */          \
    X(ANCILLARY, "ancillary-data")                    /* descriptors sent with half a head cannot wait with it */        \
    X(HANDSHAKE, "handshake-unfinished")              /* the library would have to write in the middle of it */         \
    X(SOCKET_ERROR, "socket-error")                   /* an error is waiting, and is the program's to get */             \
    X(ONLY_H2_OFFERED, "only-h2-offered")             /* ALPN: there is no http/1.1 to steer the client to */            \
    X(DESCRIPTOR_CHANGED, "descriptor-changed")       /* the number is another socket now */                             \
    X(CREDENTIALS, "redirect-with-credentials")       /* libcurl would send these with the token to another origin */
/* clang-format on */

enum reason {
#define X(name, text) REASON_##name,
    REASONS(X)
#undef X
};

#endif
