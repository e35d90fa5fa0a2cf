// SPDX-License-Identifier: BSD-3-Clause
// gate.c: gates are locks, chosen by the address; what is closed is one range.
//
// Who closes writes the range down and then takes each lock of it once. Whoever was inside is out
// then, and whoever takes the lock later sees the range. Nobody has two of the locks at once.
#include "core/vm/gate.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/sync/mutex.h"

enum { GATES = 64 };

static struct gate {
    _Alignas(64) struct mutex lock;
} gates[GATES];

// Written under the mutex of the address space. seq_cst, as is all here: a fault that sees the
// gates open sees all that was changed before they were opened.
static _Atomic uintptr_t closed_start, closed_end; // both 0: none

static struct mutex *lock_of(uintptr_t va)
{
    return &gates[va / GATE_SIZE % GATES].lock;
}

static bool is_closed(uintptr_t va)
{
    return va < atomic_load(&closed_end) && va >= atomic_load(&closed_start);
}

bool gate_enter(const char *va, bool *has_waited)
{
    struct mutex *lock = lock_of((uintptr_t)va);
    if (!mutex_try_lock(lock)) {
        MARK("gate: a fault waits for another");
        *has_waited = true;
        mutex_lock(lock);
    }
    if (is_closed((uintptr_t)va)) {
        MARK("gate: a fault finds it closed");
        mutex_unlock(lock);
        return false;
    }
    return true;
}

void gate_leave(const char *va)
{
    mutex_unlock(lock_of((uintptr_t)va));
}

void gate_close(const char *start, const char *end)
{
    ASSERT(atomic_load(&closed_end) == 0 && start < end);
    const uintptr_t first = (uintptr_t)start / GATE_SIZE, last = (uintptr_t)(end - 1) / GATE_SIZE;
    atomic_store(&closed_start, first * GATE_SIZE);
    atomic_store(&closed_end, (last + 1) * GATE_SIZE);
    const size_t count = last - first < GATES ? last - first + 1 : GATES;
    for (size_t i = 0; i < count; ++i) {
        struct mutex *lock = lock_of((first + i) * GATE_SIZE);
        mutex_lock(lock);
        mutex_unlock(lock);
    }
}

void gate_open(void)
{
    ASSERT(atomic_load(&closed_end) != 0);
    atomic_store(&closed_end, 0);
    atomic_store(&closed_start, 0);
}
