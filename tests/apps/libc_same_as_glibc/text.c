// SPDX-License-Identifier: BSD-3-Clause
// text.c: what errors and signals are called.
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "same.h"

void text_section(void)
{
    char text[128];
    for (int i = -2; i < 140; ++i) {
        TEXT(strerror(i));
        TEXT(strerrorname_np(i));
        TEXT(strerrordesc_np(i));
        TEXT(strerror_r(i, text, sizeof text));
    }
    TEXT(strerror_r(9999, text, 6));
    TEXT(strerror_r(2, text, 3));
    for (int i = -1; i < 70; ++i) {
        if (i == 32 || i == 33) {
            continue; // glibc's own
        }
        TEXT(strsignal(i));
        TEXT(sigdescr_np(i));
        TEXT(sigabbrev_np(i));
    }
    for (int i = -110; i < 5; ++i) {
        TEXT(gai_strerror(i));
    }
    for (int i = -3; i < 7; ++i) {
        TEXT(hstrerror(i));
    }
    fflush(stdout);
    static const char *const before[] = {"perror", "", NULL};
    for (int i = 0; i < 3; ++i) {
        errno = ENOENT;
        perror(before[i]);
    }
    errno = 9999;
    perror("x");
    psignal(SIGINT, "psignal");
    psignal(SIGINT, "");
    psignal(SIGINT, NULL);
    psignal(99, "x");
    psignal(40, "x");
    h_errno = HOST_NOT_FOUND;
    herror("herror");
}
