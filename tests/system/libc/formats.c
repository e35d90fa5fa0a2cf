// SPDX-License-Identifier: BSD-3-Clause
// formats.c: printf and scanf, as glibc does them.
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define SHOW(...)                                                                                  \
    do {                                                                                           \
        char text[512];                                                                            \
        int length = snprintf(text, sizeof text, __VA_ARGS__);                                     \
        printf("%d [%s]\n", length, text);                                                         \
    } while (0)

#define SCAN(input, pattern, ...)                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int count = sscanf(input, pattern, __VA_ARGS__);                                           \
        printf("sscanf(\"%s\", \"%s\") = %d\n", input, pattern, count);                            \
    } while (0)

static void integers(void)
{
    SHOW("%d %i %u %x %X %o", -5, 7, 8u, 255, 255, 8);
    SHOW("%5d|%-5d|%05d|%+d|% d|%.3d|%8.3d|%-8.3d|%+.0d|%.0d", 42, 42, 42, 42, 42, 5, 5, 5, 0, 0);
    SHOW("%#x %#o %#X %#x %#o", 255, 8, 255, 0, 0);
    SHOW("%hhd %hd %ld %lld %jd %zd %td", 300, 70000, LONG_MIN, LLONG_MAX, INTMAX_MIN, (ssize_t)-1,
         (ptrdiff_t)7);
    SHOW("%hhu %hu %lu %llu %zu", 300, 70000, ULONG_MAX, ULLONG_MAX, SIZE_MAX);
    SHOW("%*d|%-*d|%.*d|%*.*d", 6, 1, 6, 2, 3, 3, -6, 2, 4);
    SHOW("%3$d %1$d %2$s", 1, "two", 3);
    SHOW("%p %p", NULL, (void *)0x1234);
    SHOW("%c%c|%5c|%-5c|", 'a', 'b', 'c', 'd');
    SHOW("100%%|");
}

static void strings(void)
{
    const char *none = NULL;
    SHOW("%s|%10s|%-10s|%.2s|%10.2s", "text", "text", "text", "text", "text");
    SHOW("%s|%10s|%.3s|%.6s|%.5s", none, none, none, none, none);
    SHOW("%ls|%lc|%.3ls", L"wide", (wint_t)L'w', L"wide");
    errno = ENOENT;
    SHOW("%m");
}

static void doubles(double value)
{
    SHOW("%f %e %g %a", value, value, value, value);
    SHOW("%F %E %G %A", value, value, value, value);
    SHOW("%.0f %.0e %.0g %.0a %#.0f %#.0e %#g", value, value, value, value, value, value, value);
    SHOW("%.3f %.10f %.15g %.17g %.20f", value, value, value, value, value);
    SHOW("%12.4f|%-12.4f|%012.4f|%+.2f|% .2f", value, value, value, value, value);
    SHOW("%.14g %20.10e %-20.3g|", value, value, value);
    SHOW("%Lf %Le %Lg %.20Lg", (long double)value, (long double)value, (long double)value,
         (long double)value);
    SHOW("%.40f", value);
}

static void scans(void)
{
    int a = -1, b = -1, c = -1;
    char text[64] = "", rest[64] = "";
    double value = 0;
    float narrow = 0;
    long wide = 0;
    SCAN("12 34", "%d %d", &a, &b);
    SCAN("0x1f 010", "%i %i", &a, &b);
    printf("%d %d\n", a, b);
    SCAN("abc def", "%s %3s", text, rest);
    SCAN("abc123", "%[a-c]%d", text, &a);
    printf("%s %d\n", text, a);
    SCAN("x=5,y=6", "x=%d,y=%d", &a, &b);
    SCAN("3.5e2 7", "%lf %f", &value, &narrow);
    printf("%g %g\n", value, (double)narrow);
    SCAN("", "%d", &a);
    SCAN("z", "%d", &a);
    SCAN("12345", "%2d%n%d", &a, &b, &c);
    printf("%d %d %d\n", a, b, c);
    SCAN("99999999999999999999", "%ld", &wide);
    printf("%ld %d\n", wide, errno);
    SCAN("a b", "%c%c%c", text, text + 1, text + 2);
    SCAN("  5", "%*d%d", &a);
    SCAN("ff", "%x", (unsigned *)&a);
    SCAN("10%", "%d%%", &a);
    SCAN("12ab", "%d%[^b]", &a, text);
    char *allocated = NULL;
    SCAN("hello world", "%ms", &allocated);
    puts(allocated == NULL ? "none" : allocated);
    free(allocated);
}

int main(void)
{
    integers();
    strings();
    static const double values[] = {0,
                                    -0.0,
                                    1,
                                    -1,
                                    0.1,
                                    1.0 / 3,
                                    2.5,
                                    3.5,
                                    0.5,
                                    1e10,
                                    1e15,
                                    1e16,
                                    1e17,
                                    123456.789,
                                    1e-5,
                                    1.5e-5,
                                    1e100,
                                    1e300,

                                    9.9999,
                                    99999.95,

                                    0.0001,
                                    0.00001,
                                    1e22,
                                    1e23,
                                    INFINITY,
                                    -INFINITY,
                                    4503599627370496.5,
                                    1.7976931348623157e308};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) {
        doubles(values[i]);
    }
    SHOW("%f %F %5g|%-8e|%08f", NAN, NAN, NAN, NAN, NAN);
    scans();
    char small[4];
    printf("%d %s\n", snprintf(small, sizeof small, "longer"), small);
    printf("%d\n", snprintf(NULL, 0, "%d", 12345));
    char *made = NULL;
    printf("%d %s\n", asprintf(&made, "%s-%d", "made", 7), made);
    free(made);
    wchar_t wide[32];
    printf("%d %ls\n", swprintf(wide, 32, L"%d %ls %s", 5, L"x", "y"), wide);
    return 0;
}
