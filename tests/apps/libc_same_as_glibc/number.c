// SPDX-License-Identifier: BSD-3-Clause
// number.c: text to numbers and back.
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "same.h"

static void integer(const char *text, int base)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, base);
    int error = errno;
    errno = 0;
    unsigned long bits = strtoul(text, NULL, base);
    printf("strtol \"%s\" %d: %ld end %td errno %d, %lu errno %d\n", text, base, value,
           end == NULL ? -1 : end - text, error, bits, errno);
    wchar_t wide[64];
    swprintf(wide, 64, L"%s", text);
    wchar_t *wide_end = NULL;
    errno = 0;
    value = wcstol(wide, &wide_end, base);
    error = errno;
    errno = 0;
    bits = wcstoul(wide, NULL, base);
    printf("wcstol %ld end %td errno %d, %lu errno %d\n", value,
           wide_end == NULL ? -1 : wide_end - wide, error, bits, errno);
    printf("%d %ld %lld %jd %ju\n", atoi(text), atol(text), atoll(text),
           strtoimax(text, NULL, base), strtoumax(text, NULL, base));
}

// clang-format off: a table
static const char *const integer_texts[] = {
    "0",
    "1",
    "-1",
    "+42",
    " 77x",
    "",
    "-",
    "+",
    "x",
    "0x",
    "0x1F",
    "0X1fg",
    "010",
    "08",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "-18446744073709551615",
    "zz",
    "7fffffff",
    "\t\n\v\f\r 12",
    "1e5",
    "0b101",
    "--1",
    "0xg",
    "-0x",
    "- 1",
    "+-1",
    "\xa0"
    "5",
};
// clang-format on

static void integers(void)
{
    static const int bases[] = {0, 1, 2, 8, 10, 16, 36, 37, -1};
    for (size_t i = 0; i < sizeof integer_texts / sizeof integer_texts[0]; ++i) {
        for (size_t j = 0; j < sizeof bases / sizeof bases[0]; ++j) {
            integer(integer_texts[i], bases[j]);
        }
    }
}

static void real(const char *text)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    printf("strtod \"%.40s\": %.17g %a end %td errno %d\n", text, value, value, end - text, errno);
    errno = 0;
    float narrow = strtof(text, &end);
    printf("  strtof %.9g %a end %td errno %d\n", (double)narrow, (double)narrow, end - text,
           errno);
    errno = 0;
    long double wide = strtold(text, &end);
    printf("  strtold %.21Lg %La end %td errno %d\n", wide, wide, end - text, errno);
    wchar_t copy[64], *copy_end;
    swprintf(copy, 64, L"%.60s", text);
    errno = 0;
    value = wcstod(copy, &copy_end);
    printf("  wcstod %.17g end %td errno %d\n", value, copy_end - copy, errno);
}

