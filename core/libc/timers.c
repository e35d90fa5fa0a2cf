// SPDX-License-Identifier: BSD-3-Clause
// timers.c: timer_create and its kin, and alarm.
//
// A timer_t is the kernel's number. SIGEV_THREAD is ours: the kernel's signal goes to one helper
// thread, which waits for it and starts a thread for each expiry, in which the program's signals
// are blocked, as with glibc. What belongs to a timer is found by its number, so that a signal that
// comes after timer_delete finds nothing.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "core/lib/list.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/linux/signal.h"
#include "core/linux/syscall.h"
#include "core/mem/heap.h"

enum { SIGNAL_TIMER = 32 }; // as glibc's; programs do not get it

struct thread_timer { // of SIGEV_THREAD
    struct list node;
    int id;
    void (*function)(union sigval value);
    union sigval value;
    pthread_attr_t attributes;
    bool has_attributes;
};

static struct mutex timers_lock; // guards the next three
static struct list timers = LIST_EMPTY(timers);
static struct libc_thread *helper; // NULL: not yet

int glibc_pthread_create(struct libc_thread **thread, const void *attributes,
                         void *(*entry)(void *), void *argument);
int glibc_pthread_attr_init(void *attributes);
int glibc_pthread_attr_setdetachstate(void *attributes, int state);

static int answer(long result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

// ---- SIGEV_THREAD ----------------------------------------------------------------

struct expiry {
    void (*function)(union sigval value);
    union sigval value;
};

static void *expiry_run(void *argument)
{
    struct expiry expiry = *(struct expiry *)argument;
    heap_free(argument);
    const uint64_t ours = SIGNAL_BIT(SIGNAL_TIMER) | SIGNAL_BIT(SIGNAL_TIMER + 1);
    linux_dispatch(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&ours, 0, sizeof ours, 0, 0);
    expiry.function(expiry.value);
    return NULL;
}

// With timers_lock held. NULL: none.
static struct thread_timer *timer_find(int id)
{
    struct list *node;
    list_for_each(node, &timers)
    {
        struct thread_timer *timer = container_of(node, struct thread_timer, node);
        if (timer->id == id) {
            return timer;
        }
    }
    return NULL;
}

// An expiry for which there is no thread is lost, as with glibc.
static void expiry_start(int id)
{
    struct expiry *expiry = heap_alloc(sizeof *expiry);
    pthread_attr_t attributes;
    bool is_known = false;
    glibc_pthread_attr_init(&attributes);
    mutex_lock(&timers_lock);
    const struct thread_timer *timer = timer_find(id);
    if (timer != NULL && expiry != NULL) {
        *expiry = (struct expiry){timer->function, timer->value};
        attributes = timer->has_attributes ? timer->attributes : attributes;
        is_known = true;
    }
    mutex_unlock(&timers_lock);
    glibc_pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    struct libc_thread *thread;
    if (!is_known || glibc_pthread_create(&thread, &attributes, expiry_run, expiry) != 0) {
        heap_free(expiry);
    }
}

static void *helper_run(void *unused)
{
    const uint64_t set = SIGNAL_BIT(SIGNAL_TIMER);
    struct linux_signal_info info;
    for (;;) {
        long signal =
            linux_dispatch(SYS_rt_sigtimedwait, (long)&set, (long)&info, 0, sizeof set, 0, 0);
        if (signal == SIGNAL_TIMER && info.code == SIGNAL_CODE_TIMER) {
            expiry_start(info.timer.id);
        }
    }
    return unused;
}

// With timers_lock held.
static int helper_make(void)
{
    return helper != NULL ? 0 : libc_worker_create(&helper, 65536, helper_run);
}

static int thread_timer_create(int clock, const struct sigevent *event, int *id)
{
    struct thread_timer *timer = heap_alloc_zeroed(sizeof *timer);
    if (timer == NULL) {
        return answer(-EAGAIN);
    }
    timer->function = event->sigev_notify_function;
    timer->value = event->sigev_value;
    timer->has_attributes = event->sigev_notify_attributes != NULL;
    if (timer->has_attributes) {
        timer->attributes = *event->sigev_notify_attributes;
    }
    mutex_lock(&timers_lock);
    long result = helper_make() != 0 ? -EAGAIN : 0;
    if (result == 0) {
        struct sigevent own = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL_TIMER};
        own.sigev_notify_thread_id = helper->id;
        result = linux_dispatch(SYS_timer_create, clock, (long)&own, (long)id, 0, 0, 0);
    }
    if (result == 0) {
        timer->id = *id;
        list_push_back(&timers, &timer->node);
    }
    mutex_unlock(&timers_lock);
    if (result != 0) {
        heap_free(timer);
    }
    return answer(result);
}

static void thread_timer_discard(int id)
{
    mutex_lock(&timers_lock);
    struct thread_timer *timer = timer_find(id);
    if (timer != NULL) {
        list_remove(&timer->node);
    }
    mutex_unlock(&timers_lock);
    heap_free(timer);
}

// ---- The calls -------------------------------------------------------------------

EXPORT(int, timer_create, int clock, const struct sigevent *event, void **timer)
{
    int id;
    int result;
    if (event != NULL && event->sigev_notify == SIGEV_THREAD) {
        result = thread_timer_create(clock, event, &id);
    } else {
        result = answer(linux_dispatch(SYS_timer_create, clock, (long)event, (long)&id, 0, 0, 0));
    }
    if (result == 0) {
        *timer = (void *)(intptr_t)id;
    }
    return result;
}

EXPORT(int, timer_settime, void *timer, int flags, const struct itimerspec *set,
       struct itimerspec *get)
{
    return answer(
        linux_dispatch(SYS_timer_settime, (long)timer, flags, (long)set, (long)get, 0, 0));
}

EXPORT(int, timer_gettime, void *timer, struct itimerspec *get)
{
    return answer(linux_dispatch(SYS_timer_gettime, (long)timer, (long)get, 0, 0, 0, 0));
}

EXPORT(int, timer_getoverrun, void *timer)
{
    return answer(linux_dispatch(SYS_timer_getoverrun, (long)timer, 0, 0, 0, 0, 0));
}

EXPORT(int, timer_delete, void *timer)
{
    int result = answer(linux_dispatch(SYS_timer_delete, (long)timer, 0, 0, 0, 0, 0));
    if (result == 0) {
        thread_timer_discard((int)(intptr_t)timer);
    }
    return result;
}

// To the nearest second, but what is left is never 0: musl rounds up.
EXPORT(unsigned, alarm, unsigned seconds)
{
    struct itimerval set = {.it_value = {.tv_sec = seconds}};
    struct itimerval old = {{0, 0}, {0, 0}};
    linux_dispatch(SYS_setitimer, ITIMER_REAL, (long)&set, (long)&old, 0, 0, 0);
    unsigned left = (unsigned)old.it_value.tv_sec;
    bool rounds_up = old.it_value.tv_usec >= 500000 || (left == 0 && old.it_value.tv_usec > 0);
    return left + rounds_up;
}
