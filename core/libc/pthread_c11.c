// SPDX-License-Identifier: BSD-3-Clause
// pthread_c11.c: C11's threads, in glibc's numbers: thrd_success 0, thrd_busy 1, thrd_error 2,
// thrd_nomem 3, thrd_timedout 4; mtx_plain 0, mtx_recursive 1, mtx_timed 2.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/lib/mark.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/linux/syscall.h"

enum { C11_SUCCESS, C11_BUSY, C11_ERROR, C11_NO_MEMORY, C11_TIMED_OUT };

static int c11_status(int error)
{
    switch (error) {
    case 0:
        return C11_SUCCESS;
    case EBUSY:
        return C11_BUSY;
    case ENOMEM:
        return C11_NO_MEMORY;
    case ETIMEDOUT:
        return C11_TIMED_OUT;
    default:
        return C11_ERROR;
    }
}

EXPORT(int, thrd_create, struct libc_thread **thread, int (*entry)(void *), void *argument)
{
    struct libc_thread_attributes how = {.stack_size = LIBC_STACK_SIZE,
                                         .guard_size = HAL_PAGE_SIZE};
    int error = libc_thread_create(thread, &how, NULL, entry, argument);
    return error == EAGAIN ? C11_NO_MEMORY : c11_status(error);
}

EXPORT(int, thrd_join, struct libc_thread *thread, int *result)
{
    void *value;
    int error = libc_thread_join(thread, &value, UINT64_MAX);
    if (error == 0 && result != NULL) {
        *result = (int)(intptr_t)value;
    }
    return c11_status(error);
}

EXPORT(int, thrd_detach, struct libc_thread *thread)
{
    return c11_status(libc_thread_detach(thread));
}

EXPORT(struct libc_thread *, thrd_current, void)
{
    return libc_thread_self();
}

EXPORT(int, thrd_equal, struct libc_thread *a, struct libc_thread *b)
{
    return a == b;
}

EXPORT(HAL_NORETURN void, thrd_exit, int result)
{
    libc_thread_unwind();
    libc_thread_exit((void *)(intptr_t)result);
}

EXPORT(void, thrd_yield, void)
{
    thread_yield();
}

EXPORT(int, thrd_sleep, const struct timespec *time, struct timespec *rest)
{
    long error =
        linux_dispatch(SYS_clock_nanosleep, CLOCK_REALTIME, 0, (long)time, (long)rest, 0, 0);
    return error == 0 ? 0 : error == -EINTR ? -1 : -2;
}

EXPORT(int, mtx_init, struct mutex *mutex, int type)
{
    if (type < 0 || type > 3) {
        return C11_ERROR;
    }
    memset(mutex, 0, sizeof *mutex);
    mutex->kind = (type & 1) != 0 ? LIBC_MUTEX_RECURSIVE : LIBC_MUTEX_NORMAL;
    MARK_MADE(mutex, sizeof *mutex);
    return C11_SUCCESS;
}

EXPORT(void, mtx_destroy, struct mutex *mutex)
{
}

EXPORT(int, mtx_lock, struct mutex *mutex)
{
    return c11_status(glibc_pthread_mutex_lock(mutex));
}

EXPORT(int, mtx_trylock, struct mutex *mutex)
{
    return c11_status(glibc_pthread_mutex_trylock(mutex));
}

EXPORT(int, mtx_timedlock, struct mutex *mutex, const struct timespec *time)
{
    return c11_status(glibc_pthread_mutex_timedlock(mutex, time));
}

EXPORT(int, mtx_unlock, struct mutex *mutex)
{
    return c11_status(glibc_pthread_mutex_unlock(mutex));
}

EXPORT(int, cnd_init, struct condvar *condvar)
{
    memset(condvar, 0, sizeof *condvar);
    MARK_MADE(condvar, sizeof *condvar);
    return C11_SUCCESS;
}

EXPORT(void, cnd_destroy, struct condvar *condvar)
{
}

EXPORT(int, cnd_signal, struct condvar *condvar)
{
    condvar_wake_one(condvar);
    return C11_SUCCESS;
}

EXPORT(int, cnd_broadcast, struct condvar *condvar)
{
    condvar_wake_all(condvar);
    return C11_SUCCESS;
}

EXPORT(int, cnd_wait, struct condvar *condvar, struct mutex *mutex)
{
    libc_cancel_test();
    condvar_wait(condvar, mutex);
    return C11_SUCCESS;
}

EXPORT(int, cnd_timedwait, struct condvar *condvar, struct mutex *mutex,
       const struct timespec *time)
{
    libc_cancel_test();
    hal_ns deadline;
    if (!libc_deadline_get(CLOCK_REALTIME, time, &deadline)) {
        return C11_ERROR;
    }
    return condvar_wait_until(condvar, mutex, deadline) ? C11_SUCCESS : C11_TIMED_OUT;
}

EXPORT(int, tss_create, uint32_t *key, void (*destructor)(void *))
{
    return c11_status(glibc_pthread_key_create(key, destructor));
}

EXPORT(void, tss_delete, uint32_t key)
{
    glibc_pthread_key_delete(key);
}

EXPORT(void *, tss_get, uint32_t key)
{
    return glibc_pthread_getspecific(key);
}

EXPORT(int, tss_set, uint32_t key, void *value)
{
    return c11_status(glibc_pthread_setspecific(key, value));
}
