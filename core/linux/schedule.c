// SPDX-License-Identifier: BSD-3-Clause
// schedule.c: where and when threads run, in Linux's words: policies, priorities, nice, affinity.
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "core/lib/errno.h"
#include "core/mem/frame_zones.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/process.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/sched/thread.h"

enum { RESET_ON_FORK = 0x40000000, POLICY_SAME = -1, NICE_ZERO = 20 };

_Static_assert(THREAD_FAIR == SCHED_OTHER && THREAD_FIFO == SCHED_FIFO &&
                   THREAD_ROUND_ROBIN == SCHED_RR && THREAD_BATCH == SCHED_BATCH,
               "enum thread_policy");

// ---- Affinity --------------------------------------------------------------

long linux_sched_yield(void)
{
    thread_yield();
    return 0;
}

// Bits beyond the CPUs that exist are dropped, as Linux does.
long linux_sched_setaffinity(int32_t id, size_t size, const uint64_t *user)
{
    struct hal_cpu_set set = {0};
    struct thread *thread = task_thread(id);
    if (thread == NULL) {
        return -ESRCH;
    }
    int error = user_read(&set, user, size < sizeof set ? size : sizeof set);
    if (error != 0) {
        return error;
    }
    uint64_t any = 0;
    for (uint32_t cpu = 0; cpu < HAL_CPU_MAX; ++cpu) {
        uint64_t bit = (uint64_t)1 << (cpu % 64);
        if (cpu >= sched_cpu_count()) {
            set.words[cpu / 64] &= ~bit;
        }
        any |= set.words[cpu / 64] & bit;
    }
    return any == 0 ? -EINVAL : thread_affinity_set(thread, &set);
}

long linux_sched_getaffinity(int32_t id, size_t size, uint64_t *user)
{
    struct hal_cpu_set set;
    struct thread *thread = task_thread(id);
    if (thread == NULL) {
        return -ESRCH;
    }
    if (size % 8 != 0 || size * 8 < sched_cpu_count()) {
        return -EINVAL;
    }
    thread_affinity_get(thread, &set);
    size_t written = size < sizeof set ? size : sizeof set;
    int error = user_write(user, &set, written);
    return error != 0 ? error : (long)written;
}

long linux_getcpu(unsigned *cpu, unsigned *node)
{
    const uint32_t index = thread_cpu_index();
    const unsigned values[2] = {index, frame_node_of_cpu(index)};
    int error = cpu == NULL ? 0 : user_write(cpu, &values[0], sizeof values[0]);
    return error != 0 || node == NULL ? error : user_write(node, &values[1], sizeof values[1]);
}

// ---- Policies and priorities --------------------------------------------------

