// SPDX-License-Identifier: BSD-3-Clause
// pthread_schedule.c: where and how threads run, and what they are called.
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/libc/export.h"
#include "core/libc/memory.h"
#include "core/libc/pthread.h"
#include "core/linux/syscall.h"

EXPORT(int, pthread_setname_np, struct libc_thread *thread, const char *name)
{
    size_t length = strnlen(name, LIBC_NAME_SIZE);
    if (length == LIBC_NAME_SIZE) {
        return ERANGE;
    }
    memcpy(thread->thread->name, name, length + 1);
    return 0;
}

EXPORT(int, pthread_getname_np, struct libc_thread *thread, char *name, size_t size)
{
    size_t length = strnlen(thread->thread->name, LIBC_NAME_SIZE - 1);
    if (size <= length) {
        return ERANGE;
    }
    memcpy(name, thread->thread->name, length);
    name[length] = 0;
    return 0;
}

EXPORT(int, pthread_setaffinity_np, struct libc_thread *thread, size_t size, const void *set)
{
    return (int)-linux_dispatch(SYS_sched_setaffinity, thread->id, (long)size, (long)set, 0, 0, 0);
}

static int affinity_get(int id, size_t size, void *set)
{
    long filled = linux_dispatch(SYS_sched_getaffinity, id, (long)size, (long)set, 0, 0, 0);
    if (filled < 0) {
        return (int)-filled;
    }
    memset((char *)set + filled, 0, size - (size_t)filled);
    return 0;
}

EXPORT(int, pthread_getaffinity_np, struct libc_thread *thread, size_t size, void *set)
{
    return affinity_get(thread->id, size, set);
}

EXPORT(int, sched_getaffinity, int id, size_t size, void *set)
{
    int error = affinity_get(id, size, set);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

EXPORT(int, sched_setaffinity, int id, size_t size, const void *set)
{
    long result = linux_dispatch(SYS_sched_setaffinity, id, (long)size, (long)set, 0, 0, 0);
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return 0;
}

EXPORT(int, pthread_getschedparam, struct libc_thread *thread, int *policy, int *priority)
{
    long found = linux_dispatch(SYS_sched_getscheduler, thread->id, 0, 0, 0, 0, 0);
    if (found < 0) {
        return (int)-found;
    }
    *policy = (int)found;
    return (int)-linux_dispatch(SYS_sched_getparam, thread->id, (long)priority, 0, 0, 0, 0);
}

EXPORT(int, pthread_setschedparam, struct libc_thread *thread, int policy, const int *priority)
{
    return (int)-linux_dispatch(SYS_sched_setscheduler, thread->id, policy, (long)priority, 0, 0,
                                0);
}

EXPORT(int, pthread_setschedprio, struct libc_thread *thread, int priority)
{
    return (int)-linux_dispatch(SYS_sched_setparam, thread->id, (long)&priority, 0, 0, 0, 0);
}

EXPORT(int, pthread_getconcurrency, void)
{
    return 0;
}

EXPORT(int, pthread_setconcurrency, int level)
{
    return level < 0 ? EINVAL : 0;
}

EXPORT(int, pthread_yield, void)
{
    thread_yield();
    return 0;
}

EXPORT(int, sched_yield, void)
{
    thread_yield();
    return 0;
}

EXPORT(int, __sched_cpucount, size_t size, const uint64_t *set)
{
    int count = 0;
    for (size_t i = 0; i < size / sizeof *set; ++i) {
        for (uint64_t word = set[i]; word != 0; word &= word - 1) {
            ++count;
        }
    }
    return count;
}

EXPORT(void *, __sched_cpualloc, size_t count)
{
    return libc_malloc((count + 63) / 64 * 8);
}

EXPORT(void, __sched_cpufree, void *set)
{
    libc_free(set);
}

static int answer(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

// glibc's struct sched_param is an int.
EXPORT(int, sched_getparam, int id, int *priority)
{
    return answer(linux_dispatch(SYS_sched_getparam, id, (long)priority, 0, 0, 0, 0));
}

EXPORT(int, sched_setparam, int id, const int *priority)
{
    return answer(linux_dispatch(SYS_sched_setparam, id, (long)priority, 0, 0, 0, 0));
}

EXPORT(int, sched_getscheduler, int id)
{
    return answer(linux_dispatch(SYS_sched_getscheduler, id, 0, 0, 0, 0, 0));
}

EXPORT(int, sched_setscheduler, int id, int policy, const int *priority)
{
    return answer(linux_dispatch(SYS_sched_setscheduler, id, policy, (long)priority, 0, 0, 0));
}
