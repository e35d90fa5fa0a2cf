// SPDX-License-Identifier: BSD-3-Clause
// pthread_mutex.c: POSIX's kinds of mutex over core/sync/mutex, whose layout is glibc's.
//
// mutex->kind holds what glibc's static initialisers put there: the type in the low two bits.
// Process-shared is plain here: there is one process. Robust ones are in pthread_robust.c. Whoever
// waits is served by priority (core/sync/ranked.h). Priority protocols change who may unlock and
// what getters answer, and no more: the owner runs with its own priority.
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/lib/mark.h"
#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"

enum {
    ATTRIBUTE_ROBUST = 0x40000000,
    ATTRIBUTE_SHARED = (int)0x80000000,
    ATTRIBUTE_PROTOCOL_SHIFT = 28,
    ATTRIBUTE_CEILING_SHIFT = 12,
    PROTOCOL_INHERIT = 1,
    PROTOCOL_PROTECT = 2,
    CEILING_MIN = 1,
    CEILING_MAX = 99,
};

int glibc_pthread_mutexattr_getprioceiling(const int *attribute, int *ceiling);

EXPORT(int, pthread_mutex_init, struct mutex *mutex, const int *attribute)
{
    memset(mutex, 0, sizeof *mutex);
    if (attribute != NULL) {
        mutex->kind = (uint32_t)*attribute & LIBC_MUTEX_TYPE;
        if ((*attribute & ATTRIBUTE_ROBUST) != 0) {
            mutex->kind |= LIBC_MUTEX_ROBUST;
        }
        int protocol = *attribute >> ATTRIBUTE_PROTOCOL_SHIFT & 3, ceiling;
        glibc_pthread_mutexattr_getprioceiling(attribute, &ceiling);
        if (protocol == PROTOCOL_INHERIT) {
            mutex->kind |= LIBC_MUTEX_INHERIT;
        } else if (protocol == PROTOCOL_PROTECT) {
            mutex->kind |= LIBC_MUTEX_PROTECT | (uint32_t)ceiling << LIBC_MUTEX_CEILING_SHIFT;
        }
    }
    MARK_MADE(mutex, sizeof *mutex);
    return 0;
}

EXPORT(int, pthread_mutex_destroy, struct mutex *mutex)
{
    if ((mutex->kind & LIBC_MUTEX_ROBUST) != 0) {
        if (mutex_is_mine(mutex)) {
            libc_robust_drop(mutex);
        }
        return 0;
    }
    return atomic_load(&mutex->claims) != 0 ? EBUSY : 0;
}

// The flag is the program's own word. It is cleared before the second thread starts, which orders
// it for that one; those that are there already find it cleared.
static inline bool is_alone(void)
{
    return __atomic_load_n(libc_single_threaded, __ATOMIC_RELAXED) != 0;
}

// While the process has one thread, nobody can come between a load and a store of it: a lock that
// is free needs no atomic instruction. The states are those of core/sync/mutex.h, for whoever comes
// later.
static inline bool lock_alone(struct mutex *mutex)
{
    if (!is_alone() || atomic_load_explicit(&mutex->claims, memory_order_relaxed) != 0) {
        return false;
    }
    atomic_store_explicit(&mutex->claims, 1, memory_order_relaxed);
    atomic_store_explicit(&mutex->owner, thread_self(), memory_order_relaxed);
    return true;
}

static inline bool unlock_alone(struct mutex *mutex)
{
    if (!is_alone() || atomic_load_explicit(&mutex->claims, memory_order_relaxed) != 1) {
        return false;
    }
    atomic_store_explicit(&mutex->owner, NULL, memory_order_relaxed);
    atomic_store_explicit(&mutex->claims, 0, memory_order_relaxed);
    return true;
}

// A normal mutex that is locked twice by its owner stays locked: so says POSIX. Answers 0, so that
// it is a caller's last call.
__attribute__((noinline)) static int lock_contended(struct mutex *mutex)
{
    thread_serve_begin();
    while (mutex_is_mine(mutex)) {
        thread_serve();
        thread_park_until(UINT64_MAX);
    }
    mutex_lock_contended(mutex);
    (void)thread_serve_end();
    return 0;
}

// A function of its own, as what is unusual is: the callers need no frame.
__attribute__((noinline)) static void lock_normal(struct mutex *mutex)
{
    if (!mutex_try_lock(mutex)) {
        (void)lock_contended(mutex);
    }
}

