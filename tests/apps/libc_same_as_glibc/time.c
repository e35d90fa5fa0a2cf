// SPDX-License-Identifier: BSD-3-Clause
// time.c: calendar time: strftime, strptime, time zones, mktime.
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "same.h"

static void tm_show(const struct tm *tm)
{
    printf("%d-%d-%d %d:%d:%d w%d y%d dst%d off%ld zone %s\n", tm->tm_year, tm->tm_mon, tm->tm_mday,
           tm->tm_hour, tm->tm_min, tm->tm_sec, tm->tm_wday, tm->tm_yday, tm->tm_isdst,
           tm->tm_gmtoff, tm->tm_zone == NULL ? "NULL" : tm->tm_zone);
}

static void format_show(const char *pattern, const struct tm *tm)
{
    char text[256] = "untouched";
    size_t length = strftime(text, sizeof text, pattern, tm);
    printf("strftime \"%s\": %zu \"%s\"\n", pattern, length, length == 0 ? "" : text);
}

static void formats(const struct tm *tm)
{
    for (char c = 'A'; c <= 'z'; ++c) {
        if (c == 's') {
            continue;
        }
        char pattern[16];
        static const char *const forms[] = {
            "%%%c",    "%%-%c",   "%%_%c", "%%0%c", "%%^%c",   "%%#%c", "%%10%c", "%%_10%c",
            "%%-10%c", "%%010%c", "%%E%c", "%%O%c", "%%^10%c", "%%+%c", "%%3%c",  "%%+6%c"};
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; ++i) {
            snprintf(pattern, sizeof pattern, forms[i], c);
            format_show(pattern, tm);
        }
    }
    format_show("%+", tm);
    format_show("%%|%n|%t|%5%|%", tm);
    format_show("%E", tm);
    format_show("%10", tm);
    format_show("%_", tm);
    format_show("%1Y %2Y %5Y %_6Y %06Y %^a%#Z", tm);
    format_show("%:z %::z %:::z", tm);
    format_show("", tm);
    format_show("plain", tm);
    format_show("%Ex %EX %Ey %EY %EC %Ec %Od %Oe %OH %OI %Om %OM %OS %Ou %OU %OV %Ow %OW %Oy", tm);
}

static void dates(void)
{
    static const long times[] = {
        0,          1,          -1,           1700000000,  951782400,     951868799,     1e9,
        -1e9,       2147483647, -2147483648L, 4102444800L, 253402300799L, -62135596800L, 1230768000,
        1262304000, 1293840000, 1325376000,   1104537600};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; ++i) {
        time_t time = times[i];
        struct tm tm;
        gmtime_r(&time, &tm);
        tm_show(&tm);
        char text[128];
        strftime(text, sizeof text, "%G %g %V %U %W %j %C %y %e %k %l %I %p %P %u %w %D %F %h",
                 &tm);
        TEXT(text);
        TEXT(asctime_r(&tm, text));
        localtime_r(&time, &tm);
        tm_show(&tm);
        TEXT(ctime_r(&time, text));
    }
    time_t time = 1700000000;
    struct tm tm = *gmtime(&time);
    formats(&tm);
    time = 951782400 + 3600;
    tm = *gmtime(&time);
    tm.tm_year = -1905;
    format_show("%Y %C %y %G %g %F %D %c %5Y %+5Y %_5Y", &tm);
    tm.tm_year = 10000;
    format_show("%Y %C %y %G %g %F %D %c %2Y %07Y", &tm);
    tm.tm_mon = 15;
    tm.tm_wday = 9;
    tm.tm_hour = 30;
    format_show("%a %A %b %B %h %p %I %l", &tm);
    tm.tm_wday = -1;
    tm.tm_mon = -1;
    tm.tm_hour = -5;
    format_show("%a %A %b %B %m %I %H", &tm);
    char small[5] = "zzzz";
    NUMBER(strftime(small, 4, "%Y", &tm));
    time = LONG_MAX;
    errno = 0;
    printf("%d %d\n", gmtime_r(&time, &tm) == NULL, errno);
    time = 67767976233532799L;
    gmtime_r(&time, &tm);
    tm_show(&tm);
    wchar_t wide[64];
    NUMBER(wcsftime(wide, 64, L"%Y-%m-%d %H \x20ac %^a|%5d",
                    &(struct tm){.tm_year = 100, .tm_mday = 1}));
    for (int i = 0; wide[i] != 0; ++i) {
        printf("%x ", wide[i]);
    }
    puts("");
}

static const struct {
    const char *text, *pattern;
} cases[] = {
    {"2023-11-14 22:13:20", "%Y-%m-%d %H:%M:%S"},
    {"14 Nov 2023", "%d %b %Y"},
    {"Tuesday 14 November 23", "%A %d %B %y"},
    {"tue nov", "%a %h"},
    {"11/14/23", "%D"},
    {"22:13", "%R"},
    {"22:13:20", "%T"},
    {"10:13:20 PM", "%r"},
    {"10 pm", "%I %p"},
    {"12 AM", "%I %p"},
    {"318 2023", "%j %Y"},
    {"2023 318", "%Y %j"},
    {"1700000000", "%s"},
    {"+0530", "%z"},
    {"-08:00", "%z"},
    {"Z", "%z"},
    {"+05", "%z"},
    {"UTC", "%Z"},
    {"xyz", "%Z"},
    {"20", "%C"},
    {"20 23", "%C %y"},
    {"68", "%y"},
    {"69", "%y"},
    {"2023 46 2", "%Y %U %w"},
    {"2023 46 2", "%Y %W %u"},
    {"2023 46", "%G %V"},
    {"Tue Nov 14 22:13:20 2023", "%c"},
    {"11/14/23 22:13:20", "%x %X"},
    {"%", "%%"},
    {"  5", "%e"},
    {" 5", "%k"},
    {" 5", "%l"},
    {"x", "%d"},
    {"32", "%d"},
    {"13", "%m"},
    {"61", "%S"},
    {"62", "%S"},
    {"24", "%H"},
    {"13", "%I"},
    {"2023-02-30", "%F"},
    {"5 rest", "%d"},
    {"abc", "abc"},
    {"abd", "abc"},
    {"a  b", "a b"},
    {"12", "%Od"},
    {"2023", "%EY"},
    {"0", "%u"},
    {"7", "%u"},
    {"7", "%w"},
    {"366", "%j"},
    {"367", "%j"},
    {"", "%n"},
    {"  ", "%n%t"},
    {"123456", "%H%M%S"},
    {"+1400", "%z"},
    {"+1500", "%z"},
    {"+0560", "%z"},
    {"-0000", "%z"},
    {"May 5", "%B %d"},
    {"Sept 5", "%b %d"},
    {"1:2:3", "%H:%M:%S"},
    {"12345", "%Y"},
    {"-5", "%Y"},
    {"2000-W01-1", "%G-W%V-%u"},
    {"22", "%g"},
};

