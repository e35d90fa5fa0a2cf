// SPDX-License-Identifier: BSD-3-Clause
// pthread_thread.c: pthread_create and what goes with it, for struct libc_thread.
//
// pthread_attr_t has glibc's 56 bytes; inside it is ours alone but for the size.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/linux/process.h"
#include "core/linux/syscall.h"
#include "core/mem/heap.h"
#include "core/sync/shrinker.h"
#include "core/vm/vm.h"

enum { STACK_MIN = 16384, PAGE = HAL_PAGE_SIZE, SCHEDULE_EXPLICIT = 1 };

struct thread_attributes {
    size_t stack_size; // 0: the default
    size_t guard_size;
    char *stack; // lowest byte, or NULL
    struct hal_cpu_set *affinity;
    int32_t detached, inherit, policy, priority, scope;
    uint32_t unused;
};

_Static_assert(sizeof(struct thread_attributes) <= 56, "pthread_attr_t");

static _Atomic size_t default_stack_size = LIBC_STACK_SIZE;

EXPORT(int, pthread_attr_init, struct thread_attributes *attributes)
{
    memset(attributes, 0, 56);
    attributes->guard_size = PAGE;
    return 0;
}

EXPORT(int, pthread_attr_destroy, struct thread_attributes *attributes)
{
    heap_free(attributes->affinity);
    attributes->affinity = NULL;
    return 0;
}

EXPORT(int, pthread_attr_setstacksize, struct thread_attributes *attributes, size_t size)
{
    if (size < STACK_MIN) {
        return EINVAL;
    }
    attributes->stack_size = size;
    return 0;
}

EXPORT(int, pthread_attr_getstacksize, const struct thread_attributes *attributes, size_t *size)
{
    *size = attributes->stack_size != 0 ? attributes->stack_size : atomic_load(&default_stack_size);
    return 0;
}

EXPORT(int, pthread_attr_setstack, struct thread_attributes *attributes, void *stack, size_t size)
{
    if (size < STACK_MIN) {
        return EINVAL;
    }
    attributes->stack = stack;
    attributes->stack_size = size;
    return 0;
}

EXPORT(int, pthread_attr_getstack, const struct thread_attributes *attributes, void **stack,
       size_t *size)
{
    *stack = attributes->stack;
    *size = attributes->stack_size;
    return 0;
}

// The old call names the highest address.
EXPORT(int, pthread_attr_setstackaddr, struct thread_attributes *attributes, void *end)
{
    size_t size = attributes->stack_size != 0 ? attributes->stack_size : LIBC_STACK_SIZE;
    attributes->stack_size = size;
    attributes->stack = (char *)end - size;
    return 0;
}

EXPORT(int, pthread_attr_getstackaddr, const struct thread_attributes *attributes, void **end)
{
    *end = attributes->stack + attributes->stack_size;
    return 0;
}

EXPORT(int, pthread_attr_setguardsize, struct thread_attributes *attributes, size_t size)
{
    attributes->guard_size = size;
    return 0;
}

EXPORT(int, pthread_attr_getguardsize, const struct thread_attributes *attributes, size_t *size)
{
    *size = attributes->guard_size;
    return 0;
}

EXPORT(int, pthread_attr_setdetachstate, struct thread_attributes *attributes, int state)
{
    if (state != 0 && state != 1) {
        return EINVAL;
    }
    attributes->detached = state;
    return 0;
}

EXPORT(int, pthread_attr_getdetachstate, const struct thread_attributes *attributes, int *state)
{
    *state = attributes->detached;
    return 0;
}

EXPORT(int, pthread_attr_setinheritsched, struct thread_attributes *attributes, int inherit)
{
    if (inherit != 0 && inherit != 1) {
        return EINVAL;
    }
    attributes->inherit = inherit;
    return 0;
}

EXPORT(int, pthread_attr_getinheritsched, const struct thread_attributes *attributes, int *inherit)
{
    *inherit = attributes->inherit;
    return 0;
}

EXPORT(int, pthread_attr_setschedpolicy, struct thread_attributes *attributes, int policy)
{
    if (policy < SCHED_OTHER || policy > SCHED_RR) {
        return EINVAL;
    }
    attributes->policy = policy;
    return 0;
}

EXPORT(int, pthread_attr_getschedpolicy, const struct thread_attributes *attributes, int *policy)
{
    *policy = attributes->policy;
    return 0;
}

EXPORT(int, pthread_attr_setschedparam, struct thread_attributes *attributes, const int *priority)
{
    bool is_real_time = attributes->policy == SCHED_FIFO || attributes->policy == SCHED_RR;
    bool is_valid = is_real_time ? *priority >= 1 && *priority <= 99 : *priority == 0;
    if (!is_valid) {
        return EINVAL;
    }
    attributes->priority = *priority;
    return 0;
}

EXPORT(int, pthread_attr_getschedparam, const struct thread_attributes *attributes, int *priority)
{
    *priority = attributes->priority;
    return 0;
}

EXPORT(int, pthread_attr_setscope, struct thread_attributes *attributes, int scope)
{
    return scope == 0 ? 0 : scope == 1 ? ENOTSUP : EINVAL;
}

EXPORT(int, pthread_attr_getscope, const struct thread_attributes *attributes, int *scope)
{
    *scope = 0;
    return 0;
}

EXPORT(int, pthread_attr_setaffinity_np, struct thread_attributes *attributes, size_t size,
       const struct hal_cpu_set *set)
{
    heap_free(attributes->affinity);
    attributes->affinity = NULL;
    if (set == NULL || size == 0) {
        return 0;
    }
    struct hal_cpu_set *copy = heap_alloc_zeroed(sizeof *copy);
    if (copy == NULL) {
        return ENOMEM;
    }
    memcpy(copy, set, size < sizeof *copy ? size : sizeof *copy);
    attributes->affinity = copy;
    return 0;
}

