// SPDX-License-Identifier: BSD-3-Clause
// case_compare.c: comparison of texts without the case of ASCII's letters: no locale here has
// others that are one byte long.
#include <stddef.h>
#include <string.h>
#include <strings.h>

static unsigned lower(unsigned char c)
{
    return (unsigned)c - 'A' < 26 ? c | 0x20u : c;
}

int strncasecmp(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        unsigned char c = (unsigned char)a[i];
        unsigned char d = (unsigned char)b[i];
        if (c != d && lower(c) != lower(d)) {
            return (int)lower(c) - (int)lower(d);
        }
        if (c == 0) {
            break;
        }
    }
    return 0;
}

int strcasecmp(const char *a, const char *b)
{
    return strncasecmp(a, b, (size_t)-1);
}

int strcasecmp_l(const char *a, const char *b, locale_t locale)
{
    return strcasecmp(a, b);
}

int strncasecmp_l(const char *a, const char *b, size_t size, locale_t locale)
{
    return strncasecmp(a, b, size);
}
