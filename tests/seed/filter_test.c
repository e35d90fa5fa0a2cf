// SPDX-License-Identifier: BSD-3-Clause
// filter_test.c: packet filters come and go under every schedule against the runner: who is gone is
// not called, nor released while it runs, who stays sees every packet, and all packets go on.
#include "core/net/filter.h"

#include "core/dev/packet.h"
#include "core/net/counts.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/run.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { FILTERS = 3, PACKETS = 2 };

static struct own_filter {
    struct net_filter filter;
    bool is_looking, is_removed;
    unsigned release_count, seen; // seen: a bit for each packet
} own[FILTERS];

static struct packet packets[PACKETS];
static struct netif wire;
static unsigned packets_wanted, packets_done;
static bool first_leaves; // the first filter, at its first packet

// ---- In place of the rest of the room ------------------------------------------------

_Atomic uint64_t net_counts[NET_COUNTS];

int ip_packet_read(struct ip_header *header, const struct packet *packet)
{
    (void)packet;
    *header = (struct ip_header){.size = 0};
    return 0;
}

struct netif *netif_at(uint32_t index)
{
    (void)index;
    return &wire;
}

void packet_free(struct packet *packet)
{
    (void)packet;
    seed_fail("a packet is dropped");
}

void net_run_at(hal_ns now)
{
    (void)now;
}

// ---- Filters and packets -------------------------------------------------------------

static enum net_verdict gone_look(struct net_filter *filter, struct netif *netif,
                                  struct packet **packet, const struct ip_header *header)
{
    (void)filter, (void)netif, (void)packet, (void)header;
    seed_fail("a filter is called that is gone");
}

// Where those lead to that are gone.
static struct net_filter grave = {.node = LIST_EMPTY(grave.node), .look = gone_look};

static enum net_verdict look(struct net_filter *filter, struct netif *netif, struct packet **packet,
                             const struct ip_header *header)
{
    struct own_filter *self = container_of(filter, struct own_filter, filter);
    (void)netif, (void)header;
    seed_check(!self->is_removed, "a filter is called that is removed");
    self->is_looking = true;
    self->seen |= 1u << (*packet - packets);
    if (first_leaves && self == &own[0]) {
        net_filter_remove(filter);
    }
    seed_point();
    self->is_looking = false;
    seed_check(self->release_count == 0, "a filter is released while it runs");
    return NET_PASS;
}

static void release(struct net_filter *filter)
{
    struct own_filter *self = container_of(filter, struct own_filter, filter);
    ++self->release_count;
    filter->node.next = filter->node.previous = &grave.node;
    filter->look = gone_look;
}

static void filtered(struct netif *netif, struct packet *packet, bool has_more)
{
    seed_check(net_filter_look(netif, &packet) == NET_PASS, "a packet does not go on");
    if (++packets_done == packets_wanted) {
        seed_end(); // its thread never does
    }
}

static void add(unsigned index)
{
    own[index] = (struct own_filter){.filter = {.look = look, .release = release}};
    net_filter_add(&own[index].filter);
}

static void remove(unsigned index)
{
    net_filter_remove(&own[index].filter);
    own[index].is_removed = true;
    seed_check(!own[index].is_looking, "it runs though it is removed");
    seed_check(own[index].release_count == 1, "it is removed, and not released");
}

static void push(unsigned index)
{
    packets[index] = (struct packet){.size = 100};
    net_filter_push(&wire, &packets[index]);
}

static void reset_with(unsigned wanted, bool leaves)
{
    seed_threads_reset();
    wire = (struct netif){.index = 1, .filtered = filtered};
    packets_wanted = wanted;
    packets_done = 0;
    first_leaves = leaves;
    add(0);
    add(1);
}

static void reset_two(void)
{
    reset_with(2, false);
}

static void reset_one(void)
{
    reset_with(1, false);
}

static void reset_leaving(void)
{
    reset_with(1, true);
}

static void remove_first(void)
{
    push(0);
    remove(0);
    push(1);
}

static void first_check(void)
{
    seed_check(own[1].seen == 3, "a filter does not see a packet");
    remove(1);
}

static void remove_second(void)
{
    push(0);
    remove(1);
}

static void leaving_check(void)
{
    seed_check(own[0].release_count == 1, "who removes itself is not released");
}

static void second_check(void)
{
    seed_check(own[0].seen == 1, "a filter does not see a packet");
    remove(0);
}

static void add_third(void)
{
    push(0);
    add(2);
    push(1);
}

static void third_check(void)
{
    seed_check(own[0].seen == 3 && own[1].seen == 3 && (own[2].seen & 2) != 0,
               "a filter does not see a packet");
    for (unsigned i = 0; i < FILTERS; ++i) {
        remove(i);
    }
}

static const struct seed_test tests[] = {
    {.name = "filter, the first is removed",
     .reset = reset_two,
     .bodies = {net_filter_run, remove_first},
     .check = first_check,
     .preemption_max = 3},
    {.name = "filter, the second is removed",
     .reset = reset_one,
     .bodies = {net_filter_run, remove_second},
     .check = second_check,
     .preemption_max = 3},
    {.name = "filter, one removes itself and another its neighbour",
     .reset = reset_leaving,
     .bodies = {net_filter_run, remove_second},
     .check = leaving_check,
     .preemption_max = 3},
    {.name = "filter, one is added",
     .reset = reset_two,
     .bodies = {net_filter_run, add_third},
     .check = third_check,
     .preemption_max = 3},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
