// SPDX-License-Identifier: BSD-3-Clause
// multibyte.c: characters as bytes and as wide characters: ASCII, or UTF-8 in its first form with
// up to 31 bits in six bytes, without surrogates.
//
// A state holds a character that has begun: mbstate_t's first word is the bits so far, the second
// one how many bytes are to come (low byte) and how many it has in all. Both 0: between characters.
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "core/libc/encoding.h"

struct decoder {
    uint32_t bits;
    uint8_t left, length;
};

_Static_assert(sizeof(struct decoder) <= sizeof(mbstate_t), "mbstate_t");

static size_t fail(struct decoder *state)
{
    *state = (struct decoder){0};
    errno = EILSEQ;
    return (size_t)-1;
}

// The first byte of a character of several. False: none begins so.
static bool decoder_begin(struct decoder *state, unsigned char byte)
{
    if (byte < 0xc2 || byte > 0xfd) {
        return false;
    }
    int length = __builtin_clz((uint32_t)(uint8_t)~byte << 24);
    state->length = (uint8_t)length;
    state->left = (uint8_t)(length - 1);
    state->bits = byte & (0x7fu >> length);
    return true;
}

// One more byte. False: it does not belong there, or makes a character that has a shorter form, or
// a surrogate.
static bool decoder_next(struct decoder *state, unsigned char byte)
{
    if ((byte & 0xc0) != 0x80) {
        return false;
    }
    state->bits = state->bits << 6 | (byte & 0x3f);
    --state->left;
    if (state->left == state->length - 2) {
        // with all bits that follow as nought and as one: is there a character of this length?
        unsigned after = 6u * state->left;
        uint32_t least = state->length == 2 ? 0x80 : 1u << (5 * state->length - 4);
        uint32_t first = state->bits << after;
        return first + ((1u << after) - 1) >= least && !(first >= 0xd800 && first <= 0xdfff);
    }
    return true;
}

size_t mbrtowc(wchar_t *wide, const char *text, size_t size, mbstate_t *given)
{
    static mbstate_t own;
    struct decoder *state = (struct decoder *)(given == NULL ? &own : given);
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes == NULL) {
        return state->left == 0 ? 0 : fail(state);
    }
    if (size == 0) {
        return (size_t)-2;
    }
    size_t used = 0;
    if (state->left == 0) {
        if (bytes[0] < 0x80) {
            if (wide != NULL) {
                *wide = bytes[0];
            }
            return bytes[0] != 0;
        }
        if (!libc_is_utf8() || !decoder_begin(state, bytes[used++])) {
            return fail(state);
        }
    }
    while (state->left != 0) {
        if (used == size) {
            return (size_t)-2;
        }
        if (!decoder_next(state, bytes[used++])) {
            return fail(state);
        }
    }
    if (wide != NULL) {
        *wide = (wchar_t)state->bits;
    }
    *state = (struct decoder){0};
    return used;
}

size_t wcrtomb(char *text, wchar_t wide, mbstate_t *given)
{
    uint32_t bits = (uint32_t)wide;
    if (text == NULL) {
        return 1;
    }
    if (bits < 0x80) {
        *text = (char)bits;
        return 1;
    }
    if (!libc_is_utf8() || bits > 0x7fffffff || (bits >= 0xd800 && bits <= 0xdfff)) {
        errno = EILSEQ;
        return (size_t)-1;
    }
    size_t length = bits < 0x800       ? 2
                    : bits < 0x10000   ? 3
                    : bits < 0x200000  ? 4
                    : bits < 0x4000000 ? 5
                                       : 6;
    for (size_t i = length - 1; i > 0; --i) {
        text[i] = (char)(0x80 | (bits & 0x3f));
        bits >>= 6;
    }
    text[0] = (char)((0xff00u >> length & 0xff) | bits);
    return length;
}

int mbsinit(const mbstate_t *state)
{
    return state == NULL || ((const struct decoder *)state)->left == 0;
}

size_t mbrlen(const char *text, size_t size, mbstate_t *state)
{
    static mbstate_t own;
    return mbrtowc(NULL, text, size, state == NULL ? &own : state);
}

int mbtowc(wchar_t *wide, const char *text, size_t size)
{
    if (text == NULL) {
        return 0; // no encoding here has states
    }
    if (*text == 0) {
        if (wide != NULL) {
            *wide = 0;
        }
        return 0;
    }
    mbstate_t state = {0};
    size_t used = mbrtowc(wide, text, size, &state);
    return used > (size_t)-3 ? -1 : (int)used;
}

int mblen(const char *text, size_t size)
{
    return mbtowc(NULL, text, size);
}

int wctomb(char *text, wchar_t wide)
{
    mbstate_t state = {0};
    return text == NULL ? 0 : (int)wcrtomb(text, wide, &state);
}

// At most size bytes to at most count characters. *source is where it stopped, NULL behind a nul;
// it stays when target is NULL.
size_t mbsnrtowcs(wchar_t *target, const char **source, size_t size, size_t count, mbstate_t *given)
{
    static mbstate_t own;
    mbstate_t *state = given == NULL ? &own : given;
    mbstate_t copy = *state;
    state = target == NULL ? &copy : state;
    const char *place = *source;
    size_t done = 0;
    while (target == NULL || done < count) {
        wchar_t wide;
        size_t used = mbrtowc(&wide, place, size, state);
        if (used == (size_t)-1) {
            done = (size_t)-1;
            break;
        }
        if (used == (size_t)-2) {
            place += size;
            break;
        }
        if (target != NULL) {
            target[done] = wide;
        }
        if (wide == 0) {
            place = NULL;
            break;
        }
        place += used;
        size -= used;
        ++done;
    }
    if (target != NULL) {
        *source = place;
    }
    return done;
}

size_t mbsrtowcs(wchar_t *target, const char **source, size_t count, mbstate_t *state)
{
    return mbsnrtowcs(target, source, SIZE_MAX, count, state);
}

size_t mbstowcs(wchar_t *target, const char *source, size_t count)
{
    mbstate_t state = {0};
    return mbsnrtowcs(target, &source, SIZE_MAX, count, &state);
}

// At most count characters to at most size bytes, whole characters only.
size_t wcsnrtombs(char *target, const wchar_t **source, size_t count, size_t size, mbstate_t *state)
{
    const wchar_t *place = *source;
    size_t done = 0;
    for (; count > 0; --count, ++place) {
        char bytes[MB_LEN_MAX];
        size_t length = wcrtomb(bytes, *place, state);
        if (length == (size_t)-1) {
            done = (size_t)-1;
            break;
        }
        if (target != NULL && length > size - done) {
            break;
        }
        for (size_t i = 0; target != NULL && i < length; ++i) {
            target[done + i] = bytes[i];
        }
        if (*place == 0) {
            place = NULL;
            break;
        }
        done += length;
    }
    if (target != NULL) {
        *source = place;
    }
    return done;
}

size_t wcsrtombs(char *target, const wchar_t **source, size_t size, mbstate_t *state)
{
    return wcsnrtombs(target, source, SIZE_MAX, size, state);
}

size_t wcstombs(char *target, const wchar_t *source, size_t size)
{
    mbstate_t state = {0};
    return wcsnrtombs(target, &source, SIZE_MAX, size, &state);
}

wint_t btowc(int c)
{
    return c >= 0 && c < 0x80 ? (wint_t)c : WEOF;
}

int wctob(wint_t c)
{
    return c < 0x80 ? (int)c : EOF;
}
