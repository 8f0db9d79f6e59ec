#include "time_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Days since 1970-01-01 of a civil date, and back, by the usual arithmetic of 400-year eras. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = days / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Takes so many digits as a number of at most `most`. */
static bool take_number(struct span *text, size_t digits, int least, int most, int *number)
{
    if (text->len < digits)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(text->at[i]))
            return false;
        *number = *number * 10 + (text->at[i] - '0');
    }
    *text = span_from(*text, digits);
    return *number >= least && *number <= most;
}

static bool take_one_of(struct span *text, const char *characters)
{
    if (text->len == 0 || *text->at == '\0' || !strchr(characters, *text->at))
        return false;
    *text = span_from(*text, 1);
    return true;
}

static bool take_date(struct span *text, int64_t *days)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_number(text, 4, 2000, 2099, &year) || !take_one_of(text, "-") || !take_number(text, 2, 1, 12, &month) ||
        !take_one_of(text, "-") || !take_number(text, 2, 1, lengths[month - 1], &day))
        return false;
    if (month == 2 && day == 29 && year % 4 != 0)
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* Milliseconds: the first three digits of a fraction of any length. */
static bool take_fraction(struct span *text, int *thousandths)
{
    int weight = 100;
    *thousandths = 0;
    if (!take_one_of(text, ".,"))
        return true;
    if (text->len == 0 || !is_digit(*text->at))
        return false;
    for (; text->len && is_digit(*text->at); *text = span_from(*text, 1)) {
        *thousandths += (*text->at - '0') * weight;
        weight /= 10;
    }
    return true;
}

/* "Z", "+01:00", or nothing. */
static bool take_offset(struct span *text, int *minutes)
{
    int hour, minute;
    *minutes = 0;
    if (text->len == 0 || take_one_of(text, "Zz"))
        return true;
    const bool behind = *text->at == '-';
    if (!take_one_of(text, "+-") || !take_number(text, 2, 0, 23, &hour) || !take_one_of(text, ":") ||
        !take_number(text, 2, 0, 59, &minute))
        return false;
    *minutes = (hour * 60 + minute) * (behind ? -1 : 1);
    return true;
}

bool time_read(struct span text, int64_t *time)
{
    int64_t days;
    int hour = 0, minute = 0, second = 0, thousandths = 0, offset = 0;
    if (!take_date(&text, &days))
        return false;
    if (text.len) {
        if (!take_one_of(&text, "Tt ") || !take_number(&text, 2, 0, 23, &hour) || !take_one_of(&text, ":") ||
            !take_number(&text, 2, 0, 59, &minute))
            return false;
        if (take_one_of(&text, ":") && (!take_number(&text, 2, 0, 60, &second) || !take_fraction(&text, &thousandths)))
            return false;
        if (!take_offset(&text, &offset))
            return false;
    }
    *time = ((days * 1440 + (int64_t)hour * 60 + minute - offset) * 60 + second) * 1000 + thousandths;
    return text.len == 0;
}

bool time_read_option(const char *text, int64_t now, int64_t *time)
{
    static const char units[] = "mhdw";
    static const int64_t minutes[] = {1, 60, 1440, 10080};
    const size_t digits = strspn(text, "0123456789");
    const char *unit = digits && digits <= 6 && text[digits] ? strchr(units, text[digits]) : NULL;
    if (unit && text[digits + 1] == '\0') {
        *time = now - strtol(text, NULL, 10) * minutes[unit - units] * 60000;
        return true;
    }
    return time_read(span_of(text, strlen(text)), time);
}

int64_t time_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void time_write(char text[TIME_TEXT], int64_t time, bool iso)
{
    int year, month, day;
    const int64_t of_day = (time % 86400000 + 86400000) % 86400000;
    date_of((time - of_day) / 86400000, &year, &month, &day);
    const int hour = (int)(of_day / 3600000);
    const int minute = (int)(of_day / 60000 % 60);
    const int second = (int)(of_day / 1000 % 60);
    if (iso)
        snprintf(text, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, hour, minute, second,
                 (int)(of_day % 1000));
    else
        snprintf(text, TIME_TEXT, "%04d-%02d-%02d %02d:%02d:%02d", year, month, day, hour, minute, second);
}
