// SPDX-License-Identifier: BSD-3-Clause
// alarm.c: a wheel of deadlines, and the thread that sleeps until the first.
//
// Invariant, under alarm_lock: the thread sleeps until sleeping_until, which is not later than the
// first deadline, or is awake and will look. An alarm is taken out of the wheel before it rings, so
// that its ring may set it again.
#include "core/sync/alarm.h"

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/sched/thread.h"
#include "core/sync/waitqueue.h"

static struct mutex alarm_lock; // guards all of this
static struct wheel alarms;     // by deadline
static struct alarm *ringing;
static struct waitqueue sleeper; // the thread
static hal_ns sleeping_until;    // 0: it is awake
static struct waitqueue cancelers;
static struct thread *alarm_thread; // NULL until the first alarm

static void remove_locked(struct alarm *alarm)
{
    if (alarm->is_set) {
        alarm->is_set = false;
        wheel_remove(&alarms, &alarm->node);
    }
}

static void ring_locked(struct alarm *alarm)
{
    alarm->is_set = false;
    ringing = alarm;
    mutex_unlock(&alarm_lock);
    alarm->ring(alarm);
    mutex_lock(&alarm_lock);
    ringing = NULL;
    waitqueue_wake_all(&cancelers);
}

static void alarm_run(void *argument)
{
    (void)argument;
    mutex_lock(&alarm_lock);
    for (;;) {
        struct wheel_node *node = wheel_take(&alarms, hal_clock_ns());
        if (node != NULL) {
            ring_locked(container_of(node, struct alarm, node));
            continue;
        }
        sleeping_until = wheel_first(&alarms);
        (void)waitqueue_wait_until(&sleeper, &alarm_lock, sleeping_until, false);
        sleeping_until = 0;
    }
}

static int thread_make_locked(void)
{
    if (alarm_thread != NULL) {
        return 0;
    }
    struct hal_cpu_set all = {0};
    for (uint32_t cpu = 0; cpu < sched_cpu_count(); ++cpu) {
        all.words[cpu / 64] |= (uint64_t)1 << cpu % 64;
    }
    const struct thread_config config = {
        .name = "alarm",
        .affinity = &all,
        .schedule = &thread_schedule_core,
        .detached = true,
    };
    int error = thread_create(&alarm_thread, &config, alarm_run, NULL);
    if (error == 0) {
        thread_start(alarm_thread);
    }
    return error;
}

int alarm_set(struct alarm *alarm, hal_ns deadline)
{
    mutex_lock(&alarm_lock);
    int error = thread_make_locked();
    if (error == 0) {
        remove_locked(alarm);
    }
    if (error == 0 && deadline != UINT64_MAX) {
        alarm->is_set = true;
        wheel_insert(&alarms, &alarm->node, deadline);
        if (deadline < sleeping_until) {
            sleeping_until = 0; // the next need not wake it again
            (void)waitqueue_wake_one(&sleeper);
        }
    }
    mutex_unlock(&alarm_lock);
    return error;
}

bool alarm_stop(struct alarm *alarm)
{
    mutex_lock(&alarm_lock);
    const bool was_set = alarm->is_set;
    remove_locked(alarm);
    mutex_unlock(&alarm_lock);
    return was_set;
}

void alarm_cancel(struct alarm *alarm)
{
    mutex_lock(&alarm_lock);
    remove_locked(alarm);
    while (ringing == alarm) {
        waitqueue_wait(&cancelers, &alarm_lock);
        remove_locked(alarm); // its ring has set it again
    }
    mutex_unlock(&alarm_lock);
}
