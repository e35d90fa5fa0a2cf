// SPDX-License-Identifier: BSD-3-Clause
// quiescence.h: knowing that nobody looks any more at what cannot be found any more.
// core/sync/rcu.h stands on it.
//
// A section is what a thread does between preempt_disable and preempt_enable, or with interrupts
// off, and what an interrupt does between quiescence_interrupt_begin and its end. What else an
// interrupt does by itself is none.
#ifndef CORE_SCHED_QUIESCENCE_H
#define CORE_SCHED_QUIESCENCE_H

#include "hal/hal.h"

// Returns when every section has ended that was under way at the call: one that begins later sees
// what the caller did before. Blocks. CPUs get so long to change threads by themselves; then they
// are interrupted. One caller at a time, which is in no section; asserted.
void quiescence_wait(hal_ns patience);

// Interrupts off, in an interrupt or not; not nested. Sections may be in between: at their ends no
// thread is switched to.
void quiescence_interrupt_begin(void);
void quiescence_interrupt_end(void);

#endif
