// SPDX-License-Identifier: BSD-3-Clause
// names.c: see names.h.
#include "core/net/names.h"

#include "core/lib/errno.h"
#include "core/sync/mutex.h"

static struct mutex lock; // guards what follows
static struct net_names known, offered, fixed;

int net_names_fix(const struct net_address *server)
{
    mutex_lock(&lock);
    const int error = fixed.server_count < NET_NAMES_MAX ? 0 : -ENOSPC;
    if (error == 0) {
        fixed.servers[fixed.server_count++] = *server;
    }
    mutex_unlock(&lock);
    return error;
}

void net_names_offer(const struct net_address *servers, uint32_t count)
{
    mutex_lock(&lock);
    offered.server_count = count;
    for (uint32_t i = 0; i < count; ++i) {
        offered.servers[i] = servers[i];
    }
    mutex_unlock(&lock);
}

void net_names_learn(const struct net_names *names)
{
    mutex_lock(&lock);
    known = *names;
    mutex_unlock(&lock);
}

struct net_names net_names_now(void)
{
    mutex_lock(&lock);
    struct net_names names = known;
    for (uint32_t i = 0; i < offered.server_count && names.server_count < NET_NAMES_MAX; ++i) {
        names.servers[names.server_count++] = offered.servers[i];
    }
    if (fixed.server_count > 0) {
        names.server_count = fixed.server_count;
        for (uint32_t i = 0; i < NET_NAMES_MAX; ++i) {
            names.servers[i] = fixed.servers[i];
        }
    }
    mutex_unlock(&lock);
    return names;
}
