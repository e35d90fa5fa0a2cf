// SPDX-License-Identifier: BSD-3-Clause
// bell.c: see bell.h.
//
// Who rings sets the bits before it looks for the listener, and the listener is set before it looks
// at the bits: one of the two sees the other. From then on thread_wake sees to it that a bit that
// comes between a look and a park ends the park.
#include "core/sync/bell.h"

#include <stddef.h>

#include "core/lib/mark.h"
#include "core/sched/thread.h"

void bell_ring(struct bell *bell, uint32_t bits)
{
    atomic_fetch_or(&bell->bits, bits);
    struct thread *listener = atomic_load(&bell->listener);
    if (listener == NULL) {
        MARK("bell: rung before anybody listens");
        return;
    }
    thread_wake(listener);
}

void bell_listener_set(struct bell *bell, struct thread *listener)
{
    atomic_store(&bell->listener, listener);
}

uint32_t bell_wait(struct bell *bell)
{
    uint32_t bits;
    while ((bits = atomic_exchange(&bell->bits, 0)) == 0) {
        thread_park();
    }
    return bits;
}

uint32_t bell_wait_until(struct bell *bell, hal_ns deadline)
{
    uint32_t bits;
    while ((bits = atomic_exchange(&bell->bits, 0)) == 0 && thread_park_until(deadline)) {
    }
    if (bits == 0) {
        MARK("bell: nobody has rung in time");
    }
    return bits;
}
