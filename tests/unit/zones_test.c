// SPDX-License-Identifier: BSD-3-Clause
// zones_test.c: frames come from the node of the CPU that asks, or of whom it names; where that has
// none, from the nearest; and go back there.
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/frame_orders.h"
#include "core/mem/frame_zones.h"
#include "tests/unit/hal/unit_hal.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    MIB = 1 << 20,
    PAGE = HAL_PAGE_SIZE,
    BASE = 16 * MIB,
    CPUS = 4,
    FRAMES_MAX = 64 * MIB / PAGE
};

static struct {
    uint32_t index;
} cpus[CPUS];

static struct hal_nodes nodes;
static hal_phys frames[FRAMES_MAX];

static void cpu_switch(uint32_t index)
{
    unit_cpu = (struct cpu *)(void *)&cpus[index];
}

// 64 MiB; memory says whose. CPU i is of node i % count, whose distance to j is 10 + 10 |i - j|.
static void boot_with(uint32_t count, const struct hal_node_memory *memory, size_t memory_count)
{
    static struct hal_region region = {BASE, 64 * MIB};
    char *arena = mmap(NULL, 66 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(arena != MAP_FAILED);
    arena = (char *)(((uintptr_t)arena + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    nodes = (struct hal_nodes){.count = count, .memory = memory, .memory_count = memory_count};
    for (uint32_t i = 0; i < count; ++i) {
        for (uint32_t j = 0; j < count; ++j) {
            nodes.distances[i][j] = (uint8_t)(10 + 10 * (i > j ? i - j : j - i));
        }
    }
    for (uint32_t i = 0; i < CPUS; ++i) {
        cpus[i].index = i;
        nodes.cpus[i] = (uint8_t)(i % count);
    }
    const struct hal_boot boot = {
        .cpu_count = CPUS,
        .direct_base = arena - BASE,
        .regions = &region,
        .region_count = 1,
        .nodes = &nodes,
        .memory_is_zero = true,
    };
    cpu_switch(0);
    frame_init(&boot);
}

static void boot_two(void)
{
    static const struct hal_node_memory memory[] = {{{0, BASE + 32 * MIB}, 0},
                                                    {{BASE + 32 * MIB, 32 * MIB}, 1}};
    boot_with(2, memory, 2);
}

// Node 0 has two pieces, and the borders are not those of areas.
static void boot_four(void)
{
    static const struct hal_node_memory memory[] = {
        {{BASE, 7 * MIB}, 0},
        {{BASE + 7 * MIB, 16 * MIB}, 1},
        {{BASE + 24 * MIB, 16 * MIB}, 2},
        {{BASE + 40 * MIB, 16 * MIB}, 3},
        {{BASE + 56 * MIB, 8 * MIB}, 0},
    };
    boot_with(4, memory, 5);
}

static uint32_t node_of_one(size_t count, unsigned place)
{
    hal_phys start = 0;
    const int error =
        place == 0 ? frame_alloc(count, 0, &start) : frame_alloc_placed(count, 0, place, &start);
    ck_assert_int_eq(error, 0);
    const uint32_t node = frame_node_of(start);
    frame_free(start, count);
    return node;
}

START_TEST(memory_is_of_nodes)
{
    boot_four();
    ck_assert_uint_eq(frame_node_count(), 4);
    ck_assert_uint_eq(frame_node_of(BASE), 0);
    ck_assert_uint_eq(frame_node_of(BASE + 7 * MIB), 0); // of the area that node 0 begins
    ck_assert_uint_eq(frame_node_of(BASE + 8 * MIB), 1);
    ck_assert_uint_eq(frame_node_of(BASE + 23 * MIB), 1);
    ck_assert_uint_eq(frame_node_of(BASE + 24 * MIB), 2);
    ck_assert_uint_eq(frame_node_of(BASE + 63 * MIB), 0);
    ck_assert_uint_eq(frame_zones.totals[0], 16 * MIB / PAGE);
    size_t total = 0, left = 0, pieces = 0;
    for (uint32_t node = 0; node < 4; ++node) {
        size_t counts[FRAME_ORDERS];
        frame_orders(node, counts);
        for (uint32_t i = 0; i < FRAME_ORDERS; ++i) {
            pieces += counts[i] << i;
        }
        total += frame_zones.totals[node];
        left += frame_node_free_count(node);
    }
    ck_assert_uint_eq(total, frame_total_count());
    ck_assert_uint_eq(left, frame_free_count());
    ck_assert_uint_eq(pieces, frame_free_count());
}
END_TEST

START_TEST(a_cpu_is_given_of_its_node)
{
    static const size_t counts[] = {1, 2, 16, 31, 300, 512, 1024};
    boot_four();
    for (uint32_t cpu = 0; cpu < CPUS; ++cpu) {
        cpu_switch(cpu);
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
            ck_assert_uint_eq(node_of_one(counts[i], 0), cpu);
        }
        hal_phys start;
        const size_t count = frame_alloc_run(3000, 0, &start);
        ck_assert_uint_ge(count, 512);
        ck_assert_uint_eq(frame_node_of(start), cpu);
        frame_free(start, count);
        ck_assert_uint_eq(frame_zones.counts[cpu].miss, 0);
        ck_assert_uint_ge(frame_zones.counts[cpu].local, 1000);
    }
}
END_TEST

START_TEST(a_place_is_kept)
{
    static const size_t counts[] = {1, 2, 16, 31, 300, 512, 1024};
    boot_four();
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        ck_assert_uint_eq(node_of_one(counts[i], frame_place(2, 0)), 2);
        ck_assert_uint_eq(node_of_one(counts[i], frame_place(3, 0xf)), 3);
        ck_assert_uint_eq(node_of_one(counts[i], frame_place(HAL_NODE_MAX, 0xe)), 1);
        ck_assert_uint_eq(node_of_one(counts[i], frame_place(HAL_NODE_MAX, 0xf)), 0);
        ck_assert_uint_eq(node_of_one(counts[i], frame_place(0, 1 << 3)), 3);
    }
}
END_TEST

// Takes all that a place has, one at a time, and answers how many.
static size_t take_all(unsigned place, hal_phys *taken)
{
    size_t count = 0;
    while ((place == 0 ? frame_alloc(1, 0, &taken[count])
                       : frame_alloc_placed(1, 0, place, &taken[count])) == 0) {
        ++count;
    }
    return count;
}

static void give_all(const hal_phys *taken, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        frame_free(taken[i], 1);
    }
}

