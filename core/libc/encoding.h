// SPDX-License-Identifier: BSD-3-Clause
// encoding.h: what the locale means for characters.
#ifndef CORE_LIBC_ENCODING_H
#define CORE_LIBC_ENCODING_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether the calling thread's characters are UTF-8; else they are ASCII, and nothing else.
bool libc_is_utf8(void);
bool libc_locale_is_utf8(locale_t locale);

// Reads the classes of characters beyond ASCII, once, before the first locale that has some.
void libc_classes_load(void);

// What may stand in the place of characters that a charset does not have: count texts of the
// table from, ascending, which begin at from_index; what may stand for each in the table to, from
// to_index on. A text ends with 0, a row of them with one more.
struct libc_replacements {
    size_t count;
    const uint32_t *from_index, *from, *to_index, *to;
};

// Those of the calling thread's locale. False: it is C, or its file has none.
bool libc_replacements_get(struct libc_replacements *replacements);

#endif
