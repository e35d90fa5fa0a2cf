// SPDX-License-Identifier: BSD-3-Clause
// printf.c: the printf family.
#include <fcntl.h>
#include <fenv.h>
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <obstack.h>
#include <printf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <wchar.h>

#include "same.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static void integers(void)
{
    SHOW("%d %i %u %x %X %o", -5, 7, 8u, 255, 255, 8);
    SHOW("%5d|%-5d|%05d|%+d|% d|%.3d|%8.3d|%-8.3d|%+.0d|%.0d", 42, 42, 42, 42, 42, 5, 5, 5, 0, 0);
    SHOW("%#x %#o %#X %#x %#o %#.0o %#.3o %#.5x", 255, 8, 255, 0, 0, 0, 8, 18);
    SHOW("%b %B %#b %#B %08b %#.6b|%#10b|%-#10b|%#010b", 5, 5, 5, 5, 5, 5, 5, 5, 5);
    SHOW("%hhd %hd %ld %lld %jd %zd %td", 300, 70000, LONG_MIN, LLONG_MAX, INTMAX_MIN, (ssize_t)-1,
         (ptrdiff_t)7);
    SHOW("%qd %Zd %Ld %Lu %qu %Zu %Lx", LLONG_MIN, (ssize_t)-2, LLONG_MAX, ULLONG_MAX, 5ULL,
         SIZE_MAX, 0xabcdefabcdefULL);
    SHOW("%Id %I5d|%'d %'ld %'.3d %'10d|%'u", 12, 34, 1234567, 123456789L, 5, 1234567, 7654321u);
    SHOW("%hhu %hu %lu %llu %zu", 300, 70000, ULONG_MAX, ULLONG_MAX, SIZE_MAX);
    SHOW("%*d|%-*d|%.*d|%*.*d|%*d", 6, 1, 6, 2, 3, 3, -6, 2, 4, -4, 9);
    SHOW("%p %p %10p|%-10p|%+p|% p|%#p|%.10p|%020p|%010p", NULL, (void *)0x1234, NULL, NULL,
         (void *)0x12, (void *)0x12, (void *)0x12, (void *)0x12, (void *)0x12, NULL);
    SHOW("%+u|% u|%+x|%-+5d|%+-5d|% 05d|%0-5d|%-05d|%+ d", 5u, 5u, 5u, 5, 5, 5, 5, 5, 5);
    SHOW("%05.3d|%-05.3d|%020.10d|%.20d|%30.20d|%-30.20d|", 7, 7, 7, 7, 7, 7);
    SHOW("%d %u %d %ld", INT_MIN, UINT_MAX, INT_MAX, LONG_MIN);
    SHOW("%c%c|%5c|%-5c|%05c|%.0c|", 'a', 'b', 'c', 'd', 'e', 'f');
    SHOW("%.d|%.i|%5.d|%-5.x|%#.x|%.1d", 0, 0, 0, 0, 0, 0);
}

static void unknown(void)
{
    SHOW("%y|");
    SHOW("a%yb%db", 5);
    SHOW("%5y|%-5y|%05y|%+y|% y|%#y|%'y|%Iy|%.3y|%.y|%ly|%5.3ly|%-+#010.4y|", 1);
    SHOW("%");
    SHOW("abc%");
    SHOW("abc%5");
    SHOW("abc%-5.3");
    SHOW("abc%l");
    SHOW("%5%|%-5%|%%|%05%|%.3%|");
    SHOW("%.-5d|", 3);
    SHOW("%5-d|", 3);
    SHOW("%k %r %v %w %z %h %D %O %U %N", 1);
    SHOW("%d %y %d", 1, 2);
    SHOW("%99999999999d", 1);
    SHOW("%.99999999999d", 1);
    SHOW("%2147483648d", 1);
}

static void strings(void)
{
    const char *none = NULL;
    SHOW("%s|%10s|%-10s|%.2s|%10.2s|%.0s|%.s|%010s", "text", "text", "text", "text", "text", "text",
         "text", "text");
    SHOW("%s|%10s|%.3s|%.6s|%.5s|%.7s|%-10s|%10.3s|", none, none, none, none, none, none, none,
         none);
    SHOW("%ls|%lc|%.3ls|%S|%C|%10ls|%-10ls|%.0ls|%5lc|%-5lc|", L"wide", (wint_t)L'w', L"wide",
         L"wide", (wint_t)L'w', L"wide", L"wide", L"wide", (wint_t)L'w', (wint_t)L'w');
    SHOW("%ls|%S|%.3ls|%.6S", (wchar_t *)NULL, (wchar_t *)NULL, (wchar_t *)NULL, (wchar_t *)NULL);
    SHOW("a%lcb", (wint_t)0xe9);
    SHOW("a%lsb", L"x\x00e9z");
    SHOW("a%.1lsb", L"x\x00e9z");
    SHOW("a%lcb", (wint_t)WEOF);
    SHOW("%hs %hhs %hc", "short", "char", 'c');
    char unterminated[3] = {'a', 'b', 'c'};
    SHOW("%.3s|%.2s", unterminated, unterminated);
    errno = ENOENT;
    printf("%m|%10.4m|%-30m|%#m\n");
    errno = 9999;
    printf("%m %#m %20m\n");
    errno = 0;
    printf("%m %#m\n");
    int so_far = -1;
    signed char tiny = -1;
    short small = -1;
    long large = -1;
    long long larger = -1;
    intmax_t most = -1;
    ssize_t size = -1;
    printf("12345%n67%hhn8%hn%ln%lln%jn%zn|\n", &so_far, &tiny, &small, &large, &larger, &most,
           &size);
    printf("%d %d %d %ld %lld %jd %zd\n", so_far, tiny, small, large, larger, most, size);
}

