// SPDX-License-Identifier: BSD-3-Clause
// abort.c: the ends that are failures, with glibc's texts.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/message.h"

void libc_fatal(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
    abort();
}

EXPORT(HAL_NORETURN void, __assert_fail, const char *expression, const char *file, unsigned line,
       const char *function)
{
    fprintf(stderr, "%s%s%s:%u: %s%sAssertion `%s' failed.\n", *libc_progname,
            **libc_progname == 0 ? "" : ": ", file, line, function == NULL ? "" : function,
            function == NULL ? "" : ": ", expression);
    fflush(stderr);
    abort();
}

EXPORT(HAL_NORETURN void, __assert_perror_fail, int error, const char *file, unsigned line,
       const char *function)
{
    fprintf(stderr, "%s%s%s:%u: %s%sUnexpected error: %s.\n", *libc_progname,
            **libc_progname == 0 ? "" : ": ", file, line, function == NULL ? "" : function,
            function == NULL ? "" : ": ", strerror(error));
    abort();
}

EXPORT(HAL_NORETURN void, __assert, const char *expression, const char *file, int line)
{
    glibc___assert_fail(expression, file, (unsigned)line, NULL);
}
