// SPDX-License-Identifier: BSD-3-Clause
// scramble.c: memfrob and strfry.
#include <stdlib.h>
#include <string.h>

#include "core/libc/export.h"

EXPORT(void *, memfrob, void *bytes, size_t size)
{
    enum { MASK = 42 };
    unsigned char *place = bytes;
    for (size_t i = 0; i < size; ++i) {
        place[i] ^= MASK;
    }
    return bytes;
}

unsigned glibc_arc4random_uniform(unsigned bound);

// Every order is as likely as any other (Fisher and Yates).
EXPORT(char *, strfry, char *text)
{
    for (size_t left = strlen(text); left > 1; --left) {
        size_t index = glibc_arc4random_uniform((unsigned)left);
        char swapped = text[index];
        text[index] = text[left - 1];
        text[left - 1] = swapped;
    }
    return text;
}
