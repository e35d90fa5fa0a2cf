// SPDX-License-Identifier: BSD-3-Clause
// time_format.c: strftime with GNU's flags, widths and letters, in the one language there is;
// ctime.
//
// Conversions that stand for several (%c, %D ...) are read from a second pattern, which has none of
// these in it.
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "core/libc/export.h"
#include "core/libc/format.h"
#include "core/libc/time_pattern.h"

enum { SPEC_MAX = 24, YEAR_BASE = 1900, DAYS_OF_WEEK = 7 };

struct writer {
    char *text;
    size_t used, size;
    bool is_full;
};

struct time_spec {
    char flag; // '_', '-', '0', or 0
    bool is_upper, is_swapped;
    int width; // 0: none
    char modifier, letter;
};

static void put(struct writer *writer, char c)
{
    if (writer->used + 1 >= writer->size) {
        writer->is_full = true;
        return;
    }
    writer->text[writer->used++] = c;
}

static void fill(struct writer *writer, char c, int64_t count)
{
    for (; count > 0 && !writer->is_full; --count) {
        put(writer, c);
    }
}

static char changed(char c, bool to_upper, bool to_lower)
{
    if (to_lower && c >= 'A' && c <= 'Z') {
        return (char)(c + 32);
    }
    return to_upper && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static void text_put(struct writer *writer, const struct time_spec *spec, const char *text,
                     size_t length, bool to_lower)
{
    fill(writer, spec->flag == '0' ? '0' : ' ', spec->width - (int64_t)length);
    for (size_t i = 0; i < length; ++i) {
        put(writer, changed(text[i], spec->is_upper, to_lower));
    }
}

// pad: what the letter pads with where no flag says otherwise.
static void number_put(struct writer *writer, const struct time_spec *spec, int64_t value,
                       int digits, char pad)
{
    char text[SPEC_MAX];
    char *end = text + sizeof text;
    char *start = format_digits(value < 0 ? -(uint64_t)value : (uint64_t)value, end);
    int length = (int)(end - start);
    char flag = spec->flag != 0 ? spec->flag : pad;
    int sign = value < 0;
    int wanted = (flag == '-' || spec->width > digits ? spec->width : digits) - sign;
    int64_t padding = wanted - length;
    if (flag != '0') {
        fill(writer, ' ', padding);
    }
    if (sign) {
        put(writer, '-');
    }
    if (flag == '0') {
        fill(writer, '0', padding);
    }
    for (int i = 0; i < length; ++i) {
        put(writer, start[i]);
    }
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// The day of the first week's Monday or before it, counted as ISO 8601 does: negative when the date
// belongs to the week of another year.
static int iso_days(int day, int week_day)
{
    enum { BIG = 3 * DAYS_OF_WEEK };
    int monday_based = (day - week_day + 4 + BIG * DAYS_OF_WEEK * 53) % DAYS_OF_WEEK;
    return day - monday_based + 4 - 1;
}

static int64_t iso_year(const struct tm *tm, int *week)
{
    int64_t year = (int64_t)tm->tm_year + YEAR_BASE;
    int days = iso_days(tm->tm_yday, tm->tm_wday);
    if (days < 0) {
        --year;
        days = iso_days(tm->tm_yday + 365 + is_leap(year), tm->tm_wday);
    } else {
        int next = iso_days(tm->tm_yday - (365 + is_leap(year)), tm->tm_wday);
        if (next >= 0) {
            ++year;
            days = next;
        }
    }
    *week = days / DAYS_OF_WEEK + 1;
    return year;
}

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

static void offset_put(struct writer *writer, const struct time_spec *spec, const struct tm *tm)
{
    if (tm->tm_isdst < 0) {
        return;
    }
    long minutes = tm->tm_gmtoff / 60;
    bool is_negative =
        tm->tm_gmtoff < 0 || (tm->tm_gmtoff == 0 && tm->tm_zone != NULL && tm->tm_zone[0] == '-');
    text_put(writer, spec, is_negative ? "-" : "+", 1, false);
    minutes = minutes < 0 ? -minutes : minutes;
    number_put(writer, spec, minutes / 60 * 100 + minutes % 60, 4, '0');
}

static int hour_of_half(int hour)
{
    hour = hour > 12 ? hour - 12 : hour;
    return hour == 0 ? 12 : hour;
}

const char *time_pattern(char letter)
{
    switch (letter) {
    case 'c':
        return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
        return "%m/%d/%y";
    case 'F':
        return "%Y-%m-%d";
    case 'R':
        return "%H:%M";
    case 'r':
        return "%I:%M:%S %p";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    default:
        return NULL;
    }
}

static bool is_allowed(const struct time_spec *spec)
{
    if (spec->modifier == 0) {
        return true;
    }
    const char *letters =
        spec->modifier == 'E' ? "CPRTXYZcprtuxyznst%" : "BCGHIMPRSTUVWZbdeghjklmprtuwyzns%";
    return strchr(letters, spec->letter) != NULL;
}

static void name_put(struct writer *writer, const struct time_spec *spec, int index, int count,
                     nl_item first)
{
    struct time_spec upper = *spec;
    upper.is_upper |= spec->is_swapped;
    const char *name = index >= 0 && index < count ? nl_langinfo(first + index) : "?";
    text_put(writer, &upper, name, strlen(name), false);
}

// Letters for texts. False: it is none of them.
static bool text_conversion(struct writer *writer, const struct time_spec *spec,
                            const struct tm *tm)
{
    const char *zone = tm->tm_zone == NULL ? "" : tm->tm_zone;
    const char *half = tm->tm_hour > 11 ? "PM" : "AM";
    switch (spec->letter) {
    case 'a':
        name_put(writer, spec, tm->tm_wday, 7, ABDAY_1);
        return true;
    case 'A':
        name_put(writer, spec, tm->tm_wday, 7, DAY_1);
        return true;
    case 'b':
    case 'h':
        name_put(writer, spec, tm->tm_mon, 12, ABMON_1);
        return true;
    case 'B':
        name_put(writer, spec, tm->tm_mon, 12, MON_1);
        return true;
    case 'P':
        text_put(writer, &(struct time_spec){.flag = spec->flag, .width = spec->width},
                 tm->tm_hour > 11 ? "pm" : "am", 2, false);
        return true;
    case 'p':
        text_put(writer, spec, half, 2, spec->is_swapped);
        return true;
    case 'Z':
        text_put(writer, spec, zone, strlen(zone), spec->is_swapped);
        return true;
    case 'n':
        text_put(writer, spec, "\n", 1, false);
        return true;
    case 't':
        text_put(writer, spec, "\t", 1, false);
        return true;
    case '%':
        text_put(writer, spec, "%", 1, false);
        return true;
    default:
        return false;
    }
}

// Letters for years, weeks and their days. False: it is none of them.
static bool week_conversion(struct writer *writer, const struct time_spec *spec,
                            const struct tm *tm)
{
    int64_t year = (int64_t)tm->tm_year + YEAR_BASE;
    int week;
    switch (spec->letter) {
    case 'C':
        number_put(writer, spec, floor_divide(year, 100), 1, '0');
        return true;
    case 'u':
        number_put(writer, spec, (tm->tm_wday - 1 + 7) % 7 + 1, 1, '0');
        return true;
    case 'U':
        number_put(writer, spec, (tm->tm_yday - tm->tm_wday + 7) / 7, 2, '0');
        return true;
    case 'W':
        number_put(writer, spec, (tm->tm_yday - (tm->tm_wday - 1 + 7) % 7 + 7) / 7, 2, '0');
        return true;
    case 'w':
        number_put(writer, spec, tm->tm_wday, 1, '0');
        return true;
    case 'V':
        iso_year(tm, &week);
        number_put(writer, spec, week, 2, '0');
        return true;
    case 'G':
        number_put(writer, spec, iso_year(tm, &week), 1, '0');
        return true;
    case 'g':
        number_put(writer, spec, (iso_year(tm, &week) % 100 + 100) % 100, 2, '0');
        return true;
    case 'Y':
        number_put(writer, spec, year, 1, '0');
        return true;
    case 'y':
        number_put(writer, spec, (year % 100 + 100) % 100, 2, '0');
        return true;
    default:
        return false;
    }
}

// Letters for other numbers. False: it is none of them.
static bool number_conversion(struct writer *writer, const struct time_spec *spec,
                              const struct tm *tm)
{
    struct tm copy;
    switch (spec->letter) {
    case 'd':
        number_put(writer, spec, tm->tm_mday, 2, '0');
        return true;
    case 'e':
        number_put(writer, spec, tm->tm_mday, 2, '_');
        return true;
    case 'H':
        number_put(writer, spec, tm->tm_hour, 2, '0');
        return true;
    case 'I':
        number_put(writer, spec, hour_of_half(tm->tm_hour), 2, '0');
        return true;
    case 'k':
        number_put(writer, spec, tm->tm_hour, 2, '_');
        return true;
    case 'l':
        number_put(writer, spec, hour_of_half(tm->tm_hour), 2, '_');
        return true;
    case 'j':
        number_put(writer, spec, (int64_t)tm->tm_yday + 1, 3, '0');
        return true;
    case 'M':
        number_put(writer, spec, tm->tm_min, 2, '0');
        return true;
    case 'm':
        number_put(writer, spec, (int64_t)tm->tm_mon + 1, 2, '0');
        return true;
    case 'S':
        number_put(writer, spec, tm->tm_sec, 2, '0');
        return true;
    case 's':
        copy = *tm;
        number_put(writer, spec, mktime(&copy), 1, '0');
        return true;
    case 'z':
        offset_put(writer, spec, tm);
        return true;
    default:
        return false;
    }
}

// From behind the '%' to behind the letter, or to the end.
static const char *spec_read(const char *pattern, struct time_spec *spec)
{
    for (; *pattern != 0 && strchr("_-0^#", *pattern) != NULL; ++pattern) {
        if (*pattern == '^') {
            spec->is_upper = true;
        } else if (*pattern == '#') {
            spec->is_swapped = true;
        } else {
            spec->flag = *pattern;
        }
    }
    for (; *pattern >= '0' && *pattern <= '9'; ++pattern) {
        spec->width =
            spec->width > INT_MAX / 10 - 1 ? spec->width : spec->width * 10 + (*pattern - '0');
    }
    if (*pattern == 'E' || *pattern == 'O') {
        spec->modifier = *pattern++;
    }
    spec->letter = *pattern;
    return *pattern == 0 ? pattern : pattern + 1;
}

// False: the letter means nothing.
static bool letter_put(struct writer *writer, const struct time_spec *spec, const struct tm *tm)
{
    return text_conversion(writer, spec, tm) || week_conversion(writer, spec, tm) ||
           number_conversion(writer, spec, tm);
}

// A pattern without conversions that stand for several.
static void simple_format(struct writer *writer, const char *pattern, const struct tm *tm,
                          bool is_upper)
{
    while (*pattern != 0) {
        struct time_spec spec = {.is_upper = is_upper};
        if (*pattern != '%') {
            put(writer, *pattern++);
            continue;
        }
        spec.letter = pattern[1];
        pattern += 2;
        letter_put(writer, &spec, tm);
    }
}

static void several_put(struct writer *writer, const struct time_spec *spec, const char *pattern,
                        const struct tm *tm)
{
    struct time_spec plain = {.flag = spec->flag, .width = spec->width};
    char text[128];
    struct writer inner = {.text = text, .size = sizeof text};
    simple_format(&inner, pattern, tm, spec->is_upper);
    text_put(writer, &plain, text, inner.used, false);
}

EXPORT(size_t, strftime, char *text, size_t size, const char *pattern, const struct tm *tm)
{
    struct writer writer = {.text = text, .size = size};
    tzset();
    while (*pattern != 0 && !writer.is_full) {
        if (*pattern != '%') {
            put(&writer, *pattern++);
            continue;
        }
        struct time_spec spec = {0};
        const char *end = spec_read(pattern + 1, &spec);
        const char *several = is_allowed(&spec) ? time_pattern(spec.letter) : NULL;
        if (several != NULL) {
            several_put(&writer, &spec, several, tm);
        } else if (!is_allowed(&spec) || !letter_put(&writer, &spec, tm)) {
            text_put(&writer, &spec, pattern, (size_t)(end - pattern), false);
        }
        pattern = end;
    }
    if (writer.is_full || size == 0) {
        return 0;
    }
    text[writer.used] = 0;
    return writer.used;
}

EXPORT(size_t, strftime_l, char *text, size_t size, const char *pattern, const struct tm *tm,
       void *locale)
{
    return glibc_strftime(text, size, pattern, tm);
}

// Conversions are of ASCII, and so is what they make.
EXPORT(size_t, wcsftime, wchar_t *text, size_t size, const wchar_t *pattern, const struct tm *tm)
{
    enum { RESULT_MAX = 256 };
    size_t used = 0;
    while (*pattern != 0) {
        char spec[SPEC_MAX] = "";
        char result[RESULT_MAX] = {(char)*pattern};
        size_t length = 1;
        if (*pattern == '%') {
            length = 0;
            do {
                spec[length++] = (char)*pattern++;
            } while (length + 2 < SPEC_MAX && *pattern != 0 && *pattern < 0x80 &&
                     strchr("_-0^#123456789EO", (int)*pattern) != NULL);
            spec[length] = *pattern != 0 && *pattern < 0x80 ? (char)*pattern++ : 0;
            length = glibc_strftime(result, sizeof result, spec, tm);
        } else {
            ++pattern;
        }
        if (used + length >= size) {
            return 0;
        }
        bool is_literal = spec[0] == 0;
        for (size_t i = 0; i < length; ++i) {
            text[used++] = is_literal ? pattern[-1] : (unsigned char)result[i];
        }
    }
    if (used >= size) {
        return 0;
    }
    text[used] = 0;
    return used;
}

EXPORT(size_t, wcsftime_l, wchar_t *text, size_t size, const wchar_t *pattern, const struct tm *tm,
       void *locale)
{
    return glibc_wcsftime(text, size, pattern, tm);
}

// The text of asctime and ctime. NULL: it does not fit, or the year is none that an int can be.
static char *date_text(const struct tm *tm, char *text, size_t size)
{
    int year;
    bool has_day = tm->tm_wday >= 0 && tm->tm_wday < DAYS_OF_WEEK;
    bool has_month = tm->tm_mon >= 0 && tm->tm_mon < 12;
    if (!__builtin_add_overflow(tm->tm_year, YEAR_BASE, &year)) {
        int length = snprintf(text, size, "%s %s%3d %.2d:%.2d:%.2d %d\n",
                              has_day ? nl_langinfo(ABDAY_1 + tm->tm_wday) : "???",
                              has_month ? nl_langinfo(ABMON_1 + tm->tm_mon) : "???", tm->tm_mday,
                              tm->tm_hour, tm->tm_min, tm->tm_sec, year);
        if (length >= 0 && (size_t)length < size) {
            return text;
        }
    }
    errno = EOVERFLOW;
    return NULL;
}

EXPORT(char *, asctime_r, const struct tm *tm, char *text)
{
    enum { SIZE = 26 };
    return date_text(tm, text, SIZE);
}

EXPORT(char *, asctime, const struct tm *tm)
{
    static char text[128];
    return date_text(tm, text, sizeof text);
}

EXPORT(char *, ctime, const time_t *time)
{
    struct tm *tm = localtime(time);
    return tm == NULL ? NULL : glibc_asctime(tm);
}

EXPORT(char *, ctime_r, const time_t *time, char *text)
{
    struct tm tm;
    return localtime_r(time, &tm) == NULL ? NULL : glibc_asctime_r(&tm, text);
}
