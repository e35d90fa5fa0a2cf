// SPDX-License-Identifier: BSD-3-Clause
// packetfilter_test.c: a socket's filter that is changed, shared and taken away while packets are
// looked at, under every schedule: each is seen by the old or by the new one, none by one that is
// gone, and none is lost. Memory is used again as soon as RCU allows it.
#include "core/dev/packet_filter.h"

#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "rcu_steps.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { FILTERS = 4, FILTER_SIZE = 64, OLD = 10, NEW = 20, ALL = 100 };

// ---- In place of core/mem, of programs and packets: each is one step ----------------------

static _Alignas(16) char filters[FILTERS][FILTER_SIZE];
static bool is_used[FILTERS];

MARK_GUESS void *heap_alloc_zeroed(size_t size)
{
    seed_check(size <= FILTER_SIZE, "too large");
    for (unsigned i = 0; i < FILTERS; ++i) {
        if (!is_used[i]) {
            is_used[i] = true;
            return memset(filters[i], 0, FILTER_SIZE);
        }
    }
    seed_fail("memory is not given back");
}

void heap_free(void *block)
{
    const size_t index = (size_t)((char *)block - filters[0]) / FILTER_SIZE;
    seed_check(is_used[index], "freed twice");
    ((struct packet_filter *)block)->program[0].k = 0;
    is_used[index] = false;
}

uint32_t bpf_run(const struct bpf_instruction *program, const struct bpf_view *view)
{
    (void)view;
    seed_point();
    return program[0].k;
}

#define NEVER(declaration)                                                                         \
    declaration                                                                                    \
    {                                                                                              \
        seed_fail("not of this test");                                                             \
    }

NEVER(void *heap_alloc(size_t size __attribute__((unused))))
NEVER(int bpf_check(const struct bpf_instruction *program __attribute__((unused)),
                    uint32_t count __attribute__((unused)), uint16_t *room __attribute__((unused))))
NEVER(uint32_t packet_size(const struct packet *packet __attribute__((unused))))
NEVER(void packet_read(const struct packet *packet __attribute__((unused)),
                       uint32_t offset __attribute__((unused)), void *to __attribute__((unused)),
                       uint32_t count __attribute__((unused))))

MARK_GUESS uint32_t thread_cpu_index(void)
{
    return 0;
}

// ---- Two threads ----------------------------------------------------------------------------

static packet_filter_slot slot, child;

static void put(uint32_t wanted)
{
    struct packet_filter *filter = packet_filter_alloc(1);
    filter->program[0].k = wanted;
    packet_filter_set(&slot, filter);
}

static uint32_t used_count(void)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < FILTERS; ++i) {
        count += is_used[i];
    }
    return count;
}

static void reset(void)
{
    seed_threads_reset();
    reader_count = 0;
    ended_run();
    packet_filter_end(&slot);
    packet_filter_end(&child);
    seed_check(used_count() == 0, "memory is not given back");
    put(OLD);
}

static size_t look(packet_filter_slot *at)
{
    const size_t wanted = packet_filter_look(at, "", ALL);
    seed_check(wanted == OLD || wanted == NEW || wanted == ALL, "one that is gone");
    return wanted;
}

static void look_twice(void)
{
    const size_t first = look(&slot);
    const size_t second = look(&slot);
    seed_check(second >= first, "back in time");
}

static void change_and_end(void)
{
    put(NEW);
    packet_filter_set(&slot, NULL);
}

static void none_check(void)
{
    seed_check(used_count() == 0, "memory is not given back");
}

static void share(void)
{
    packet_filter_share(&child, &slot);
    (void)look(&child);
}

static void change(void)
{
    put(NEW);
}

static void shared_check(void)
{
    const size_t wanted = look(&child);
    seed_check(wanted != ALL, "not shared");
    seed_check(look(&slot) == NEW, "not changed");
    seed_check(used_count() == (wanted == OLD ? 2 : 1), "memory");
}

static void change_again(void)
{
    put(NEW);
}

static void one_check(void)
{
    seed_check(look(&slot) == NEW, "not changed");
    seed_check(used_count() == 1, "memory is not given back");
}

static const struct seed_test tests[] = {
    {.name = "packet filter, seen while it changes and goes",
     .reset = reset,
     .bodies = {look_twice, change_and_end},
     .check = none_check},
    {.name = "packet filter, shared while it changes",
     .reset = reset,
     .bodies = {share, change},
     .check = shared_check},
    {.name = "packet filter, changed by two",
     .reset = reset,
     .bodies = {change_again, change},
     .check = one_check},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
