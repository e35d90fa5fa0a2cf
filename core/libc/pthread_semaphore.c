// SPDX-License-Identifier: BSD-3-Clause
// pthread_semaphore.c: POSIX's unnamed semaphores over core/sync/semaphore.
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "core/lib/mark.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/sync/semaphore.h"

static int fail(int error)
{
    errno = error;
    return -1;
}

EXPORT(int, sem_init, struct semaphore *semaphore, int shared, unsigned value)
{
    if (value > INT_MAX) {
        return fail(EINVAL);
    }
    semaphore_init(semaphore, value);
    MARK_MADE(semaphore, sizeof *semaphore);
    return 0;
}

EXPORT(int, sem_destroy, struct semaphore *semaphore)
{
    return 0;
}

// A signal whose handler does not ask for restarts ends the wait; one that has a deadline, any that
// has a handler.
static int wait_until(struct semaphore *semaphore, hal_ns deadline)
{
    if (deadline == UINT64_MAX) {
        thread_serve_begin();
    } else {
        thread_serve_begin_once();
    }
    bool is_taken = semaphore_wait_until(semaphore, deadline);
    bool was_interrupted = thread_serve_end();
    if (!is_taken) {
        libc_cancel_test();
    }
    return is_taken ? 0 : fail(was_interrupted ? EINTR : ETIMEDOUT);
}

EXPORT(int, sem_wait, struct semaphore *semaphore)
{
    libc_cancel_test();
    return semaphore_try_wait(semaphore) ? 0 : wait_until(semaphore, UINT64_MAX);
}

EXPORT(int, sem_trywait, struct semaphore *semaphore)
{
    return semaphore_try_wait(semaphore) ? 0 : fail(EAGAIN);
}

EXPORT(int, sem_clockwait, struct semaphore *semaphore, int clock, const struct timespec *time)
{
    libc_cancel_test();
    if (semaphore_try_wait(semaphore)) {
        return 0;
    }
    hal_ns deadline;
    if (!libc_deadline_get(clock, time, &deadline)) {
        return fail(EINVAL);
    }
    return wait_until(semaphore, deadline);
}

EXPORT(int, sem_timedwait, struct semaphore *semaphore, const struct timespec *time)
{
    return glibc_sem_clockwait(semaphore, CLOCK_REALTIME, time);
}

EXPORT(int, sem_post, struct semaphore *semaphore)
{
    return semaphore_post(semaphore) == 0 ? 0 : fail(EOVERFLOW);
}

EXPORT(int, sem_getvalue, struct semaphore *semaphore, int *value)
{
    *value = (int)semaphore_value(semaphore);
    return 0;
}
