// SPDX-License-Identifier: BSD-3-Clause
// printf_wide.c: the wprintf family, and characters of C.UTF-8 in printf.
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "same.h"

#define SHOW_WIDE(...)                                                                             \
    do {                                                                                           \
        wchar_t text_[512] = L"untouched";                                                         \
        errno = 0;                                                                                 \
        int length_ = swprintf(text_, 512, __VA_ARGS__);                                           \
        int error_ = errno;                                                                        \
        printf("%d: %d %d [", __LINE__, length_, error_);                                          \
        for (int i_ = 0; i_ < length_; ++i_) {                                                     \
            printf(text_[i_] >= 32 && text_[i_] < 127 ? "%c" : "<%x>", (int)text_[i_]);            \
        }                                                                                          \
        puts("]");                                                                                 \
    } while (0)

static void conversions(void)
{
    SHOW_WIDE(L"%d %ls %s|%5d|%-5d|%05d|%x %#o", 5, L"wide", "narrow", 1, 2, 3, 255, 8);
    SHOW_WIDE(L"%5s|%-5s|%.2s|%5.1ls|%c|%lc|%5c|%-5lc|", "ab", "ab", "abc", L"xyz", 'c', L'w', 'c',
              (wint_t)L'w');
    SHOW_WIDE(L"%f %e %g %a %10.3f|%-10.2e|%Lf", 1.5, 1.5, 1.5, 1.5, 2.25, 2.25, 3.5L);
    SHOW_WIDE(L"%s %ls %.3s %S %C", (char *)NULL, (wchar_t *)NULL, (char *)NULL, L"S", (wint_t)'C');
    SHOW_WIDE(L"%p %p %n", NULL, (void *)0x12, &(int){0});
    SHOW_WIDE(L"%2$d %1$ls %3$s", L"one", 2, "three");
    SHOW_WIDE(L"%y %5y|%%|%", 1);
    SHOW_WIDE(L"\x00e9\x20ac %d", 5);
    SHOW_WIDE(L"%lc %ls", (wint_t)0x20ac, L"\x00e9");
    SHOW_WIDE(L"%s", "\xc3\xa9\xe2\x82\xac");
    SHOW_WIDE(L"%.2s|%5s|", "\xc3\xa9\xe2\x82\xac", "\xc3\xa9");
    SHOW_WIDE(L"%s", "a\xff");
    SHOW_WIDE(L"%c", 0xe9);
    SHOW_WIDE(L"%m", 1);
    wchar_t small[5] = L"zzzz";
    RESULT(swprintf(small, 5, L"%d", 12345));
    printf("%x %x %x %x\n", small[0], small[1], small[3], small[4]);
    RESULT(swprintf(small, 5, L"%d", 1234));
    RESULT(swprintf(small, 0, L"%d", 1234));
    RESULT(swprintf(small, 5, L"%ls", L"123456"));
}

static void narrow(void)
{
    SHOW("%ls|%.3ls|%.4ls|%5ls|%lc|%-6ls|%.0ls", L"\x00e9\x20ac", L"\x00e9\x20ac", L"\x00e9\x20ac",
         L"\x00e9", (wint_t)0x20ac, L"\x00e9\x20ac", L"\x00e9");
    SHOW("%lc", (wint_t)0xd800);
    SHOW("%ls", L"\xd800");
    SHOW("%lc", (wint_t)0x10ffff);
    SHOW("%lc", (wint_t)0x110000);
    SHOW("%s|%.1s|%3s|", "\xc3\xa9", "\xc3\xa9", "\xc3\xa9");
}

void printf_wide_section(void)
{
    conversions();
    narrow();
    NUMBER(setlocale(LC_ALL, "C.UTF-8") != NULL);
    conversions();
    narrow();
    setlocale(LC_ALL, "C");
    FILE *stream = tmpfile();
    NUMBER(fwide(stream, 0));
    NUMBER(fwprintf(stream, L"wide %d\n", 5));
    NUMBER(fwide(stream, 0) > 0);
    RESULT(fprintf(stream, "narrow\n"));
    rewind(stream);
    wchar_t line[64] = L"";
    NUMBER(fgetws(line, 64, stream) != NULL);
    printf("%ls", line);
    fclose(stream);
    stream = tmpfile();
    NUMBER(fprintf(stream, "narrow\n"));
    NUMBER(fwide(stream, 0) < 0);
    RESULT(fwprintf(stream, L"wide"));
    fclose(stream);
}
