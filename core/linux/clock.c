// SPDX-License-Identifier: BSD-3-Clause
// clock.c: clocks, sleeping, and the calls that tell how much time was used.
#include "core/linux/clock.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/mem/frame.h"
#include "core/mem/usage.h"
#include "core/sched/thread.h"
#include "core/sync/waitqueue.h"

enum { TICK_NS = 4000000 };

static const hal_ns SECOND_NS = 1000000000;
static const hal_ns TIME_MAX_NS = (THREAD_WALL - 1) / 2; // 146 years: more is that much

// Numbers of processor-time clocks: ~id << 3, then bit 2: of a thread, and what is counted: all of
// its time, that in user mode, or what the scheduler says. All are the same here.
enum { CPU_CLOCK_SHIFT = 3, CPU_CLOCK_THREAD = 4, CPU_CLOCK_KIND = 3, CPU_CLOCK_SCHEDULER = 2 };

int clock_of_thread(int32_t id)
{
    return (int)(~(uint32_t)id << CPU_CLOCK_SHIFT | CPU_CLOCK_THREAD | CPU_CLOCK_SCHEDULER);
}

static int cpu_clock_read(int clock, hal_ns *time)
{
    int32_t id = ~(clock >> CPU_CLOCK_SHIFT);
    if ((clock & CPU_CLOCK_KIND) > CPU_CLOCK_SCHEDULER || id < 0) {
        return -EINVAL;
    }
    if ((clock & CPU_CLOCK_THREAD) == 0) {
        *time = task_runtime_all_ns();
        return id == 0 || id == PROCESS_ID ? 0 : -EINVAL;
    }
    mutex_lock(&task_lock);
    const struct task *task = task_find(id);
    *time = task == NULL ? 0 : thread_runtime_ns(task->thread);
    mutex_unlock(&task_lock);
    return task == NULL ? -EINVAL : 0;
}

bool clock_is_on_wall(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

// CLOCK_MONOTONIC and its kin: hal_clock_ns as it is.
static bool is_since_boot(int clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
           clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_BOOTTIME_ALARM;
}

int clock_read(int clock, hal_ns *time)
{
    if (clock == CLOCK_MONOTONIC_RAW) { // no timer has it, and a second of 0 is no time to ping
        *time = hal_clock_ns() + SECOND_NS;
        return 0;
    }
    if (is_since_boot(clock)) {
        *time = hal_clock_ns();
        return 0;
    }
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        *time = hal_clock_wall_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        *time = task_runtime_all_ns();
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *time = thread_runtime_ns(thread_self());
        return 0;
    default:
        return clock < 0 ? cpu_clock_read(clock, time) : -EINVAL;
    }
}

static struct timespec timespec_of(hal_ns time)
{
    return (struct timespec){.tv_sec = (time_t)(time / SECOND_NS),
                             .tv_nsec = (long)(time % SECOND_NS)};
}

static struct timeval timeval_of(hal_ns time)
{
    return (struct timeval){.tv_sec = (time_t)(time / SECOND_NS),
                            .tv_usec = (suseconds_t)(time % SECOND_NS / 1000)};
}

static int timespec_read(hal_ns *time, const struct timespec *user)
{
    struct timespec spec;
    int error = user_read(&spec, user, sizeof spec);
    if (error != 0) {
        return error;
    }
    if (spec.tv_sec < 0 || spec.tv_nsec < 0 || spec.tv_nsec >= (long)SECOND_NS) {
        return -EINVAL;
    }
    bool is_huge = (uint64_t)spec.tv_sec > TIME_MAX_NS / SECOND_NS;
    *time = is_huge ? TIME_MAX_NS : (hal_ns)spec.tv_sec * SECOND_NS + (hal_ns)spec.tv_nsec;
    return 0;
}

int clock_deadline_read(hal_ns *deadline, int clock, bool is_absolute, const struct timespec *user)
{
    hal_ns time;
    hal_ns now;
    int error = timespec_read(&time, user);
    if (error != 0) {
        return error;
    }
    if (is_absolute && clock_is_on_wall(clock)) {
        *deadline = time | THREAD_WALL;
        return 0;
    }
    if (is_since_boot(clock)) { // to the nanosecond: who sleeps until the same time wakes in turn
        *deadline = is_absolute ? time : hal_clock_ns() + time;
        return 0;
    }
    error = clock_read(clock, &now);
    if (error != 0) {
        return error;
    }
    hal_ns span = !is_absolute ? time : time > now ? time - now : 0;
    *deadline = hal_clock_ns() + span;
    return 0;
}

struct timespec clock_rest(hal_ns deadline)
{
    hal_ns now = hal_clock_ns();
    return timespec_of(deadline > now ? deadline - now : 0);
}

void clock_rest_write(struct timespec *timeout, hal_ns deadline)
{
    if (timeout != NULL) {
        struct timespec rest = clock_rest(deadline);
        int error = user_write(timeout, &rest, sizeof rest);
        (void)error; // the call's own answer counts, as on Linux
    }
}

