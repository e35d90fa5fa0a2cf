// SPDX-License-Identifier: BSD-3-Clause
// pthread_time.c: absolute times of POSIX as deadlines of core. CLOCK_MONOTONIC is hal_clock_ns.
#include <time.h>

#include "core/libc/pthread.h"

enum { SECOND_NS = 1000000000 };

bool libc_deadline_get(int clock, const struct timespec *time, hal_ns *deadline)
{
    if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || time->tv_nsec < 0 ||
        time->tv_nsec >= SECOND_NS) {
        return false;
    }
    hal_ns wanted;
    if (time->tv_sec < 0) {
        wanted = 0;
    } else if (__builtin_mul_overflow((hal_ns)time->tv_sec, SECOND_NS, &wanted) ||
               __builtin_add_overflow(wanted, (hal_ns)time->tv_nsec, &wanted)) {
        wanted = UINT64_MAX;
    }
    if (wanted >= THREAD_WALL) {
        *deadline = UINT64_MAX;
    } else {
        *deadline = clock == CLOCK_REALTIME ? wanted | THREAD_WALL : wanted;
    }
    return true;
}
