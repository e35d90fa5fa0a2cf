// SPDX-License-Identifier: BSD-3-Clause
// idle.c: a CPU that has nothing to do: it halts, or looks.
//
// An upcall that came meanwhile ends both.
#include <stdatomic.h>

#include "hal/hal.h"
#include "trap.h"

void hal_cpu_idle(void)
{
    const uint64_t before = trap_upcalls();
    while (trap_upcalls() == before) {
        trap_idle_wait();
    }
}

// Interrupts are let in at each turn.
void hal_cpu_poll(const _Atomic uint64_t *words, uint32_t count, hal_ns until)
{
    const uint64_t before = trap_upcalls();
    uint64_t found = 0;
    do {
        hal_irq_restore(0);
        hal_cpu_relax();
        (void)hal_irq_save();
        for (uint32_t i = 0; i < count; ++i) {
            found |= atomic_load_explicit(&words[i], memory_order_relaxed);
        }
    } while (found == 0 && trap_upcalls() == before && hal_clock_ns() < until);
}
