// SPDX-License-Identifier: BSD-3-Clause
// numbers.c: text to numbers and back, as glibc does it.
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static void integers(const char *text, int base)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, base);
    printf("strtol(\"%s\", %d) = %ld, end %td, errno %d\n", text, base, value, end - text, errno);
    errno = 0;
    unsigned long bits = strtoul(text, &end, base);
    printf("strtoul = %lu, end %td, errno %d\n", bits, end - text, errno);
    errno = 0;
    long long wide = strtoll(text, &end, base);
    printf("strtoll = %lld %" PRIdMAX " %d\n", wide, strtoimax(text, NULL, base), errno);
}

static void doubles(const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    printf("strtod(\"%s\") = %.17g, end %td, errno %d\n", text, value, end - text, errno);
    float narrow = strtof(text, NULL);
    long double wide = strtold(text, NULL);
    printf("%a %.9g %.21Lg %d\n", (double)narrow, (double)narrow, wide, atoi(text));
}

static void all_integers(void)
{
    static const char *const whole[] = {
        "0",
        "1",
        "-1",
        "+42",
        "  77x",
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
        "\t\n 12",
        "1e5",
        "0b101",
        "--1",
    };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; ++i) {
        integers(whole[i], 0);
        integers(whole[i], 10);
        integers(whole[i], 16);
        integers(whole[i], 36);
        integers(whole[i], 1);
    }
}

static void all_doubles(void)
{
    static const char *const broken[] = {
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
        "1e-400",
        "inf",
        "-infinity",
        "nan",
        "nan(12)",
        "INFx",
        "0x1p3",
        "0x1.8p-1",
        "0x",
        "0x.8",
        "0xg",
        "  3.25abc",
        "1.7976931348623157e308",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "100000000000000000000000000000000",
        "0.000000000000000000001",
        "179769313486231580793e289",
        "1,5",
        "1_000",
        "12345678901234567890123456789e-10",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; ++i) {
        doubles(broken[i]);
    }
}

int main(void)
{
    all_integers();
    all_doubles();
    unsigned seed = 1;
    for (int i = 0; i < 2000; ++i) {
        uint64_t bits =
            (uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed) << 11 ^ (uint64_t)rand_r(&seed);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        char text[64];
        snprintf(text, sizeof text, "%.17g", value);
        double back = strtod(text, NULL);
        char brief[64];
        snprintf(brief, sizeof brief, "%.14g", value);
        printf("%s %d %s %.17g\n", text, memcmp(&back, &value, sizeof value) == 0, brief,
               strtod(brief, NULL));
    }
    printf("%d %ld %lld %g\n", atoi(" -12a"), atol("99999999999"), atoll("-5"), atof("2.5e3x"));
    wchar_t *wide_end;
    printf("%ld %g\n", wcstol(L"0x10z", &wide_end, 0), wcstod(L"2.5e1", NULL));
    div_t quotient = div(-7, 2);
    printf("%d %d %d\n", quotient.quot, quotient.rem, abs(-3));
    return 0;
}
