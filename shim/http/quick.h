/* The quick look at what most requests are: a whole head without a token or a body. Looks at 64 bytes at a time where the
 * processor can, and knows nothing elsewhere. */
#ifndef JWTSHIM_HTTP_QUICK_H
#define JWTSHIM_HTTP_QUICK_H

#include "span.h"

/* True if `in` is one whole GET head (RFC 9112) and nothing else, in origin-form, where no parameter can be named `jwt` and no
 * field matters: no Content-Length, Transfer-Encoding, Upgrade or Referer. It leaves as it is, and the next request follows.
 * False says nothing: http/stream looks more closely. */
bool quick_head_stays(struct span in);

#endif
