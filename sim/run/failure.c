// SPDX-License-Identifier: BSD-3-Clause
// failure.c: one line that says what is wrong, and the end.
#include "sim/run/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// One write per line: others write to standard error, too.
static void line_print(const char *format, va_list list)
{
    char line[2048];
    int size = snprintf(line, sizeof line - 1, "osv-run: ");
    int more = vsnprintf(line + size, sizeof line - 1 - (size_t)size, format, list);
    size = size + more < (int)sizeof line - 2 ? size + more : (int)sizeof line - 2;
    line[size] = '\n';
    line[size + 1] = 0;
    fputs(line, stderr);
}

void note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    line_print(format, list);
    va_end(list);
}

void fail(int status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    line_print(format, list);
    va_end(list);
    exit(status);
}

char *text_make(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0) {
        fail(STATUS_CANNOT, "out of memory");
    }
    va_end(list);
    return text;
}

void *zeroed(unsigned long count, unsigned long size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fail(STATUS_CANNOT, "out of memory");
    }
    return memory;
}
