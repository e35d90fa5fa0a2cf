// SPDX-License-Identifier: BSD-3-Clause
// fail.c: how osv-image ends where it cannot go on.
#include "sim/image/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(int status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("osv-image: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(status);
}

void fail_errno(const char *name)
{
    fail(EXIT_FAILED, "%s: %s", name, strerror(errno));
}

void *memory_new(size_t size)
{
    return memset(memory_resize(NULL, size), 0, size);
}

void *memory_resize(void *memory, size_t size)
{
    void *result = realloc(memory, size == 0 ? 1 : size);
    if (result == NULL) {
        fail(EXIT_FAILED, "out of memory");
    }
    return result;
}

char *text_make(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0) {
        fail(EXIT_FAILED, "out of memory");
    }
    return text;
}
