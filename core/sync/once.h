// SPDX-License-Identifier: BSD-3-Clause
// once.h: what is to be done once, by whoever comes first, while others that come sleep until it is
// done. 4 bytes (pthread_once_t, once_flag); all-zero: not yet.
#ifndef CORE_SYNC_ONCE_H
#define CORE_SYNC_ONCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

enum once_state {
    ONCE_NEW,
    ONCE_RUNNING,
    ONCE_DONE,
    ONCE_AWAITED
}; // the last: running, and somebody sleeps

struct once {
    _Atomic uint32_t state; // enum once_state
};

_Static_assert(sizeof(struct once) == 4, "pthread_once_t");

// True: all that was written for it is seen here.
static inline bool once_is_done(const struct once *once)
{
    return atomic_load_explicit(&once->state, memory_order_acquire) ==
           ONCE_DONE; // pairs with once_end
}

// True: the caller does it, and then calls once_end. False: it is done; sleeps until then. Who does
// it must not begin it again.
HAL_MUST_CHECK bool once_begin(struct once *once);

// is_done is false where it was given up: as if it had never begun. Then it is the turn of one that
// sleeps.
void once_end(struct once *once, bool is_done);

#endif
