// SPDX-License-Identifier: BSD-3-Clause
// failure.c: one line that says what is wrong, and the end.
#include "sim/run/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One line, whatever others' words are in it, and one write: others write to standard error, too.
static void line_print(const char *format, va_list list)
{
    char line[2048] = "osv-run: ";
    const size_t start = strlen(line);
    (void)vsnprintf(line + start, sizeof line - 1 - start, format, list);
    size_t end = strlen(line);
    while (line[end - 1] == '\n') {
        --end;
    }
    for (size_t i = start; i < end; ++i) {
        line[i] = line[i] == '\n' ? ' ' : line[i];
    }
    line[end] = '\n';
    line[end + 1] = 0;
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
