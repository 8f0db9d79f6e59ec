/* qsh: requests in, hashes out, for the oracle. A line is METHOD, and path, query and context path in hex with a '.' before each. */
#include "../../shim/inspect/qsh.h"

#include <stdio.h>
#include <stdlib.h>

static struct span from_hex(const char *word, char *to)
{
    size_t len = 0;
    for (const char *at = word + 1; at[0] && at[1]; at += 2)
        to[len++] = (char)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
    return span_of(to, len);
}

int main(void)
{
    enum { WORD = 8192 };
    static char method[32], word[3][WORD], bytes[3][WORD];
    while (scanf("%31s %8191s %8191s %8191s", method, word[0], word[1], word[2]) == 4) {
        char hex[QSH_LENGTH + 1];
        size_t len;
        struct signed_request request = {span_of(method, strlen(method)), from_hex(word[0], bytes[0]),
                                         from_hex(word[1], bytes[1])};
        char *canonical = qsh_canonical(&request, &(struct qsh_form){.base = from_hex(word[2], bytes[2])}, &len);
        if (!canonical)
            return 1;
        qsh_hash(canonical, len, hex);
        free(canonical);
        puts(hex);
    }
    return 0;
}
