// SPDX-License-Identifier: BSD-3-Clause
// musl_strings.c: string functions that are quick because those of core/lib are; under musl's inner
// names too.
#include <features.h>
#include <stdlib.h>
#include <string.h>

char *strchrnul(const char *text, int c);

char *__stpcpy(char *restrict target, const char *restrict source)
{
    size_t length = strlen(source);
    memcpy(target, source, length + 1);
    return target + length;
}
weak_alias(__stpcpy, stpcpy);

char *strcpy(char *restrict target, const char *restrict source)
{
    return memcpy(target, source, strlen(source) + 1);
}

char *strcat(char *restrict target, const char *restrict source)
{
    strcpy(target + strlen(target), source);
    return target;
}

char *strncat(char *restrict target, const char *restrict source, size_t size)
{
    size_t length = strnlen(source, size);
    char *end = target + strlen(target);
    memcpy(end, source, length);
    end[length] = 0;
    return target;
}

char *__stpncpy(char *restrict target, const char *restrict source, size_t size)
{
    size_t length = strnlen(source, size);
    memcpy(target, source, length);
    memset(target + length, 0, size - length);
    return target + length;
}
weak_alias(__stpncpy, stpncpy);

char *strncpy(char *restrict target, const char *restrict source, size_t size)
{
    __stpncpy(target, source, size);
    return target;
}

char *__strchrnul(const char *text, int c)
{
    return strchrnul(text, c);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}
