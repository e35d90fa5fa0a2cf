// SPDX-License-Identifier: BSD-3-Clause
// netif.c: which interfaces there are.
#include "core/net/netif.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/sync/mutex.h"

static struct mutex known_lock; // guards what follows
static struct netif *known[NETIF_MAX] = {&loopback};
static uint32_t known_count = 1;

int netif_add(struct netif *netif)
{
    mutex_lock(&known_lock);
    const int error = known_count < NETIF_MAX ? 0 : -ENOSPC;
    if (error == 0) {
        known[known_count++] = netif;
        netif->index = known_count;
    }
    mutex_unlock(&known_lock);
    return error;
}

struct netif *netif_at(uint32_t index)
{
    mutex_lock(&known_lock);
    struct netif *netif = index - 1 < known_count ? known[index - 1] : NULL;
    mutex_unlock(&known_lock);
    return netif;
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
