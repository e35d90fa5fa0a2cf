// SPDX-License-Identifier: BSD-3-Clause
// stack_test.c: the stack of core/mem under every schedule of two threads with at most four
// preemptions: each node is in it once, or somebody's.
#include "core/mem/stack.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/unit.h"
#include "seed.h"
#include "seed_main.h"

enum { NODE_COUNT = 3 };

static struct node {
    struct stack_node node;
    uint64_t owner; // 0: in the stack
} nodes[NODE_COUNT];

static struct stack stack;

// The direct map, as far as stack.c knows it.
struct unit_table unit_table = {.base = (char *)nodes, .size = sizeof nodes};

static void reset(void)
{
    memset(&stack, 0, sizeof stack);
    memset(nodes, 0, sizeof nodes);
    for (unsigned i = 0; i < NODE_COUNT; ++i) {
        stack_push(&stack, &nodes[i].node);
    }
}

static void check(void)
{
    unsigned count = 0;
    struct node *node;
    while ((node = (struct node *)(void *)stack_pop(&stack)) != NULL) {
        seed_check(++count <= NODE_COUNT, "the stack is a ring");
        seed_check(node->owner == 0, "a node is in the stack, and somebody's");
    }
    for (unsigned i = 0; i < NODE_COUNT; ++i) {
        count += nodes[i].owner != 0;
    }
    seed_check(count == NODE_COUNT, "a node was lost, or is there twice");
}

// Who has a node writes where it led to the next.
static struct node *take(void)
{
    struct node *node = (struct node *)(void *)stack_pop(&stack);
    if (node != NULL) {
        seed_check(node->owner == 0, "a node was given to two");
        node->owner = seed_index() + 1;
        atomic_store_explicit(&node->node.next, NULL, memory_order_relaxed);
    }
    return node;
}

static void give(struct node *node)
{
    if (node != NULL) {
        seed_check(node->owner == seed_index() + 1, "a node has another owner");
        node->owner = 0;
        stack_push(&stack, &node->node);
    }
}

static void take_one(void)
{
    (void)take();
}

// So that the first is on top again, and leads elsewhere.
static void take_two_and_give_the_first(void)
{
    struct node *first = take();
    (void)take();
    give(first);
}

static void take_and_give(void)
{
    give(take());
    give(take());
}

static void take_all(void)
{
    while (take() != NULL) {
    }
}

static const char *const marks[] = {
    "stack: a pop was overtaken",
    "stack: the same node is on top again",
    NULL,
};
static const char *const push_marks[] = {"stack: a push was overtaken", NULL};

static const struct seed_test tests[] = {
    {
        .name = "stack, the same node on top again",
        .reset = reset,
        .bodies = {take_one, take_two_and_give_the_first},
        .check = check,
        .marks = marks,
    },
    {
        .name = "stack, taken and given",
        .reset = reset,
        .bodies = {take_and_give, take_and_give},
        .check = check,
        .marks = push_marks,
    },
    {
        .name = "stack, emptied",
        .reset = reset,
        .bodies = {take_and_give, take_all},
        .check = check,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
