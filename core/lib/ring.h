// SPDX-License-Identifier: BSD-3-Clause
// ring.h: bounded queues between threads, or between interrupts and threads, without locks: one
// consumer, and one producer (struct ring) or any number of them (struct ring_many).
//
// Neither side ever waits for the other: a push into a full ring and a pop from an empty one take
// less than was asked for. A consumer that sleeps until there is more waits at a bell
// (core/sync/bell.h), which who pushes rings once for all that it has pushed.
//
// The capacity is a power of two, at least 2; the slots are the caller's, and outlive the ring.
#ifndef CORE_LIB_RING_H
#define CORE_LIB_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// Sizes of a cache line on the processors that we know: what two CPUs write lies apart.
enum { RING_LINE = 64 };

// One producer, one consumer (Lamport, "Specifying Concurrent Program Modules", 1983; each side
// remembers how far it has last seen the other, and so takes its line once for many values).
struct ring {
    uintptr_t *slots;
    uint32_t mask;
    _Alignas(RING_LINE) _Atomic uint32_t tail; // values pushed so far, modulo 2^32
    uint32_t head_seen;                        // the producer's
    _Alignas(RING_LINE) _Atomic uint32_t head; // values popped so far
    uint32_t tail_seen;                        // the consumer's
};

void ring_init(struct ring *ring, uintptr_t *slots, uint32_t capacity);

// How many of count values went in: the first ones. The consumer sees all of them at once.
uint32_t ring_push(struct ring *ring, const uintptr_t *values, uint32_t count);

// How many values came out, at most count.
uint32_t ring_pop(struct ring *ring, uintptr_t *values, uint32_t count);

// For the consumer.
bool ring_is_empty(const struct ring *ring);

// Many producers, one consumer. A slot's turn is the number of the value that may be put there, or,
// once it is there, one more (Vyukov, "Bounded MPMC queue", 2010, for one consumer).
// A producer that is interrupted within a push holds up what others push after it, but not them: it
// rings the bell after its push, too.
struct ring_slot {
    _Atomic uint32_t turn;
    uintptr_t value;
};

struct ring_many {
    struct ring_slot *slots;
    uint32_t mask;
    _Alignas(RING_LINE) _Atomic uint32_t tail; // the next value's number
    _Alignas(RING_LINE) uint32_t head; // the consumer's: the number of the next value that it takes
};

void ring_many_init(struct ring_many *ring, struct ring_slot *slots, uint32_t capacity);

// False: it is full.
bool ring_many_push(struct ring_many *ring, uintptr_t value);

// False: it is empty, or the next value is not there yet.
bool ring_many_pop(struct ring_many *ring, uintptr_t *value);

#endif