int clock_span_read(hal_ns *deadline, const struct timespec *user)
{
    *deadline = UINT64_MAX;
    return user == NULL ? 0 : clock_deadline_read(deadline, CLOCK_MONOTONIC, false, user);
}

// The caller's buffer is written directly: the vDSO of Linux does not answer -EFAULT either.
long linux_clock_gettime(int clock, struct timespec *result)
{
    hal_ns time;
    int error = clock_read(clock, &time);
    if (error == 0) {
        *result = timespec_of(time);
    }
    return error;
}

long linux_clock_getres(int clock, struct timespec *result)
{
    hal_ns time;
    bool is_coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    const struct timespec step = {.tv_nsec = is_coarse ? TICK_NS : 1}; // as Linux says
    int error = clock_read(clock, &time);
    if (error == 0 && result != NULL) {
        error = user_write(result, &step, sizeof step);
    }
    return error;
}

long linux_clock_settime(int clock, const struct timespec *time)
{
    (void)time;
    return clock == CLOCK_REALTIME ? -EPERM : -EINVAL;
}

long linux_gettimeofday(struct timeval *result, void *zone)
{
    if (result != NULL) {
        *result = timeval_of(hal_clock_wall_ns());
    }
    if (zone != NULL) {
        memset(zone, 0, 2 * sizeof(int));
    }
    return 0;
}

long linux_time(time_t *result)
{
    time_t now = (time_t)(hal_clock_wall_ns() / SECOND_NS);
    if (result != NULL) {
        *result = now;
    }
    return now;
}

// Until the process has used so much processor time. Nobody says when that will be.
static int sleep_used(hal_ns used)
{
    for (hal_ns now; (now = task_runtime_all_ns()) < used;) {
        hal_ns left = (used - now) / sched_cpu_count();
        (void)thread_park_until(hal_clock_ns() + (left < TICK_NS ? TICK_NS : left));
        if (wait_is_interrupted()) {
            return -EINTR;
        }
    }
    return 0;
}

static int sleep_until(hal_ns deadline)
{
    int error = 0;
    thread_wait_note(thread_self(), THREAD_WAIT_SLEEP, NULL);
    while (error == 0 && thread_park_until(deadline)) {
        error = wait_is_interrupted() ? -EINTR : 0;
    }
    thread_wait_note(thread_self(), THREAD_WAIT_NONE, NULL);
    return error;
}

long linux_clock_nanosleep(int clock, int flags, const struct timespec *request,
                           struct timespec *rest)
{
    hal_ns deadline;
    hal_ns used;
    bool is_absolute = (flags & TIMER_ABSTIME) != 0;
    if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
        clock == CLOCK_REALTIME_COARSE) {
        return -EOPNOTSUPP;
    }
    int error = clock_deadline_read(&deadline, clock, is_absolute, request);
    if (error != 0) {
        return error;
    }
    if (clock == CLOCK_PROCESS_CPUTIME_ID) {
        error = timespec_read(&used, request);
        return error != 0 ? error : sleep_used(is_absolute ? used : task_runtime_all_ns() + used);
    }
    error = sleep_until(deadline);
    if (error != 0 && !is_absolute && rest != NULL) {
        clock_rest_write(rest, deadline);
    }
    return error;
}

long linux_nanosleep(const struct timespec *request, struct timespec *rest)
{
    return linux_clock_nanosleep(CLOCK_MONOTONIC, 0, request, rest);
}

long linux_times(struct tms *result)
{
    enum { TICKS_PER_SECOND = 100 };
    if (result != NULL) {
        clock_t used = (clock_t)(task_runtime_all_ns() / (SECOND_NS / TICKS_PER_SECOND));
        *result = (struct tms){.tms_utime = used};
    }
    return (long)(hal_clock_ns() / (SECOND_NS / TICKS_PER_SECOND));
}

// The most that was seen when somebody asked.
static long memory_used_max_kib(void)
{
    static _Atomic uint64_t max;
    const size_t there = frame_total_count() - usage_get(USAGE_BALLOON) - usage_get(USAGE_LENT);
    const size_t free = frame_free_count();
    const uint64_t used = free < there ? (there - free) * (HAL_PAGE_SIZE / 1024) : 0;
    uint64_t before = atomic_load(&max);
    while (used > before && !atomic_compare_exchange_weak(&max, &before, used)) {
    }
    return (long)(used > before ? used : before);
}

long linux_getrusage(int who, struct rusage *result)
{
    // The kernel writes 144 bytes; musl's struct is longer.
    enum { RUSAGE_SIZE = 144 };
    struct rusage usage;
    memset(&usage, 0, sizeof usage);
    usage.ru_maxrss = memory_used_max_kib();
    if (who == RUSAGE_SELF) {
        usage.ru_utime = timeval_of(task_runtime_all_ns());
    } else if (who == RUSAGE_THREAD) {
        usage.ru_utime = timeval_of(thread_runtime_ns(thread_self()));
    } else if (who == RUSAGE_CHILDREN) {
        usage.ru_maxrss = 0;
    } else {
        return -EINVAL;
    }
    return user_write(result, &usage, RUSAGE_SIZE);
}