static void parses(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        struct tm tm;
        memset(&tm, 0, sizeof tm);
        tm.tm_wday = 6;
        tm.tm_yday = 77;
        char *end = strptime(cases[i].text, cases[i].pattern, &tm);
        printf("strptime \"%s\" \"%s\": %td ", cases[i].text, cases[i].pattern,
               end == NULL ? -1 : end - cases[i].text);
        tm_show(&tm);
    }
}

static void zone(const char *name)
{
    static const long times[] = {0,          1700000000, 1720000000,  500000000L,  4000000000L,
                                 1678604400, 1678604399, 1699164000,  1699163999,  1679792400,
                                 1679792399, 1698541200, 5000000000L, 40000000000L};
    if (name == NULL) {
        unsetenv("TZ");
    } else {
        setenv("TZ", name, 1);
    }
    tzset();
    printf("TZ %s: %s %s %ld %d\n", name == NULL ? "NULL" : name, tzname[0], tzname[1], timezone,
           daylight);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; ++i) {
        time_t time = times[i];
        struct tm tm;
        memset(&tm, 0, sizeof tm);
        localtime_r(&time, &tm);
        tm_show(&tm);
        char text[64];
        strftime(text, sizeof text, "%z %Z %s", &tm);
        TEXT(text);
        NUMBER(mktime(&tm));
    }
    printf("after: %s %s %ld %d\n", tzname[0], tzname[1], timezone, daylight);
}

// clang-format off: a table
static const char *const zone_names[] = {
    "UTC",
    "UTC0",
    "GMT",
    "EST5EDT,M3.2.0,M11.1.0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Sydney",
    "Europe/Dublin",
    ":Europe/Paris",
    ":America/New_York",
    "<+03>-3",
    "<-0330>3:30",
    "XYZ5",
    "ABC+5:30:15",
    "JST-9",
    "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "EST5EDT,J60,J300",
    "EST5EDT,59/1,299/25",
    "ABC-24:59:59",
    "PST8PDT,M3.2.0/-1,M11.1.0/26",
    "posixrules",
    "Etc/GMT+5",
    "EST5EDT4,M3.2.0,M11.1.0",
};
// clang-format on

static void zones(void)
{
    for (size_t i = 0; i < sizeof zone_names / sizeof zone_names[0]; ++i) {
        zone(zone_names[i]);
    }
}

static void normalise(int year, int month, int day, int hour, int minute, int second, int dst)
{
    struct tm tm = {.tm_year = year,
                    .tm_mon = month,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second,
                    .tm_isdst = dst};
    errno = 0;
    long time = mktime(&tm);
    printf("mktime %ld errno %d ", time, errno);
    tm_show(&tm);
    struct tm again = {.tm_year = year,
                       .tm_mon = month,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute,
                       .tm_sec = second,
                       .tm_isdst = dst};
    time = timegm(&again);
    printf("timegm %ld ", time);
    tm_show(&again);
}

static void normalisations(void)
{
    for (int dst = -1; dst <= 1; ++dst) {
        normalise(100, 0, 31, 0, 0, 0, dst);
        normalise(100, 1, 31, 25, 61, 61, dst);
        normalise(100, 12, 0, -1, -1, -1, dst);
        normalise(100, -25, 400, 1000, 100000, 1000000, dst);
        if (dst >= 0) { // else the answer depends on earlier calls
            normalise(123, 2, 12, 2, 30, 0, dst);
            normalise(123, 10, 5, 1, 30, 0, dst);
        }
        normalise(123, 6, 1, 12, 0, 0, dst);
        normalise(123, 0, 1, 12, 0, 0, dst);
        normalise(70, 0, 1, 0, 0, -1, dst);
        normalise(69, 11, 31, 23, 59, 59, dst);
    }
    NUMBER(difftime(5, 3));
    NUMBER(timelocal(&(struct tm){.tm_year = 70, .tm_mday = 2}));
    errno = 0;
    TEXT(asctime(&(struct tm){.tm_wday = 9, .tm_mon = 77, .tm_mday = 5}));
    TEXT(asctime(&(struct tm){.tm_year = INT_MAX}));
    TEXT(asctime(&(struct tm){.tm_year = 9000, .tm_mday = 1}));
}

void time_section(void)
{
    dates();
    parses();
    zones();
    setenv("TZ", "America/New_York", 1);
    tzset();
    time_t time = 1720000000;
    struct tm tm = *localtime(&time);
    formats(&tm);
    normalisations();
    setenv("TZ", "UTC", 1);
    tzset();
    normalisations();
}
