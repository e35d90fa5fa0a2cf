// SPDX-License-Identifier: BSD-3-Clause
// stack.c: a stack of nodes without locks; the head has a count in its upper half that makes each
// value new. Planted: it stays 0, so a head that went and came back looks untouched (ABA).
#include <stdatomic.h>
#include <stdint.h>

#include "tests/system/seeded/planted/planted.h"

enum { NODES = 3, TURNS = 30 };

static _Atomic uint32_t next[NODES + 1]; // by node; 0 is the end
static _Atomic uint64_t head;
static atomic_int owners[NODES + 1]; // how many threads believe that it is theirs

static uint64_t head_make(uint64_t old, uint32_t node)
{
    uint64_t count = is_planted ? 0 : (old >> 32) + 1;
    return count << 32 | node;
}

static void push(uint32_t node)
{
    --owners[node];
    uint64_t old = head;
    do {
        next[node] = (uint32_t)old;
    } while (!atomic_compare_exchange_weak(&head, &old, head_make(old, node)));
}

static uint32_t pop(void)
{
    uint64_t old = head;
    while ((uint32_t)old != 0 &&
           !atomic_compare_exchange_weak(&head, &old, head_make(old, next[(uint32_t)old]))) {
    }
    if ((uint32_t)old != 0) {
        check(++owners[(uint32_t)old] == 1, "a node has one owner");
    }
    return (uint32_t)old;
}

// Takes two and gives them back, the first one first.
static void take_turns(void)
{
    for (int i = 0; i < TURNS; ++i) {
        uint32_t first = pop();
        uint32_t second = pop();
        if (first != 0) {
            push(first);
        }
        if (second != 0) {
            push(second);
        }
    }
}

void play_round(void)
{
    head = 0;
    for (uint32_t i = 1; i <= NODES; ++i) {
        owners[i] = 1;
        push(i);
    }
    run_beside(take_turns, take_turns);
}
