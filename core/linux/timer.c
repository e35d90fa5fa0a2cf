// SPDX-License-Identifier: BSD-3-Clause
// timer.c: timers whose expiry is a signal: timer_create, setitimer, alarm.
//
// A timer that has expired waits until its signal is taken; only then the next expiry is set, and
// those that have passed are the overrun. So a blocked signal costs nothing, however short the
// interval. (The interval timers of processor time go on at once, as on Linux.) A signal that is
// ignored is taken by nobody: its timer goes on after a while.
//
// Locks, in this order: timer_lock, task_lock. interval_end is called with neither.
#include "core/linux/timer.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "core/lib/errno.h"
#include "core/lib/tree.h"
#include "core/linux/calls.h"
#include "core/linux/clock.h"
#include "core/linux/interval.h"
#include "core/linux/signal.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"

enum { IGNORED_NS = 4000000, NS_PER_S = 1000000000, US_PER_S = 1000000 };

struct posix_timer { // timer_lock
    struct tree_node node;
    int id;
    struct interval interval;
    struct signal_entry entry; // the signal that is under way
    int notify;                // SIGEV_*
    int signal;
    int32_t thread_id; // SIGEV_THREAD_ID
    uint64_t value;
    int overrun;     // of the signal taken last
    bool is_ignored; // the alarm is set for going on after an ignored signal
};

static struct mutex timer_lock;
static struct tree timers; // timer_lock; by id
static int timer_next_id;  // timer_lock

static bool timer_less(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, struct posix_timer, node)->id <
           container_of(b, struct posix_timer, node)->id;
}

// With timer_lock held. NULL: none.
static struct posix_timer *timer_find(int id)
{
    struct tree_node *node = timers.root;
    while (node != NULL) {
        struct posix_timer *timer = container_of(node, struct posix_timer, node);
        if (timer->id == id) {
            return timer;
        }
        node = id < timer->id ? node->left : node->right;
    }
    return NULL;
}

// ---- Expiry --------------------------------------------------------------------

// A thread that has ended gets none; the timer stays as it is.
static int timer_send(struct posix_timer *timer)
{
    const struct linux_signal_info info = {.signal = timer->signal,
                                           .code = SI_TIMER,
                                           .timer = {.id = timer->id, .value = timer->value}};
    mutex_lock(&task_lock);
    struct task *task = timer->notify == SIGEV_THREAD_ID ? task_find(timer->thread_id) : NULL;
    int result = SIGNAL_SENT;
    if (task != NULL || timer->notify == SIGEV_SIGNAL) {
        result = signal_send_locked(task, &info, &timer->entry);
    }
    mutex_unlock(&task_lock);
    return result;
}

static void timer_ring(struct alarm *alarm)
{
    struct posix_timer *timer = container_of(alarm, struct posix_timer, interval.alarm);
    mutex_lock(&timer_lock);
    if (timer->is_ignored) {
        timer->is_ignored = false;
        (void)interval_forward(&timer->interval);
    } else if (interval_is_due(&timer->interval) && timer->notify != SIGEV_NONE &&
               timer_send(timer) == SIGNAL_IGNORED) {
        // Cannot fail: the alarms' thread is there.
        timer->is_ignored = alarm_set(alarm, hal_clock_ns() + IGNORED_NS) == 0;
    }
    mutex_unlock(&timer_lock);
    signal_sent();
}

static void itimer_signal_taken(void);

void timer_signal_taken(struct linux_signal_info *info)
{
    if (info->code != SI_TIMER) {
        itimer_signal_taken();
        return;
    }
    mutex_lock(&timer_lock);
    struct posix_timer *timer = timer_find(info->timer.id);
    if (timer != NULL) {
        uint64_t passed = interval_forward(&timer->interval);
        uint64_t overrun = passed > 0 ? passed - 1 : 0;
        timer->overrun = overrun > INT32_MAX ? INT32_MAX : (int)overrun;
        info->timer.overrun = timer->overrun;
    }
    mutex_unlock(&timer_lock);
}

// ---- timer_create ----------------------------------------------------------------

// A thread's own clock by the number that other threads have for it.
static int clock_resolve(int *clock)
{
    hal_ns now;
    switch (*clock) {
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_COARSE:
        return -EOPNOTSUPP;
    case CLOCK_THREAD_CPUTIME_ID:
        *clock = clock_of_thread(task_self()->id);
        return 0;
    default:
        return clock_read(*clock, &now);
    }
}

