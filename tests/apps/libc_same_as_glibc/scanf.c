// SPDX-License-Identifier: BSD-3-Clause
// scanf.c: the scanf family.
#include <limits.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "same.h"

static void integer(const char *input, const char *pattern)
{
    long value = -77;
    int used = -1;
    char whole[64];
    snprintf(whole, sizeof whole, "%s%%n", pattern);
    errno = 0;
    int count = sscanf(input, whole, &value, &used);
    printf("int \"%s\" \"%s\": %d %ld used %d errno %d\n", input, pattern, count, value, used,
           errno);
}

// clang-format off: a table
static const char *const integer_inputs[] = {
    "12",
    " -12x",
    "+5",
    "0x1f",
    "0x",
    "0xg",
    "0X1G",
    "010",
    "08",
    "-",
    "+",
    "",
    " ",
    "z",
    "-z",
    "--1",
    "99999999999999999999",
    "-99999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "(nil)",
    "(nix)",
    "1,234",
    "1'234",
    "0b101",
    "ff",
    "-ff",
    "00012",
    "18446744073709551615",
    "18446744073709551616",
    "-0x10",
    "0x-1",
    "1e5",
    "\t\n\v12",
};
// clang-format on

static void integers(void)
{
    static const char *const patterns[] = {"%ld",  "%li",  "%lu",  "%lx", "%lo",  "%p",  "%3ld",
                                           "%2lx", "%1li", "%'ld", "%lX", "%0ld", "%Id", "%2li"};
    for (size_t i = 0; i < sizeof integer_inputs / sizeof integer_inputs[0]; ++i) {
        for (size_t j = 0; j < sizeof patterns / sizeof patterns[0]; ++j) {
            integer(integer_inputs[i], patterns[j]);
        }
    }
}

static void real(const char *input, const char *pattern)
{
    double value = -77;
    int used = -1;
    char whole[64];
    snprintf(whole, sizeof whole, "%s%%n", pattern);
    errno = 0;
    int count = sscanf(input, whole, &value, &used);
    printf("real \"%s\" \"%s\": %d %.17g used %d errno %d\n", input, pattern, count, value, used,
           errno);
}

// clang-format off: a table
static const char *const real_inputs[] = {
    "1.5",      "1e",      "1e+",      "1e5",   "1e-5x",
    "100ergs",  ".5",      "5.",       ".",     "-",
    "-.",       "+.5e1",   "e5",       "inf",   "-inf",
    "infinity", "infinit", "infx",     "nan",   "nan(12)",
    "nax",      "in",      "n",        "0x",    "0x1p3",
    "0x1.8",    "0xg",     "0x.8p1",   "0x1p",  "0x1p+",
    "1.2.3",    "1e5.5",   "1ee5",     "",      " ",
    "1e400",    "1e-400",  "4.9e-324", "0.1",   "123456789012345678901234567890",
    "1,5",      "0e",      "0",        "-0",    "00.5",
    "1E5",      "INF",     "NaN",      "0X1P3",
};
// clang-format on

static void reals(void)
{
    static const char *const patterns[] = {"%lf", "%lg", "%3lf", "%2le", "%1lf", "%la", "%4lf"};
    for (size_t i = 0; i < sizeof real_inputs / sizeof real_inputs[0]; ++i) {
        for (size_t j = 0; j < sizeof patterns / sizeof patterns[0]; ++j) {
            real(real_inputs[i], patterns[j]);
        }
    }
    float narrow = 0;
    long double wide = 0;
    NUMBER(sscanf("3.14159265358979 2.71828182845904523536", "%f %Lf", &narrow, &wide));
    printf("%.9g %.21Lg\n", (double)narrow, wide);
}

static void text(const char *input, const char *pattern)
{
    char one[64] = "unset", two[64] = "unset";
    int used = -1;
    char whole[64];
    snprintf(whole, sizeof whole, "%s%%n", pattern);
    int count = sscanf(input, whole, one, two, &used);
    printf("text \"%s\" \"%s\": %d \"%s\" \"%s\" used %d\n", input, pattern, count, one, two, used);
}

static void texts(void)
{
    static const char *const inputs[] = {"abc def", "  abc",        "",        " ",
                                         "abc123",  "a]b-c^d",      "x=5,y=6", "%d",
                                         "10%",     "\xe9\xff abc", "-a-"};
    static const char *const patterns[] = {
        "%s %s",    "%3s%2s",      "%[a-c]%s",  "%[^a]%s",       "%[]a]%s", "%[^]a]%s", "%[a-]%s",
        "%[]-a]%s", "%2c%s",       " %1c%s",    "x=%[0-9],y=%s", "%%%s%s",  "%s%%%s",   "%*s%s%s",
        "%[c-a]%s", "%[a-cd-f]%s", "%5[abc]%s", "%*[a]%s%s",     "abc%s%s", "a bc%s%s", "%[",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; ++i) {
        for (size_t j = 0; j < sizeof patterns / sizeof patterns[0]; ++j) {
            text(inputs[i], patterns[j]);
        }
    }
}

