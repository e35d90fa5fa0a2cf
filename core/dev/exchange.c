// SPDX-License-Identifier: BSD-3-Clause
// exchange.c: a queue of a device with which one request at a time is enough.
//
// What the far end completes within the kick costs no interrupt. Otherwise the caller asks for one,
// looks once more, and sleeps until it comes; a wake that is not for it only makes it look again.
#include "core/dev/exchange.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/sched/thread.h"

int exchange_open(struct exchange *exchange, struct hal_dev *dev, uint32_t index, uint16_t size)
{
    int error = virtq_init(&exchange->ring, size);
    if (error != 0) {
        return error;
    }
    exchange->dev = dev;
    exchange->index = index;
    error = hal_dev_queue(dev, index, &exchange->ring.place, 0);
    if (error != 0) {
        exchange_close(exchange);
    }
    return error;
}

void exchange_close(struct exchange *exchange)
{
    if (exchange->ring.ring != NULL) {
        virtq_free(&exchange->ring);
    }
}

int exchange_wait(struct exchange *exchange, const atomic_bool *has_ended, void **token,
                  uint32_t *written)
{
    int result = virtq_collect(&exchange->ring, token, written);
    if (result != 0) {
        return result;
    }
    struct thread *self = thread_self();
    atomic_store(&exchange->waiter, self);
    virtq_interrupts_set(&exchange->ring, true);
    thread_wait_note(self, THREAD_WAIT_DEVICE, exchange);
    for (;;) {
        // Asked before the look, which then sees what came before the end.
        const bool is_last = has_ended != NULL && atomic_load(has_ended);
        result = virtq_collect(&exchange->ring, token, written);
        if (result != 0 || is_last) {
            break;
        }
        thread_park();
    }
    thread_wait_note(self, THREAD_WAIT_NONE, NULL);
    virtq_interrupts_set(&exchange->ring, false);
    atomic_store(&exchange->waiter, NULL);
    return result;
}

int exchange_run(struct exchange *exchange, const struct virtq_part *parts, size_t count,
                 uint32_t *written)
{
    void *token;
    mutex_lock(&exchange->lock);
    int result = virtq_add(&exchange->ring, parts, count, exchange);
    ASSERT(result != -ENOSPC); // the ring is empty
    if (result == 0) {
        hal_dev_kick(exchange->dev, exchange->index);
        result = exchange_wait(exchange, NULL, &token, written);
        if (result < 0) {
            hal_dev_stop(exchange->dev); // so that it writes no buffer of a request that fails now
        }
    }
    mutex_unlock(&exchange->lock);
    return result < 0 ? result : 0;
}

// The thread may be gone by now: thread memory is type-stable, and the wake then only spurious.
void exchange_interrupt(struct exchange *exchange)
{
    struct thread *waiter = atomic_load(&exchange->waiter);
    if (waiter != NULL) {
        thread_wake(waiter);
    }
}
