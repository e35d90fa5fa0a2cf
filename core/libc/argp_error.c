// SPDX-License-Identifier: BSD-3-Clause
// argp_error.c: how parsers say that something is wrong.
#include <stdarg.h>
#include <string.h>

#include "core/libc/argp.h"
#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/libc.h"

void glibc_argp_state_help(const struct argp_state *state, FILE *stream, unsigned flags);

EXPORT(void, argp_usage, const struct argp_state *state)
{
    glibc_argp_state_help(state, stderr, HELP_SHORT_USAGE | HELP_FOR_ERROR);
}

EXPORT(void, argp_error, const struct argp_state *state, const char *pattern, ...)
{
    FILE *stream = state == NULL ? stderr : state->errors;
    if ((state != NULL && (state->flags & ARGP_NO_ERRS) != 0) || stream == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, pattern);
    flockfile(stream);
    fprintf(stream, "%s: ", state == NULL ? *libc_progname : state->name);
    vfprintf(stream, pattern, arguments);
    putc('\n', stream);
    glibc_argp_state_help(state, stream, HELP_FOR_ERROR);
    funlockfile(stream);
    va_end(arguments);
}

EXPORT(void, argp_failure, const struct argp_state *state, int status, int error,
       const char *pattern, ...)
{
    FILE *stream = state == NULL ? stderr : state->errors;
    if ((state != NULL && (state->flags & ARGP_NO_ERRS) != 0) || stream == NULL) {
        return;
    }
    flockfile(stream);
    fputs(state == NULL ? *libc_progname : state->name, stream);
    if (pattern != NULL) {
        va_list arguments;
        va_start(arguments, pattern);
        fputs(": ", stream);
        vfprintf(stream, pattern, arguments);
        va_end(arguments);
    }
    if (error != 0) {
        fprintf(stream, ": %s", strerror(error));
    }
    putc('\n', stream);
    funlockfile(stream);
    if (status != 0 && (state == NULL || (state->flags & ARGP_NO_EXIT) == 0)) {
        libc_exit(status);
    }
}
