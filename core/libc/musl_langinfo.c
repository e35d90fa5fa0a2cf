// SPDX-License-Identifier: BSD-3-Clause
// musl_langinfo.c: nl_langinfo in the locales C and C.UTF-8, which differ in the name of the
// encoding only. An item is a category and an index; both are glibc's numbers.
#include <langinfo.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "locale_impl.h"

enum {
    CATEGORY_COUNT = 13,
    NAME_INDEX = 0xffff,
};

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const days_short[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const months_short[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const halves[] = {"AM", "PM"};

// Items in a row.
static const struct {
    int first, count;
    const char *const *texts;
} rows[] = {
    {0x20000, 7, days_short},    {0x20007, 7, days},   {0x2000e, 12, months_short},
    {0x2001a, 12, months},       {0x20026, 2, halves}, {0x2006f, 12, months},
    {0x20087, 12, months_short},
};

static const struct {
    int item;
    const char *text;
} items[] = {
    {0x10000, "."},
    {0x20028, "%a %b %e %H:%M:%S %Y"},
    {0x20029, "%m/%d/%y"},
    {0x2002a, "%H:%M:%S"},
    {0x2002b, "%I:%M:%S %p"},
    {0x20065, "\7"}, // days of a week; its first day and first working day; which week is the first
    {0x20067, "\4"},
    {0x20068, "\1"},
    {0x20069, "\2"},
    {0x2006a, "\1"},
    {0x2006c, "%a %b %e %H:%M:%S %Z %Y"},
    {0x40007, "\377"},
    {0x4000f, "-"},
    {0x50000, "^[yY]"},
    {0x50001, "^[nN]"},
    {0x80000, "%p%t%g%t%m%t%f"},
    {0x90000, "%a%N%f%N%d%N%b%N%s %h %e %r%N%C-%z %T%N%c%N"},
    {0xa0000, "+%c %a %l"},
    {0xb0000, "\1"},
};

// The item of each category that is the name of its encoding; 0: none.
static const short encoding_index[CATEGORY_COUNT] = {0x0e, 0x05, 0x6e, 0x12, 0x2d, 0x04, 0,
                                                     0x02, 0x06, 0x0c, 0x04, 0x01, 0x0f};

// Numbers in the place of texts: the size of paper, the first day of a first week.
static char *number_item(nl_item item)
{
    switch (item) {
    case 0x70000:
        return (char *)297;
    case 0x70001:
        return (char *)210;
    case 0x20066:
        return (char *)19971130;
    default:
        return NULL;
    }
}

char *__nl_langinfo_l(nl_item item, locale_t locale)
{
    unsigned category = (unsigned)item >> 16;
    int index = item & 0xffff;
    if (locale == LC_GLOBAL_LOCALE) {
        locale = &libc.global_locale;
    }
    if (category < CATEGORY_COUNT && index == NAME_INDEX) {
        return (char *)locale->names[category];
    }
    if (category < CATEGORY_COUNT && category != LC_ALL && index == encoding_index[category]) {
        return strcmp(locale->names[category], "C") == 0 ? "ANSI_X3.4-1968" : "UTF-8";
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        if (item >= rows[i].first && item < rows[i].first + rows[i].count) {
            return (char *)rows[i].texts[item - rows[i].first];
        }
    }
    for (size_t i = 0; i < sizeof items / sizeof items[0]; ++i) {
        if (item == items[i].item) {
            return (char *)items[i].text;
        }
    }
    char *number = number_item(item);
    return number == NULL ? "" : number;
}
weak_alias(__nl_langinfo_l, nl_langinfo_l);

char *__nl_langinfo(nl_item item)
{
    return __nl_langinfo_l(item, CURRENT_LOCALE);
}
weak_alias(__nl_langinfo, nl_langinfo);
