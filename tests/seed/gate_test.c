// SPDX-License-Identifier: BSD-3-Clause
// gate_test.c: core/vm/gate.c under every schedule of two threads with at most four preemptions:
// faults meet each other, and who takes their pages away.
#include "core/vm/gate.h"

#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

#define PAGE ((char *)0x200000000)

static bool is_inside, is_changing; // a fault; who changes
static bool is_area, is_mapped;     // what a fault looks at, and what it makes of it
static bool has_waited;

static void reset(void)
{
    is_inside = is_changing = is_mapped = has_waited = false;
    is_area = true;
    seed_threads_reset();
}

static bool fault(void)
{
    if (!gate_enter(PAGE, &has_waited)) {
        return false;
    }
    seed_check(!is_inside, "two faults inside");
    is_inside = true;
    seed_point();
    if (is_area) {
        seed_check(!is_changing, "a fault maps under a change");
        is_mapped = true;
    }
    is_inside = false;
    gate_leave(PAGE);
    return true;
}

static void fault_surely(void)
{
    seed_check(fault(), "closed, and nobody changes anything");
}

static void fault_twice(void)
{
    (void)fault();
    (void)fault();
}

static void unmap(void)
{
    gate_close(PAGE + 5 * HAL_PAGE_SIZE, PAGE + GATE_SIZE + HAL_PAGE_SIZE);
    seed_check(!is_inside, "a fault is inside");
    is_changing = true;
    is_mapped = false;
    seed_point();
    is_area = false;
    is_changing = false;
    gate_open();
}

static void check_mapped(void)
{
    seed_check(is_mapped, "not mapped");
}

static void check_unmapped(void)
{
    seed_check(!is_mapped, "mapped after it was taken away");
    seed_check(fault(), "left closed");
}

static const char *const wait_marks[] = {"gate: a fault waits for another", NULL};
static const char *const close_marks[] = {"gate: a fault finds it closed", NULL};

static const struct seed_test tests[] = {
    {
        .name = "gate, two faults",
        .reset = reset,
        .bodies = {fault_surely, fault_surely},
        .check = check_mapped,
        .marks = wait_marks,
    },
    {
        .name = "gate, faults and an end",
        .reset = reset,
        .bodies = {fault_twice, unmap},
        .check = check_unmapped,
        .marks = close_marks,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
