// SPDX-License-Identifier: BSD-3-Clause
// channel.h: packets on their way from who receives them to the thread that reads (the net channel
// of Jacobson and Felderman, "Speeding up networking", 2006).
//
// Each socket has one. Producers push, any number of them, in any context, without a lock; the
// protocol runs where a thread takes what has come, under the socket's lock, to read or to poll.
// A thread is woken once for all that comes before it looks.
//
// A list, not a ring: it costs an idle connection nothing, takes any number of producers (senders
// on the loopback network, queues of a device), and its first element says that somebody is to be
// woken.
#ifndef CORE_NET_CHANNEL_H
#define CORE_NET_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"
#include "hal/hal.h"

struct packet;
struct thread;

struct channel { // all-zero is empty
    _Atomic(struct packet *) newest;
    _Atomic uint32_t pushed; // cost of what ever was, but for what was given back without the lock;
    _Atomic uint32_t returned;        // and of what was given back with it. Both modulo 2^32
    _Atomic(struct thread *) sleeper; // to be woken; set with the socket's lock held
    _Atomic bool is_watched;          // by poll: who pushes calls, each time
    struct waitqueue others;          // who waits for the sleeper's turn, under the lock
};

enum channel_push {      // bits
    CHANNEL_PUSHED = 1,  // else it is full, and the caller keeps the packet
    CHANNEL_WATCHED = 2, // the caller is to tell those who poll
    CHANNEL_ALONE = 4,   // it is the first, and no thread waits for it
};

// packet->cost counts against limit, which a channel without packets may exceed by one. Any
// context.
unsigned channel_push(struct channel *channel, struct packet *packet, uint32_t limit);

// ---- With the socket's lock held -------------------------------------------------

// All that has come, oldest first, linked by next. NULL: nothing.
struct packet *channel_take(struct channel *channel);

// So many bytes of cost are no longer in use.
void channel_return_locked(struct channel *channel, uint32_t cost);
void channel_return(struct channel *channel, uint32_t cost); // the same in any context

// Of what was pushed and is not yet given back; without the lock perhaps more. Any context.
static inline uint32_t channel_cost(const struct channel *channel)
{
    // Acquire: read first, so that the other is not less.
    const uint32_t returned = atomic_load_explicit(&channel->returned, memory_order_acquire);
    return atomic_load_explicit(&channel->pushed, memory_order_relaxed) - returned;
}

// Could be false by now, unless the caller has taken and nobody pushes.
bool channel_is_empty(const struct channel *channel);

// Unlocks lock, sleeps until something was pushed or channel_wake_all was called, locks it again.
// May also return early, as WAIT_WOKEN.
enum wait_result channel_wait(struct channel *channel, struct mutex *lock, hal_ns deadline);

// The same until channel_wake_all alone: what is pushed meanwhile finds nobody who sleeps.
enum wait_result channel_wait_told(struct channel *channel, struct mutex *lock, hal_ns deadline);

void channel_wake_all(struct channel *channel);

// From now on push answers CHANNEL_WATCHED, too. The caller has made itself known to those who
// are told so; what was pushed before that it sees in the channel afterwards.
void channel_watch(struct channel *channel);

// False: whoever watches from now on takes the lock after the caller has given it back.
static inline bool channel_is_watched(struct channel *channel)
{
    return atomic_load_explicit(&channel->is_watched, memory_order_relaxed);
}

#endif