static void others(void)
{
    char *made = NULL, *more = NULL;
    int a = -1, b = -1, c = -1;
    NUMBER(sscanf("hello world", "%ms %m[a-z]", &made, &more));
    TEXT(made);
    TEXT(more);
    free(made);
    free(more);
    made = more = NULL;
    NUMBER(sscanf("hello", "%3mc%m5s", &made, &more));
    printf("%.3s\n", made);
    NUMBER(sscanf("", "%ms", &made));
    NUMBER(sscanf("5 6 7", "%3$d %1$d %2$d", &a, &b, &c));
    printf("%d %d %d\n", a, b, c);
    signed char tiny = 0;
    short small = 0;
    long long large = 0;
    intmax_t most = 0;
    size_t size = 0;
    ptrdiff_t difference = 0;
    NUMBER(sscanf("300 70000 -5 7 8 9", "%hhd %hd %lld %jd %zu %td", &tiny, &small, &large, &most,
                  &size, &difference));
    printf("%d %d %lld %jd %zu %td\n", tiny, small, large, most, size, difference);
    NUMBER(sscanf("99999999999", "%d", &a));
    NUMBER(a);
    NUMBER(sscanf("12345", "%2d%n%d", &a, &b, &c));
    printf("%d %d %d\n", a, b, c);
    NUMBER(sscanf("12  ", "%d %n", &a, &b));
    NUMBER(b);
    NUMBER(sscanf("5", "%d%d", &a, &b));
    NUMBER(sscanf("", "x"));
    NUMBER(sscanf("y", "x"));
    NUMBER(sscanf("", ""));
    NUMBER(sscanf("5", "%*d"));
    NUMBER(sscanf("x", "%*d"));
    NUMBER(sscanf("5 x", "%d %d", &a, &b));
    NUMBER(sscanf("5", "%q", &large));
    NUMBER(sscanf("5", "%y", &large));
    NUMBER(sscanf("5", "%"));
    NUMBER(sscanf("5 6", "%Ld %qd", &large, &large));
    wchar_t wide[16] = L"";
    wchar_t one = 0;
    NUMBER(sscanf("wide w rest", "%ls %lc %l[a-z]", wide, &one, wide));
    printf("%ls %lc\n", wide, one);

    char bytes[32] = "";
    NUMBER(swscanf(L"12 0x1f text 2.5 (nil)", L"%d %i %s %n", &a, &b, bytes, &c));
    printf("%d %d %s %d\n", a, b, bytes, c);
    double value = 0;
    NUMBER(swscanf(L"2.5e 1", L"%lf %d", &value, &a));
    printf("%g %d\n", value, a);
    NUMBER(swscanf(L"abc-\x20ac", L"%l[a-c]-%ls", wide, wide + 8));
    printf("%ls %x\n", wide, wide[8]);
    RESULT(swscanf(L"\x20ac", L"%s", bytes));
}

static void streams(void)
{
    FILE *stream = tmpfile();
    fputs("12 abc\n0x 1e5e9 -\n(nil)\n77", stream);
    rewind(stream);
    int a = -1;
    char word[16] = "";
    double value = 0;
    NUMBER(fscanf(stream, "%d %s", &a, word));
    NUMBER(ftell(stream));
    NUMBER(fscanf(stream, "%x", &a));
    NUMBER(ftell(stream));
    NUMBER(fscanf(stream, "%lf", &value));
    NUMBER(ftell(stream));
    NUMBER(fscanf(stream, "%s", word));
    TEXT(word);
    NUMBER(fscanf(stream, "%d", &a));
    NUMBER(ftell(stream));
    NUMBER(getc(stream));
    void *pointer = &a;
    NUMBER(fscanf(stream, "%p", &pointer));
    NUMBER(pointer == NULL);
    NUMBER(fscanf(stream, "%d", &a));
    NUMBER(feof(stream) != 0);
    NUMBER(fscanf(stream, "%d", &a));
    fclose(stream);
    NUMBER(setlocale(LC_ALL, "C.UTF-8") != NULL);
    wchar_t wide[16] = L"";
    NUMBER(sscanf("\xc3\xa9\xe2\x82\xac x", "%ls", wide));
    printf("%x %x\n", wide[0], wide[1]);
    NUMBER(sscanf("\xc3\xa9\xe2\x82\xac", "%1ls", wide));
    printf("%x %x\n", wide[0], wide[1]);
    NUMBER(swscanf(L"\x20ac\x00e9", L"%s", word));
    TEXT(word);
    setlocale(LC_ALL, "C");
}

void scanf_section(void)
{
    integers();
    reals();
    texts();
    others();
    streams();
}
