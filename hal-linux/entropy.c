// SPDX-License-Identifier: BSD-3-Clause
// entropy.c: unpredictable bytes.
#include <errno.h>

#include "hal-linux/syscall.h"
#include "hal/hal.h"

void hal_entropy(void *out, size_t size)
{
    char *next = out;
    while (size > 0) {
        long got = syscall3(SYS_getrandom, (long)next, (long)size, 0);
        if (got > 0) {
            next += got;
            size -= (size_t)got;
        } else if (got != -EINTR && got != -EAGAIN) {
            __builtin_trap(); // a host without getrandom; guessable bytes would be worse
        }
    }
}