static int event_read(struct posix_timer *timer, const struct sigevent *user)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    int error = user == NULL ? 0 : user_read(&event, user, sizeof event);
    if (error != 0) {
        return error;
    }
    timer->notify = event.sigev_notify;
    timer->signal = event.sigev_signo;
    timer->value = (uint64_t)(uintptr_t)event.sigev_value.sival_ptr;
    if (timer->notify == SIGEV_NONE) {
        return 0;
    }
    if (timer->signal < 1 || timer->signal > SIGNAL_COUNT) {
        return -EINVAL;
    }
    if (timer->notify == SIGEV_THREAD_ID) {
        timer->thread_id = event.sigev_notify_thread_id;
        return timer->thread_id > 0 && task_thread(timer->thread_id) != NULL ? 0 : -EINVAL;
    }
    return timer->notify == SIGEV_SIGNAL || timer->notify == SIGEV_THREAD ? 0 : -EINVAL;
}

long linux_timer_create(int clock, const struct sigevent *user, int *user_id)
{
    int error = clock_resolve(&clock);
    if (error != 0) {
        return error;
    }
    struct posix_timer *timer = heap_alloc_zeroed(sizeof *timer);
    if (timer == NULL) {
        return -EAGAIN;
    }
    timer->interval.clock = clock;
    timer->interval.alarm.ring = timer_ring;
    error = event_read(timer, user);
    if (timer->notify == SIGEV_THREAD) {
        timer->notify = SIGEV_SIGNAL; // the kernel knows no other way; the C library does
    }
    mutex_lock(&timer_lock);
    timer->id = timer_next_id;
    if (error == 0) {
        error = user_write(user_id, &timer->id, sizeof timer->id);
    }
    if (error == 0) {
        ++timer_next_id;
        timer->value = user == NULL ? (uint64_t)timer->id : timer->value;
        tree_insert(&timers, &timer->node, timer_less);
    }
    mutex_unlock(&timer_lock);
    if (error != 0) {
        heap_free(timer);
    }
    return error;
}

long linux_timer_settime(int id, int flags, const struct itimerspec *set, struct itimerspec *get)
{
    hal_ns value;
    hal_ns period;
    hal_ns old_left = 0;
    hal_ns old_period = 0;
    int error = set == NULL ? -EINVAL : interval_read(set, &value, &period);
    if (error != 0) {
        return error;
    }
    mutex_lock(&timer_lock);
    struct posix_timer *timer = timer_find(id);
    if (timer == NULL) {
        error = -EINVAL;
    } else {
        old_left = interval_left(&timer->interval);
        old_period = timer->interval.period;
        timer->is_ignored = false;
        timer->overrun = 0;
        error = interval_set(&timer->interval, (flags & TIMER_ABSTIME) != 0, value, period);
    }
    mutex_unlock(&timer_lock);
    return error != 0 || get == NULL ? error : interval_write(get, old_left, old_period);
}

long linux_timer_gettime(int id, struct itimerspec *get)
{
    mutex_lock(&timer_lock);
    struct posix_timer *timer = timer_find(id);
    hal_ns left = timer == NULL ? 0 : interval_left(&timer->interval);
    hal_ns period = timer == NULL ? 0 : timer->interval.period;
    mutex_unlock(&timer_lock);
    return timer == NULL ? -EINVAL : interval_write(get, left, period);
}

long linux_timer_getoverrun(int id)
{
    mutex_lock(&timer_lock);
    struct posix_timer *timer = timer_find(id);
    int overrun = timer == NULL ? -EINVAL : timer->overrun;
    mutex_unlock(&timer_lock);
    return overrun;
}

long linux_timer_delete(int id)
{
    mutex_lock(&timer_lock);
    struct posix_timer *timer = timer_find(id);
    if (timer != NULL) {
        tree_remove(&timers, &timer->node);
    }
    mutex_unlock(&timer_lock);
    if (timer == NULL) {
        return -EINVAL;
    }
    interval_end(&timer->interval);
    signal_withdraw(&timer->entry);
    heap_free(timer);
    return 0;
}

// ---- setitimer -------------------------------------------------------------------

static void itimer_ring(struct alarm *alarm);

