// SPDX-License-Identifier: BSD-3-Clause
// dirty.c: marks of pages that were written (dirty.h).
//
// A page is clean in its word before the host protects it, so that a fault at any moment behind
// that, of the holder of the lock as well, finds what it has to undo.
#include "hal-linux/dirty.h"

#include <stdatomic.h>

enum { BATCH = 512 }; // pages under one lock; a multiple of the bits of a word

static _Atomic uint32_t owner; // 0: free
static _Atomic bool is_used;

bool dirty_is_used(void)
{
    return atomic_load(&is_used);
}

void dirty_lock(uint32_t me)
{
    uint32_t expected = 0;
    while (!atomic_compare_exchange_strong(&owner, &expected, me)) {
        expected = 0;
        hal_cpu_relax();
    }
}

void dirty_unlock(void)
{
    atomic_store(&owner, 0);
}

// Whether the page goes on a run of pages that are written: the same rights, all dirty.
static bool is_dirty_as(uint32_t word, uint32_t first)
{
    const uint32_t kind = PAGE_MAPPED | PAGE_CLEAN | PAGE_PROT;
    return (word & kind) == (first & kind);
}

// A run of dirty pages: protected where they may be written. Without room for that they stay dirty.
static void run_clean(uint32_t *words, char *va, size_t count)
{
    const unsigned prot = words[0] & PAGE_PROT;
    for (size_t i = 0; i < count; ++i) {
        words[i] |= PAGE_CLEAN;
    }
    if ((prot & HAL_WRITE) != 0 &&
        !dirty_host_protect(va, count * HAL_PAGE_SIZE, prot & ~(unsigned)HAL_WRITE)) {
        for (size_t i = 0; i < count; ++i) {
            words[i] &= ~(uint32_t)PAGE_CLEAN;
        }
    }
}

static void batch_take(uint32_t *words, char *va, size_t count, uint64_t *bits)
{
    for (size_t start = 0, end; start < count; start = end) {
        const uint32_t first = words[start];
        end = start + 1;
        if ((first & (PAGE_MAPPED | PAGE_CLEAN)) != PAGE_MAPPED) {
            continue;
        }
        while (end < count && is_dirty_as(words[end], first)) {
            ++end;
        }
        for (size_t i = start; i < end; ++i) {
            bits[i / 64] |= UINT64_C(1) << i % 64;
        }
        run_clean(&words[start], va + start * HAL_PAGE_SIZE, end - start);
    }
}

void dirty_take(uint32_t *words, char *va, size_t count, uint64_t *bits, uint32_t me)
{
    atomic_store(&is_used, true);
    for (size_t at = 0; at < count; at += BATCH) {
        dirty_lock(me);
        batch_take(words + at, va + at * HAL_PAGE_SIZE, count - at < BATCH ? count - at : BATCH,
                   bits + at / 64);
        dirty_unlock();
    }
}

bool dirty_fault(uint32_t *word, char *va, uint32_t me)
{
    if (!atomic_load(&is_used)) {
        return false;
    }
    const bool is_mine = atomic_load(&owner) == me; // it faulted on its own stack
    if (!is_mine) {
        dirty_lock(me);
    }
    const bool may_write = (*word & PAGE_MAPPED) != 0 && (*word & HAL_WRITE) != 0;
    if (may_write && dirty_host_protect(va, HAL_PAGE_SIZE, *word & PAGE_PROT)) {
        *word &= ~(uint32_t)PAGE_CLEAN;
    }
    if (!is_mine) {
        dirty_unlock();
    }
    return may_write;
}
