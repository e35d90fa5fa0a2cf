// SPDX-License-Identifier: BSD-3-Clause
// names.h: what the network has told this machine of names: who knows them, and its own. Any CPU,
// thread context, may block.
#ifndef CORE_NET_NAMES_H
#define CORE_NET_NAMES_H

#include <stdint.h>

#include "core/net/address.h"

enum { NET_NAMES_MAX = 3, NET_NAME_SIZE = 256 };

struct net_names {
    uint32_t server_count;
    struct net_address servers[NET_NAMES_MAX];
    char host[NET_NAME_SIZE], domain[NET_NAME_SIZE]; // or empty
};

// From now on servers are these, whatever others say. -ENOSPC: there are NET_NAMES_MAX already.
int net_names_fix(const struct net_address *server);

// Others have told of these servers, at most NET_NAMES_MAX: they come after the ones of names.
void net_names_offer(const struct net_address *servers, uint32_t count);

void net_names_learn(const struct net_names *names);
struct net_names net_names_now(void);

#endif
