// SPDX-License-Identifier: BSD-3-Clause
// ring.c: see ring.h.
#include "core/lib/ring.h"

#include "core/lib/assert.h"
#include "core/lib/mark.h"

// ---- One producer ----------------------------------------------------------------

void ring_init(struct ring *ring, uintptr_t *slots, uint32_t capacity)
{
    ASSERT(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    *ring = (struct ring){.slots = slots, .mask = capacity - 1};
}

uint32_t ring_push(struct ring *ring, const uintptr_t *values, uint32_t count)
{
    const uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); // ours
    uint32_t room = ring->mask + 1 - (tail - ring->head_seen);
    if (room < count) {
        // Acquire pairs with the release in ring_pop: the slots have been read.
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        room = ring->mask + 1 - (tail - ring->head_seen);
    }
    if (room < count) {
        MARK("ring: full");
        count = room;
    }
    for (uint32_t i = 0; i < count; ++i) {
        ring->slots[(tail + i) & ring->mask] = values[i];
    }
    atomic_store_explicit(&ring->tail, tail + count, memory_order_release);
    return count;
}

uint32_t ring_pop(struct ring *ring, uintptr_t *values, uint32_t count)
{
    const uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed); // ours
    uint32_t there = ring->tail_seen - head;
    if (there < count) {
        // Acquire pairs with the release in ring_push: the slots have been written.
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        there = ring->tail_seen - head;
    }
    if (there < count) {
        MARK("ring: less than asked for");
        count = there;
    }
    for (uint32_t i = 0; i < count; ++i) {
        values[i] = ring->slots[(head + i) & ring->mask];
    }
    atomic_store_explicit(&ring->head, head + count, memory_order_release);
    return count;
}

bool ring_is_empty(const struct ring *ring)
{
    return atomic_load_explicit(&ring->tail, memory_order_acquire) ==
           atomic_load_explicit(&ring->head, memory_order_relaxed);
}

// ---- Many producers --------------------------------------------------------------

void ring_many_init(struct ring_many *ring, struct ring_slot *slots, uint32_t capacity)
{
    // With one slot, its next number would be that of a value which is there.
    ASSERT(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    *ring = (struct ring_many){.slots = slots, .mask = capacity - 1};
    for (uint32_t i = 0; i < capacity; ++i) {
        atomic_store_explicit(&slots[i].turn, i, memory_order_relaxed);
    }
}

bool ring_many_push(struct ring_many *ring, uintptr_t value)
{
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    struct ring_slot *slot;
    for (;;) {
        slot = &ring->slots[tail & ring->mask];
        // Acquire pairs with the release in ring_many_pop: the slot has been read.
        const uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        if (turn == tail) {
            // Relaxed: only the number is taken; the slot's turn orders what is in the slot.
            if (atomic_compare_exchange_weak_explicit(&ring->tail, &tail, tail + 1,
                                                      memory_order_relaxed, memory_order_relaxed)) {
                break;
            }
            MARK("ring: another producer was faster");
        } else if ((int32_t)(turn - tail) < 0) {
            MARK("ring: full of many");
            return false;
        } else {
            MARK("ring: the number is taken already");
            tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        }
    }
    slot->value = value;
    atomic_store_explicit(&slot->turn, tail + 1, memory_order_release);
    return true;
}

bool ring_many_pop(struct ring_many *ring, uintptr_t *value)
{
    struct ring_slot *slot = &ring->slots[ring->head & ring->mask];
    // Acquire pairs with the release in ring_many_push: the slot has been written.
    if (atomic_load_explicit(&slot->turn, memory_order_acquire) != ring->head + 1) {
        return false;
    }
    *value = slot->value;
    ++ring->head;
    atomic_store_explicit(&slot->turn, ring->head + ring->mask, memory_order_release);
    return true;
}