// clang-format off: a table
static const char *const real_texts[] = {
    "0",
    "-0",
    "1",
    "0.1",
    ".5",
    "5.",
    ".",
    "",
    "1e",
    "1e+",
    "1e5",
    "1e22",
    "1e23",
    "1e-22",
    "1e-23",
    "123456789012345678",
    "9007199254740993",
    "0.30000000000000004",
    "1e308",
    "1e309",
    "-1e309",
    "1e-320",
    "4.9e-324",
    "2e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "1e-400",
    "inf",
    "-infinity",
    "infinit",
    "nan",
    "-nan",
    "nan(12)",
    "nan(0x7ff)",
    "nan(abc_1)",
    "nan(abc",
    "nan(-)",
    "nan()",
    "INFx",
    "0x1p3",
    "0x1.8p-1",
    "0x",
    "0x.8",
    "0x.",
    "0xg",
    "0x1p",
    "0x1p+",
    "0x1.fffffffffffff8p0",
    "0x1.fffffffffffff7p0",
    "0x1p-1074",
    "0x1p-1075",
    "0x1.8p-1075",
    "0x1p1024",
    "0x1p-1080",
    "0x0.00000000000001p-1022",
    " 3.25abc",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "2.225073858507201e-308",
    "100000000000000000000000000000000",
    "0.000000000000000000001",
    "179769313486231580793e289",
    "1,5",
    "1_000",
    "12345678901234567890123456789e-10",
    "1e99999",
    "1e-99999",
    "1e99999999999999999999",
    "0e99999999999",
    "1e-45",
    "1e-46",
    "3.4028235e38",
    "3.4028236e38",
    "1.17549435e-38",
    "1e-40",
    "1e4932",
    "1e4933",
    "1e-4932",
    "1e-4951",
    "3.6e-4951",
    "1.8e-4951",
    "0x1p-16445",
    "0x1p-16446",
    "0x1p16384",
    "0x1p-149",
    "0x1p-150",
    "0.1e1e1",
    "e5",
    "+.e5",
    "-.5e-0",
    "1e00000000000000000005",
    "000000000000000000000000001",
    "0.00000000000000000000000000000000000000000000000000000000000000000000000000000001e80",
    "9007199254740992.999999999999999999999999999",
    "9007199254740993.00000000000000000000001",
    "4503599627370496.5",
    "4503599627370497.5",
    "8.5e15",
    "1.00000005960464477539062500",
    "1.00000005960464477539062501",
    "16777217",
    "16777219",
    "\n\t 1",
    "+1",
    "+ 1",
};
// clang-format on

static void reals(void)
{
    for (size_t i = 0; i < sizeof real_texts / sizeof real_texts[0]; ++i) {
        real(real_texts[i]);
    }
    uint64_t bits = 88172645463325252ULL;
    for (int i = 0; i < 1500; ++i) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value;
        memcpy(&value, &bits, sizeof value);
        char text[64];
        snprintf(text, sizeof text, i % 3 == 0 ? "%.17g" : i % 3 == 1 ? "%.15e" : "%.19g", value);
        printf("%s %a %a %La\n", text, strtod(text, NULL), (double)strtof(text, NULL),
               strtold(text, NULL));
        snprintf(text, sizeof text, "%ld.%lde%d", (long)(bits >> 40), (long)(bits & 0xffffffffff),
                 (int)(bits % 61) - 30);
        printf("%s %a %a %La\n", text, strtod(text, NULL), (double)strtof(text, NULL),
               strtold(text, NULL));
    }
}

static void back(void)
{
    int point, sign;
    char buffer[64];
    static const double values[] = {0,     1,     -1.5,  123.456, 1e20,    1e-5,
                                    0.045, 9.995, 1e100, NAN,     INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) {
        for (int digits = -2; digits <= 18; digits += 4) {
            const char *text = ecvt(values[i], digits, &point, &sign);
            printf("ecvt %s %d %d, ", text, point, sign);
            text = fcvt(values[i], digits, &point, &sign);
            printf("fcvt %s %d %d, ", text, point, sign);
            printf("gcvt %s\n", gcvt(values[i], digits, buffer));
            RESULT(ecvt_r(values[i], digits, &point, &sign, buffer, 20));
            RESULT(fcvt_r(values[i], digits, &point, &sign, buffer, 20));
        }
    }
    NUMBER(strfromd(buffer, sizeof buffer, "%.3f", 2.5));
    TEXT(buffer);
    NUMBER(strfromf(buffer, 4, "%g", 12345.678f));
    TEXT(buffer);
    NUMBER(strfroml(buffer, sizeof buffer, "%a", 2.5L));
    TEXT(buffer);
    printf("%s %s\n", l64a(123456789), l64a(0));
    NUMBER(a64l("zz1./"));
    div_t quotient = div(-7, 2);
    printf("%d %d %d %ld\n", quotient.quot, quotient.rem, abs(-3), labs(-5L));
    printf("%d %d %d\n", ffs(8), ffsl(1L << 40), ffsll(0));
}

void number_section(void)
{
    integers();
    reals();
    back();
}
