// SPDX-License-Identifier: BSD-3-Clause
// schedule_attributes.c: sched_setattr and sched_getattr: policy, priority and nice in one.
//
// The structure grows with Linux: a caller says in its first word how much of it there is. What a
// caller knows and we do not must be zero; what it does not know is zero.
//
// SCHED_DEADLINE is not there: what asks for it rightly is told EPERM, as Linux tells who has no
// right to it, and programs expect. Slices (runtime, of threads that are not real-time) are
// accepted and have no effect, and are shown as 0: as before Linux 6.12.
#include <sched.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/credentials.h"
#include "core/linux/process.h"
#include "core/linux/task.h"
#include "core/linux/user.h"
#include "core/sched/thread.h"

enum {
    SIZE_FIRST = 48, // of the first version
    SIZE_MAX_USER = 4096,
    FLAG_RESET_ON_FORK = 1,
    FLAGS_DEADLINE = 6, // reclaim, overrun: without effect for others
    FLAG_KEEP_POLICY = 8,
    FLAG_KEEP_PARAMETERS = 16,
    FLAGS_CLAMP = 0x60,
    FLAGS_ALL = 0x7f,
    RESET_ON_FORK = 0x40000000,
};

// Linux's struct sched_attr.
struct schedule_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t clamp_min, clamp_max;
};

_Static_assert(sizeof(struct schedule_attributes) == 56, "Linux's struct sched_attr");

// Tells a caller how much we know.
static int too_big(uint32_t *user_size)
{
    const uint32_t size = sizeof(struct schedule_attributes);
    int error = user_write(user_size, &size, sizeof size);
    return error != 0 ? error : -E2BIG;
}

// -EFAULT; -E2BIG: there is more than we know.
static int attributes_read(struct schedule_attributes *attributes, struct schedule_attributes *user)
{
    uint32_t size;
    int error = user_read(&size, &user->size, sizeof size);
    if (error != 0) {
        return error;
    }
    size = size == 0 ? SIZE_FIRST : size;
    if (size < SIZE_FIRST || size > SIZE_MAX_USER) {
        return too_big(&user->size);
    }
    for (uint32_t at = sizeof *attributes; at < size; ++at) {
        char byte;
        error = user_read(&byte, (const char *)user + at, sizeof byte);
        if (error != 0 || byte != 0) {
            return error != 0 ? error : too_big(&user->size);
        }
    }
    *attributes = (struct schedule_attributes){0};
    error = user_read(attributes, user, size < sizeof *attributes ? size : sizeof *attributes);
    return error == 0 && size < sizeof *attributes && (attributes->flags & FLAGS_CLAMP) != 0
               ? -EINVAL
               : error;
}

// Could a thread have so much of each period, by its deadline? Linux's bounds.
static bool is_deadline_valid(const struct schedule_attributes *attributes)
{
    enum { RUNTIME_MIN = 1024, PERIOD_MIN = 100000 };
    const uint64_t period_max = (uint64_t)1000 << 22;
    uint64_t deadline = attributes->deadline;
    uint64_t period = attributes->period == 0 ? deadline : attributes->period;
    return attributes->priority == 0 && attributes->runtime >= RUNTIME_MIN &&
           attributes->runtime <= deadline && deadline <= period && period >= PERIOD_MIN &&
           period <= period_max;
}

static int schedule_change(struct thread_schedule *schedule,
                           const struct schedule_attributes *attributes, int policy)
{
    if ((attributes->flags & ~(uint64_t)FLAGS_ALL) != 0) {
        return -EINVAL;
    }
    if (policy == SCHED_DEADLINE) {
        return is_deadline_valid(attributes) ? -EPERM : -EINVAL;
    }
    if (attributes->priority > THREAD_PRIORITY_MAX) {
        return -EINVAL;
    }
    int8_t nice = schedule->nice;
    int error = linux_schedule_make(schedule, policy, (int)attributes->priority);
    if (error != 0 || (attributes->flags & FLAGS_CLAMP) != 0) {
        return error != 0 ? error : -EOPNOTSUPP; // as without CONFIG_UCLAMP_TASK
    }
    policy &= ~RESET_ON_FORK;
    if (policy == SCHED_OTHER || policy == SCHED_BATCH) {
        schedule->nice = (int8_t)attributes->nice;
    }
    return schedule->nice < nice && !credentials_may(CAPABILITY_SYS_NICE) ? -EPERM : 0;
}

// What the caller wants to keep it has; whether threads it creates are real-time stays with the
// policy.
static int attributes_apply(struct thread *thread, struct schedule_attributes *attributes)
{
    struct thread_schedule schedule = thread_schedule_get(thread);
    bool resets = (attributes->flags & FLAG_RESET_ON_FORK) != 0;
    int policy = (int)attributes->policy;
    if ((attributes->flags & FLAG_KEEP_POLICY) != 0) {
        policy = linux_schedule_policy(schedule);
        resets = schedule.resets;
    } else if ((policy & RESET_ON_FORK) != 0) {
        return -EINVAL;
    }
    if ((attributes->flags & FLAG_KEEP_PARAMETERS) != 0) {
        attributes->priority = schedule.priority;
        attributes->nice = schedule.nice;
    }
    attributes->nice = attributes->nice < THREAD_NICE_MIN ? THREAD_NICE_MIN : attributes->nice;
    attributes->nice = attributes->nice > THREAD_NICE_MAX ? THREAD_NICE_MAX : attributes->nice;
    int error = schedule_change(&schedule, attributes, policy | (resets ? RESET_ON_FORK : 0));
    if (error == 0) {
        thread_schedule_set(thread, schedule);
    }
    return error;
}

long linux_sched_setattr(int32_t id, void *user, unsigned flags)
{
    if (id < 0 || user == NULL || flags != 0) {
        return -EINVAL;
    }
    struct schedule_attributes attributes;
    int error = attributes_read(&attributes, user);
    if (error != 0) {
        return error;
    }
    if ((int32_t)attributes.policy < 0) {
        return -EINVAL;
    }
    struct thread *thread = task_thread(id);
    return thread == NULL ? -ESRCH : attributes_apply(thread, &attributes);
}

long linux_sched_getattr(int32_t id, void *user, uint32_t size, unsigned flags)
{
    if (id < 0 || user == NULL || size < SIZE_FIRST || size > SIZE_MAX_USER || flags != 0) {
        return -EINVAL;
    }
    struct thread *thread = task_thread(id);
    if (thread == NULL) {
        return -ESRCH;
    }
    struct thread_schedule schedule = thread_schedule_get(thread);
    struct schedule_attributes attributes = {
        .policy = (uint32_t)linux_schedule_policy(schedule),
        .flags = schedule.resets ? FLAG_RESET_ON_FORK : 0,
        .nice = schedule.priority != 0 ? 0 : schedule.nice,
        .priority = schedule.priority,
    };
    attributes.size = size < sizeof attributes ? size : sizeof attributes;
    return user_write(user, &attributes, attributes.size);
}
