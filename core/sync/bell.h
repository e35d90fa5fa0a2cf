// SPDX-License-Identifier: BSD-3-Clause
// bell.h: one thread that does what others ask for, interrupts included: a bit for each thing.
//
// A thing that is asked for again before the thread has heard of it is done once.
#ifndef CORE_SYNC_BELL_H
#define CORE_SYNC_BELL_H

#include <stdatomic.h>
#include <stdint.h>

#include "hal/hal.h"

struct thread;

struct bell { // all zeros is one at which nobody listens yet
    _Atomic uint32_t bits;
    struct thread *_Atomic listener; // NULL: not there yet
};

// Any CPU, any context. Also before there is a listener: it hears of it when it comes.
void bell_ring(struct bell *bell, uint32_t bits);

// Once, before listener looks for the first time.
void bell_listener_set(struct bell *bell, struct thread *listener);

// For the listener: waits until the bell is rung. Answers all bits since the last time.
uint32_t bell_wait(struct bell *bell);

// The same, but no longer than until deadline (hal_clock_ns). 0: nobody has rung it.
uint32_t bell_wait_until(struct bell *bell, hal_ns deadline);

#endif
