// SPDX-License-Identifier: BSD-3-Clause
// member_test.c: packets to a group, under every schedule against who joins and leaves others, and
// against the socket's end: who stays a member gets them all, no change is lost, each group is left
// as often as it was joined, and memory that is given back is not read. Memory goes as soon as RCU
// allows it.
#include "core/net/member.h"

#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/net/flow.h"
#include "core/net/group_link.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/socket.h"
#include "rcu_steps.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "socket_steps.h"

enum { GROUPS = 3, COST = 10, PORT = 700, BLOCK_MAX = 131072, BLOCKS = 6 };

static struct net_socket socket;
static struct packet packet, copy;
static struct netif wire;
static unsigned freed, copied, copies_freed, released;
static int joined[GROUPS];

// ---- In place of core/mem, RCU and the rest of the room: each is one step -----------------

static _Alignas(16) char blocks[BLOCKS][BLOCK_MAX];
static bool is_used[BLOCKS];

MARK_GUESS void *heap_alloc_zeroed(size_t size)
{
    seed_check(size <= BLOCK_MAX, "too large");
    for (unsigned i = 0; i < BLOCKS; ++i) {
        if (!is_used[i]) {
            is_used[i] = true;
            return memset(blocks[i], 0, size);
        }
    }
    seed_fail("memory is not given back");
}

MARK_GUESS void *heap_alloc(size_t size)
{
    return heap_alloc_zeroed(size);
}

void heap_free(void *block)
{
    if (block == NULL) {
        return;
    }
    const size_t index = (size_t)((char *)block - blocks[0]) / BLOCK_MAX;
    seed_check(is_used[index], "freed twice");
    is_used[index] = false;
    memset(block, 0, sizeof(struct net_memberships)); // a list of none
}

MARK_GUESS void packet_free(struct packet *gone)
{
    ++*(gone == &packet ? &freed : &copies_freed);
}

MARK_GUESS struct packet *packet_clone(const struct packet *of)
{
    seed_check(++copied == 1, "a member gets it twice");
    copy = *of;
    return &copy;
}

static struct net_address group(unsigned index)
{
    const uint8_t bytes[] = {239, 0, 0, (uint8_t)index};
    return address_of_v4(bytes);
}

MARK_GUESS int netif_join(struct netif *netif, const struct net_address *address)
{
    (void)netif;
    ++joined[address_v4_bytes(address)[3]];
    return 0;
}

MARK_GUESS void netif_leave(struct netif *netif, const struct net_address *address)
{
    (void)netif;
    seed_check(--joined[address_v4_bytes(address)[3]] >= 0, "a group is left twice");
}

NEVER(bool route_is_broadcast(const struct net_address *address __attribute__((unused))))
NEVER(bool group_is_silent(const struct net_address *address __attribute__((unused))))
NEVER(bool group_is_joined(struct groups *groups __attribute__((unused)),
                           const struct net_address *address __attribute__((unused))))

// ---- The socket and those who use it --------------------------------------------------------

static void release(struct net_socket *of)
{
    (void)of;
    ++released;
}

static void join(unsigned index)
{
    const struct net_address address = group(index);
    seed_check(member_join(&socket, &wire, &address) == 0, "not joined");
}

static void leave(unsigned index)
{
    const struct net_address address = group(index);
    seed_check(member_leave(&socket, &wire, &address) == 0, "a change is lost");
}

static void reset(void)
{
    seed_threads_reset();
    memset(is_used, 0, sizeof is_used);
    memset(joined, 0, sizeof joined);
    ended = NULL;
    reader_count = 0;
    seed_check(flow_start() == 0, "no memory");
    socket = (struct net_socket){.release = release};
    net_socket_init(&socket, IP_UDP, true);
    socket.receive_limit = 1000;
    socket.takes_all[0] = socket.takes_all[1] = false;
    mutex_lock(&socket.lock);
    const struct net_end any = {socket.local.address, PORT};
    seed_check(net_socket_flow_set(&socket, any, socket.remote) == 0, "no flow");
    mutex_unlock(&socket.lock);
    packet = (struct packet){.cost = COST};
    freed = copied = copies_freed = released = 0;
    join(0);
}

static void send_to_first(void)
{
    const uint8_t sender[] = {10, 0, 0, 2};
    const struct net_end local = {group(0), PORT}, remote = {address_of_v4(sender), PORT + 1};
    net_socket_deliver_all(IP_UDP, &local, &remote, &wire, &packet);
}

static void join_and_leave_second(void)
{
    join(1);
    leave(1);
}

static void join_second(void)
{
    join(1);
}

static void join_third(void)
{
    join(2);
}

static void close_it(void)
{
    net_socket_close(&socket);
}

static void stays_check(void)
{
    seed_check(freed == 1, "the packet is lost");
    seed_check(copied == 1, "a member gets nothing");
    seed_check(joined[0] == 1 && joined[1] == 0, "a group is not left");
}

static void two_check(void)
{
    for (unsigned i = 0; i < GROUPS; ++i) {
        leave(i);
        seed_check(joined[i] == 0, "a group is not left");
    }
}

static void close_check(void)
{
    seed_check(freed == 1 && copies_freed == copied, "a packet is lost");
    seed_check(released == 1 && joined[0] == 0, "the socket has not ended");
    seed_check(ended == NULL && reader_count == 0, "a section has not ended");
    for (unsigned i = 1; i < BLOCKS; ++i) { // the first has the flows
        seed_check(!is_used[i], "memory is not given back");
    }
}

static const struct seed_test tests[] = {
    {.name = "member, while another group is joined and left",
     .reset = reset,
     .bodies = {send_to_first, join_and_leave_second},
     .check = stays_check,
     .preemption_max = 2},
    {.name = "member, two that join",
     .reset = reset,
     .bodies = {join_second, join_third},
     .check = two_check,
     .preemption_max = 3},
    {.name = "member, the owner closes",
     .reset = reset,
     .bodies = {send_to_first, close_it},
     .check = close_check,
     .preemption_max = 3},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