EXPORT(int, pthread_attr_getaffinity_np, const struct thread_attributes *attributes, size_t size,
       struct hal_cpu_set *set)
{
    memset(set, attributes->affinity == NULL ? 0xff : 0, size);
    if (attributes->affinity != NULL) {
        memcpy(set, attributes->affinity, size < sizeof *set ? size : sizeof *set);
    }
    return 0;
}

EXPORT(int, pthread_getattr_default_np, struct thread_attributes *attributes)
{
    glibc_pthread_attr_init(attributes);
    attributes->stack_size = atomic_load(&default_stack_size);
    return 0;
}

EXPORT(int, pthread_setattr_default_np, const struct thread_attributes *attributes)
{
    if (attributes->stack != NULL) {
        return EINVAL;
    }
    if (attributes->stack_size != 0) {
        atomic_store(&default_stack_size, attributes->stack_size);
    }
    return 0;
}

EXPORT(int, pthread_getattr_np, struct libc_thread *thread, struct thread_attributes *attributes)
{
    glibc_pthread_attr_init(attributes);
    if (!vm_stack_get(thread->stack + thread->stack_size - 1, &attributes->stack,
                      &attributes->stack_size)) {
        attributes->stack = thread->stack;
        attributes->stack_size = thread->stack_size;
    }
    attributes->guard_size = thread->guard_size;
    attributes->detached = atomic_load(&thread->ownership) == LIBC_DETACHED;
    const struct thread_schedule schedule = thread_schedule_get(thread->thread);
    attributes->policy = schedule.policy;
    attributes->priority = schedule.priority;
    return 0;
}

EXPORT(int, pthread_create, struct libc_thread **thread, const struct thread_attributes *attributes,
       void *(*entry)(void *), void *argument)
{
    struct libc_thread_attributes how = {
        .stack_size = atomic_load_explicit(&default_stack_size, memory_order_relaxed),
        .guard_size = PAGE,
    };
    struct thread_schedule schedule = {.policy = THREAD_FAIR};
    if (attributes != NULL && attributes->inherit == SCHEDULE_EXPLICIT) {
        int error = linux_schedule_make(&schedule, attributes->policy, attributes->priority);
        if (error != 0) {
            return -error;
        }
        how.schedule = &schedule;
    }
    if (attributes != NULL) {
        how.stack = attributes->stack;
        how.stack_size = attributes->stack_size != 0 ? attributes->stack_size : how.stack_size;
        how.guard_size = attributes->guard_size;
        how.affinity = attributes->affinity;
        how.detached = attributes->detached == 1;
    }
    int error = libc_thread_create(thread, &how, entry, NULL, argument);
    if (error == EAGAIN && shrinker_retry(THREAD_STACK_SIZE + how.guard_size)) {
        error = libc_thread_create(thread, &how, entry, NULL, argument);
    }
    return error;
}

int libc_worker_create(struct libc_thread **result, size_t stack_size, void *(*entry)(void *))
{
    const uint64_t all = UINT64_MAX;
    uint64_t old;
    linux_dispatch(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, sizeof old, 0, 0);
    struct libc_thread_attributes how = {
        .stack_size = stack_size, .guard_size = PAGE, .detached = true};
    int error = libc_thread_create(result, &how, entry, NULL, NULL);
    linux_dispatch(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof old, 0, 0);
    return error;
}

EXPORT(int, pthread_join, struct libc_thread *thread, void **result)
{
    libc_cancel_test();
    return libc_thread_join(thread, result, UINT64_MAX);
}

EXPORT(int, pthread_tryjoin_np, struct libc_thread *thread, void **result)
{
    int error = libc_thread_join(thread, result, 0);
    return error == ETIMEDOUT ? EBUSY : error;
}

EXPORT(int, pthread_clockjoin_np, struct libc_thread *thread, void **result, int clock,
       const struct timespec *time)
{
    hal_ns deadline = UINT64_MAX;
    if (time != NULL && !libc_deadline_get(clock, time, &deadline)) {
        return EINVAL;
    }
    return libc_thread_join(thread, result, deadline);
}

EXPORT(int, pthread_timedjoin_np, struct libc_thread *thread, void **result,
       const struct timespec *time)
{
    return glibc_pthread_clockjoin_np(thread, result, CLOCK_REALTIME, time);
}

EXPORT(int, pthread_detach, struct libc_thread *thread)
{
    return libc_thread_detach(thread);
}

EXPORT(struct libc_thread *, pthread_self, void)
{
    return libc_thread_here();
}

EXPORT(int, pthread_equal, struct libc_thread *a, struct libc_thread *b)
{
    return a == b;
}

EXPORT(HAL_NORETURN void, pthread_exit, void *result)
{
    libc_thread_self()->result = result;
    libc_thread_unwind();
    libc_thread_exit(result);
}

EXPORT(int, pthread_kill, struct libc_thread *thread, int signal)
{
    if ((unsigned)signal > 64 || signal == 32 || signal == 33) { // two are the library's own
        return EINVAL;
    }
    long result = linux_dispatch(SYS_tgkill, PROCESS_ID, thread->id, signal, 0, 0, 0);
    return result == -ESRCH ? 0 : (int)-result; // one that has ended and may be joined
}

EXPORT(int, pthread_sigmask, int how, const void *set, void *old)
{
    return (int)-linux_dispatch(SYS_rt_sigprocmask, how, (long)set, (long)old, 8, 0, 0);
}

EXPORT(int, pthread_getcpuclockid, struct libc_thread *thread, int *clock)
{
    *clock = (int)(~(unsigned)thread->id << 3 | 6);
    return 0;
}
