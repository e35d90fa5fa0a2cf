// SPDX-License-Identifier: BSD-3-Clause
// interval.c: a time on one of Linux's clocks, once or again and again.
//
// An interval rings once and is then silent until its owner has dealt with that (read the timerfd,
// taken the signal) and calls interval_forward, which counts what was missed. So nothing is done
// for a program that does not look, as on Linux.
//
// A clock of processor time does not say when it will have reached a value: the alarm is set for
// the earliest time possible, and again while it comes too early. So it is with a clock on the
// wall, which somebody may set: then the alarms of all that wait for a time of it ring at once, and
// most of them too early.
#include "core/linux/interval.h"

#include <time.h>

#include "core/lib/errno.h"
#include "core/linux/clock.h"
#include "core/linux/user.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

enum { NS_PER_S = 1000000000, CPU_TICK_NS = 4000000 };

static struct mutex wall_lock;
static struct list wall_intervals = LIST_EMPTY(wall_intervals); // wall_lock
static _Atomic uint64_t wall_changes;

static hal_ns clock_now(int clock)
{
    hal_ns now;
    return clock_read(clock, &now) == 0 ? now : 0; // a thread's clock ends with the thread
}

static bool is_processor_time(int clock)
{
    return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

// When to look, in hal_clock_ns's time, for an expiry that is left away.
static hal_ns alarm_time(const struct interval *interval, hal_ns left)
{
    if (is_processor_time(interval->measure)) {
        left /= sched_cpu_count();
        left = left < CPU_TICK_NS ? CPU_TICK_NS : left;
    }
    hal_ns now = hal_clock_ns();
    return left > THREAD_WALL - 1 - now ? THREAD_WALL - 1 : now + left;
}

static int alarm_start(struct interval *interval)
{
    hal_ns now = clock_now(interval->measure);
    hal_ns left = interval->expires > now ? interval->expires - now : 0;
    return alarm_set(&interval->alarm, alarm_time(interval, left));
}

static void wall_watch(struct interval *interval, bool is_watched)
{
    if (is_watched == interval->is_on_wall) {
        return;
    }
    interval->is_on_wall = is_watched;
    mutex_lock(&wall_lock);
    if (is_watched) {
        list_push_back(&wall_intervals, &interval->wall_node);
    } else {
        list_remove(&interval->wall_node);
    }
    mutex_unlock(&wall_lock);
}

void interval_end(struct interval *interval)
{
    wall_watch(interval, false);
    alarm_cancel(&interval->alarm);
}

uint64_t interval_wall_changes(void)
{
    return atomic_load(&wall_changes);
}

void interval_wall_changed(void)
{
    struct list *node;
    atomic_fetch_add(&wall_changes, 1); // before the rings that are to see it
    mutex_lock(&wall_lock);
    list_for_each(node, &wall_intervals)
    {
        struct interval *interval = container_of(node, struct interval, wall_node);
        int error = alarm_set(&interval->alarm, 0);
        (void)error; // the alarms' thread is there, or nothing waits
    }
    mutex_unlock(&wall_lock);
}

int interval_set(struct interval *interval, bool is_absolute, hal_ns value, hal_ns period)
{
    interval->measure =
        !is_absolute && clock_is_on_wall(interval->clock) ? CLOCK_MONOTONIC : interval->clock;
    interval->is_expired = false;
    interval->expires = 0;
    interval->period = value == 0 ? 0 : period;
    wall_watch(interval, value != 0 && clock_is_on_wall(interval->measure));
    if (value == 0) {
        return alarm_set(&interval->alarm, UINT64_MAX);
    }
    hal_ns base = is_absolute ? 0 : clock_now(interval->measure);
    interval->expires = value > UINT64_MAX - base ? UINT64_MAX : base + value;
    int error = alarm_start(interval);
    if (error != 0) {
        interval->expires = 0;
    }
    return error;
}

bool interval_is_due(struct interval *interval)
{
    if (interval->expires == 0 || interval->is_expired) {
        return false;
    }
    if (clock_now(interval->measure) < interval->expires) {
        (void)alarm_start(interval); // the alarms' thread is there: we are on it
        return false;
    }
    interval->is_expired = true;
    return true;
}

uint64_t interval_forward(struct interval *interval)
{
    if (!interval->is_expired) {
        return 0;
    }
    interval->is_expired = false;
    if (interval->period == 0) {
        interval->expires = 0;
        return 1;
    }
    hal_ns now = clock_now(interval->measure);
    // A wall clock may have been set back since.
    uint64_t passed =
        now < interval->expires ? 1 : (now - interval->expires) / interval->period + 1;
    interval->expires += passed * interval->period;
    (void)alarm_start(interval);
    return passed;
}

hal_ns interval_left(const struct interval *interval)
{
    if (interval->expires == 0 || (interval->is_expired && interval->period == 0)) {
        return 0;
    }
    hal_ns now = clock_now(interval->measure);
    if (interval->expires > now) {
        return interval->expires - now;
    }
    return interval->period == 0 ? 1
                                 : interval->period - (now - interval->expires) % interval->period;
}

static int span_of(const struct timespec *spec, hal_ns *span)
{
    if (spec->tv_sec < 0 || spec->tv_nsec < 0 || spec->tv_nsec >= NS_PER_S) {
        return -EINVAL;
    }
    bool is_huge = (uint64_t)spec->tv_sec >= INT64_MAX / NS_PER_S;
    *span = is_huge ? INT64_MAX : (hal_ns)spec->tv_sec * NS_PER_S + (hal_ns)spec->tv_nsec;
    return 0;
}

int interval_read(const struct itimerspec *user, hal_ns *value, hal_ns *period)
{
    struct itimerspec spec;
    int error = user_read(&spec, user, sizeof spec);
    if (error == 0) {
        error = span_of(&spec.it_value, value);
    }
    return error != 0 ? error : span_of(&spec.it_interval, period);
}

int interval_write(struct itimerspec *user, hal_ns value, hal_ns period)
{
    const struct itimerspec spec = {
        .it_interval = {(time_t)(period / NS_PER_S), (long)(period % NS_PER_S)},
        .it_value = {(time_t)(value / NS_PER_S), (long)(value % NS_PER_S)},
    };
    return user_write(user, &spec, sizeof spec);
}
