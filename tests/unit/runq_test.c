// SPDX-License-Identifier: BSD-3-Clause
// runq_test.c: what a switch costs with many runnable threads, in steps of the run queue: O(log n).
//
// Switches are made as core/sched makes them but for the registers: the first leaves the queue,
// runs for a while, is accounted, and is queued again.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/lib/tree.h"
#include "core/sched/cpu.h"
#include "tests/unit/hal/unit_hal.h"

static uint64_t steps; // comparisons, and links followed
static tree_less *less_real;

static bool less_counted(const struct tree_node *a, const struct tree_node *b)
{
    ++steps;
    return less_real(a, b);
}

void __real_tree_insert(struct tree *tree, struct tree_node *node, tree_less *less);
void __wrap_tree_insert(struct tree *tree, struct tree_node *node, tree_less *less);

void __wrap_tree_insert(struct tree *tree, struct tree_node *node, tree_less *less)
{
    less_real = less;
    __real_tree_insert(tree, node, less_counted);
}

// What core/sched asks of the machine, and this test does not reach.

void hal_context_switch(struct hal_context *from, const struct hal_context *to)
{
    abort();
}

void hal_context_init(struct hal_context *context, char *stack, size_t size, void (*entry)(void *),
                      void *argument)
{
    abort();
}

int hal_cpu_start(uint32_t index, struct cpu *cpu, char *stack, size_t size)
{
    abort();
}

void hal_cpu_idle(void)
{
    abort();
}

void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until)
{
    abort();
}

static struct thread *threads_make(struct cpu *cpu, uint32_t count)
{
    struct thread *threads = calloc(count, sizeof *threads);
    ck_assert_ptr_nonnull(threads);
    for (uint32_t i = 0; i < count; ++i) {
        const struct thread_schedule schedule = {.nice = (int8_t)(i % 7)};
        atomic_store(&threads[i].cpu, cpu);
        atomic_store(&threads[i].schedule, schedule);
        atomic_store(&threads[i].unusual, UNUSUAL_SCHEDULE | UNUSUAL_MIGRATING);
        runq_insert(cpu, &threads[i]);
    }
    return threads;
}

static void first_run(struct cpu *cpu, hal_ns span)
{
    struct thread *first = runq_first(cpu);
    // To the one that moves up.
    struct thread *second = runq_next(cpu, first);
    const struct tree_node *node = second == NULL ? NULL : &second->run_node;
    for (; node != NULL; node = node->parent) {
        ++steps;
    }
    cpu->current = first;
    runq_remove(cpu, first);
    cpu->floor = first->order > cpu->floor ? first->order : cpu->floor;
    unit_clock_ns = cpu->now_ns + span;
    (void)sched_account(cpu);
    runq_insert(cpu, first);
}

static double steps_per_switch(uint32_t count)
{
    enum { SWITCHES = 200000 };
    struct cpu *cpu = sched_cpus[0];
    *cpu = (struct cpu){.now_ns = 1000000000};
    (void)decay_anchor(&cpu->clock, cpu->now_ns);
    struct thread *threads = threads_make(cpu, count);
    steps = 0;
    for (uint32_t i = 0; i < SWITCHES; ++i) {
        first_run(cpu, 1000 + i * 7919 % 100000);
    }
    ck_assert_uint_eq(runq_count(cpu), count);
    free(threads);
    return (double)steps / SWITCHES;
}

START_TEST(a_switch_takes_a_logarithm_of_steps)
{
    // The least that a balanced tree needs is log2(n); a treap is expected to need 1.4 times that
    // or less.
    double few = steps_per_switch(10);
    double many = steps_per_switch(1000);
    double most = steps_per_switch(100000);
    printf("# steps per switch: %.1f of 10 threads, %.1f of 1000, %.1f of 100000\n", few, many,
           most);
    ck_assert_double_le(few, 3 * 3.3);
    ck_assert_double_le(many, 3 * 10.0);
    ck_assert_double_le(most, 3 * 16.6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("runq");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_switch_takes_a_logarithm_of_steps);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
