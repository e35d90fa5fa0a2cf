// SPDX-License-Identifier: BSD-3-Clause
// socket_steps.h: the rest of core/net, for a test of the seeded machine that is about a socket's
// packets: each call is one step, and what leads out of the test is not called.
#ifndef SEED_SOCKET_STEPS_H
#define SEED_SOCKET_STEPS_H

#include <string.h>

#include "core/lib/mark.h"
#include "core/lib/siphash.h"
#include "core/net/percpu.h"
#include "core/net/route.h"
#include "core/net/run.h"
#include "core/net/socket.h"
#include "core/net/tcp_bare.h"
#include "seed.h"

MARK_GUESS uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t count)
{
    (void)key;
    return words[count - 1];
}

uint64_t net_cpu_siphash(const struct siphash_key *key, const uint64_t words[2])
{
    return siphash(key, words, 2);
}

void hal_entropy(void *out, size_t size)
{
    memset(out, 0, size);
}

#define NEVER(declaration)                                                                         \
    declaration                                                                                    \
    {                                                                                              \
        seed_fail("not of this test");                                                             \
    }

NEVER(int route_find(const struct net_address *target __attribute__((unused)),
                     struct route *route __attribute__((unused))))
NEVER(int route_find_on(const struct net_address *target __attribute__((unused)),
                        struct netif *by __attribute__((unused)),
                        struct route *route __attribute__((unused))))
NEVER(struct netif *route_owner(const struct net_address *address __attribute__((unused))))
NEVER(struct netif *netif_at(uint32_t index __attribute__((unused))))
NEVER(int route_check_source(const struct route *route __attribute__((unused)),
                             const struct net_address *source __attribute__((unused))))
NEVER(bool route_is_local(const struct net_address *address __attribute__((unused))))
NEVER(void tcp_bare_dress(struct packet *dressed __attribute__((unused)),
                          const struct flow *flow __attribute__((unused))))
NEVER(bool net_socket_wants(struct net_socket *wanting __attribute__((unused)),
                            const struct packet *wanted __attribute__((unused))))
NEVER(void packet_filter_set(packet_filter_slot *slot __attribute__((unused)),
                             struct packet_filter *filter __attribute__((unused))))
NEVER(int net_cpus_start(void))
NEVER(void net_run_later_counted(struct net_socket *later __attribute__((unused))))

#endif
