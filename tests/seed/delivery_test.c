// SPDX-License-Identifier: BSD-3-Clause
// delivery_test.c: packets that an interrupt gives to sockets, or a thread that has kept their
// flow, under every schedule against their owner and the interface's thread: who is to be told is
// told of all, nothing is told to a socket that is gone, and what is given back is given back once.
// Memory goes as soon as RCU allows it.
#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/socket.h"
#include "rcu_steps.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"
#include "socket_steps.h"

enum { PACKETS = 2, COST = 10, PORT = 700, BLOCK_MAX = 131072, BLOCKS = 3 };

static struct net_socket socket;
static struct packet packets[PACKETS];
static unsigned freed[PACKETS], seen, released;
static struct net_told told;
static bool is_closed;
static struct flow *kept;

// ---- In place of core/mem, RCU and the rest of the room: each is one step -----------------

static _Alignas(16) char blocks[BLOCKS][BLOCK_MAX];
static bool is_used[BLOCKS];
static struct net_socket nobody; // whose flow is one that is no more

MARK_GUESS void *heap_alloc_zeroed(size_t size)
{
    for (unsigned i = size > sizeof(struct flow) ? 0 : 1; i < BLOCKS; ++i) {
        if (!is_used[i]) {
            is_used[i] = true;
            return memset(blocks[i], 0, size);
        }
    }
    seed_fail("memory is not given back");
}

void heap_free(void *block)
{
    const size_t index = (size_t)((char *)block - blocks[0]) / BLOCK_MAX;
    seed_check(is_used[index], "freed twice");
    is_used[index] = false;
    ((struct flow *)block)->socket = &nobody;
    ((struct flow *)block)->is_gone = false;
}

MARK_GUESS void packet_free(struct packet *packet)
{
    seed_check(++freed[packet - packets] == 1, "a packet is freed twice");
}

// ---- The socket and those who use it --------------------------------------------------------

// What linux does for one who polls: looks.
static void ready(struct net_socket *of, unsigned news)
{
    (void)news;
    seed_check(released == 0, "told when it was gone");
    mutex_lock(&of->lock);
    struct packet *packet = channel_take(&of->channel);
    while (packet != NULL) {
        struct packet *next = packet->next;
        ++seen;
        channel_return(&of->channel, packet->cost);
        packet_free(packet);
        packet = next;
    }
    mutex_unlock(&of->lock);
}

static void release(struct net_socket *of)
{
    (void)of;
    ++released;
}

static const struct net_end here = {{{0, UINT64_C(0x0100000affff0000)}}, PORT};
static const struct net_end there = {{{0, UINT64_C(0x0200000affff0000)}}, PORT + 1};

static void reset(void)
{
    seed_threads_reset();
    memset(is_used, 0, sizeof is_used);
    ended = NULL;
    reader_count = 0;
    seed_check(flow_start() == 0, "no memory");
    socket = (struct net_socket){.ready = ready, .release = release};
    net_socket_init(&socket, IP_UDP, true);
    mutex_lock(&socket.lock);
    seed_check(net_socket_flow_set(&socket, here, socket.remote) == 0, "no flow");
    mutex_unlock(&socket.lock);
    channel_watch(&socket.channel);
    for (unsigned i = 0; i < PACKETS; ++i) {
        packets[i] = (struct packet){.cost = COST};
        freed[i] = 0;
    }
    seen = released = 0;
    nobody = (struct net_socket){.receive_limit = 1000};
    told.newest = NULL;
    is_closed = false;
}

// The interface's thread, once.
static void tell_all(void)
{
    (void)net_told_tell(&told);
}

static void interrupt(unsigned index)
{
    struct net_socket *one;
    rcu_read_begin();
    const bool is_taken = net_socket_push(IP_UDP, &here, &there, &packets[index], &one);
    rcu_read_end();
    if (!is_taken) {
        packet_free(&packets[index]);
    }
    if (one != NULL) {
        seed_check(net_told_push(&told, one), "a socket is in the list twice");
    }
}

static void interrupts(void)
{
    for (unsigned i = 0; i < PACKETS; ++i) {
        interrupt(i);
    }
}

static void close_it(void)
{
    net_socket_close(&socket);
    is_closed = true;
}

static void tell_and_close(void)
{
    tell_all();
    close_it();
}

static void keep(void)
{
    rcu_read_begin();
    kept = flow_find(IP_UDP, &here, &there, 0);
    flow_keep(kept);
    rcu_read_end();
}

static void reset_kept(void)
{
    reset();
    keep();
}

static void send_to_kept(void)
{
    for (unsigned i = 0; i < PACKETS; ++i) {
        rcu_read_begin();
        if (!net_socket_deliver_by(kept, &packets[i])) {
            packet_free(&packets[i]);
        }
    }
    flow_drop(kept);
}

// Who sends: that is a step.
static void attend(void)
{
    net_socket_attend(&socket);
    mutex_lock(&socket.lock);
    mutex_unlock(&socket.lock);
    net_socket_attend_end(&socket);
    if (!channel_is_empty(&socket.channel)) {
        ready(&socket, true);
    }
}

static void check(void)
{
    tell_all();
    seed_check(!is_closed || !(is_used[1] || is_used[2]), "a flow is not given back");
    seed_check(is_closed || seen == PACKETS, "a packet is in the channel, and nobody was told");
    seed_check(!is_closed || released == 1, "the socket has not ended once");
    for (unsigned i = 0; i < PACKETS; ++i) {
        seed_check(freed[i] == 1, "a packet is lost");
    }
    seed_check(channel_is_empty(&nobody.channel), "a flow was read that is no more");
    seed_check(ended == NULL && reader_count == 0, "a section has not ended");
}

static const char *const told_marks[] = {"socket: another tells of it", NULL};
static const char *const attended_marks[] = {"socket: who sends looks", NULL};

static const struct seed_test tests[] = {
    {.name = "delivery, a thread that tells",
     .reset = reset,
     .bodies = {interrupts, tell_all},
     .check = check,
     .marks = told_marks,
     .preemption_max = 3},
    {.name = "delivery, a thread that sends",
     .reset = reset,
     .bodies = {interrupts, attend},
     .check = check,
     .marks = attended_marks,
     .preemption_max = 3},
    {.name = "delivery, the owner closes",
     .reset = reset,
     .bodies = {interrupts, close_it},
     .check = check,
     .preemption_max = 3},
    {.name = "delivery, it is told, and closes",
     .reset = reset,
     .bodies = {interrupts, tell_and_close},
     .check = check,
     .preemption_max = 2},
    {.name = "delivery, to a flow that is kept",
     .reset = reset_kept,
     .bodies = {send_to_kept, close_it},
     .check = check,
     .preemption_max = 3},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
