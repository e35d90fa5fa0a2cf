// SPDX-License-Identifier: BSD-3-Clause
// stack.c: the stack of stack.h. Places count from 1, so that 0 is "none".
#include "core/mem/stack.h"

#include <stddef.h>

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/mem/unit.h"

enum { STACK_SERIAL_SHIFT = 40 };

static uint64_t place_of(const struct stack_node *node)
{
    return node == NULL ? 0 : ((uint64_t)((const char *)node - unit_table.base) >> 3) + 1;
}

static struct stack_node *node_at(uint64_t top)
{
    uint64_t place = top & (((uint64_t)1 << STACK_SERIAL_SHIFT) - 1);
    return place == 0 ? NULL : (struct stack_node *)(void *)(unit_table.base + ((place - 1) << 3));
}

static uint64_t top_after(uint64_t top, const struct stack_node *node)
{
    return ((top >> STACK_SERIAL_SHIFT) + 1) << STACK_SERIAL_SHIFT | place_of(node);
}

void stack_push(struct stack *stack, struct stack_node *node)
{
    ASSERT(unit_is_direct(node));
    uint64_t top = atomic_load_explicit(&stack->top, memory_order_relaxed);
    for (;;) {
        atomic_store_explicit(&node->next, node_at(top), memory_order_relaxed);
        // Release pairs with the acquire loads in stack_pop: what is in the node goes with it.
        if (atomic_compare_exchange_weak_explicit(&stack->top, &top, top_after(top, node),
                                                  memory_order_release, memory_order_relaxed)) {
            return;
        }
        MARK("stack: a push was overtaken");
    }
}

// Garbage when the node is gone already, for whoever has it now writes there as he likes: no race
// to be told of, since the serial number is then another.
MARK_GUESS static struct stack_node *next_of(const struct stack_node *node)
{
    return atomic_load_explicit(&node->next, memory_order_relaxed);
}

struct stack_node *stack_pop(struct stack *stack)
{
    uint64_t top = atomic_load_explicit(&stack->top, memory_order_acquire);
    struct stack_node *node;
    while ((node = node_at(top)) != NULL) {
        struct stack_node *next = next_of(node);
        if (atomic_compare_exchange_weak_explicit(&stack->top, &top, top_after(top, next),
                                                  memory_order_acquire, memory_order_acquire)) {
            break;
        }
        MARK("stack: a pop was overtaken");
        if (node_at(top) == node) {
            MARK("stack: the same node is on top again");
        }
    }
    return node;
}
