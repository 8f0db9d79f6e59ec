#include "words.h"

#include <stdlib.h>

void words_of_time(char *to, size_t size, long long at)
{
    time_t time = (time_t)at;
    struct tm tm;
    if (!gmtime_r(&time, &tm) || strftime(to, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(to, size, "%lld", at);
}

void words_of_span(char *to, size_t size, long long seconds)
{
    static const struct {
        long long seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}};
    if (seconds < 0)
        seconds = -seconds;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (seconds >= 2 * units[i].seconds) {
            snprintf(to, size, "%lld %s", seconds / units[i].seconds, units[i].name);
            return;
        }
    snprintf(to, size, "%lld s", seconds);
}

void put_escaped(FILE *to, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < ' ' || c >= 0x7f)
            fprintf(to, "\\x%02x", c);
        else
            fputc(c, to);
    }
}

bool has_blank_or_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f)
            return true;
    return false;
}

json_t *json_of_bytes(struct span text)
{
    json_t *string = json_stringn(text.len ? text.at : "", text.len);
    char *wide = string ? NULL : malloc(2 * text.len + 1);
    size_t len = 0;
    if (!wide)
        return string;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= 0x80)
            wide[len++] = (char)(0xc0 | c >> 6);
        wide[len++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    string = json_stringn(wide, len);
    free(wide);
    return string;
}
