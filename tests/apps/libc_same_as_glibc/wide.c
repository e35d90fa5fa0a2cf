// SPDX-License-Identifier: BSD-3-Clause
// wide.c: characters: their classes, conversion between bytes and wide ones, columns.
#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "same.h"

static void bytes(void)
{
    for (int c = -1; c < 256; ++c) {
        printf("%d: %d%d%d%d%d%d%d%d%d%d%d%d %d %d %d %d %d\n", c, isalpha(c) != 0, isdigit(c) != 0,
               isalnum(c) != 0, isspace(c) != 0, isblank(c) != 0, isupper(c) != 0, islower(c) != 0,
               ispunct(c) != 0, isprint(c) != 0, isgraph(c) != 0, iscntrl(c) != 0, isxdigit(c) != 0,
               toupper(c), tolower(c), toascii(c), isascii(c), (int)btowc(c));
        printf("%d %d %d\n", (*__ctype_b_loc())[c], (*__ctype_tolower_loc())[c],
               (*__ctype_toupper_loc())[c]);
    }
}

// A sum over each block of 256 characters, so that the place of a difference is seen.
static void classes(void)
{
    static const char *const names[] = {"alpha", "digit", "alnum", "space", "blank", "upper",
                                        "lower", "punct", "print", "graph", "cntrl", "xdigit"};
    wctype_t types[12];
    for (int i = 0; i < 12; ++i) {
        types[i] = wctype(names[i]);
    }
    wctrans_t up = wctrans("toupper"), down = wctrans("tolower");
    printf("%d %d %d %d\n", up != 0, down != 0, wctype("nosuch") == 0, wctrans("nosuch") == 0);
    for (int block = 0; block < 0x1101; ++block) {
        unsigned long sum = 0, width = 0, upper = 0, lower = 0;
        for (int c = block << 8; c < (block + 1) << 8; ++c) {
            for (int i = 0; i < 12; ++i) {
                sum = sum * 31 + (iswctype(c, types[i]) != 0);
            }
            width = width * 31 + wcwidth(c) + 1;
            upper = upper * 31 + towupper(c);
            lower = lower * 31 + towlower(c);
        }
        printf("%x: %lx %lx %lx %lx\n", block, sum, width, upper, lower);
    }
    for (int c = 0xa0; c < 0x180; ++c) {
        printf("%x: %d%d%d%d%d%d%d%d%d%d%d%d %x %x %d %x %x %d\n", c, iswalpha(c) != 0,
               iswdigit(c) != 0, iswalnum(c) != 0, iswspace(c) != 0, iswblank(c) != 0,
               iswupper(c) != 0, iswlower(c) != 0, iswpunct(c) != 0, iswprint(c) != 0,
               iswgraph(c) != 0, iswcntrl(c) != 0, iswxdigit(c) != 0, towupper(c), towlower(c),
               wcwidth(c), towctrans(c, up), towctrans(c, down), wctob(c));
    }
    printf("%d %d %d %x %x\n", iswalpha(WEOF), wcwidth(WEOF), wctob(WEOF), towupper(WEOF),
           btowc(EOF));
    printf("%d %d %d\n", wcswidth(L"abc", 10), wcswidth(L"a\x0301\x4e00", 10), wcswidth(L"a\n", 5));
}

static void decode(const char *text, size_t size)
{
    wchar_t wide = 0x77;
    mbstate_t state = {0};
    errno = 0;
    long used = (long)mbrtowc(&wide, text, size, &state);
    printf("mbrtowc ");
    for (size_t i = 0; i < size; ++i) {
        printf("%02x", (unsigned char)text[i]);
    }
    printf(": %ld %x errno %d initial %d", used, wide, errno, mbsinit(&state));
    errno = 0;
    mbtowc(NULL, NULL, 0);
    printf(" mbtowc %d mblen %d", mbtowc(&wide, text, size), mblen(text, size));
    memset(&state, 0, sizeof state);
    char copy[16] = "";
    memcpy(copy, text, size);
    wchar_t all[16] = {0};
    const char *place = copy;
    errno = 0;
    long count = (long)mbsrtowcs(all, &place, 16, &state);
    printf(" mbsrtowcs %ld %x %x at %ld errno %d\n", count, all[0], all[1],
           place == NULL ? -1 : (long)(place - copy), errno);
}

