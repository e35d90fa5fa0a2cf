// SPDX-License-Identifier: BSD-3-Clause
// memory_seed.c: which accesses to memory are points: those to what both CPUs touch.
//
// Remembers for each 8 bytes which CPUs have read and written them, over all schedules. An access
// is a point where both CPUs touch the bytes and at least one writes.
#include "memory_seed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal-linux/seed/access.h"
#include "seed.h"

enum { TABLE_SIZE = 1 << 16 };

static struct granule {
    uintptr_t key; // address / 8
    uint8_t readers, writers;
} table[TABLE_SIZE];

static bool learned;

void memory_forget(void)
{
    memset(table, 0, sizeof table);
    learned = false;
}

bool memory_has_learned(void)
{
    return learned;
}

bool memory_take_learned(void)
{
    bool was = learned;
    learned = false;
    return was;
}

static bool is_shared(const struct granule *granule)
{
    return granule->writers != 0 && (granule->readers | granule->writers) == 3;
}

static bool granule_touch(uintptr_t key, bool writes)
{
    uintptr_t slot = key * 0x9e3779b97f4a7c15u >> 48;
    for (unsigned i = 0; i < TABLE_SIZE; ++i, slot = (slot + 1) % TABLE_SIZE) {
        struct granule *granule = &table[slot];
        if (granule->key != 0 && granule->key != key) {
            continue;
        }
        granule->key = key;
        bool before = is_shared(granule);
        *(writes ? &granule->writers : &granule->readers) |= (uint8_t)(1 << seed_index());
        learned = learned || is_shared(granule) != before;
        return is_shared(granule);
    }
    abort();
}

static void touch(const volatile void *address, size_t size, bool writes)
{
    if (!seed_is_running() || size == 0) {
        return;
    }
    uintptr_t first = (uintptr_t)address / 8;
    uintptr_t last = ((uintptr_t)address + size - 1) / 8;
    bool shared = false;
    for (uintptr_t key = first; key <= last; ++key) {
        shared = granule_touch(key, writes) || shared;
    }
    if (shared) {
        seed_point();
    } else {
        seed_step();
    }
}

void seed_access(const volatile void *address, size_t size, bool writes, const void *place)
{
    (void)place;
    touch(address, size, writes);
}

void seed_atomic(const volatile void *address, size_t size, bool reads, bool writes, int order,
                 const void *place)
{
    (void)reads;
    (void)order;
    (void)place;
    touch(address, size, writes);
}

void seed_fence(int order)
{
    (void)order;
}
