// SPDX-License-Identifier: BSD-3-Clause
// musl_scanf.c: where scanf's text comes from: streams and strings.
//
// Programs built for C99 call __isoc99_scanf and the like; the plain names are GNU's older scanf.
#include <stdarg.h>
#include <wchar.h>

#include "core/libc/scan.h"
#include "stdio_impl.h"

wint_t __fgetwc_unlocked(FILE *stream);

static wint_t stream_get(struct scan_source *source)
{
    FILE *stream = (FILE *)source->place;
    int c = getc_unlocked(stream);
    return c == EOF ? WEOF : (wint_t)c;
}

static void stream_unget(struct scan_source *source, wint_t c)
{
    ungetc((int)c, (FILE *)source->place);
}

static wint_t wide_stream_get(struct scan_source *source)
{
    return __fgetwc_unlocked((FILE *)source->place);
}

static void wide_stream_unget(struct scan_source *source, wint_t c)
{
    ungetwc(c, (FILE *)source->place);
}

static wint_t string_get(struct scan_source *source)
{
    const unsigned char *place = source->place;
    if (*place == 0) {
        return WEOF;
    }
    source->place = place + 1;
    return *place;
}

static void string_unget(struct scan_source *source, wint_t c)
{
    (void)c;
    source->place = (const char *)source->place - 1;
}

static wint_t wide_string_get(struct scan_source *source)
{
    const wchar_t *place = source->place;
    if (*place == 0) {
        return WEOF;
    }
    source->place = place + 1;
    return (wint_t)*place;
}

static void wide_string_unget(struct scan_source *source, wint_t c)
{
    (void)c;
    source->place = (const wchar_t *)source->place - 1;
}

static int stream_scan(FILE *stream, const char *pattern, va_list arguments, int options)
{
    struct scan_source source = {.get = stream_get, .unget = stream_unget, .place = stream};
    FLOCK(stream);
    int count = EOF;
    if (stream->mode <= 0) {
        stream->mode |= stream->mode - 1;
        count = scan_read(&source, pattern, arguments, options);
    }
    FUNLOCK(stream);
    return count;
}

static int string_scan(const char *text, const char *pattern, va_list arguments, int options)
{
    struct scan_source source = {.get = string_get, .unget = string_unget, .place = text};
    return scan_read(&source, pattern, arguments, options);
}

static int wide_stream_scan(FILE *stream, const wchar_t *pattern, va_list arguments, int options)
{
    struct scan_source source = {
        .get = wide_stream_get,
        .unget = wide_stream_unget,
        .place = stream,
        .is_wide = true,
    };
    FLOCK(stream);
    int count = fwide(stream, 1) > 0 ? scan_read(&source, pattern, arguments, options) : EOF;
    FUNLOCK(stream);
    return count;
}

static int wide_string_scan(const wchar_t *text, const wchar_t *pattern, va_list arguments,
                            int options)
{
    struct scan_source source = {
        .get = wide_string_get,
        .unget = wide_string_unget,
        .place = text,
        .is_wide = true,
    };
    return scan_read(&source, pattern, arguments, options);
}

// The forms with `...` and with va_list, GNU's and C99's, of one function.
#define SCANF_FAMILY(scan, character, source_type, source, plain, plain_list)                      \
    int plain_list(source_type from, const character *pattern, va_list arguments)                  \
    {                                                                                              \
        return scan(source, pattern, arguments, SCAN_OLD);                                         \
    }                                                                                              \
    int __isoc99_##plain_list(source_type from, const character *pattern, va_list arguments)       \
    {                                                                                              \
        return scan(source, pattern, arguments, 0);                                                \
    }                                                                                              \
    int plain(source_type from, const character *pattern, ...)                                     \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, pattern);                                                              \
        int count = scan(source, pattern, arguments, SCAN_OLD);                                    \
        va_end(arguments);                                                                         \
        return count;                                                                              \
    }                                                                                              \
    int __isoc99_##plain(source_type from, const character *pattern, ...)                          \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, pattern);                                                              \
        int count = scan(source, pattern, arguments, 0);                                           \
        va_end(arguments);                                                                         \
        return count;                                                                              \
    }

SCANF_FAMILY(stream_scan, char, FILE *, from, fscanf, vfscanf)
SCANF_FAMILY(string_scan, char, const char *, from, sscanf, vsscanf)
SCANF_FAMILY(wide_stream_scan, wchar_t, FILE *, from, fwscanf, vfwscanf)
SCANF_FAMILY(wide_string_scan, wchar_t, const wchar_t *, from, swscanf, vswscanf)

// The same for standard input.
#define SCANF_INPUT(scan, character, plain, plain_list)                                            \
    int plain_list(const character *pattern, va_list arguments)                                    \
    {                                                                                              \
        return scan(stdin, pattern, arguments, SCAN_OLD);                                          \
    }                                                                                              \
    int __isoc99_##plain_list(const character *pattern, va_list arguments)                         \
    {                                                                                              \
        return scan(stdin, pattern, arguments, 0);                                                 \
    }                                                                                              \
    int plain(const character *pattern, ...)                                                       \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, pattern);                                                              \
        int count = scan(stdin, pattern, arguments, SCAN_OLD);                                     \
        va_end(arguments);                                                                         \
        return count;                                                                              \
    }                                                                                              \
    int __isoc99_##plain(const character *pattern, ...)                                            \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, pattern);                                                              \
        int count = scan(stdin, pattern, arguments, 0);                                            \
        va_end(arguments);                                                                         \
        return count;                                                                              \
    }

SCANF_INPUT(stream_scan, char, scanf, vscanf)
SCANF_INPUT(wide_stream_scan, wchar_t, wscanf, vwscanf)
