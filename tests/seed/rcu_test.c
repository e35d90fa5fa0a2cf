// SPDX-License-Identifier: BSD-3-Clause
// rcu_test.c: deferred calls, and lists that change while they are read, on the real core/sched,
// with the thread of core/sync/rcu.c.
#include "core/lib/list.h"
#include "core/sync/rcu.h"
#include "core/sync/rcu_list.h"
#include "guest.h"
#include "seed.h"
#include "seed_main.h"

enum { ELEMENT_COUNT = 4 };

static struct element {
    struct rcu_node node;
    struct rcu_head end;
    bool is_alive;
} elements[ELEMENT_COUNT];

static struct rcu_head others[RCU_GATHER_MAX];
static struct rcu_list list;
static _Atomic int call_count;

// The list is 2, 1, 0; element 3 is in no list.
static void data_reset(void)
{
    list = (struct rcu_list){NULL};
    call_count = 0;
    for (unsigned i = 0; i < ELEMENT_COUNT; ++i) {
        elements[i] = (struct element){.is_alive = true};
        if (i < 3) {
            rcu_list_push(&list, &elements[i].node);
        }
    }
}

static unsigned index_of(const struct rcu_node *node)
{
    return (unsigned)(container_of(node, struct element, node) - elements);
}

static void other_end(struct rcu_head *end)
{
    end->function = NULL;
}

// So many calls are deferred already: whoever makes that RCU_GATHER_MAX ends the gathering.
static void others_defer(unsigned count)
{
    for (unsigned i = 0; i < count; ++i) {
        rcu_defer(&others[i], other_end);
    }
}

// Those that nobody removes are met, and none that has ended.
static void walk(unsigned expected)
{
    unsigned met = 0;
    struct rcu_node *node;
    rcu_read_begin();
    rcu_list_for_each(node, &list)
    {
        met |= 1u << index_of(node);
        seed_check(elements[index_of(node)].is_alive, "read after its end");
    }
    rcu_read_end();
    seed_check((met & expected) == expected, "not met");
}

static void element_end(struct rcu_head *end)
{
    container_of(end, struct element, end)->is_alive = false;
    ++call_count;
    guest_tell(0);
}

static void start(void)
{
    seed_check(rcu_start() == 0, "not started");
    guest_tell(1);
}

// One element is removed and ended, while the other thread walks.

static void remove_1(void)
{
    start();
    rcu_list_remove(&list, &elements[1].node);
    rcu_defer(&elements[1].end, element_end);
    guest_wait(0);
}

static void walk_5(void)
{
    guest_wait(1);
    walk(1 | 4);
}

static void reset_remove(void)
{
    guests_reset();
    data_reset();
    others_defer(RCU_GATHER_MAX - 1);
    guest_reset(0, 0, remove_1);
    guest_reset(1, 1, walk_5);
}

static void check_remove(void)
{
    seed_check(call_count == 1 && !elements[1].is_alive, "not called once");
}

// One is pushed and the first removed.

static void push_and_remove(void)
{
    start();
    rcu_list_push(&list, &elements[3].node);
    rcu_list_remove(&list, &elements[2].node);
    rcu_defer(&elements[2].end, element_end);
    guest_wait(0);
}

static void walk_3(void)
{
    guest_wait(1);
    walk(1 | 2);
}

static void reset_push(void)
{
    guests_reset();
    data_reset();
    others_defer(RCU_GATHER_MAX - 1);
    guest_reset(0, 0, push_and_remove);
    guest_reset(1, 1, walk_3);
}

// Both defer at the same time, one of them twice.

static void defer_two(void)
{
    start();
    rcu_defer(&elements[0].end, element_end);
    rcu_defer(&elements[1].end, element_end);
    while (call_count < 3) {
        thread_park();
    }
}

static void defer_one(void)
{
    guest_wait(1);
    rcu_defer(&elements[2].end, element_end);
}

static void reset_defer(void)
{
    guests_reset();
    data_reset();
    others_defer(RCU_GATHER_MAX - 2);
    guest_reset(0, 0, defer_two);
    guest_reset(1, 1, defer_one);
}

static void check_defer(void)
{
    seed_check(call_count == 3, "not each was called once");
}

static const char *const defer_marks[] = {"rcu: woken while gathering", NULL};

static const struct seed_test tests[] = {
    {
        .name = "rcu, several calls",
        .reset = reset_defer,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .check = check_defer,
        .marks = defer_marks,
        .preemption_max = 2,
    },
    {
        .name = "rcu, an end that is deferred",
        .reset = reset_remove,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .check = check_remove,
        .preemption_max = 2,
    },
    {
        .name = "rcu, a list that changes",
        .reset = reset_push,
        .bodies = {guest_cpu_run, guest_cpu_run},
        .end_count = 2,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