// glibc lets any thread unlock a normal mutex, and a free one too.
static inline void unlock_normal(struct mutex *mutex)
{
    if (mutex_is_mine(mutex) || atomic_load(&mutex->claims) != 0) {
        mutex_release(mutex);
    }
}

// Whether the caller's unlocking of a mutex that it does not hold is an error.
static bool unlock_is_checked(uint32_t kind)
{
    uint32_t type = kind & LIBC_MUTEX_TYPE;
    return type == LIBC_MUTEX_RECURSIVE || type == LIBC_MUTEX_ERRORCHECK ||
           (kind & (LIBC_MUTEX_ROBUST | LIBC_MUTEX_INHERIT)) != 0;
}

__attribute__((noinline)) static int lock_unusual(struct mutex *mutex)
{
    uint32_t type = mutex->kind & LIBC_MUTEX_TYPE;
    bool is_robust = (mutex->kind & LIBC_MUTEX_ROBUST) != 0;
    if (type == LIBC_MUTEX_RECURSIVE && mutex_is_mine(mutex)) {
        mutex_lock_recursive(mutex);
        return 0;
    }
    if (type == LIBC_MUTEX_ERRORCHECK && mutex_is_mine(mutex)) {
        return EDEADLK;
    }
    int error = is_robust ? libc_robust_prepare() : 0;
    if (error != 0) {
        return error;
    }
    lock_normal(mutex);
    return is_robust ? libc_robust_take(mutex) : 0;
}

EXPORT(int, pthread_mutex_lock, struct mutex *mutex)
{
    if (__builtin_expect(mutex->kind != LIBC_MUTEX_NORMAL, 0)) {
        return lock_unusual(mutex);
    }
    if (!lock_alone(mutex)) {
        lock_normal(mutex);
    }
    return 0;
}

EXPORT(int, pthread_mutex_trylock, struct mutex *mutex)
{
    bool is_robust = (mutex->kind & LIBC_MUTEX_ROBUST) != 0;
    if ((mutex->kind & LIBC_MUTEX_TYPE) == LIBC_MUTEX_RECURSIVE && mutex_is_mine(mutex)) {
        mutex_lock_recursive(mutex);
        return 0;
    }
    int error = is_robust ? libc_robust_prepare() : 0;
    if (error != 0) {
        return error;
    }
    if (!mutex_try_lock(mutex)) {
        return EBUSY;
    }
    return is_robust ? libc_robust_take(mutex) : 0;
}

__attribute__((noinline)) static int unlock_unusual(struct mutex *mutex)
{
    uint32_t kind = mutex->kind;
    if (unlock_is_checked(kind) && !mutex_is_mine(mutex)) {
        return EPERM;
    }
    if ((kind & LIBC_MUTEX_ROBUST) != 0 && mutex->depth == 0) {
        libc_robust_drop(mutex);
    }
    if ((kind & LIBC_MUTEX_TYPE) == LIBC_MUTEX_RECURSIVE) {
        mutex_unlock_recursive(mutex);
    } else {
        unlock_normal(mutex);
    }
    return 0;
}

EXPORT(int, pthread_mutex_unlock, struct mutex *mutex)
{
    if (__builtin_expect(mutex->kind != LIBC_MUTEX_NORMAL, 0)) {
        return unlock_unusual(mutex);
    }
    if (!unlock_alone(mutex)) {
        unlock_normal(mutex);
    }
    return 0;
}

EXPORT(int, pthread_mutex_clocklock, struct mutex *mutex, int clock, const struct timespec *time)
{
    int error = glibc_pthread_mutex_trylock(mutex);
    if (error != EBUSY) {
        return error;
    }
    if ((mutex->kind & LIBC_MUTEX_TYPE) == LIBC_MUTEX_ERRORCHECK && mutex_is_mine(mutex)) {
        return EDEADLK;
    }
    hal_ns deadline;
    if (!libc_deadline_get(clock, time, &deadline)) {
        return EINVAL;
    }
    if (mutex_is_mine(mutex)) { // nobody will unlock it
        thread_sleep_until(deadline);
        return ETIMEDOUT;
    }
    thread_serve_begin();
    bool is_locked = mutex_lock_until(mutex, deadline);
    (void)thread_serve_end();
    if (!is_locked) {
        return ETIMEDOUT;
    }
    return (mutex->kind & LIBC_MUTEX_ROBUST) != 0 ? libc_robust_take(mutex) : 0;
}

