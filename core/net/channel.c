// SPDX-License-Identifier: BSD-3-Clause
// channel.c: see channel.h.
//
// A push makes its packet the newest by compare-and-swap; the consumer takes all at once and turns
// them round. Only a push into an empty channel looks for a sleeper: that one looks whether the
// channel is empty after it has said that it sleeps, so one of the two sees the other. What is
// pushed behind the first finds its thread woken, or about to be.
//
// A sleeper is there until somebody claims it, by compare-and-swap; so it is woken once. Of several
// threads one is the sleeper, and the next becomes it when that one leaves.
#include "core/net/channel.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/mark.h"
#include "core/sched/thread.h"

// False: nobody sleeps.
static bool sleeper_wake(struct channel *channel)
{
    struct thread *thread = atomic_load(&channel->sleeper);
    if (thread == NULL) {
        return false;
    }
    if (!atomic_compare_exchange_strong(&channel->sleeper, &thread, NULL)) {
        MARK("channel: another woke it, or it gave up");
        return false;
    }
    thread_wake(thread); // whose memory stays a thread's
    return true;
}

static bool cost_take(struct channel *channel, uint32_t cost, uint32_t limit)
{
    // Acquire: read first, so that the other is not less, whatever comes and goes in between.
    const uint32_t returned = atomic_load_explicit(&channel->returned, memory_order_acquire);
    const uint32_t pushed = atomic_fetch_add_explicit(&channel->pushed, cost, memory_order_relaxed);
    const uint32_t before = pushed - returned;
    if (before != 0 && (cost > limit || before > limit - cost)) {
        channel_return(channel, cost);
        return false;
    }
    return true;
}

unsigned channel_push(struct channel *channel, struct packet *packet, uint32_t limit)
{
    unsigned result = CHANNEL_PUSHED;
    if (!cost_take(channel, packet->cost, limit)) {
        return 0;
    }
    struct packet *newest = atomic_load_explicit(&channel->newest, memory_order_relaxed);
    do {
        packet->next = newest;
    } while (!atomic_compare_exchange_weak(&channel->newest, &newest, packet)); // it is gone
    if (newest != NULL) {
        MARK("channel: behind another");
    } else if (!sleeper_wake(channel)) {
        result |= CHANNEL_ALONE;
    }
    // seq_cst, as the push is: pairs with channel_watch, which sees the packet, or this sees it and
    // whom it has made known.
    if (atomic_load(&channel->is_watched)) {
        result |= CHANNEL_WATCHED;
    }
    return result;
}

struct packet *channel_take(struct channel *channel)
{
    if (channel_is_empty(channel)) {
        return NULL;
    }
    struct packet *newest = atomic_exchange(&channel->newest, NULL);
    struct packet *oldest = NULL;
    while (newest != NULL) {
        struct packet *older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    return oldest;
}

void channel_return_locked(struct channel *channel, uint32_t cost)
{
    const uint32_t before = atomic_load_explicit(&channel->returned, memory_order_relaxed);
    // Release pairs with the acquires: what is given back was pushed.
    atomic_store_explicit(&channel->returned, before + cost, memory_order_release);
}

void channel_return(struct channel *channel, uint32_t cost)
{
    atomic_fetch_sub_explicit(&channel->pushed, cost, memory_order_relaxed);
}

bool channel_is_empty(const struct channel *channel)
{
    return atomic_load(&channel->newest) == NULL;
}

// Without the lock, until somebody has claimed the caller.
static enum wait_result sleep(struct channel *channel, struct thread *self, hal_ns deadline)
{
    while (atomic_load(&channel->sleeper) == self) {
        if (!thread_park_until(deadline)) {
            return WAIT_TIMED_OUT;
        }
        if (atomic_load(&channel->sleeper) == self && wait_is_interrupted()) {
            return WAIT_INTERRUPTED;
        }
    }
    return WAIT_WOKEN;
}

enum wait_result channel_wait(struct channel *channel, struct mutex *lock, hal_ns deadline)
{
    struct thread *self = thread_self();
    struct thread *claimed = self;
    ASSERT(mutex_is_mine(lock));
    if (wait_is_interrupted()) {
        return WAIT_INTERRUPTED;
    }
    if (atomic_load(&channel->sleeper) != NULL) {
        return waitqueue_wait_until(&channel->others, lock, deadline, true);
    }
    enum wait_result result = WAIT_WOKEN;
    atomic_store(&channel->sleeper, self);
    if (channel_is_empty(channel)) { // after the store: see above
        thread_wait_note(self, THREAD_WAIT_QUEUE, channel);
        mutex_unlock(lock);
        result = sleep(channel, self, deadline);
        thread_wait_note(self, THREAD_WAIT_NONE, NULL);
        mutex_lock_again(lock);
    } else {
        MARK("channel: pushed before the sleep");
    }
    const bool is_claimed = atomic_load_explicit(&channel->sleeper, memory_order_relaxed) != self;
    if (is_claimed || !atomic_compare_exchange_strong(&channel->sleeper, &claimed, NULL)) {
        result = WAIT_WOKEN; // also of one that gave up: it has taken a wake
    }
    (void)waitqueue_wake_one(&channel->others);
    return result;
}

enum wait_result channel_wait_told(struct channel *channel, struct mutex *lock, hal_ns deadline)
{
    ASSERT(mutex_is_mine(lock));
    return waitqueue_wait_until(&channel->others, lock, deadline, true);
}

void channel_wake_all(struct channel *channel)
{
    (void)sleeper_wake(channel);
    waitqueue_wake_all(&channel->others);
}

void channel_watch(struct channel *channel)
{
    atomic_store(&channel->is_watched, true); // pairs with channel_push
}
