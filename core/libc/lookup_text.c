// SPDX-License-Identifier: BSD-3-Clause
// lookup_text.c: the texts of errors of name lookups, and of signals on standard error, in glibc's
// words.
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/libc/export.h"

const char *glibc_sigdescr_np(int signal);

EXPORT(const char *, gai_strerror, int code)
{
    static const char *const texts[] = {
        [1] = "Bad value for ai_flags",
        [2] = "Name or service not known",
        [3] = "Temporary failure in name resolution",
        [4] = "Non-recoverable failure in name resolution",
        [5] = "No address associated with hostname",
        [6] = "ai_family not supported",
        [7] = "ai_socktype not supported",
        [8] = "Servname not supported for ai_socktype",
        [9] = "Address family for hostname not supported",
        [10] = "Memory allocation failure",
        [11] = "System error",
        [100] = "Processing request in progress",
        [101] = "Request canceled",
        [102] = "Request not canceled",
        [103] = "All requests done",
        [104] = "Interrupted by a signal",
        [105] = "Parameter string not correctly encoded",
    };
    unsigned index = -(unsigned)code;
    bool is_known = index < sizeof texts / sizeof texts[0] && texts[index] != NULL;
    return is_known ? texts[index] : "Unknown error";
}

EXPORT(const char *, hstrerror, int code)
{
    static const char *const texts[] = {
        "Resolver Error 0 (no error)",     "Unknown host",
        "Host name lookup failure",        "Unknown server error",
        "No address associated with name",
    };
    if (code < 0) {
        return "Resolver internal error";
    }
    return code < (int)(sizeof texts / sizeof texts[0]) ? texts[code] : "Unknown resolver error";
}

static void line_print(const char *before, const char *text)
{
    bool has_text = before != NULL && *before != 0;
    fprintf(stderr, "%s%s%s\n", has_text ? before : "", has_text ? ": " : "", text);
}

EXPORT(void, herror, const char *before)
{
    line_print(before, glibc_hstrerror(h_errno));
}

EXPORT(void, psignal, int signal, const char *before)
{
    char unknown[32];
    const char *text = glibc_sigdescr_np(signal);
    if (text == NULL) {
        snprintf(unknown, sizeof unknown, "Unknown signal %d", signal);
        text = unknown;
    }
    line_print(before, text);
}
