// SPDX-License-Identifier: BSD-3-Clause
// exchange.h: a queue of a device with which one request at a time is enough.
//
// Thread context, may block.
#ifndef CORE_DEV_EXCHANGE_H
#define CORE_DEV_EXCHANGE_H

#include <stdatomic.h>

#include "core/dev/virtq.h"
#include "core/sync/mutex.h"

struct thread;

struct exchange {
    struct hal_dev *dev;
    uint32_t index;
    struct virtq ring;               // lock, or of the one thread that uses exchange_wait
    struct mutex lock;               // held while a request is under way
    _Atomic(struct thread *) waiter; // written under lock, read by the interrupt
};

// Attaches a ring of size descriptors as queue index of dev, which has been opened; interrupts go
// to CPU 0. exchange is all-zero. -ENOMEM, -EINVAL.
HAL_MUST_CHECK int exchange_open(struct exchange *exchange, struct hal_dev *dev, uint32_t index,
                                 uint16_t size);
void exchange_close(struct exchange *exchange); // the device is stopped, or was never open

// Hands the parts to the device and waits until it has finished them. -EIO: it broke the rules.
HAL_MUST_CHECK int exchange_run(struct exchange *exchange, const struct virtq_part *parts,
                                size_t count, uint32_t *written);

// For one thread that adds to the ring itself: waits until the device has finished a request, as
// virtq_collect. 0: it has not, and *has_ended; exchange_interrupt is called after that has become
// true. has_ended may be NULL. -EIO.
HAL_MUST_CHECK int exchange_wait(struct exchange *exchange, const atomic_bool *has_ended,
                                 void **token, uint32_t *written);

// The queue's interrupt.
void exchange_interrupt(struct exchange *exchange);

#endif
