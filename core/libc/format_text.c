// SPDX-License-Identifier: BSD-3-Clause
// format_text.c: printf's s and c, between bytes and wide characters.
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <wchar.h>

#include "core/libc/format.h"

// Pads `columns` characters to the width around what `put` would write: the part before it, and
// after it.
static void pad_before(struct format_sink *sink, const struct format_spec *spec, int64_t columns)
{
    if ((spec->flags & FORMAT_LEFT) == 0) {
        format_fill(sink, ' ', spec->width - columns);
    }
}

static void pad_after(struct format_sink *sink, const struct format_spec *spec, int64_t columns)
{
    if ((spec->flags & FORMAT_LEFT) != 0) {
        format_fill(sink, ' ', spec->width - columns);
    }
}

// Bytes of a multibyte text in a wide pattern: precision counts characters.
static void text_widen(struct format_sink *sink, const struct format_spec *spec, const char *text,
                       size_t limit)
{
    mbstate_t state = {0};
    const char *place = text;
    size_t count = 0;
    wchar_t wide;
    while (count < limit) {
        size_t used = mbrtowc(&wide, place, MB_LEN_MAX, &state);
        if (used == (size_t)-1 || used == (size_t)-2) {
            format_fail(sink, EILSEQ);
            return;
        }
        if (used == 0) {
            break;
        }
        place += used;
        ++count;
    }
    pad_before(sink, spec, (int64_t)count);
    memset(&state, 0, sizeof state);
    for (size_t i = 0; i < count; ++i) {
        text += mbrtowc(&wide, text, MB_LEN_MAX, &state);
        format_wides(sink, &wide, 1);
    }
    pad_after(sink, spec, (int64_t)count);
}

// Wide text in a narrow pattern: precision counts bytes, and no character is cut.
static void text_narrow(struct format_sink *sink, const struct format_spec *spec,
                        const wchar_t *text, size_t limit)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state = {0};
    size_t count = 0;
    size_t size = 0;
    for (; size < limit && text[count] != 0; ++count) {
        size_t length = wcrtomb(bytes, text[count], &state);
        if (length == (size_t)-1) {
            sink->failed = true;
            return;
        }
        if (size + length > limit) {
            break;
        }
        size += length;
    }
    pad_before(sink, spec, (int64_t)size);
    memset(&state, 0, sizeof state);
    for (size_t i = 0; i < count; ++i) {
        format_bytes(sink, bytes, wcrtomb(bytes, text[i], &state));
    }
    pad_after(sink, spec, (int64_t)size);
}

void format_text(struct format_sink *sink, const struct format_spec *spec, const void *text)
{
    enum { NULL_SIZE = 6 };
    bool is_wide = spec->letter == 'S' || spec->length >= LENGTH_LONG;
    size_t limit = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;
    if (text == NULL) {
        text = limit < NULL_SIZE ? "" : "(null)";
        is_wide = false;
    }
    if (is_wide && sink->is_wide) {
        size_t length = wcsnlen(text, limit);
        pad_before(sink, spec, (int64_t)length);
        format_wides(sink, text, length);
        pad_after(sink, spec, (int64_t)length);
    } else if (is_wide) {
        text_narrow(sink, spec, text, limit);
    } else if (sink->is_wide) {
        text_widen(sink, spec, text, limit);
    } else {
        size_t length = limit == SIZE_MAX ? strlen(text) : strnlen(text, limit);
        pad_before(sink, spec, (int64_t)length);
        format_bytes(sink, text, length);
        pad_after(sink, spec, (int64_t)length);
    }
}

void format_character(struct format_sink *sink, const struct format_spec *spec, int c)
{
    bool is_wide = spec->letter == 'C' || spec->length >= LENGTH_LONG;
    if (sink->is_wide) {
        wint_t wide = is_wide ? (wint_t)c : btowc((unsigned char)c);
        if (wide == WEOF && !is_wide) {
            sink->failed = true;
            return;
        }
        pad_before(sink, spec, 1);
        format_wides(sink, &(wchar_t){(wchar_t)wide}, 1);
        pad_after(sink, spec, 1);
        return;
    }
    char bytes[MB_LEN_MAX] = {(char)c};
    size_t length = 1;
    if (is_wide) {
        mbstate_t state = {0};
        length = wcrtomb(bytes, (wchar_t)c, &state);
        if (length == (size_t)-1) {
            sink->failed = true;
            return;
        }
    }
    pad_before(sink, spec, (int64_t)length);
    format_bytes(sink, bytes, length);
    pad_after(sink, spec, (int64_t)length);
}