static bool is_real_time(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

int linux_schedule_policy(struct thread_schedule schedule)
{
    return schedule.policy == THREAD_IDLE ? SCHED_IDLE : schedule.policy;
}

int linux_schedule_make(struct thread_schedule *schedule, int policy, int priority)
{
    bool resets = (policy & RESET_ON_FORK) != 0;
    policy &= ~RESET_ON_FORK;
    bool is_fair = policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
    if (!is_fair && !is_real_time(policy)) {
        return -EINVAL;
    }
    if (is_fair ? priority != 0 : priority < 1 || priority > THREAD_PRIORITY_MAX) {
        return -EINVAL;
    }
    if (!credentials_may(CAPABILITY_SYS_NICE) &&
        (is_real_time(policy) || (schedule->resets && !resets))) {
        return -EPERM;
    }
    schedule->policy = policy == SCHED_IDLE ? THREAD_IDLE : (uint8_t)policy;
    schedule->priority = (uint8_t)priority;
    schedule->resets = resets;
    return 0;
}

static long schedule_set(int32_t id, int policy, const int *user_priority)
{
    if (id < 0 || user_priority == NULL) {
        return -EINVAL;
    }
    int priority;
    int error = user_read(&priority, user_priority, sizeof priority);
    struct thread *thread = task_thread(id);
    if (error != 0 || thread == NULL) {
        return error != 0 ? error : -ESRCH;
    }
    struct thread_schedule schedule = thread_schedule_get(thread);
    if (policy == POLICY_SAME) {
        policy = linux_schedule_policy(schedule) | (schedule.resets ? RESET_ON_FORK : 0);
    }
    error = linux_schedule_make(&schedule, policy, priority);
    if (error == 0) {
        thread_schedule_set(thread, schedule);
    }
    return error;
}

long linux_sched_setscheduler(int32_t id, int policy, const int *priority)
{
    return policy < 0 ? -EINVAL : schedule_set(id, policy, priority);
}

long linux_sched_setparam(int32_t id, const int *priority)
{
    return schedule_set(id, POLICY_SAME, priority);
}

// -EINVAL, -ESRCH.
static int schedule_get(int32_t id, struct thread_schedule *schedule)
{
    struct thread *thread = id < 0 ? NULL : task_thread(id);
    if (thread == NULL) {
        return id < 0 ? -EINVAL : -ESRCH;
    }
    *schedule = thread_schedule_get(thread);
    return 0;
}

long linux_sched_getscheduler(int32_t id)
{
    struct thread_schedule schedule;
    int error = schedule_get(id, &schedule);
    if (error != 0) {
        return error;
    }
    return linux_schedule_policy(schedule) | (schedule.resets ? RESET_ON_FORK : 0);
}

long linux_sched_getparam(int32_t id, int *priority)
{
    struct thread_schedule schedule;
    int error = priority == NULL ? -EINVAL : schedule_get(id, &schedule);
    if (error != 0) {
        return error;
    }
    const int value = schedule.priority;
    return user_write(priority, &value, sizeof value);
}

long linux_sched_rr_get_interval(int32_t id, struct timespec *interval)
{
    struct thread_schedule schedule;
    int error = schedule_get(id, &schedule);
    if (error != 0) {
        return error;
    }
    hal_ns slice = thread_slice_ns(schedule);
    const struct timespec value = {
        .tv_sec = (time_t)(slice / 1000000000),
        .tv_nsec = (long)(slice % 1000000000),
    };
    return user_write(interval, &value, sizeof value);
}

long linux_sched_get_priority_max(int policy)
{
    switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        return THREAD_PRIORITY_MAX;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE:
        return 0;
    default:
        return -EINVAL;
    }
}

long linux_sched_get_priority_min(int policy)
{
    long most = linux_sched_get_priority_max(policy);
    return most > 0 ? 1 : most;
}

// ---- Nice ------------------------------------------------------------------

// Each thread has its own, as on Linux.
struct nice_request {
    bool sets;
    int nice;
    long result; // 20 - the least nice; or 0, -EACCES; -ESRCH
};

static void nice_of(struct thread *thread, struct nice_request *request)
{
    struct thread_schedule schedule = thread_schedule_get(thread);
    if (!request->sets) {
        long found = NICE_ZERO - schedule.nice;
        request->result = request->result < found ? found : request->result;
        return;
    }
    if (request->nice < schedule.nice && !credentials_may(CAPABILITY_SYS_NICE)) {
        request->result = -EACCES;
        return;
    }
    request->result = request->result == -ESRCH ? 0 : request->result;
    schedule.nice = (int8_t)request->nice;
    thread_schedule_set(thread, schedule);
}

// A group is here as on Linux its processes' first threads.
static long nice_request(int which, int who, struct nice_request *request)
{
    if (which < PRIO_PROCESS || which > PRIO_USER) {
        return -EINVAL;
    }
    bool is_ours = who == 0 || (which == PRIO_PGRP   ? who == linux_getpgrp()
                                : which == PRIO_USER ? who == linux_getuid()
                                                     : true);
    request->result = -ESRCH;
    mutex_lock(&task_lock);
    struct task *task = which == PRIO_PROCESS ? task_find(who) : task_first();
    if (task != NULL && is_ours) {
        nice_of(task->thread, request);
        task = which == PRIO_USER ? task_next(task) : NULL;
        for (; task != NULL; task = task_next(task)) {
            nice_of(task->thread, request);
        }
    }
    mutex_unlock(&task_lock);
    return request->result;
}

long linux_getpriority(int which, int who)
{
    struct nice_request request = {.sets = false};
    return nice_request(which, who, &request);
}

long linux_setpriority(int which, int who, int nice)
{
    nice = nice < THREAD_NICE_MIN ? THREAD_NICE_MIN : nice;
    nice = nice > THREAD_NICE_MAX ? THREAD_NICE_MAX : nice;
    struct nice_request request = {.sets = true, .nice = nice};
    return nice_request(which, who, &request);
}
