// SPDX-License-Identifier: BSD-3-Clause
// flow.c: see flow.h.
//
// Two hashes for packets: flows with a remote end by both ends, others by their port. Those with a
// remote end are in lists by their port, too, for who wants the port: there may be very many at
// one. Writers have flows_lock.
#include "core/net/flow.h"

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/siphash.h"
#include "core/mem/heap.h"
#include "core/net/ip.h"
#include "core/net/percpu.h"
#include "core/sync/mutex.h"

enum {
    ENDS_BITS = 12,
    PORT_BITS = 12, // so many that a free port seldom shares its list with one that has thousands
    PORT_FIRST = 32768, // net.ipv4.ip_local_port_range of Linux
    PORT_LAST = 60999,
};

static struct mutex flows_lock;
static struct rcu_hash by_ends, by_port;
static struct list *connected; // 1 << PORT_BITS of them, under flows_lock
static struct siphash_key hash_key;

int flow_start(void)
{
    enum { PORTS = 1 << PORT_BITS };
    struct rcu_list *lists =
        heap_alloc_zeroed(((1u << ENDS_BITS) + PORTS) * sizeof *lists + PORTS * sizeof *connected);
    if (lists == NULL) {
        return -ENOMEM;
    }
    hal_entropy(&hash_key, sizeof hash_key);
    by_ends = (struct rcu_hash){.lists = lists, .bits = ENDS_BITS};
    by_port = (struct rcu_hash){.lists = lists + (1u << ENDS_BITS), .bits = PORT_BITS};
    connected = (struct list *)(void *)(by_port.lists + PORTS);
    for (uint32_t i = 0; i < PORTS; ++i) {
        list_init(&connected[i]);
    }
    return 0;
}

// Of an end of IPv4: both in one word.
static uint64_t v4_word(const struct net_end *end)
{
    return end->address.words[1] >> 32 << 16 | end->port;
}

static bool end_is_less(const struct net_end *a, const struct net_end *b)
{
    return a->address.words[0] != b->address.words[0]   ? a->address.words[0] < b->address.words[0]
           : a->address.words[1] != b->address.words[1] ? a->address.words[1] < b->address.words[1]
                                                        : a->port < b->port;
}

// The same whichever is ours, so that both ends of a connection within this machine have one.
static uint64_t ends_hash(uint8_t protocol, const struct net_end *one, const struct net_end *other)
{
    const uint64_t kind = (uint64_t)protocol << 48;
    if (address_is_v4(&one->address)) {
        const uint64_t a = v4_word(one), b = v4_word(other);
        const uint64_t words[] = {(a < b ? a : b) | kind, a < b ? b : a};
        return net_cpu_siphash(&hash_key, words);
    }
    const bool is_less = end_is_less(one, other);
    const struct net_end *low = is_less ? one : other, *high = is_less ? other : one;
    const uint64_t words[] = {
        low->address.words[0],
        low->address.words[1],
        kind | (uint32_t)low->port << 16 | high->port,
        high->address.words[0],
        high->address.words[1],
    };
    return siphash(&hash_key, words, 5);
}

// Ports of this machine are nobody's choice outside: this hash needs no key.
static struct rcu_list *port_list(uint8_t protocol, uint16_t port)
{
    return rcu_hash_list(&by_port, (uint64_t)protocol << 16 | port);
}

static struct list *connected_list(uint8_t protocol, uint16_t port)
{
    return &connected[port_list(protocol, port) - by_port.lists];
}

// ---- Finding ---------------------------------------------------------------------

static bool end_is_equal(const struct net_end *a, const struct net_end *b)
{
    return a->port == b->port && address_is_equal(&a->address, &b->address);
}

// Of packets that have come by netif; 0: by whichever.
static bool comes_by(const struct flow_key *key, uint32_t netif)
{
    return key->netif == 0 || key->netif == netif || netif == 0;
}

static struct flow *find_by_ends(uint64_t hash, uint8_t protocol, const struct net_end *local,
                                 const struct net_end *remote, uint32_t netif)
{
    struct rcu_node *node;
    rcu_list_for_each(node, rcu_hash_list(&by_ends, hash))
    {
        struct flow *flow = container_of(node, struct flow, by_ends);
        if (flow->hash == hash && flow->key.protocol == protocol &&
            end_is_equal(&flow->key.local, local) && end_is_equal(&flow->key.remote, remote) &&
            comes_by(&flow->key, netif)) {
            return flow;
        }
    }
    return NULL;
}

// 0: it does not take packets to that end. The address says most, then the interface.
static unsigned score_of(const struct flow *flow, uint8_t protocol, const struct net_end *local,
                         uint32_t netif)
{
    enum { TAKES_BOTH = 1, TAKES_ONE = 2, HAS_NETIF = 2, HAS_ADDRESS = 5 };
    const struct flow_key *key = &flow->key;
    const bool is_v4 = address_is_v4(&local->address);
    if (key->protocol != protocol || key->local.port != local->port || key->remote.port != 0 ||
        !comes_by(key, netif)) {
        return 0;
    }
    const unsigned bound = key->netif != 0 ? HAS_NETIF : 0;
    if (address_is_any(&key->local.address)) {
        const bool takes = (key->takes & (is_v4 ? FLOW_V4 : FLOW_V6)) != 0;
        const bool takes_both = key->takes == (FLOW_V4 | FLOW_V6);
        return !takes ? 0 : bound + (takes_both ? TAKES_BOTH : TAKES_ONE);
    }
    return address_is_equal(&key->local.address, &local->address) ? bound + HAS_ADDRESS : 0;
}

