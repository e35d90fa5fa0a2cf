// SPDX-License-Identifier: BSD-3-Clause
// stack.h: a lock-free stack of nodes in the direct map (Treiber, 1986), for what the heap and
// slabs share between CPUs.
//
// The word is the top node's place in units of 8 bytes (40 bits: 8 TiB) and a serial number (24
// bits), which every change raises: a pop that was overtaken by a pop and a push of the same node
// fails. Nodes may be read after they left the stack; they lie in the direct map, which is never
// unmapped. Any context.
#ifndef CORE_MEM_STACK_H
#define CORE_MEM_STACK_H

#include <stdatomic.h>
#include <stdint.h>

struct stack_node {
    _Atomic(struct stack_node *) next;
};

// All-zero is empty.
struct stack {
    _Atomic uint64_t top;
};

void stack_push(struct stack *stack, struct stack_node *node);
struct stack_node *stack_pop(struct stack *stack); // NULL: empty

#endif
