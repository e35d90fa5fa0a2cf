// SPDX-License-Identifier: BSD-3-Clause
// sequence.h: a sequence lock: who reads takes no lock, and learns afterwards whether what it read
// was so at one time (Lameter, "Effective synchronization on Linux/NUMA systems", 2005).
//
//     writer, one at a time            reader
//     sequence_change_begin(&s);       if (sequence_begin(&s, &number)) {
//     ...                                  ... reads
//     sequence_change_end(&s);             if (sequence_holds(&s, number)) ...
//
// What both touch is read and written by atomic operations, relaxed ones, or by functions that
// throw away what they guess. A reader never waits for a writer: it goes another way, which takes
// the writer's lock, unless the writer cannot be interrupted.
#ifndef CORE_LIB_SEQUENCE_H
#define CORE_LIB_SEQUENCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sequence {            // all zeros is one
    _Atomic uint32_t number; // odd during a change, and greater after each
};

// Writers exclude each other by a lock of theirs.
void sequence_change_begin(struct sequence *sequence);
void sequence_change_end(struct sequence *sequence);

// False: something is being changed.
static inline bool sequence_begin(const struct sequence *sequence, uint32_t *number)
{
    // Acquire pairs with sequence_change_end: who sees the number sees the change before it.
    *number = atomic_load_explicit(&sequence->number, memory_order_acquire);
    return (*number & 1) == 0;
}

// Whether all that was read since sequence_begin was so at one time. May be asked more than once.
static inline bool sequence_holds(const struct sequence *sequence, uint32_t number)
{
    // Pairs with the fence in sequence_change_begin: who read something new sees the odd number.
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&sequence->number, memory_order_relaxed) == number;
}

#endif