// The one that this remote end belongs to, of those that share the port with first.
static struct flow *find_sharing(struct flow *first, unsigned score, unsigned count,
                                 const struct net_end *local, const struct net_end *remote)
{
    const uint64_t hash = ends_hash(first->key.protocol, local, remote);
    unsigned turn = (unsigned)((hash >> 32) * count >> 32);
    struct rcu_node *node;
    rcu_list_for_each(node, port_list(first->key.protocol, local->port))
    {
        struct flow *flow = container_of(node, struct flow, by_port);
        if ((flow->key.shares & FLOW_SHARES_PORT) != 0 &&
            score_of(flow, first->key.protocol, local, first->key.netif) == score && turn-- == 0) {
            return flow;
        }
    }
    return first; // some have gone meanwhile
}

struct flow *flow_find(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                       uint32_t netif)
{
    struct flow *best =
        find_by_ends(ends_hash(protocol, local, remote), protocol, local, remote, netif);
    if (best != NULL) {
        return best;
    }
    unsigned best_score = 0, sharing = 0;
    struct rcu_node *node;
    rcu_list_for_each(node, port_list(protocol, local->port))
    {
        struct flow *flow = container_of(node, struct flow, by_port);
        const unsigned score = score_of(flow, protocol, local, netif);
        const bool shares = (flow->key.shares & FLOW_SHARES_PORT) != 0;
        if (score > best_score) {
            best = flow;
            best_score = score;
            sharing = shares;
        } else if (score == best_score && score > 0) {
            sharing += shares;
        }
    }
    return sharing > 1 ? find_sharing(best, best_score, sharing, local, remote) : best;
}

struct flow *flow_peer(const struct flow *flow)
{
    const struct flow_key *key = &flow->key;
    return find_by_ends(flow->hash, key->protocol, &key->remote, &key->local, 0);
}

void flow_find_all(uint8_t protocol, const struct net_end *local, const struct net_end *remote,
                   void (*visit)(const struct flow *flow, void *argument), void *argument)
{
    const struct flow *connected_flow =
        find_by_ends(ends_hash(protocol, local, remote), protocol, local, remote, 0);
    struct rcu_node *node;
    if (connected_flow != NULL) {
        visit(connected_flow, argument);
    }
    rcu_list_for_each(node, port_list(protocol, local->port))
    {
        const struct flow *flow = container_of(node, struct flow, by_port);
        if (score_of(flow, protocol, local, 0) > 0) {
            visit(flow, argument);
        }
    }
}

// ---- Coming and going --------------------------------------------------------------

static uint8_t takes_of(const struct flow_key *key)
{
    if (address_is_any(&key->local.address)) {
        return key->takes;
    }
    return address_is_v4(&key->local.address) ? FLOW_V4 : FLOW_V6;
}

// May a packet be for both?
static bool is_overlapping(const struct flow_key *a, const struct flow_key *b)
{
    if (!comes_by(a, b->netif)) {
        return false;
    }
    if (!address_is_any(&a->local.address) && !address_is_any(&b->local.address)) {
        return address_is_equal(&a->local.address, &b->local.address);
    }
    return (takes_of(a) & takes_of(b)) != 0;
}

static bool is_shared(const struct flow_key *key, const struct flow_key *wanted)
{
    const unsigned both = key->shares & wanted->shares;
    return (both & FLOW_SHARES_PORT) != 0 ||
           ((both & FLOW_SHARES_ADDRESS) != 0 && (key->shares & FLOW_LISTENS) == 0);
}

static bool is_in_the_way(const struct flow *flow, const struct flow_key *wanted, uint16_t port,
                          const struct net_socket *except)
{
    const struct flow_key *key = &flow->key;
    return flow->socket != except && key->protocol == wanted->protocol && key->local.port == port &&
           !is_shared(key, wanted) && is_overlapping(key, wanted);
}

static bool is_in_use(const struct flow_key *wanted, uint16_t port, const struct net_socket *except)
{
    struct rcu_node *node;
    struct list *link;
    rcu_list_for_each(node, port_list(wanted->protocol, port))
    {
        if (is_in_the_way(container_of(node, struct flow, by_port), wanted, port, except)) {
            return true;
        }
    }
    list_for_each(link, connected_list(wanted->protocol, port))
    {
        if (is_in_the_way(container_of(link, struct flow, connected), wanted, port, except)) {
            return true;
        }
    }
    return false;
}

