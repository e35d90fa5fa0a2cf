// SPDX-License-Identifier: BSD-3-Clause
// ranked.h: in which order those who wait are served: by rank, equals in the order in which they
// came.
//
// The rank is the priority of a real-time thread when it began to wait, else 0, as POSIX asks of
// mutexes, condition variables, semaphores and read-write locks. For core/sync only.
#ifndef CORE_SYNC_RANKED_H
#define CORE_SYNC_RANKED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/list.h"
#include "core/sched/thread.h"

static inline uint8_t rank_of_self(void)
{
    struct thread_schedule schedule =
        atomic_load_explicit(&thread_self()->schedule, memory_order_relaxed);
    return schedule.priority;
}

// ---- A queue without a lock: anybody pushes, one at a time pops ---------------------------------

struct ranked {          // embedded in one who waits
    struct ranked *next; // whose the queue is
    uint8_t rank;        // set before the push
};

struct ranked_queue {               // all-zero is empty
    struct ranked *first;           // by rank; the popper's
    _Atomic(struct ranked *) inbox; // newest first, with a mark (ranked.c); anybody's
};

void ranked_push(struct ranked_queue *queue, struct ranked *one); // any context

// True: nobody has come since the popper last looked.
static inline bool ranked_none_came(const struct ranked_queue *queue)
{
    return atomic_load(&queue->inbox) == NULL;
}

// The next three: the popper only.

static inline bool ranked_is_empty(const struct ranked_queue *queue)
{
    return queue->first == NULL && ranked_none_came(queue);
}

void ranked_gather(struct ranked_queue *queue); // all who have come are in the list of first now
struct ranked *ranked_pop(struct ranked_queue *queue); // not empty

// ---- A ring without a head, under its owner's lock ----------------------------------------------

struct ranked_node {
    struct list list;
    uint8_t rank;
};

// Adds one to the ring that first begins (NULL: there is none yet). Answers which begins it now.
struct list *ranked_ring_add(struct list *first, struct ranked_node *one);

#endif
