// SPDX-License-Identifier: BSD-3-Clause
// zones_test.c: core/mem/frame.c where each CPU has a node, under every schedule of two of them:
// who is bound to a node gets frames of it, and none of another; what is freed goes back to its
// node.
#include "core/mem/frame.h"
#include "core/mem/frame_zones.h"

#include <string.h>

#include "seed.h"
#include "seed_main.h"

enum { AREA = 2 << 20, AREA_PAGES = AREA / HAL_PAGE_SIZE, WORD = 64, NEAR = 0, FAR = 1 };

// Area 0 has the pages that frame.c takes for itself; area 1 is node 0's, area 2 node 1's.
static _Alignas(AREA) char memory[3 * AREA];
static uint32_t cpus[SEED_CPU_COUNT]; // struct cpu as far as core/mem knows it
static size_t free_before[2];

static void reset_size(size_t near, size_t far)
{
    static struct hal_region regions[3];
    static const struct hal_node_memory parts[] = {{{0, (hal_phys)3 * AREA}, NEAR},
                                                   {{(hal_phys)3 * AREA, AREA}, FAR}};
    static struct hal_nodes nodes = {
        .count = 2, .memory = parts, .memory_count = 2, .distances = {{10, 20}, {20, 10}}};
    const struct hal_boot boot = {
        .cpu_count = SEED_CPU_COUNT,
        .direct_base = (char *)((uintptr_t)memory - AREA),
        .regions = regions,
        .region_count = 3,
        .nodes = &nodes,
    };
    regions[0] = (struct hal_region){AREA, (size_t)3 * HAL_PAGE_SIZE};
    regions[1] = (struct hal_region){(hal_phys)2 * AREA, near * HAL_PAGE_SIZE};
    regions[2] = (struct hal_region){(hal_phys)3 * AREA, far * HAL_PAGE_SIZE};
    nodes.cpus[1] = FAR;
    frame_init(&boot);
    for (unsigned i = 0; i < SEED_CPU_COUNT; ++i) {
        cpus[i] = i;
        seed_cpu_set(i, (struct cpu *)(void *)&cpus[i]);
        free_before[i] = frame_node_free_count(i);
    }
}

static void reset_whole(void)
{
    reset_size(AREA_PAGES, AREA_PAGES);
}

// Node 0 has half of what is asked for.
static void reset_scarce(void)
{
    reset_size(WORD, AREA_PAGES);
}

// Neither area is fresh, so neither is opened.
static void reset_parts(void)
{
    reset_size(AREA_PAGES - WORD, AREA_PAGES - WORD);
}

static void check(void)
{
    for (uint32_t node = 0; node < 2; ++node) {
        seed_check(frame_node_free_count(node) == free_before[node],
                   "frames were lost, or went back to another node");
    }
}

// 0: none; an area looks full while the other CPU opens it, however long that takes.
static hal_phys take_at(size_t count, unsigned place, uint32_t node)
{
    hal_phys start = 0;
    const int error =
        place == 0 ? frame_alloc(count, 0, &start) : frame_alloc_placed(count, 0, place, &start);
    seed_check(error != 0 || frame_node_of(start) == node, "memory of another node");
    return error != 0 ? 0 : start;
}

static void give(hal_phys start, size_t count)
{
    if (start != 0) {
        frame_free(start, count);
    }
}

// ---- Bodies -----------------------------------------------------------------

static unsigned far_place(void)
{
    return frame_place(FAR, 1u << FAR);
}

static void take_far(void)
{
    give(take_at(WORD, far_place(), FAR), WORD);
}

static void take_two_far(void)
{
    const hal_phys start = take_at((size_t)2 * WORD, far_place(), FAR),
                   other = take_at(WORD, far_place(), FAR);
    give(start, (size_t)2 * WORD);
    give(other, WORD);
}

// Of its own node, then of the other.
static void take_over(void)
{
    const hal_phys start = take_at(WORD, 0, NEAR), other = take_at(WORD, 0, FAR);
    seed_check(start != 0, "the own node has memory, and nobody else takes it");
    give(start, WORD);
    give(other, WORD);
}

// One page at a time: they go through the stores of CPUs.
static void take_single(void)
{
    give(take_at(1, far_place(), FAR), 1);
    give(take_at(1, 0, seed_index()), 1);
}

static const char *const fresh_marks[] = {"frame: areas were opened meanwhile", NULL};

static const struct seed_test tests[] = {
    {
        .name = "zones, bound to a fresh area",
        .reset = reset_whole,
        .bodies = {take_far, take_two_far},
        .check = check,
        .marks = fresh_marks,
        .preemption_max = 2,
    },
    {
        .name = "zones, one node is full",
        .reset = reset_scarce,
        .bodies = {take_over, take_two_far},
        .check = check,
        .preemption_max = 2,
    },
    {
        .name = "zones, single frames",
        .reset = reset_parts,
        .bodies = {take_single, take_single},
        .check = check,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
