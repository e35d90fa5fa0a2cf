// SPDX-License-Identifier: BSD-3-Clause
// error.c: GNU's error(): a message, the text of an error number, and perhaps the end.
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/copied.h"
#include "core/libc/export.h"

unsigned glibc_error_message_count;
int glibc_error_one_per_line;
void (*glibc_error_print_progname)(void);

unsigned *libc_error_count = &glibc_error_message_count;
int *libc_error_once = &glibc_error_one_per_line;
void (**libc_error_program)(void) = &glibc_error_print_progname;

static void message_end(int status, int error, const char *pattern, va_list arguments)
{
    vfprintf(stderr, pattern, arguments);
    ++*libc_error_count;
    if (error != 0) {
        fprintf(stderr, ": %s", strerror(error));
    }
    putc('\n', stderr);
    fflush(stderr);
    if (status != 0) {
        exit(status);
    }
}

static bool program_print(void)
{
    fflush(stdout);
    if (*libc_error_program != NULL) {
        (*libc_error_program)();
        return false;
    }
    fputs(*libc_progname_full, stderr);
    return true;
}

EXPORT(void, error, int status, int error, const char *pattern, ...)
{
    if (program_print()) {
        fputs(": ", stderr);
    }
    va_list arguments;
    va_start(arguments, pattern);
    message_end(status, error, pattern, arguments);
    va_end(arguments);
}

EXPORT(void, error_at_line, int status, int error, const char *file, unsigned line,
       const char *pattern, ...)
{
    static const char *last_file;
    static unsigned last_line;
    if (*libc_error_once != 0) {
        bool is_same_file = last_file == file ||
                            (file != NULL && last_file != NULL && strcmp(file, last_file) == 0);
        if (is_same_file && last_line == line) {
            return;
        }
        last_file = file;
        last_line = line;
    }
    if (program_print()) {
        putc(':', stderr);
    }
    if (file != NULL) {
        fprintf(stderr, "%s:%u: ", file, line);
    } else {
        putc(' ', stderr);
    }
    va_list arguments;
    va_start(arguments, pattern);
    message_end(status, error, pattern, arguments);
    va_end(arguments);
}
