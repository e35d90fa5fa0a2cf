// SPDX-License-Identifier: BSD-3-Clause
// attributes.c: sched_setattr and sched_getattr: what they take, refuse and say.
#include <sched.h>
#include <stdint.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "show.h"

enum {
    RESET = 1,
    KEEP_POLICY = 8,
    KEEP_PARAMETERS = 16,
    CLAMP_MIN = 32,
    DEADLINE = 6,
    MS = 1000000
};

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t clamp_min, clamp_max;
};

// And eight bytes that neither kernel knows.
static struct {
    struct attributes known;
    uint64_t more;
} large;

static long set(int id, void *attributes, unsigned flags)
{
    return syscall(SYS_sched_setattr, id, attributes, flags);
}

static long get(int id, void *attributes, unsigned size, unsigned flags)
{
    return syscall(SYS_sched_getattr, id, attributes, size, flags);
}

// runtime depends on Linux's version where the policy is neither real-time nor a deadline.
static void now_show(void)
{
    struct attributes now;
    memset(&now, 0x5a, sizeof now);
    SHOW(get(0, &now, sizeof now, 0));
    printf(
        "  size %u policy %u flags %lx nice %d priority %u deadline %lu period %lu clamp %u %u\n",
        now.size, now.policy, now.flags, now.nice, now.priority, now.deadline, now.period,
        now.clamp_min, now.clamp_max);
}

static void change(const char *name, struct attributes wanted)
{
    uint32_t size = wanted.size;
    printf("%s\n", name);
    SHOW(set(0, &wanted, 0));
    if (wanted.size != size) {
        printf("  size %u\n", wanted.size);
    }
    now_show();
}

static void policies(void)
{
    now_show();
    change("batch, nice", (struct attributes){.size = 48, .policy = SCHED_BATCH, .nice = 5});
    change("idle keeps nice", (struct attributes){.size = 48, .policy = SCHED_IDLE, .nice = 7});
    change("other, nice", (struct attributes){.size = 56, .policy = SCHED_OTHER, .nice = -3});
    change("fifo", (struct attributes){.policy = SCHED_FIFO, .priority = 7, .nice = 4});
    change("rr, reset",
           (struct attributes){.size = 48, .policy = SCHED_RR, .priority = 9, .flags = RESET});
    change("keep policy, no priority", (struct attributes){.flags = KEEP_POLICY, .nice = 3});
    change("keep policy", (struct attributes){.flags = KEEP_POLICY, .priority = 3});
    change("keep parameters", (struct attributes){.flags = KEEP_PARAMETERS});
    change("nice beyond", (struct attributes){.nice = 100});
    change("nice beyond", (struct attributes){.nice = -100});
    change("nice", (struct attributes){.nice = 3});
    change("keep both", (struct attributes){.flags = KEEP_POLICY | KEEP_PARAMETERS, .nice = 9});
    change("a slice", (struct attributes){.runtime = 3 * MS});
}

static void refused(void)
{
    change("policy of another kind", (struct attributes){.policy = 0x40000000});
    change("policy", (struct attributes){.policy = 4});
    change("policy", (struct attributes){.policy = 0x80000000});
    change("size", (struct attributes){.size = 47});
    change("size", (struct attributes){.size = 4097});
    change("clamp, old size", (struct attributes){.size = 48, .flags = CLAMP_MIN});
    change("flag", (struct attributes){.flags = 0x80});
    change("priority", (struct attributes){.priority = 1});
    change("priority", (struct attributes){.policy = SCHED_FIFO});
    change("priority", (struct attributes){.policy = SCHED_RR, .priority = 100});
    change("deadline", (struct attributes){.policy = DEADLINE});
    change("deadline", (struct attributes){.policy = DEADLINE, .runtime = 3 * MS, .deadline = MS});
    change("deadline", (struct attributes){.policy = DEADLINE, .runtime = 1000, .deadline = MS});
    change("deadline",
           (struct attributes){
               .policy = DEADLINE, .runtime = MS, .deadline = 5 * MS, .period = 4 * MS});
    // Linux: not on some CPUs only.
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    SHOW(sched_setaffinity(0, sizeof first, &first));
    change("deadline", (struct attributes){.policy = DEADLINE, .runtime = MS, .deadline = 5 * MS});
}

static void sizes(void)
{
    struct attributes known = {.size = 48};
    large.known.size = sizeof large;
    SHOW(set(0, &large, 0));
    large.known.size = sizeof large;
    large.more = (uint64_t)1 << 63;
    SHOW(set(0, &large, 0));
    printf("  size %u\n", large.known.size);
    SHOW(get(0, &large, sizeof large, 0));
    printf("  size %u\n", large.known.size);
    SHOW(get(0, &known, 47, 0));
    SHOW(get(0, &known, 48, 0));
    printf("  size %u\n", known.size);
    SHOW(get(0, &known, 4097, 0));
    SHOW(get(0, &known, 48, 1));
    SHOW(get(0, NULL, 48, 0));
    SHOW(get(-1, &known, 48, 0));
    SHOW(get(99999999, &known, 48, 0));
    SHOW(get(0, (void *)16, 48, 0));
    SHOW(set(0, NULL, 0));
    SHOW(set(0, &known, 1));
    SHOW(set(-1, &known, 0));
    SHOW(set(99999999, &known, 0));
    SHOW(set(0, (void *)16, 0));
}

int main(void)
{
    policies();
    refused();
    sizes();
    return 0;
}
