// SPDX-License-Identifier: BSD-3-Clause
// locale.c: names of locales, what they say, collation.
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <monetary.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "same.h"

static void names(void)
{
    static const char *const texts[] = {
        "C",
        "POSIX",
        "C.UTF-8",
        "C.utf8",
        "C.UTF8",
        "c",
        "",
        "xx_YY",
        "en_US.UTF-8",
        "C.ISO-8859-1",
        "/",
        "C/C",
        "LC_CTYPE=C;LC_NUMERIC=C;LC_TIME=C;LC_COLLATE=C;LC_MONETARY=C;LC_MESSAGES=C;"
        "LC_PAPER=C;LC_NAME=C;LC_ADDRESS=C;LC_TELEPHONE=C;LC_MEASUREMENT=C;LC_IDENTIFICATION=C",
        "LC_CTYPE=C.UTF-8;LC_NUMERIC=C;LC_TIME=C;LC_COLLATE=C;LC_MONETARY=C;LC_MESSAGES=C;"
        "LC_PAPER=C;LC_NAME=C;LC_ADDRESS=C;LC_TELEPHONE=C;LC_MEASUREMENT=C;LC_IDENTIFICATION=C",
        "LC_CTYPE=C.UTF-8",
    };
    for (int category = -1; category <= 13; ++category) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
            TEXT(setlocale(category, texts[i]));
            TEXT(setlocale(LC_ALL, NULL));
        }
        setlocale(LC_ALL, "C");
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        errno = 0;
        locale_t made = newlocale(LC_ALL_MASK, texts[i], NULL);
        printf("newlocale \"%s\" %d %d\n", texts[i], made != NULL, errno);
        if (made != NULL) {
            TEXT(nl_langinfo_l(CODESET, made));
            locale_t copy = duplocale(made);
            TEXT(nl_langinfo_l(CODESET, copy));
            TEXT(nl_langinfo_l(_NL_LOCALE_NAME(LC_CTYPE), copy));
            freelocale(copy);
            freelocale(made);
        }
    }
    NUMBER(uselocale(NULL) == LC_GLOBAL_LOCALE);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
    NUMBER(uselocale(utf8) == LC_GLOBAL_LOCALE);
    NUMBER(uselocale(NULL) == utf8);
    NUMBER(MB_CUR_MAX);
    TEXT(setlocale(LC_ALL, NULL));
    TEXT(nl_langinfo(CODESET));
    uselocale(LC_GLOBAL_LOCALE);
    NUMBER(MB_CUR_MAX);
    freelocale(utf8);
}

static void items(void)
{
    // strings and single bytes; words are behind the marks
    for (int category = 0; category <= 12; ++category) {
        for (int index = 0; index < 0x90; ++index) {
            if (category == LC_CTYPE && index != CODESET) {
                continue;
            }
            int item = category << 16 | index;
            const char *text = nl_langinfo(item);
            bool is_text = category == LC_CTYPE || category == LC_MESSAGES || category == LC_NAME ||
                           category == LC_TELEPHONE || (category == LC_NUMERIC && index < 2) ||
                           (category == LC_TIME && index < 0x30);
            if (is_text) {
                printf("item %x \"%s\"\n", item, text == NULL ? "NULL" : text);
            }
        }
    }
    TEXT(nl_langinfo(_DATE_FMT));
    TEXT(nl_langinfo(CRNCYSTR));
    TEXT(nl_langinfo(RADIXCHAR));
    TEXT(nl_langinfo(THOUSEP));
    TEXT(nl_langinfo(CODESET));
    TEXT(nl_langinfo(0x7fffffff));
    TEXT(nl_langinfo(-1));
    TEXT(nl_langinfo(ALTMON_1));
    TEXT(nl_langinfo(_NL_ABALTMON_12));
    TEXT(nl_langinfo(ERA_D_T_FMT));
    TEXT(nl_langinfo(_NL_ADDRESS_POSTAL_FMT));
    NUMBER((int)(long)nl_langinfo(_NL_PAPER_HEIGHT));
    NUMBER((int)(long)nl_langinfo(_NL_PAPER_WIDTH));
    NUMBER(*nl_langinfo(_NL_TIME_FIRST_WEEKDAY));
    NUMBER(*nl_langinfo(_NL_TIME_WEEK_NDAYS));
    NUMBER(*nl_langinfo(_NL_MEASUREMENT_MEASUREMENT));
}

static void conventions(void)
{
    struct lconv *is = localeconv();
    printf("\"%s\" \"%s\" \"%s\" \"%s\" \"%s\" \"%s\" \"%s\" \"%s\" \"%s\" \"%s\"\n",
           is->decimal_point, is->thousands_sep, is->grouping, is->int_curr_symbol,
           is->currency_symbol, is->mon_decimal_point, is->mon_thousands_sep, is->mon_grouping,
           is->positive_sign, is->negative_sign);
    printf("%d %d %d %d %d %d %d %d %d %d %d %d %d %d\n", is->int_frac_digits, is->frac_digits,
           is->p_cs_precedes, is->p_sep_by_space, is->n_cs_precedes, is->n_sep_by_space,
           is->p_sign_posn, is->n_sign_posn, is->int_p_cs_precedes, is->int_p_sep_by_space,
           is->int_n_cs_precedes, is->int_n_sep_by_space, is->int_p_sign_posn, is->int_n_sign_posn);
    char text[128];
    static const char *const patterns[] = {"%n",  "%i",   "[%10n]",   "[%-10n]",  "%#5.2n",
                                           "%(n", "%!n",  "%^n",      "%=*#8.3n", "%+n",
                                           "%%",  "%.0n", "%-14#5.4n"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; ++i) {
        memset(text, 0, sizeof text);
        long length = strfmon(text, sizeof text, patterns[i], 1234.567, 2.0);
        printf("strfmon %s: %ld \"%s\"", patterns[i], length, text);
        memset(text, 0, sizeof text);
        length = strfmon(text, sizeof text, patterns[i], -1234.567, 2.0);
        printf(" %ld \"%s\"\n", length, text);
    }
    NUMBER(strfmon(text, 4, "%n", 1234.5));
    RESULT(strfmon(text, sizeof text, "%y", 1234.5));
}

static void collation(void)
{
    static const char *const texts[] = {"",         "a", "A",    "b",   "aa",
                                        "\xc3\xa9", "z", "\xff", "a b", "1"};
    char form[64];
    wchar_t wide[64];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; ++j) {
            int order = strcoll(texts[i], texts[j]);
            printf("%d", (order > 0) - (order < 0));
        }
        NUMBER(strxfrm(form, texts[i], sizeof form));
        TEXT(form);
        NUMBER(strxfrm(NULL, texts[i], 0));
        NUMBER(strxfrm(form, "abcdef", 3));
    }
    NUMBER(wcscoll(L"a", L"b") < 0);
    NUMBER(wcsxfrm(wide, L"abc", 64));
    NUMBER(wcsxfrm(NULL, L"abc", 0));
}

void locale_section(void)
{
    names();
    items();
    conventions();
    collation();
    setlocale(LC_ALL, "C.UTF-8");
    items();
    conventions();
    collation();
    setlocale(LC_ALL, "C");
}
