// SPDX-License-Identifier: BSD-3-Clause
// console.c: the crash-proof console, which is standard error.
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "hal-linux/syscall.h"
#include "hal/hal.h"

enum { CONSOLE_FD = 2, CONSOLE_WAITS_MAX = 20, CONSOLE_WAIT_NS = 50000000 };

// Best effort: a terminal that somebody else made non-blocking and that stays full loses text.
void hal_console_write(const char *text, size_t size)
{
    int waits = 0;
    while (size > 0 && waits < CONSOLE_WAITS_MAX) {
        long written = syscall3(SYS_write, CONSOLE_FD, (long)text, (long)size);
        if (written == -EAGAIN) {
            struct pollfd full = {.fd = CONSOLE_FD, .events = POLLOUT};
            struct timespec wait = {.tv_nsec = CONSOLE_WAIT_NS};
            syscall6(SYS_ppoll, (long)&full, 1, (long)&wait, 0, 0, 0);
            ++waits;
        } else if (written > 0) {
            text += written;
            size -= (size_t)written;
        } else if (written != -EINTR) {
            return;
        }
    }
}
