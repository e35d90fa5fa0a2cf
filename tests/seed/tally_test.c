// SPDX-License-Identifier: BSD-3-Clause
// tally_test.c: what core/net/percpu.c counts on two CPUs, under every schedule: nothing is lost,
// and nothing is counted twice, when both give what they have kept to the sum.
#include "core/mem/heap.h"
#include "core/lib/siphash.h"
#include "core/mem/percpu.h"
#include "core/net/percpu.h"
#include "core/sched/thread.h"
#include "seed.h"
#include "seed_main.h"

enum { MORE = 2 }; // than a CPU keeps

static struct net_cpu both[SEED_CPU_COUNT];
static struct percpu cpus[SEED_CPU_COUNT] = {{.index = 0}, {.index = 1}};
static int32_t base;                 // what the sum says before the schedule
static int32_t seen[SEED_CPU_COUNT]; // by each, when it was done

// ---- What stands in for the rest of core -------------------------------------------------

void *heap_alloc_zeroed(size_t size)
{
    (void)size;
    seed_fail("not of this test");
}

uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t count)
{
    (void)key, (void)words, (void)count;
    seed_fail("not of this test");
}

uint32_t sched_cpu_count(void)
{
    return SEED_CPU_COUNT;
}

// ---- The test ------------------------------------------------------------------------------

// Each is about to have more than it keeps.
static void reset(void)
{
    net_cpus = both;
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        seed_cpu_set(i, (struct cpu *)(void *)&cpus[i]);
        both[i].kept[NET_TALLY_ORPHANS] = NET_TALLY_KEPT;
    }
}

static void come(void)
{
    for (int i = 0; i < MORE; ++i) {
        (void)net_tally_add(NET_TALLY_ORPHANS, 1);
    }
    seen[seed_index()] = net_tally_add(NET_TALLY_ORPHANS, 0);
}

static void come_and_go(void)
{
    (void)net_tally_add(NET_TALLY_ORPHANS, 1);
    (void)net_tally_add(NET_TALLY_ORPHANS, -1);
    seen[seed_index()] = net_tally_add(NET_TALLY_ORPHANS, 0);
}

// Who was done last saw all of the sum.
static int32_t sum_by(unsigned index)
{
    return seen[index] - both[index].kept[NET_TALLY_ORPHANS];
}

static void check(int32_t come)
{
    const int32_t kept = both[0].kept[NET_TALLY_ORPHANS] + both[1].kept[NET_TALLY_ORPHANS];
    const int32_t sum = base + SEED_CPU_COUNT * NET_TALLY_KEPT + come - kept;
    seed_check(sum_by(0) == sum || sum_by(1) == sum, "one is lost, or counted twice");
    base = sum;
}

static void check_come(void)
{
    check(SEED_CPU_COUNT * MORE);
}

static void check_gone(void)
{
    check(MORE);
}

static const struct seed_test tests[] = {
    {.name = "tally, two give at once",
     .reset = reset,
     .bodies = {come, come},
     .check = check_come},
    {.name = "tally, one comes and goes",
     .reset = reset,
     .bodies = {come, come_and_go},
     .check = check_gone},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