static void positions(void)
{
    SHOW("%3$d %1$d %2$s", 1, "two", 3);
    SHOW("%1$s %1$s %2$*3$d|%2$-*3$d|%2$.*3$d", "x", 42, 6);
    SHOW("%2$s %1$d %1$d %2$.1s %3$f %4$Lf %5$c", 1, "ab", 2.5, 3.5L, 'c');
    SHOW("%1$d %d %d", 1, 2);
    SHOW("%2$d", 1, 2);
    SHOW("%1$ld %2$hhd %3$lld %1$lx", -1L, 300, 5LL);
    SHOW("%1$y %1$d", 5);
    SHOW("%10$d %9$d %8$d %7$d %6$d %5$d %4$d %3$d %2$d %1$d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    SHOW("%d %2$d", 1, 2);
    SHOW("%0$d", 1);
    SHOW("%1$%|%1$d", 5);
    SHOW("%1$5d|%1$-5d|%1$05d|%1$+.3d", 5);
    SHOW("%1$g %2$e %3$a %1$.3f", 1.5, 2.5, 3.5);
    SHOW("%1$m %1$d", 5);
}

static void double_show(double value)
{
    SHOW("%f %e %g %a", value, value, value, value);
    SHOW("%F %E %G %A", value, value, value, value);
    SHOW("%.0f %.0e %.0g %.0a %#.0f %#.0e %#.0a", value, value, value, value, value, value, value,
         value);
    SHOW("%.1a %.2a %.5a %.12a %.13a %.14a %.20a", value, value, value, value, value, value, value);
    SHOW("%.3f %.10f %.15g %.17g %.20f %.1f %.2f", value, value, value, value, value, value, value);
    SHOW("%.1e %.2e %.5e %.16e %.17e %.18e %.19e %.30e", value, value, value, value, value, value,
         value, value);
    SHOW("%.1g %.2g %.3g %.5g %.12g %.14g %.18g %.19g %.20g %.40g", value, value, value, value,
         value, value, value, value, value, value);
    SHOW("%12.4f|%-12.4f|%012.4f|%+.2f|% .2f|%+012e|%-+20g|%020a|%-20a|%20a", value, value, value,
         value, value, value, value, value, value, value);
    SHOW("%'f %'.2f %'g %I.2f %#.12g %#5.0f|%+a|% A", value, value, value, value, value, value,
         value, value);
    SHOW("%Lf %Le %Lg %.20Lg %La %LA %.3La", (long double)value, (long double)value,
         (long double)value, (long double)value, (long double)value, (long double)value,
         (long double)value);
    SHOW("%.40f", value);
}

// clang-format off: a table
static const double double_values[] = {
    0,
    -0.0,
    1,
    -1,
    0.1,
    1.0 / 3,
    2.5,
    3.5,
    0.5,
    1.5,
    0.25,
    0.75,
    0.125,
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
    999999.5,
    9999995,
    0.0001,
    0.00001,
    1e22,
    1e23,
    5e-324,
    2.2e-308,
    DBL_MIN,
    DBL_MAX,
    INFINITY,
    -INFINITY,
    NAN,
    -NAN,
    1e-10,
    1e-20,
    123.456,
    0.045,
    1.005,
    2.675,
    1e9,
    4294967296,
    1e18,
    1e19,
    1.8e19,
    1e20,
    0.3,
    -0.7,
    100,
    1000000,
    1234567,
    12345678,
    0.001,
    0.999,
    9.5,
    99.5,
    999.5,
    0.95,
    0.095,
    0.0095,
    8.5,
    1e-7,
    65536.5,
    1e21,
    3.14159265358979,
    2.718281828459045,
    4503599627370496.5,
    9007199254740993.0,
    0x1.fffffffffffffp0,
    0x1.8p-1074,
    0x1.fffffffffffffp-2,
    0x1.08p0,
    0x1.18p0,
    0x1.28p0,
    1e-320,
};
// clang-format on

static void doubles(void)
{
    for (size_t i = 0; i < sizeof double_values / sizeof double_values[0]; ++i) {
        double_show(double_values[i]);
    }
    uint64_t bits = 88172645463325252ULL;
    for (int i = 0; i < 400; ++i) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value;
        memcpy(&value, &bits, sizeof value);
        SHOW("%g %.14g %.17g %e %a %.3a", value, value, value, value, value, value);
        double near = (double)(int64_t)bits / 1e12;
        SHOW("%g %.14g %.17g %f %.3f %.9f %.12e %.0f", near, near, near, near, near, near, near,
             near);
        double cents = (double)((int64_t)bits >> 30) / 100;
        SHOW("%g %.2f %.1f %.16g %.15g", cents, cents, cents, cents, cents);
    }
}