uint32_t flow_sequence(const struct flow *flow, hal_ns now)
{
    enum { TICK_BITS = 6 }; // of 64 ns
    return (uint32_t)(flow->hash + (now >> TICK_BITS));
}

// From a place that nobody outside can guess. Connections to one end take one port after the other,
// so that a port comes again late (RFC 6056, 3.3.3).
static uint32_t port_start(const struct flow_key *key)
{
    static uint32_t connection_count; // under flows_lock
    uint32_t start;
    if (key->protocol == IP_TCP && key->remote.port != 0) {
        return (uint32_t)(ends_hash(IP_TCP, &key->local, &key->remote) >> 1) + connection_count++;
    }
    hal_entropy(&start, sizeof start);
    return start;
}

static int port_choose(struct flow_key *key)
{
    enum { COUNT = PORT_LAST - PORT_FIRST + 1 };
    struct flow_key alone = *key;
    const uint32_t start = port_start(key);
    alone.shares = 0;
    for (uint32_t i = 0; i < COUNT; ++i) {
        const uint16_t port = (uint16_t)(PORT_FIRST + (start + (uint64_t)i) % COUNT);
        if (!is_in_use(&alone, port, NULL)) {
            key->local.port = port;
            return 0;
        }
    }
    return -EAGAIN;
}

void flow_keep(struct flow *flow)
{
    atomic_fetch_add_explicit(&flow->reference_count, 1, memory_order_relaxed);
}

void flow_drop(struct flow *flow)
{
    // Of the last it can no longer be found, and nobody gets another.
    if (atomic_load_explicit(&flow->reference_count, memory_order_acquire) == 1 ||
        atomic_fetch_sub_explicit(&flow->reference_count, 1, memory_order_acq_rel) == 1) {
        heap_free(flow);
    }
}

static void flow_end(struct rcu_head *head)
{
    flow_drop(container_of(head, struct flow, end));
}

void flow_drop_later(struct flow *flow)
{
    rcu_defer(&flow->end, flow_end);
}

static void flow_remove(struct flow *flow)
{
    const struct flow_key *key = &flow->key;
    if (key->remote.port != 0) {
        rcu_list_remove(rcu_hash_list(&by_ends, flow->hash), &flow->by_ends);
        list_remove(&flow->connected);
    } else {
        rcu_list_remove(port_list(key->protocol, key->local.port), &flow->by_port);
    }
    atomic_store_explicit(&flow->is_gone, true, memory_order_relaxed);
}

static void flow_insert(struct flow *flow)
{
    const struct flow_key *key = &flow->key;
    if (key->remote.port != 0) {
        flow->hash = ends_hash(key->protocol, &key->local, &key->remote);
        list_push_back(connected_list(key->protocol, key->local.port), &flow->connected);
        rcu_list_push(rcu_hash_list(&by_ends, flow->hash), &flow->by_ends);
    } else {
        rcu_list_push(port_list(key->protocol, key->local.port), &flow->by_port);
    }
}

int flow_enter(struct flow **result, struct flow_key *key, struct net_socket *socket,
               struct flow *former, bool is_new)
{
    struct flow *flow = heap_alloc_zeroed(sizeof *flow);
    if (flow == NULL) {
        return -ENOMEM;
    }
    mutex_lock(&flows_lock);
    int error = 0;
    if (key->local.port == 0) {
        error = port_choose(key);
    } else if (is_new && is_in_use(key, key->local.port, socket)) {
        error = -EADDRINUSE;
    }
    if (error == 0) {
        flow->key = *key;
        flow->socket = socket;
        atomic_store_explicit(&flow->reference_count, 1, memory_order_relaxed);
        flow_insert(flow);
        if (former != NULL) {
            flow_remove(former);
            flow_drop_later(former);
        }
    }
    mutex_unlock(&flows_lock);
    if (error != 0) {
        heap_free(flow);
        return error;
    }
    *result = flow;
    return 0;
}

void flow_leave(struct flow *flow)
{
    mutex_lock(&flows_lock);
    flow_remove(flow);
    mutex_unlock(&flows_lock);
    flow_drop_later(flow);
}

void flow_leave_then(struct flow *flow, void (*then)(void *argument), void *argument)
{
    mutex_lock(&flows_lock);
    if (flow != NULL) {
        flow_remove(flow);
    }
    then(argument);
    mutex_unlock(&flows_lock);
}

void flow_walk(uint8_t protocol, void (*visit)(const struct flow *flow, void *argument),
               void *argument)
{
    mutex_lock(&flows_lock);
    for (uint32_t i = 0; connected != NULL && i < 1u << PORT_BITS; ++i) {
        struct rcu_node *node;
        struct list *link;
        rcu_list_for_each(node, &by_port.lists[i])
        {
            const struct flow *flow = container_of(node, struct flow, by_port);
            if (flow->key.protocol == protocol) {
                visit(flow, argument);
            }
        }
        list_for_each(link, &connected[i])
        {
            const struct flow *flow = container_of(link, struct flow, connected);
            if (flow->key.protocol == protocol) {
                visit(flow, argument);
            }
        }
    }
    mutex_unlock(&flows_lock);
}
