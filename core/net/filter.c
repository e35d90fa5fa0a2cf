// SPDX-License-Identifier: BSD-3-Clause
// filter.c: see filter.h.
//
// Invariant: `running` is in the list, and leaves it at the end of its run where it is gone by
// then.
#include "core/net/filter.h"

#include "core/dev/packet.h"
#include "core/net/channel.h"
#include "core/net/counts.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/run.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

enum {
    WAITING_MAX = 4 << 20, // bytes of packets that the runner has not yet seen
    PART_COST = 640,       // what a part counts for beside its bytes
    HELD_NS = 20000,       // for so long answers wait for others
};

_Atomic uint32_t net_early_count;

static struct mutex lock; // guards the next three
static struct list filters = LIST_EMPTY(filters);
static struct net_filter *running;
static struct waitqueue ended; // those who wait for its end

static struct channel arrived;
static _Atomic(struct thread *) runner; // once it runs

// ---- Coming and going --------------------------------------------------------------

void net_filter_add(struct net_filter *filter)
{
    mutex_lock(&lock);
    list_push_back(&filters, &filter->node);
    mutex_unlock(&lock);
    atomic_fetch_add_explicit(&net_early_count, 1, memory_order_relaxed);
}

// With the lock held: nobody else may change the list that is being walked.
static void filter_end(struct net_filter *filter)
{
    list_remove(&filter->node);
    filter->release(filter);
}

void net_filter_remove(struct net_filter *filter)
{
    atomic_fetch_add_explicit(&net_early_count, UINT32_MAX, memory_order_relaxed);
    mutex_lock(&lock);
    if (running == filter && thread_self() == atomic_load(&runner)) {
        filter->is_gone = true;
        mutex_unlock(&lock);
        return;
    }
    while (running == filter) {
        waitqueue_wait(&ended, &lock);
    }
    filter_end(filter);
    mutex_unlock(&lock);
}

// ---- Packets -----------------------------------------------------------------------

static void runner_wake(void)
{
    struct thread *thread = atomic_load(&runner);
    if (thread != NULL) { // before that it has not looked yet
        thread_wake(thread);
    }
}

void net_filter_push(struct netif *netif, struct packet *packet)
{
    packet->netif = (uint8_t)netif->index;
    packet->cost = 0;
    for (const struct packet *part = packet; part != NULL; part = part->more) {
        packet->cost += part->size + PART_COST;
    }
    const unsigned pushed = channel_push(&arrived, packet, WAITING_MAX);
    if (pushed == 0) {
        netif_count(netif, NETIF_RECEIVED_DROPPED, 1);
        packet_free(packet);
    } else if ((pushed & CHANNEL_ALONE) != 0) {
        runner_wake();
    }
}

// The lock is held, and not while it runs. Answers the place behind it.
static struct list *filter_run(struct net_filter *filter, struct netif *netif,
                               struct packet **packet, enum net_verdict *verdict)
{
    struct ip_header header;
    if (ip_packet_read(&header, *packet) != 0) { // fragments, too, and what is damaged
        return &filters;
    }
    running = filter;
    mutex_unlock(&lock);
    *verdict = filter->look(filter, netif, packet, &header);
    mutex_lock(&lock);
    running = NULL;
    waitqueue_wake_all(&ended);
    struct list *next = filter->node.next;
    if (filter->is_gone) {
        filter_end(filter);
    }
    return next;
}

enum net_verdict net_filter_look(struct netif *netif, struct packet **packet)
{
    enum net_verdict verdict = NET_PASS;
    mutex_lock(&lock);
    struct list *node = filters.next;
    while (node != &filters && verdict == NET_PASS) {
        node = filter_run(container_of(node, struct net_filter, node), netif, packet, &verdict);
    }
    mutex_unlock(&lock);
    if (verdict == NET_DROP) {
        net_count(NET_FILTER_DROPPED);
        packet_free(*packet);
    } else if (verdict != NET_PASS) {
        net_count(NET_FILTER_TAKEN);
    }
    return verdict;
}

// Answers of what has come together go together, where their hooks do not take long.
static void packets_run(struct packet *packet)
{
    hal_ns began = packet->next != NULL ? hal_clock_ns() : 0;
    while (packet != NULL) {
        struct packet *next = packet->next;
        struct netif *netif = netif_at(packet->netif);
        const hal_ns now = next != NULL ? hal_clock_ns() : 0;
        const bool has_more = next != NULL && next->netif == packet->netif && now - began < HELD_NS;
        channel_return(&arrived, packet->cost);
        netif->filtered(netif, packet, has_more);
        if (!has_more) {
            began = now;
            if (netif->flush != NULL) { // the last was not answered, perhaps
                netif->flush(netif);
            }
        }
        packet = next;
    }
}

void net_filter_run(void)
{
    atomic_store(&runner, thread_self()); // before the first look; pairs with runner_wake
    for (;;) {
        struct packet *packet = channel_take(&arrived);
        if (packet == NULL) {
            thread_park();
            continue;
        }
        packets_run(packet);
        net_run();
    }
}
