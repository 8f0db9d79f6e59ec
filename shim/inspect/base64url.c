#include "base64url.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

size_t base64url_decode(const char *in, size_t len, char *out)
{
    size_t made = 0;
    uint32_t bits = 0;
    int held = 0;
    if (len % 4 == 1)
        return (size_t)-1;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(in[i]);
        if (value < 0)
            return (size_t)-1;
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[made++] = (char)(bits >> held);
        }
    }
    return made;
}

size_t base64url_encode(const char *in, size_t len, char *out)
{
    size_t made = 0;
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | (unsigned char)in[i]) & 0xffffff;
        held += 8;
        for (; held >= 6; held -= 6)
            out[made++] = alphabet[bits >> (held - 6) & 63];
    }
    if (held)
        out[made++] = alphabet[bits << (6 - held) & 63];
    return made;
}
