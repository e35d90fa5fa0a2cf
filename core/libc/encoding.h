// SPDX-License-Identifier: BSD-3-Clause
// encoding.h: what the locale means for characters.
#ifndef CORE_LIBC_ENCODING_H
#define CORE_LIBC_ENCODING_H

#include <locale.h>
#include <stdbool.h>

// Whether the calling thread's characters are UTF-8; else they are ASCII, and nothing else.
bool libc_is_utf8(void);
bool libc_locale_is_utf8(locale_t locale);

// Reads the classes of characters beyond ASCII, once, before the first locale that has some.
void libc_classes_load(void);

#endif