START_TEST(the_nearest_comes_next)
{
    boot_four();
    const size_t before = frame_free_count();
    cpu_switch(2);
    const size_t count = take_all(0, frames);
    ck_assert_uint_eq(count, before);
    uint32_t order[4], seen = 0;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t node = frame_node_of(frames[i]);
        if (seen == 0 || order[seen - 1] != node) {
            ck_assert_uint_lt(seen, 4);
            order[seen++] = node;
        }
    }
    ck_assert_uint_eq(order[0], 2);
    ck_assert_uint_eq(order[3], 0); // the farthest; 1 and 3 are equally near
    ck_assert_uint_gt(frame_zones.counts[1].miss, 0);
    ck_assert_uint_eq(frame_zones.counts[2].foreign, frame_zones.counts[0].miss +
                                                         frame_zones.counts[1].miss +
                                                         frame_zones.counts[3].miss);
    give_all(frames, count);
    ck_assert_uint_eq(frame_free_count(), before);
    ck_assert_uint_eq(node_of_one(1, 0), 2); // what was another's is not kept
}
END_TEST

START_TEST(who_is_bound_takes_of_no_other)
{
    boot_two();
    const size_t before = frame_node_free_count(1), other = frame_node_free_count(0);
    const size_t count = take_all(frame_place(HAL_NODE_MAX, 2), frames);
    ck_assert_uint_eq(count, before);
    ck_assert_uint_eq(frame_node_free_count(1), 0);
    ck_assert_uint_eq(frame_node_free_count(0), other);
    hal_phys start;
    ck_assert_int_eq(frame_alloc_placed(512, 0, frame_place(1, 2), &start), -ENOMEM);
    ck_assert_int_eq(frame_alloc_placed(16, 0, frame_place(1, 2), &start), -ENOMEM);
    ck_assert_int_eq(frame_alloc_placed(16, 0, frame_place(1, 0), &start), 0); // it only prefers
    ck_assert_uint_eq(frame_node_of(start), 0);
    frame_free(start, 16);
    give_all(frames, count);
    ck_assert_uint_eq(frame_node_free_count(1), before);
    ck_assert_uint_eq(frame_node_free_count(0), other);
}
END_TEST

// CPU 0 frees what lies at node 1: it may not give it out as if it were near.
START_TEST(frames_go_back_to_their_node)
{
    enum { COUNT = 200 };
    boot_two();
    for (size_t i = 0; i < COUNT; ++i) {
        ck_assert_int_eq(frame_alloc_placed(1, 0, frame_place(1, 2), &frames[i]), 0);
    }
    give_all(frames, COUNT);
    for (size_t i = 0; i < COUNT; ++i) {
        ck_assert_int_eq(frame_alloc(1, 0, &frames[i]), 0);
        ck_assert_uint_eq(frame_node_of(frames[i]), 0);
    }
    give_all(frames, COUNT);
}
END_TEST

START_TEST(what_is_larger_than_a_zone_lies_across)
{
    boot_two();
    hal_phys start;
    ck_assert_int_eq(frame_alloc(40 * MIB / PAGE, 0, &start), 0);
    frame_free(start, 40 * MIB / PAGE);
    ck_assert_int_eq(frame_alloc_placed(40 * MIB / PAGE, 0, frame_place(0, 1), &start), -ENOMEM);
}
END_TEST

// A node with CPUs and no memory, and one with memory and no CPUs.
START_TEST(nodes_may_lack_something)
{
    static const struct hal_node_memory memory[] = {{{0, BASE + 64 * MIB}, 1}};
    boot_with(2, memory, 1);
    memset(nodes.cpus, 0, sizeof nodes.cpus);
    ck_assert_uint_eq(frame_zones.totals[0], 0);
    ck_assert_uint_eq(node_of_one(1, 0), 1);
    ck_assert_uint_eq(node_of_one(16, 0), 1);
    hal_phys start;
    ck_assert_int_eq(frame_alloc_placed(1, 0, frame_place(0, 1), &start), -ENOMEM);
    ck_assert_uint_eq(frame_node_free_count(1), frame_free_count());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zones");
    TCase *all = tcase_create("all");
    tcase_add_test(all, memory_is_of_nodes);
    tcase_add_test(all, a_cpu_is_given_of_its_node);
    tcase_add_test(all, a_place_is_kept);
    tcase_add_test(all, the_nearest_comes_next);
    tcase_add_test(all, who_is_bound_takes_of_no_other);
    tcase_add_test(all, frames_go_back_to_their_node);
    tcase_add_test(all, what_is_larger_than_a_zone_lies_across);
    tcase_add_test(all, nodes_may_lack_something);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