static void long_doubles(void)
{
    static const long double values[] = {
        1,
        LDBL_MIN,
        LDBL_MAX,
        LDBL_EPSILON,
        0.1L,
        1e4000L,
        1e-4000L,
        1e-4940L,
        INFINITY,
        -NAN,
        1.0L / 3,
        1e19L,
        1e20L,
        123.456L,
        -0.0L,
        0x1p-16445L,
        2.5L,
        0.5L,
        0xf.8p0L,
        0x1.8p-16444L,
        0xf.ffffffffffffffffp0L,
        0x8.8p0L,
        1e-4950L,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) {
        long double value = values[i];
        SHOW("%Lf", value);
        SHOW("%Le %Lg %LG %La %LA", value, value, value, value, value);
        SHOW("%.20Lf %.0Lf %.30Le %.25Lg", value, value, value, value);
        SHOW("%.0La %.1La %.5La %.14La %.15La %.16La %#.0La %030La|%-30La|", value, value, value,
             value, value, value, value, value, value);
    }
}

static void roundings(void)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    static const double values[] = {0.5,       1.5,  2.5,      -0.5,      -1.5,    0.1,
                                    -0.1,      1e23, 0x1.08p0, -0x1.18p0, 1.0 / 3, -2.0 / 3,
                                    12345.678, 0.05, 1,        1e300,     5e-324};
    for (int m = 0; m < 4; ++m) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) {
            char text[512];
            fesetround(modes[m]);
            snprintf(text, sizeof text, "%.0f %.1f %.3f %.0e %.3e %g %.17g %.0a %.1a %.20f",
                     values[i], values[i], values[i], values[i], values[i], values[i], values[i],
                     values[i], values[i], values[i]);
            fesetround(FE_TONEAREST);
            TEXT(text);
        }
    }
}

static void targets(void)
{
    char small[4] = "zzz";
    NUMBER(snprintf(small, sizeof small, "longer"));
    TEXT(small);
    NUMBER(snprintf(small, 1, "longer"));
    TEXT(small);
    strcpy(small, "zzz");
    NUMBER(snprintf(small, 0, "longer"));
    TEXT(small);
    NUMBER(snprintf(NULL, 0, "%d", 12345));
    RESULT(snprintf(small, (size_t)INT_MAX + 2, "%d", 12));
    TEXT(small);
    RESULT(snprintf(small, SIZE_MAX, "%d", 34));
    TEXT(small);
    NUMBER(sprintf(small, "%s", "abc"));
    char *made = NULL;
    NUMBER(asprintf(&made, "%s-%d", "made", 7));
    TEXT(made);
    free(made);
    NUMBER(asprintf(&made, "%5000d|%s", 7, "end"));
    NUMBER(strlen(made));
    TEXT(made + 4990);
    free(made);
    NUMBER(asprintf(&made, "%s", ""));
    TEXT(made);
    free(made);
    RESULT(asprintf(&made, "a%lc", (wint_t)0xe9));
    fflush(stdout);
    NUMBER(dprintf(1, "dprintf %d %s\n", 1, "x"));
    RESULT(dprintf(-1, "x"));
    struct obstack stack;
    obstack_init(&stack);
    NUMBER(obstack_printf(&stack, "in %s", "obstack"));
    NUMBER(obstack_printf(&stack, " %d%5000s", 5, "x"));
    obstack_1grow(&stack, 0);
    char *grown = obstack_finish(&stack);
    NUMBER(strlen(grown));
    grown[20] = 0;
    TEXT(grown);
    obstack_free(&stack, NULL);
    NUMBER(printf("%5000d|\n", 3));
    NUMBER(fprintf(stderr, "to stderr %d\n", 5));
    FILE *closed = fopen("/dev/null", "r");
    RESULT(fprintf(closed, "%d", 5));
    NUMBER(ferror(closed) != 0);
    fclose(closed);
}

void printf_section(void)
{
    integers();
    unknown();
    strings();
    positions();
    doubles();
    long_doubles();
    roundings();
    targets();
}
