// SPDX-License-Identifier: BSD-3-Clause
// pthread_time.c: absolute times of POSIX as deadlines of core, which count nanoseconds since boot.
//
// CLOCK_MONOTONIC is hal_clock_ns. A wall-clock time is translated once, when the wait begins: a
// clock that is stepped meanwhile does not move the deadline.
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
    if (clock == CLOCK_REALTIME && wanted != UINT64_MAX) {
        hal_ns now_wall = hal_clock_wall_ns();
        hal_ns now = hal_clock_ns();
        wanted = wanted > now_wall ? now + (wanted - now_wall) : 0;
    }
    *deadline = wanted;
    return true;
}
