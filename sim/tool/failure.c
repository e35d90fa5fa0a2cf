// SPDX-License-Identifier: BSD-3-Clause
// failure.c: how a tool of the host's ends where it cannot go on.
#include "sim/tool/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 8192 }; // a path or two, and what is said of them

// By one write: others write to standard error, too.
static void line_print(const char *format, va_list list)
{
    char line[LINE_SIZE];
    const size_t start = (size_t)snprintf(line, sizeof line, "%s: ", tool_name);
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

void fail_errno(const char *name)
{
    fail(tool_failed, "%s: %s", name, strerror(errno));
}

void *memory_new(size_t size)
{
    return memset(memory_resize(NULL, size), 0, size);
}

void *memory_resize(void *memory, size_t size)
{
    void *result = realloc(memory, size == 0 ? 1 : size);
    if (result == NULL) {
        fail(tool_failed, "out of memory");
    }
    return result;
}

char *text_make(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    const int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0) {
        fail(tool_failed, "out of memory");
    }
    return text;
}