static struct interval itimers[] = {
    // timer_lock
    [ITIMER_REAL] = {.alarm.ring = itimer_ring, .clock = CLOCK_MONOTONIC},
    [ITIMER_VIRTUAL] = {.alarm.ring = itimer_ring, .clock = CLOCK_PROCESS_CPUTIME_ID},
    [ITIMER_PROF] = {.alarm.ring = itimer_ring, .clock = CLOCK_PROCESS_CPUTIME_ID},
};

static void itimer_ring(struct alarm *alarm)
{
    static const int signals[] = {
        [ITIMER_REAL] = SIGALRM, [ITIMER_VIRTUAL] = SIGVTALRM, [ITIMER_PROF] = SIGPROF};
    struct interval *interval = container_of(alarm, struct interval, alarm);
    int which = (int)(interval - itimers);
    mutex_lock(&timer_lock);
    bool is_due = interval_is_due(interval);
    if (is_due) {
        const struct linux_signal_info info = signal_info_kernel(signals[which]);
        mutex_lock(&task_lock);
        int result = signal_send_locked(NULL, &info, NULL);
        mutex_unlock(&task_lock);
        if (which != ITIMER_REAL || result == SIGNAL_IGNORED) {
            (void)interval_forward(interval);
        }
    }
    mutex_unlock(&timer_lock);
    if (is_due) {
        signal_sent();
    }
}

static void itimer_signal_taken(void)
{
    mutex_lock(&timer_lock);
    (void)interval_forward(&itimers[ITIMER_REAL]);
    mutex_unlock(&timer_lock);
}

static int time_of(const struct timeval *value, hal_ns *time)
{
    if (value->tv_sec < 0 || value->tv_usec < 0 || value->tv_usec >= US_PER_S) {
        return -EINVAL;
    }
    bool is_huge = (uint64_t)value->tv_sec >= INT64_MAX / NS_PER_S;
    *time = is_huge ? INT64_MAX : (hal_ns)value->tv_sec * NS_PER_S + (hal_ns)value->tv_usec * 1000;
    return 0;
}

// What is left of a microsecond is one: 0 would be off.
static struct timeval value_of(hal_ns time)
{
    hal_ns us = (time + 999) / 1000;
    return (struct timeval){.tv_sec = (time_t)(us / US_PER_S),
                            .tv_usec = (suseconds_t)(us % US_PER_S)};
}

struct itimer_state {
    hal_ns left, period;
};

static struct itimer_state itimer_state_locked(int which)
{
    return (struct itimer_state){interval_left(&itimers[which]), itimers[which].period};
}

static int itimer_set(int which, struct itimer_state set, struct itimer_state *old)
{
    mutex_lock(&timer_lock);
    *old = itimer_state_locked(which);
    int error = interval_set(&itimers[which], false, set.left, set.period);
    mutex_unlock(&timer_lock);
    return error;
}

static long itimer_write(struct itimerval *user, struct itimer_state state)
{
    const struct itimerval value = {.it_interval = value_of(state.period),
                                    .it_value = value_of(state.left)};
    return user_write(user, &value, sizeof value);
}

long linux_setitimer(int which, const struct itimerval *set, struct itimerval *get)
{
    struct itimerval value = {{0, 0}, {0, 0}};
    struct itimer_state new_state;
    struct itimer_state old_state;
    int error = set == NULL ? 0 : user_read(&value, set, sizeof value);
    if (error == 0) {
        error = time_of(&value.it_value, &new_state.left);
    }
    if (error == 0) {
        error = time_of(&value.it_interval, &new_state.period);
    }
    if (error != 0 || which < ITIMER_REAL || which > ITIMER_PROF) {
        return error != 0 ? error : -EINVAL;
    }
    error = itimer_set(which, new_state, &old_state);
    return error != 0 || get == NULL ? error : itimer_write(get, old_state);
}

long linux_getitimer(int which, struct itimerval *get)
{
    if (which < ITIMER_REAL || which > ITIMER_PROF) {
        return -EINVAL;
    }
    mutex_lock(&timer_lock);
    struct itimer_state state = itimer_state_locked(which);
    mutex_unlock(&timer_lock);
    return itimer_write(get, state);
}

// Rounded to the nearest second, but never to 0.
long linux_alarm(unsigned seconds)
{
    struct itimer_state old;
    int error = itimer_set(ITIMER_REAL, (struct itimer_state){(hal_ns)seconds * NS_PER_S, 0}, &old);
    long left = (long)((old.left + NS_PER_S / 2) / NS_PER_S);
    return error != 0 ? error : left == 0 && old.left != 0 ? 1 : left;
}