EXPORT(int, pthread_mutex_timedlock, struct mutex *mutex, const struct timespec *time)
{
    return glibc_pthread_mutex_clocklock(mutex, CLOCK_REALTIME, time);
}

EXPORT(int, pthread_mutex_getprioceiling, const struct mutex *mutex, int *ceiling)
{
    if ((mutex->kind & LIBC_MUTEX_PROTECT) == 0) {
        return EINVAL;
    }
    *ceiling = (int)((mutex->kind & LIBC_MUTEX_CEILING) >> LIBC_MUTEX_CEILING_SHIFT);
    return 0;
}

EXPORT(int, pthread_mutex_setprioceiling, struct mutex *mutex, int ceiling, int *old)
{
    if ((mutex->kind & LIBC_MUTEX_PROTECT) == 0 || ceiling < CEILING_MIN || ceiling > CEILING_MAX) {
        return EINVAL;
    }
    int error = glibc_pthread_mutex_lock(mutex);
    if (error != 0) {
        return error;
    }
    if (old != NULL) {
        glibc_pthread_mutex_getprioceiling(mutex, old);
    }
    uint32_t kind = mutex->kind & ~(uint32_t)LIBC_MUTEX_CEILING;
    __atomic_store_n(&mutex->kind, kind | (uint32_t)ceiling << LIBC_MUTEX_CEILING_SHIFT,
                     __ATOMIC_RELAXED);
    return glibc_pthread_mutex_unlock(mutex);
}

EXPORT(int, pthread_mutexattr_init, int *attribute)
{
    *attribute = 0;
    return 0;
}

EXPORT(int, pthread_mutexattr_destroy, int *attribute)
{
    return 0;
}

EXPORT(int, pthread_mutexattr_settype, int *attribute, int type)
{
    if (type < LIBC_MUTEX_NORMAL || type > LIBC_MUTEX_ADAPTIVE) {
        return EINVAL;
    }
    *attribute = (*attribute & ~LIBC_MUTEX_TYPE) | type;
    return 0;
}

EXPORT(int, pthread_mutexattr_gettype, const int *attribute, int *type)
{
    *type = *attribute & LIBC_MUTEX_TYPE;
    return 0;
}

EXPORT(int, pthread_mutexattr_setpshared, int *attribute, int shared)
{
    if (shared != 0 && shared != 1) {
        return EINVAL;
    }
    *attribute = shared == 1 ? *attribute | ATTRIBUTE_SHARED : *attribute & ~ATTRIBUTE_SHARED;
    return 0;
}

EXPORT(int, pthread_mutexattr_getpshared, const int *attribute, int *shared)
{
    *shared = (*attribute & ATTRIBUTE_SHARED) != 0;
    return 0;
}

EXPORT(int, pthread_mutexattr_setrobust, int *attribute, int robust)
{
    if (robust != 0 && robust != 1) {
        return EINVAL;
    }
    *attribute = robust == 1 ? *attribute | ATTRIBUTE_ROBUST : *attribute & ~ATTRIBUTE_ROBUST;
    return 0;
}

EXPORT(int, pthread_mutexattr_getrobust, const int *attribute, int *robust)
{
    *robust = (*attribute & ATTRIBUTE_ROBUST) != 0;
    return 0;
}

EXPORT(int, pthread_mutexattr_setprotocol, int *attribute, int protocol)
{
    if (protocol < 0 || protocol > 2) {
        return EINVAL;
    }
    *attribute = (*attribute & ~(3 << ATTRIBUTE_PROTOCOL_SHIFT)) | protocol
                                                                       << ATTRIBUTE_PROTOCOL_SHIFT;
    return 0;
}

EXPORT(int, pthread_mutexattr_getprotocol, const int *attribute, int *protocol)
{
    *protocol = *attribute >> ATTRIBUTE_PROTOCOL_SHIFT & 3;
    return 0;
}

EXPORT(int, pthread_mutexattr_setprioceiling, int *attribute, int ceiling)
{
    if (ceiling < CEILING_MIN || ceiling > CEILING_MAX) {
        return EINVAL;
    }
    *attribute =
        (*attribute & ~(0xfff << ATTRIBUTE_CEILING_SHIFT)) | ceiling << ATTRIBUTE_CEILING_SHIFT;
    return 0;
}

EXPORT(int, pthread_mutexattr_getprioceiling, const int *attribute, int *ceiling)
{
    int stored = *attribute >> ATTRIBUTE_CEILING_SHIFT & 0xfff;
    *ceiling = stored == 0 ? CEILING_MIN : stored;
    return 0;
}
