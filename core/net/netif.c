// SPDX-License-Identifier: BSD-3-Clause
// netif.c: which interfaces there are.
#include "core/net/netif.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"

enum { FINISH_PAUSE_NS = 50000 };

static struct mutex known_lock; // of who adds one
static struct netif *known[NETIF_MAX] = {&loopback};
static _Atomic uint32_t known_count = 1; // who sees it sees those that it counts, which stay

int netif_add(struct netif *netif)
{
    mutex_lock(&known_lock);
    const uint32_t count = atomic_load_explicit(&known_count, memory_order_relaxed);
    const int error = count < NETIF_MAX ? 0 : -ENOSPC;
    if (error == 0) {
        known[count] = netif;
        netif->index = count + 1;
        atomic_store_explicit(&known_count, count + 1, memory_order_release); // netif_at's
    }
    mutex_unlock(&known_lock);
    return error;
}

void netif_finish(hal_ns patience)
{
    const hal_ns deadline = hal_clock_ns() + patience;
    struct netif *netif;
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL; ++i) {
        if (netif->flush != NULL) {
            netif->flush(netif);
        }
        while (netif->has_sent != NULL && !netif->has_sent(netif) && hal_clock_ns() < deadline) {
            (void)thread_park_until(hal_clock_ns() + FINISH_PAUSE_NS);
        }
    }
}

static _Atomic(void (*)(const struct netif *)) watcher;

void netif_watch(void (*told)(const struct netif *netif))
{
    atomic_store(&watcher, told);
}

void netif_changed(const struct netif *netif)
{
    void (*told)(const struct netif *) = atomic_load(&watcher);
    if (told != NULL) {
        told(netif);
    }
}

struct netif *netif_at(uint32_t index)
{
    const uint32_t count = atomic_load_explicit(&known_count, memory_order_acquire);
    return index - 1 < count ? known[index - 1] : NULL;
}

uint64_t netif_figure(const struct netif *netif, enum netif_count which)
{
    const uint64_t own = netif == &loopback ? loopback_figure(which) : 0;
    return own + atomic_load_explicit(&netif->counts[which], memory_order_relaxed);
}

struct netif *netif_find(const char *name)
{
    struct netif *netif;
    for (uint32_t i = 1; (netif = netif_at(i)) != NULL && strcmp(netif->name, name) != 0;) {
        ++i;
    }
    return netif;
}
