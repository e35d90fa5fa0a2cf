// SPDX-License-Identifier: BSD-3-Clause
// number_wide.c: wide text to numbers: what could be a number is copied as bytes, and read as
// those.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/libc/number.h"

enum { BUFFER_SIZE = 128 };

// The characters that a number may begin with, as bytes.
struct narrow_text {
    char *text;
    char buffer[BUFFER_SIZE];
};

static bool belongs(wchar_t c)
{
    static const char others[] = "+-._()";
    unsigned letter = ((unsigned)c | 0x20) - 'a';
    bool is_mark = c > 0 && c < 0x80 && strchr(others, c) != NULL;
    return (unsigned)c - '0' < 10 || (c < 0x80 && letter < 26) || is_mark;
}

static void narrow_make(struct narrow_text *narrow, const wchar_t *wide)
{
    size_t spaces = 0;
    while (iswspace((wint_t)wide[spaces])) {
        ++spaces;
    }
    size_t size = spaces;
    while (belongs(wide[size])) {
        ++size;
    }
    narrow->text = size < BUFFER_SIZE ? narrow->buffer : libc_malloc(size + 1);
    if (narrow->text == NULL) {
        narrow->text = narrow->buffer; // as much as there is room for
        size = BUFFER_SIZE - 1;
    }
    for (size_t i = 0; i < size; ++i) {
        narrow->text[i] = i < spaces ? ' ' : (char)wide[i];
    }
    narrow->text[size] = 0;
}

static void narrow_end(struct narrow_text *narrow, const wchar_t *wide, wchar_t **end,
                       const char *stop)
{
    if (end != NULL && stop != NULL) {
        *end = (wchar_t *)(uintptr_t)(wide + (stop - narrow->text));
    }
    if (narrow->text != narrow->buffer) {
        libc_free(narrow->text);
    }
}

EXPORT(long, wcstol, const wchar_t *wide, wchar_t **end, int base)
{
    struct narrow_text narrow;
    narrow_make(&narrow, wide);
    char *stop = NULL;
    long value = glibc_strtol(narrow.text, &stop, base);
    narrow_end(&narrow, wide, end, stop);
    return value;
}

EXPORT(unsigned long, wcstoul, const wchar_t *wide, wchar_t **end, int base)
{
    struct narrow_text narrow;
    narrow_make(&narrow, wide);
    char *stop = NULL;
    unsigned long value = glibc_strtoul(narrow.text, &stop, base);
    narrow_end(&narrow, wide, end, stop);
    return value;
}

#define EXPORT_WIDE(type, name, bytes_name)                                                        \
    EXPORT(type, name, const wchar_t *wide, wchar_t **end)                                         \
    {                                                                                              \
        struct narrow_text narrow;                                                                 \
        narrow_make(&narrow, wide);                                                                \
        char *stop;                                                                                \
        type value = bytes_name(narrow.text, &stop);                                               \
        narrow_end(&narrow, wide, end, stop);                                                      \
        return value;                                                                              \
    }

EXPORT_WIDE(float, wcstof, glibc_strtof)
EXPORT_WIDE(double, wcstod, glibc_strtod)
EXPORT_WIDE(long double, wcstold, glibc_strtold)

// The locale says nothing here: all have the same digits and the same point.
#define EXPORT_LOCALE(type, name, plain)                                                           \
    EXPORT(type, name, const wchar_t *wide, wchar_t **end, void *locale)                           \
    {                                                                                              \
        return glibc_##plain(wide, end);                                                           \
    }

EXPORT_LOCALE(float, wcstof_l, wcstof)
EXPORT_LOCALE(double, wcstod_l, wcstod)
EXPORT_LOCALE(long double, wcstold_l, wcstold)

EXPORT(long, wcstol_l, const wchar_t *wide, wchar_t **end, int base, void *locale)
{
    return glibc_wcstol(wide, end, base);
}

EXPORT(unsigned long, wcstoul_l, const wchar_t *wide, wchar_t **end, int base, void *locale)
{
    return glibc_wcstoul(wide, end, base);
}
