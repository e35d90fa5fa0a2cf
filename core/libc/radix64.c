// SPDX-License-Identifier: BSD-3-Clause
// radix64.c: l64a: 32 bits as up to six digits of radix 64, the least significant first.
#include <stdint.h>

#include "core/libc/export.h"

EXPORT(char *, l64a, long value)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static char text[7];
    uint32_t left = (uint32_t)value;
    if (left == 0) {
        return ""; // the text of the call before stays
    }
    int length = 0;
    for (; left != 0; left >>= 6) {
        text[length++] = digits[left & 63];
    }
    text[length] = 0;
    return text;
}
