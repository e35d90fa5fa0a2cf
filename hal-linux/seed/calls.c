// SPDX-License-Identifier: BSD-3-Clause
// calls.c: one stack of calls per context; of those beyond CALLS_MAX only the number is kept.
#include "hal-linux/seed/calls.h"

#include "hal-linux/seed/race.h"

enum { CALLS_MAX = 64, STACK_SPAN = 8 << 20 };

struct calls {
    uint32_t depth;
    struct call {
        const void *caller;
        uintptr_t sp;
    } calls[CALLS_MAX];
};

static struct calls contexts[RACE_CONTEXTS];

// Whether the innermost call is known and began at sp, or below it on the same stack.
static bool is_left_behind(const struct calls *calls, uintptr_t sp)
{
    uint32_t depth = calls->depth;
    return depth > 0 && depth <= CALLS_MAX && sp - calls->calls[depth - 1].sp < STACK_SPAN;
}

void calls_enter(uint32_t context, const void *caller, uintptr_t sp)
{
    struct calls *calls = &contexts[context];
    while (is_left_behind(calls, sp)) {
        --calls->depth;
    }
    if (calls->depth < CALLS_MAX) {
        calls->calls[calls->depth] = (struct call){caller, sp};
    }
    ++calls->depth;
}

// A function that ends by jumping to this has left its frame already: it is the one left behind.
// Any other's is at sp.
void calls_leave(uint32_t context, uintptr_t sp)
{
    struct calls *calls = &contexts[context];
    if (!is_left_behind(calls, sp - 1)) {
        calls->depth -= calls->depth > 0;
        return;
    }
    while (is_left_behind(calls, sp - 1)) {
        --calls->depth;
    }
}

uint32_t calls_get(uint32_t context, const void *places[], uint32_t size)
{
    const struct calls *calls = &contexts[context];
    uint32_t depth = calls->depth < CALLS_MAX ? calls->depth : CALLS_MAX, count = 0;
    while (count < size && count < depth) {
        places[count] = calls->calls[depth - 1 - count].caller;
        ++count;
    }
    return count;
}
