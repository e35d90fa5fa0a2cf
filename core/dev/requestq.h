// SPDX-License-Identifier: BSD-3-Clause
// requestq.h: a queue of a device with many requests under way, from many threads.
//
// Thread context, may block. What the far end completes within the kick costs no switch; others
// sleep until the interrupt. No lock is held while a request waits.
#ifndef CORE_DEV_REQUESTQ_H
#define CORE_DEV_REQUESTQ_H

#include <stdatomic.h>

#include "core/dev/virtq.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

struct thread;

enum {
    REQUEST_PARTS = 4, // of one request
    REQUEST_MAX = VIRTQ_SIZE / REQUEST_PARTS,
    REQUEST_MEMORY = HAL_PAGE_SIZE / REQUEST_MAX,
};

struct request {           // of its queue's lock, but memory, which is its owner's
    char *memory;          // REQUEST_MEMORY bytes in the direct map, for what goes with the data
    struct request *next;  // in the list of those that are free
    struct thread *thread; // who waits for it; NULL: nobody
    bool is_taken, is_done;
    int error; // of the transport
    uint32_t written;
};

struct requestq;

struct requestq_set { // all queues of a device
    struct hal_dev *dev;
    struct requestq *queues;
    uint32_t count;       // of those that are open
    _Atomic bool is_dead; // the device broke the rules, and is stopped
};

struct requestq { // guarded by lock, but collector
    struct mutex lock;
    struct waitqueue free_waiters;
    struct requestq_set *set;
    uint32_t index;
    struct virtq ring;
    struct request *free;
    _Atomic(struct thread *) collector; // written under lock, read by the interrupt
    struct request requests[REQUEST_MAX];
};

// Attaches as long a ring as the device takes, 4 descriptors at least, as the next queue of the
// set, whose device has been opened; interrupts go to cpu. The queue is all-zero. -ENOMEM, -EINVAL,
// -ENOSPC.
HAL_MUST_CHECK int requestq_open(struct requestq_set *set, uint32_t cpu);
void requestq_close(struct requestq_set *set); // all; the device is stopped, or was never open

// A request of the caller's own until it puts it back; waits for one.
struct request *requestq_take(struct requestq *queue);
void requestq_put(struct requestq *queue, struct request *request);

// Hands the parts, REQUEST_PARTS at most, to the device and waits until it has finished them.
// *written is how much of them it says to have written. -EIO: it broke the rules, now or before; it
// is stopped then, and all its requests end so.
HAL_MUST_CHECK int requestq_run(struct requestq *queue, struct request *request,
                                const struct virtq_part *parts, size_t count, uint32_t *written);

// The queue's interrupt.
void requestq_interrupt(struct requestq *queue);

#endif
