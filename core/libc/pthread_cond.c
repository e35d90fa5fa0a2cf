// SPDX-License-Identifier: BSD-3-Clause
// pthread_cond.c: POSIX's condition variables over core/sync/condvar. The clock that timed waits go
// by is in the word that core/sync leaves to us.
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/lib/mark.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"

static uint32_t *cond_clock(struct condvar *condvar)
{
    struct mutex *guard = (struct mutex *)condvar; // its first member
    return &guard->kind;
}

// attribute: bit 0 shared, bits above it the clock, as glibc's pthread_condattr_t.
EXPORT(int, pthread_cond_init, struct condvar *condvar, const int *attribute)
{
    memset(condvar, 0, sizeof *condvar);
    if (attribute != NULL) {
        *cond_clock(condvar) = (uint32_t)*attribute >> 1;
    }
    MARK_MADE(condvar, sizeof *condvar);
    return 0;
}

EXPORT(int, pthread_cond_destroy, struct condvar *condvar)
{
    return 0;
}

EXPORT(int, pthread_cond_signal, struct condvar *condvar)
{
    condvar_wake_one(condvar);
    return 0;
}

EXPORT(int, pthread_cond_broadcast, struct condvar *condvar)
{
    condvar_wake_all(condvar);
    return 0;
}

// The mutex is about to be given up for the time of a wait; and is had again.
static int wait_begin(struct mutex *mutex)
{
    if (!mutex_is_mine(mutex)) {
        return EPERM;
    }
    if ((mutex->kind & LIBC_MUTEX_ROBUST) != 0) {
        libc_robust_drop(mutex);
    }
    return 0;
}

static int wait_end(struct mutex *mutex)
{
    return (mutex->kind & LIBC_MUTEX_ROBUST) != 0 ? libc_robust_take(mutex) : 0;
}

EXPORT(int, pthread_cond_wait, struct condvar *condvar, struct mutex *mutex)
{
    libc_cancel_test();
    int error = wait_begin(mutex);
    if (error != 0) {
        return error;
    }
    thread_serve_begin();
    condvar_wait(condvar, mutex);
    (void)thread_serve_end();
    return wait_end(mutex);
}

EXPORT(int, pthread_cond_clockwait, struct condvar *condvar, struct mutex *mutex, int clock,
       const struct timespec *time)
{
    libc_cancel_test();
    hal_ns deadline;
    if (!libc_deadline_get(clock, time, &deadline)) {
        return EINVAL;
    }
    int error = wait_begin(mutex);
    if (error != 0) {
        return error;
    }
    thread_serve_begin();
    bool is_woken = condvar_wait_until(condvar, mutex, deadline);
    (void)thread_serve_end();
    error = wait_end(mutex);
    return error != 0 ? error : is_woken ? 0 : ETIMEDOUT;
}

EXPORT(int, pthread_cond_timedwait, struct condvar *condvar, struct mutex *mutex,
       const struct timespec *time)
{
    return glibc_pthread_cond_clockwait(condvar, mutex, (int)*cond_clock(condvar), time);
}

EXPORT(int, pthread_condattr_init, int *attribute)
{
    *attribute = 0;
    return 0;
}

EXPORT(int, pthread_condattr_destroy, int *attribute)
{
    return 0;
}

EXPORT(int, pthread_condattr_setclock, int *attribute, int clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        return EINVAL;
    }
    *attribute = (*attribute & 1) | clock << 1;
    return 0;
}

EXPORT(int, pthread_condattr_getclock, const int *attribute, int *clock)
{
    *clock = *attribute >> 1;
    return 0;
}

EXPORT(int, pthread_condattr_setpshared, int *attribute, int shared)
{
    if (shared != 0 && shared != 1) {
        return EINVAL;
    }
    *attribute = (*attribute & ~1) | shared;
    return 0;
}

EXPORT(int, pthread_condattr_getpshared, const int *attribute, int *shared)
{
    *shared = *attribute & 1;
    return 0;
}
