// SPDX-License-Identifier: BSD-3-Clause
// time_parse.c: strptime as glibc's: what the text says about the date is completed at the end: the
// day of the week and of the year, or month and day from these.
#include <langinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/libc/export.h"
#include "core/libc/time_pattern.h"

enum { YEAR_BASE = 1900, NO_CENTURY = -1 };

struct parser {
    const char *text;
    struct tm *tm;
    int century, week;
    bool has_half_hour, is_pm; // %I; %p
    bool uses_century;         // %y: the century is another's
    bool wants_days;           // the date is said: its days are computed
    bool has_week_day, has_year_day, has_month, has_month_day, has_sunday_week, has_monday_week;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void spaces_skip(struct parser *parser)
{
    while (is_space(*parser->text)) {
        ++parser->text;
    }
}

// A number of at most `digits` digits between low and high, blanks before it.
static bool number_read(struct parser *parser, int low, int high, int digits, int *value)
{
    while (*parser->text == ' ') {
        ++parser->text;
    }
    if (*parser->text < '0' || *parser->text > '9') {
        return false;
    }
    int number = 0;
    for (; digits > 0 && *parser->text >= '0' && *parser->text <= '9'; --digits) {
        number = number * 10 + (*parser->text++ - '0');
    }
    *value = number;
    return number >= low && number <= high;
}

static bool word_read(struct parser *parser, const char *word)
{
    size_t length = strlen(word);
    if (length == 0 || strncasecmp(parser->text, word, length) != 0) {
        return false;
    }
    parser->text += length;
    return true;
}

// The long name of one of count things, or its short one.
static bool name_read(struct parser *parser, nl_item names, nl_item short_names, int count,
                      int *index)
{
    for (int i = 0; i < count; ++i) {
        if (word_read(parser, nl_langinfo(names + i)) ||
            word_read(parser, nl_langinfo(short_names + i))) {
            *index = i;
            return true;
        }
    }
    return false;
}

// "Z", "+hh", "+hhmm", "+hh:mm".
static bool offset_read(struct parser *parser)
{
    spaces_skip(parser);
    if (*parser->text == 'Z') {
        ++parser->text;
        parser->tm->tm_gmtoff = 0;
        return true;
    }
    bool is_negative = *parser->text == '-';
    if (!is_negative && *parser->text != '+') {
        return false;
    }
    ++parser->text;
    int digits = 0;
    int value = 0;
    for (; digits < 4 && *parser->text >= '0' && *parser->text <= '9'; ++digits) {
        value = value * 10 + (*parser->text++ - '0');
        if (digits == 1 && *parser->text == ':') {
            ++parser->text;
        }
    }
    value = digits == 2 ? value * 100 : value;
    if ((digits != 2 && digits != 4) || value % 100 >= 60) {
        return false;
    }
    long seconds = (value / 100 * 60L + value % 100) * 60;
    parser->tm->tm_gmtoff = is_negative ? -seconds : seconds;
    return true;
}

static bool epoch_read(struct parser *parser)
{
    time_t seconds = 0;
    if (*parser->text < '0' || *parser->text > '9') {
        return false;
    }
    while (*parser->text >= '0' && *parser->text <= '9') {
        if (__builtin_mul_overflow(seconds, 10, &seconds) ||
            __builtin_add_overflow(seconds, *parser->text - '0', &seconds)) {
            return false;
        }
        ++parser->text;
    }
    return localtime_r(&seconds, parser->tm) != NULL;
}

// Letters of the date. *is_known: it is one of them.
static bool date_read(struct parser *parser, char letter, bool *is_known)
{
    struct tm *tm = parser->tm;
    int value = 0;
    switch (letter) {
    case 'a':
    case 'A':
        return parser->has_week_day = name_read(parser, DAY_1, ABDAY_1, 7, &tm->tm_wday);
    case 'b':
    case 'B':
    case 'h':
        parser->wants_days = true;
        return parser->has_month = name_read(parser, MON_1, ABMON_1, 12, &tm->tm_mon);
    case 'C':
        parser->wants_days = true;
        return number_read(parser, 0, 99, 2, &parser->century);
    case 'd':
    case 'e':
        if (!number_read(parser, 1, 31, 2, &value)) {
            return false;
        }
        tm->tm_mday = value;
        return parser->has_month_day = parser->wants_days = true;
    case 'm':
        if (!number_read(parser, 1, 12, 2, &value)) {
            return false;
        }
        tm->tm_mon = value - 1;
        return parser->has_month = parser->wants_days = true;
    case 'j':
        if (!number_read(parser, 1, 366, 3, &value)) {
            return false;
        }
        tm->tm_yday = value - 1;
        return parser->has_year_day = true;
    case 'y':
        if (!number_read(parser, 0, 99, 2, &value)) {
            return false;
        }
        tm->tm_year = value >= 69 ? value : value + 100;
        return parser->uses_century = parser->wants_days = true;
    case 'Y':
        if (!number_read(parser, 0, 9999, 4, &value)) {
            return false;
        }
        tm->tm_year = value - YEAR_BASE;
        parser->uses_century = false;
        parser->century = NO_CENTURY;
        return parser->wants_days = true;
    default:
        return *is_known = false;
    }
}

// Letters of weeks, which say little without each other.
static bool week_read(struct parser *parser, char letter, bool *is_known)
{
    int value = 0;
    switch (letter) {
    case 'g':
        return number_read(parser, 0, 99, 2, &value);
    case 'G':
        return number_read(parser, 0, 9999, 4, &value);
    case 'V':
        return number_read(parser, 0, 53, 2, &value);
    case 'U':
        return parser->has_sunday_week = number_read(parser, 0, 53, 2, &parser->week);
    case 'W':
        return parser->has_monday_week = number_read(parser, 0, 53, 2, &parser->week);
    case 'u':
    case 'w':
        if (!number_read(parser, letter == 'u', letter == 'u' ? 7 : 6, 1, &value)) {
            return false;
        }
        parser->tm->tm_wday = value % 7;
        return parser->has_week_day = true;
    default:
        return *is_known = false;
    }
}

// Letters of the time of day, and the rest.
static bool time_read(struct parser *parser, char letter)
{
    struct tm *tm = parser->tm;
    int value = 0;
    switch (letter) {
    case 'H':
    case 'k':
        parser->has_half_hour = false;
        if (!number_read(parser, 0, 23, 2, &value)) {
            return false;
        }
        tm->tm_hour = value;
        return true;
    case 'I':
    case 'l':
        if (!number_read(parser, 1, 12, 2, &value)) {
            return false;
        }
        tm->tm_hour = value % 12;
        return parser->has_half_hour = true;
    case 'M':
        if (!number_read(parser, 0, 59, 2, &value)) {
            return false;
        }
        tm->tm_min = value;
        return true;
    case 'S':
        if (!number_read(parser, 0, 61, 2, &value)) {
            return false;
        }
        tm->tm_sec = value;
        return true;
    case 'p':
        parser->is_pm = word_read(parser, nl_langinfo(PM_STR));
        return parser->is_pm || word_read(parser, nl_langinfo(AM_STR));
    case 's':
        return epoch_read(parser);
    case 'z':
        return offset_read(parser);
    case 'Z':
        spaces_skip(parser);
        while (*parser->text != 0 && !is_space(*parser->text)) {
            ++parser->text;
        }
        return true;
    case 'n':
    case 't':
        spaces_skip(parser);
        return true;
    case '%':
        return *parser->text == '%' && ++parser->text;
    default:
        return false;
    }
}

static bool conversion_read(struct parser *parser, char letter)
{
    bool is_known = true;
    bool is_read = date_read(parser, letter, &is_known);
    if (!is_known) {
        is_known = true;
        is_read = week_read(parser, letter, &is_known);
    }
    return is_known ? is_read : time_read(parser, letter);
}

static int days_before(int year, int month)
{
    static const short days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int64_t full = (int64_t)year + YEAR_BASE;
    bool is_leap = full % 4 == 0 && (full % 100 != 0 || full % 400 == 0);
    return days[month] + (is_leap && month > 1);
}

static int week_day(const struct tm *tm)
{
    // days since a Sunday, with years that begin in March (400 years have 146097 days)
    int64_t year = (int64_t)tm->tm_year + YEAR_BASE - (tm->tm_mon < 2) + 40000;
    int month = (tm->tm_mon + 10) % 12;
    int64_t days =
        year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + tm->tm_mday - 1;
    return (int)((days + 3) % 7);
}

static void month_from_year_day(struct parser *parser)
{
    struct tm *tm = parser->tm;
    int month = 0;
    while (month < 12 && days_before(tm->tm_year, month) <= tm->tm_yday) {
        ++month;
    }
    month -= month > 0;
    if (!parser->has_month) {
        tm->tm_mon = month;
    }
    if (!parser->has_month_day) {
        tm->tm_mday = tm->tm_yday - days_before(tm->tm_year, month) + 1;
    }
    parser->has_month = parser->has_month_day = true;
}

static void date_from_week(struct parser *parser)
{
    struct tm *tm = parser->tm;
    int day = tm->tm_wday;
    int offset = parser->has_sunday_week ? 0 : 1;
    struct tm first = {.tm_year = tm->tm_year, .tm_mday = 1};
    if (!parser->has_year_day) {
        tm->tm_yday =
            (7 - (week_day(&first) - offset)) % 7 + (parser->week - 1) * 7 + (day - offset + 7) % 7;
    }
    month_from_year_day(parser);
}

static void date_complete(struct parser *parser)
{
    struct tm *tm = parser->tm;
    if (parser->has_half_hour && parser->is_pm) {
        tm->tm_hour += 12;
    }
    if (parser->century != NO_CENTURY) {
        int rest = parser->uses_century ? tm->tm_year % 100 : 0;
        tm->tm_year = rest + (parser->century - 19) * 100;
    }
    if (parser->wants_days && !parser->has_week_day) {
        if (!(parser->has_month && parser->has_month_day) && parser->has_year_day) {
            month_from_year_day(parser);
        }
        tm->tm_wday = tm->tm_mon >= 0 && tm->tm_mon < 12 ? week_day(tm) : tm->tm_wday;
    }
    if (parser->wants_days && !parser->has_year_day && tm->tm_mon >= 0 && tm->tm_mon < 12) {
        tm->tm_yday = days_before(tm->tm_year, tm->tm_mon) + tm->tm_mday - 1;
    }
    if ((parser->has_sunday_week || parser->has_monday_week) && parser->has_week_day) {
        date_from_week(parser);
    }
}

EXPORT(char *, strptime, const char *text, const char *pattern, struct tm *tm)
{
    struct parser parser = {.text = text, .tm = tm, .century = NO_CENTURY};
    const char *outer = NULL; // the rest of pattern, while one for several letters is read
    for (;;) {
        if (*pattern == 0 && outer != NULL) {
            pattern = outer;
            outer = NULL;
        } else if (*pattern == 0) {
            break;
        } else if (is_space(*pattern)) {
            spaces_skip(&parser);
            ++pattern;
        } else if (*pattern != '%') {
            if (*pattern++ != *parser.text++) {
                return NULL;
            }
        } else {
            ++pattern;
            pattern += strspn(pattern, "_-0^#");
            pattern += *pattern == 'E' || *pattern == 'O';
            const char *several = outer == NULL ? time_pattern(*pattern) : NULL;
            if (several != NULL) {
                outer = pattern + 1;
                pattern = several;
            } else if (!conversion_read(&parser, *pattern++)) {
                return NULL;
            }
        }
    }
    date_complete(&parser);
    return (char *)(uintptr_t)parser.text;
}

EXPORT(char *, strptime_l, const char *text, const char *pattern, struct tm *tm, void *locale)
{
    return glibc_strptime(text, pattern, tm);
}
