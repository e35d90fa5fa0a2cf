// SPDX-License-Identifier: BSD-3-Clause
// pressure.h: how many page frames are left, and who is told when they get few.
//
// The count is of frames that lie in no CPU's store. Three marks, by the machine's size: below
// `low` somebody is told, who gives back until `high` are left; below `min` what merely makes
// things faster takes no more. What is promised is left to page faults: others are refused it.
// Any CPU, any context, never blocks.
#ifndef CORE_MEM_PRESSURE_H
#define CORE_MEM_PRESSURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pressure {
    _Alignas(64) _Atomic int64_t left; // a moment's: it may be less than nothing for one
    _Atomic int64_t mark;              // who takes the count below it tells; 0: nobody does
    // Frames that memory of the program may still take by faults: core/vm counts them.
    _Alignas(64) _Atomic int64_t promised;
    _Atomic bool is_ended;               // pressure_end_take has answered true in this shortage
    _Alignas(64) int64_t low, high, min; // constant
};

extern struct pressure pressure;

// For frame.c: left frames of total are free; and so many have been taken, or given back.
void pressure_init(size_t left, size_t total);
void pressure_tell(void);
void pressure_relax(void);

static inline void pressure_taken(size_t count)
{
    // Relaxed, as all here: the number orders nothing.
    int64_t old = atomic_fetch_sub_explicit(&pressure.left, (int64_t)count, memory_order_relaxed);
    if (__builtin_expect(
            old - (int64_t)count < atomic_load_explicit(&pressure.mark, memory_order_relaxed), 0)) {
        pressure_tell();
    }
}

static inline void pressure_given(size_t count)
{
    (void)atomic_fetch_add_explicit(&pressure.left, (int64_t)count, memory_order_relaxed);
    if (__builtin_expect(atomic_load_explicit(&pressure.mark, memory_order_relaxed) < pressure.low,
                         0)) {
        pressure_relax();
    }
}

static inline size_t pressure_left(void)
{
    int64_t left = atomic_load_explicit(&pressure.left, memory_order_relaxed);
    return left < 0 ? 0 : (size_t)left;
}

static inline void pressure_promise(int64_t frames)
{
    (void)atomic_fetch_add_explicit(&pressure.promised, frames, memory_order_relaxed);
}

// How many of those that are left are promised to nobody.
static inline size_t pressure_spare(void)
{
    int64_t spare = atomic_load_explicit(&pressure.left, memory_order_relaxed) -
                    atomic_load_explicit(&pressure.promised, memory_order_relaxed);
    return spare < 0 ? 0 : (size_t)spare;
}

static inline bool pressure_is_low(void)
{
    return (int64_t)pressure_left() < pressure.low;
}

static inline bool pressure_is_min(void)
{
    return (int64_t)pressure_left() < pressure.min;
}

// How many frames are to be given back; 0 while at least `low` are left.
size_t pressure_wanted(void);

// low is called from within the allocation that goes below the mark, perhaps with interrupts off:
// it may ring a bell, no more. It is called again after pressure_rearm only.
void pressure_listen(void (*low)(void));

// Memory has ended, which is said once until there are plenty again: true where it was not yet.
bool pressure_end_take(void);

// To be called where plenty may be there again.
static inline void pressure_end_look(void)
{
    if (__builtin_expect(atomic_load_explicit(&pressure.is_ended, memory_order_relaxed), 0) &&
        (int64_t)pressure_spare() >= pressure.high) {
        atomic_store_explicit(&pressure.is_ended, false, memory_order_relaxed);
    }
}

// Who was told has done what it could. Where that was too little it is told again when an eighth of
// `low` less is left.
void pressure_rearm(void);

#endif
