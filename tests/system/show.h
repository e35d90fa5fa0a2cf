// SPDX-License-Identifier: BSD-3-Clause
// show.h: prints what a call answered, in the same words on every machine: the value, or the error's name.
#ifndef TESTS_SYSTEM_SHOW_H
#define TESTS_SYSTEM_SHOW_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOW(call) show(#call, (long)(call))
// Only whether it worked: for calls whose value is a number of the machine's choosing.
#define SHOW_OK(call) show(#call, (long)(call) == -1 ? -1 : 0)

static inline long show(const char *text, long result)
{
    int error = errno;
    if (result == -1) {
        printf("%s: %s\n", text, strerrorname_np(error) == NULL ? "?" : strerrorname_np(error));
    } else {
        printf("%s: %ld\n", text, result);
    }
    errno = 0;
    return result;
}

#endif
