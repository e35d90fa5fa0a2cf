// SPDX-License-Identifier: BSD-3-Clause
// pthread_rwlock.c: POSIX's read-write locks over core/sync/rwlock.
//
// As in glibc readers come first unless the lock's kind is the one that prefers writers: they pass
// writers that wait, so that a thread may take a read lock again.
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/lib/mark.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"

enum { PREFER_WRITER_NONRECURSIVE = 2 };

static bool read_try(struct rwlock *lock)
{
    return rwlock_read_try_lock(lock) ||
           (lock->kind != PREFER_WRITER_NONRECURSIVE && rwlock_read_join(lock));
}

EXPORT(int, pthread_rwlock_init, struct rwlock *lock, const int *attribute)
{
    memset(lock, 0, sizeof *lock);
    if (attribute != NULL) {
        lock->kind = (uint32_t)attribute[0];
    }
    MARK_MADE(lock, sizeof *lock);
    return 0;
}

EXPORT(int, pthread_rwlock_destroy, struct rwlock *lock)
{
    return 0;
}

// Answers 0, so that it is a caller's last call.
__attribute__((noinline)) static int read_slowly(struct rwlock *lock)
{
    thread_serve_begin();
    rwlock_read_lock(lock);
    (void)thread_serve_end();
    return 0;
}

EXPORT(int, pthread_rwlock_rdlock, struct rwlock *lock)
{
    if (rwlock_is_write_locked_by_me(lock)) {
        return EDEADLK;
    }
    return read_try(lock) ? 0 : read_slowly(lock);
}

EXPORT(int, pthread_rwlock_tryrdlock, struct rwlock *lock)
{
    return read_try(lock) ? 0 : EBUSY;
}

// Of a lock that was not free.
static int lock_until(struct rwlock *lock, int clock, const struct timespec *time,
                      bool (*take)(struct rwlock *lock, hal_ns deadline))
{
    hal_ns deadline;
    if (!libc_deadline_get(clock, time, &deadline)) {
        return EINVAL;
    }
    if (rwlock_is_write_locked_by_me(lock)) {
        return EDEADLK;
    }
    thread_serve_begin();
    bool is_locked = take(lock, deadline);
    (void)thread_serve_end();
    return is_locked ? 0 : ETIMEDOUT;
}

EXPORT(int, pthread_rwlock_clockrdlock, struct rwlock *lock, int clock, const struct timespec *time)
{
    return read_try(lock) ? 0 : lock_until(lock, clock, time, rwlock_read_lock_until);
}

EXPORT(int, pthread_rwlock_timedrdlock, struct rwlock *lock, const struct timespec *time)
{
    return glibc_pthread_rwlock_clockrdlock(lock, CLOCK_REALTIME, time);
}

EXPORT(int, pthread_rwlock_wrlock, struct rwlock *lock)
{
    if (rwlock_is_write_locked_by_me(lock)) {
        return EDEADLK;
    }
    thread_serve_begin();
    rwlock_write_lock(lock);
    (void)thread_serve_end();
    return 0;
}

EXPORT(int, pthread_rwlock_trywrlock, struct rwlock *lock)
{
    return rwlock_write_try_lock(lock) ? 0 : EBUSY;
}

EXPORT(int, pthread_rwlock_clockwrlock, struct rwlock *lock, int clock, const struct timespec *time)
{
    return rwlock_write_try_lock(lock) ? 0 : lock_until(lock, clock, time, rwlock_write_lock_until);
}

EXPORT(int, pthread_rwlock_timedwrlock, struct rwlock *lock, const struct timespec *time)
{
    return glibc_pthread_rwlock_clockwrlock(lock, CLOCK_REALTIME, time);
}

EXPORT(int, pthread_rwlock_unlock, struct rwlock *lock)
{
    if (rwlock_is_write_locked_by_me(lock)) {
        rwlock_write_unlock(lock);
    } else {
        rwlock_read_unlock(lock);
    }
    return 0;
}

// int 0: the kind, int 1: shared, as glibc's pthread_rwlockattr_t.
EXPORT(int, pthread_rwlockattr_init, int *attribute)
{
    attribute[0] = attribute[1] = 0;
    return 0;
}

EXPORT(int, pthread_rwlockattr_destroy, int *attribute)
{
    return 0;
}

EXPORT(int, pthread_rwlockattr_setpshared, int *attribute, int shared)
{
    if (shared != 0 && shared != 1) {
        return EINVAL;
    }
    attribute[1] = shared;
    return 0;
}

EXPORT(int, pthread_rwlockattr_getpshared, const int *attribute, int *shared)
{
    *shared = attribute[1];
    return 0;
}

EXPORT(int, pthread_rwlockattr_setkind_np, int *attribute, int kind)
{
    if (kind < 0 || kind > 2) {
        return EINVAL;
    }
    attribute[0] = kind;
    return 0;
}

EXPORT(int, pthread_rwlockattr_getkind_np, const int *attribute, int *kind)
{
    *kind = attribute[0];
    return 0;
}