static void encode(unsigned c)
{
    char text[16] = "";
    mbstate_t state = {0};
    errno = 0;
    long size = (long)wcrtomb(text, c, &state);
    printf("wcrtomb %x: %ld errno %d %02x%02x%02x%02x%02x%02x", c, size, errno,
           (unsigned char)text[0], (unsigned char)text[1], (unsigned char)text[2],
           (unsigned char)text[3], (unsigned char)text[4], (unsigned char)text[5]);
    wchar_t wide[3] = {'a', c, 0};
    const wchar_t *place = wide;
    errno = 0;
    size = (long)wcsrtombs(text, &place, sizeof text, &state);
    printf(" wcsrtombs %ld errno %d at %ld wctomb %d wctob %d\n", size, errno,
           place == NULL ? -1 : (long)(place - wide), wctomb(text, c), wctob(c));
}

static void conversions(void)
{
    static const struct {
        const char *text;
        size_t size;
    } texts[] = {
        {"", 1},
        {"", 0},
        {"a", 1},
        {"\x7f", 1},
        {"\x80", 1},
        {"\xe9", 1},
        {"\xff", 1},
        {"\xc3\xa9", 2},
        {"\xc3", 1},
        {"\xc3z", 2},
        {"\xe2\x82\xac", 3},
        {"\xe2\x82", 2},
        {"\xe2", 1},
        {"\xe2\x28\xa1", 3},
        {"\xc0\x80", 2},
        {"\xc1\xbf", 2},
        {"\xe0\x80\x80", 3},
        {"\xed\xa0\x80", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xf4\x90\x80\x80", 4},
        {"\xf8\x88\x80\x80\x80", 5},
        {"\xfc\x84\x80\x80\x80\x80", 6},
        {"\xf5\x80\x80\x80", 4},
        {"\xfe", 1},
        {"\xf0\x80\x80\x80", 4},
        {"\xf0\x9f\x98", 3},
        {"ab\xe9", 3},
        {"\xef\xbf\xbf", 3},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        decode(texts[i].text, texts[i].size);
    }
    static const unsigned characters[] = {
        0,        'a',      0x7f,      0x80,      0xa0,       0xe9,       0xff,
        0x100,    0x7ff,    0x800,     0xd7ff,    0xd800,     0xdf80,     0xdfe9,
        0xdfff,   0xe000,   0xfffd,    0xffff,    0x10000,    0x10ffff,   0x110000,
        0x1fffff, 0x200000, 0x3ffffff, 0x4000000, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; ++i) {
        encode(characters[i]);
    }
    NUMBER(MB_CUR_MAX);
    char small[8] = "zzzzzzz";
    wchar_t wide[8];
    NUMBER(wcstombs(small, L"abc", 2));
    TEXT(small);
    NUMBER(mbstowcs(wide, "abc", 8));
    NUMBER(mbstowcs(NULL, "abc\xe9", 0));
    NUMBER(wcstombs(NULL, L"abc\xe9", 0));
    mbstate_t state = {0};
    const char *from = "abcdef";
    NUMBER(mbsnrtowcs(wide, &from, 3, 8, &state));
    NUMBER(mbrlen("\xc3\xa9", 2, NULL));
    TEXT(from);
    const wchar_t *wide_from = L"abcdef";
    NUMBER(wcsnrtombs(small, &wide_from, 3, 8, &state));
}

static void strings(void)
{
    wchar_t text[32] = L"one,two;three", *rest;
    for (wchar_t *part = wcstok(text, L",;", &rest); part != NULL;
         part = wcstok(NULL, L",;", &rest)) {
        printf("%ls\n", part);
    }
    NUMBER(wcscasecmp(L"ABC", L"abd"));
    NUMBER(wcsncasecmp(L"ABC", L"abd", 2));
    NUMBER(wcsspn(L"aab", L"a"));
    NUMBER(wcscspn(L"aab", L"b"));
    NUMBER(wcspbrk(L"xyz", L"zy") != NULL);
    NUMBER(wcsstr(L"haystack", L"st") != NULL);
    NUMBER(wmemchr(L"abc", 'c', 3) != NULL);
    NUMBER(wmemcmp(L"abc", L"abd", 3) < 0);
    NUMBER(wcscmp(L"\xffffffff", L"a") < 0);
    NUMBER(wcsncmp(L"abc", L"abd", 2));
}

void wide_section(void)
{
    bytes();
    classes();
    conversions();
    strings();
    setlocale(LC_ALL, "C.UTF-8");
    bytes();
    classes();
    conversions();
    setlocale(LC_ALL, "C");
}
