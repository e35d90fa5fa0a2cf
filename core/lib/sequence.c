// SPDX-License-Identifier: BSD-3-Clause
// sequence.c: the writer's side of sequence.h.
#include "core/lib/sequence.h"

#include "core/lib/assert.h"

void sequence_change_begin(struct sequence *sequence)
{
    uint32_t number = atomic_load_explicit(&sequence->number, memory_order_relaxed);
    ASSERT((number & 1) == 0);
    atomic_store_explicit(&sequence->number, number + 1, memory_order_relaxed);
    // Pairs with the fence in sequence_holds: it comes before all stores of the change.
    atomic_thread_fence(memory_order_release);
}

void sequence_change_end(struct sequence *sequence)
{
    uint32_t number = atomic_load_explicit(&sequence->number, memory_order_relaxed);
    ASSERT((number & 1) == 1);
    // Pairs with the acquire in sequence_begin.
    atomic_store_explicit(&sequence->number, number + 1, memory_order_release);
}
