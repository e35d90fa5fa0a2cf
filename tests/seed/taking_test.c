// SPDX-License-Identifier: BSD-3-Clause
// taking_test.c: frames that come, under every schedule against the owner of a channel that takes
// them: who receives, gives back, and closes, in this order or with frames that outlive the socket.
// Each frame is received, left to others or dropped, once; nothing is put into a socket that is
// gone.
#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/direct.h"
#include "core/net/ethernet.h"
#include "core/net/filter.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/output.h"
#include "core/net/packet_socket.h"
#include "core/net/raw.h"
#include "core/net/route.h"
#include "core/net/run.h"
#include "core/net/tcp_bare.h"
#include "rcu_steps.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { FRAMES = 2, ROOM = 64 };

static struct packet_socket taker;
static struct packet frames[FRAMES];
static char bytes[FRAMES][ROOM];
static unsigned ended_count[FRAMES], left, received, released, told_count;
static struct packet *lent;
static bool is_closed;
static struct netif wire;

// ---- In place of the rest of the room, and of others: each is one step --------------------

struct netif loopback = {.index = 1};
_Atomic uint32_t raw_flow_count, net_early_count;

MARK_GUESS void packet_free(struct packet *packet)
{
    seed_check(++ended_count[packet - frames] == 1, "a frame ends twice");
}

uint32_t packet_size(const struct packet *packet)
{
    return packet->size;
}

// With the lock held.
int datagram_await(struct net_socket *socket, const struct net_patience *patience)
{
    (void)patience;
    struct packet *packet = channel_take(&socket->channel), **end = &socket->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = packet;
    return socket->first == NULL ? -EAGAIN : 0;
}

#define UNUSED __attribute__((unused))
#define NEVER(declaration)                                                                         \
    declaration                                                                                    \
    {                                                                                              \
        seed_fail("not of this test");                                                             \
    }

NEVER(void packet_read(const struct packet *packet UNUSED, uint32_t offset UNUSED, void *to UNUSED,
                       uint32_t count UNUSED))
NEVER(struct packet *packet_alloc_block(uint32_t size UNUSED))
NEVER(struct packet *packet_clone(const struct packet *packet UNUSED))
NEVER(struct packet *packet_join(struct packet *packet UNUSED))
NEVER(size_t datagram_size(const struct net_message *message UNUSED))
NEVER(int datagram_packet_make(struct packet **made UNUSED,
                               const struct net_message *message UNUSED, size_t size UNUSED))
NEVER(int datagram_bytes_copy(const struct packet *packet UNUSED, uint32_t from UNUSED,
                              struct net_message *message UNUSED, size_t *done UNUSED))
NEVER(uint32_t bpf_run(const struct bpf_instruction *program UNUSED,
                       const struct bpf_view *view UNUSED))
NEVER(uint32_t thread_cpu_index(void))
NEVER(void net_run_at(hal_ns now UNUSED))
NEVER(void net_run_later_counted(struct net_socket *socket UNUSED))
NEVER(bool net_socket_wants(struct net_socket *socket UNUSED, const struct packet *packet UNUSED))
NEVER(void packet_filter_set(packet_filter_slot *slot UNUSED, struct packet_filter *filter UNUSED))
NEVER(void tcp_bare_dress(struct packet *packet UNUSED, const struct flow *flow UNUSED))
NEVER(int flow_start(void))
NEVER(int flow_enter(struct flow **flow UNUSED, struct flow_key *key UNUSED,
                     struct net_socket *socket UNUSED, struct flow *former UNUSED,
                     bool is_new UNUSED))
NEVER(void flow_leave(struct flow *flow UNUSED))
NEVER(struct flow *flow_find(uint8_t protocol UNUSED, const struct net_end *local UNUSED,
                             const struct net_end *remote UNUSED, uint32_t netif UNUSED))
NEVER(void flow_find_all(uint8_t protocol UNUSED, const struct net_end *local UNUSED,
                         const struct net_end *remote UNUSED,
                         void (*visit)(const struct flow *flow, void *argument) UNUSED,
                         void *argument UNUSED))
NEVER(int route_find(const struct net_address *target UNUSED, struct route *route UNUSED))
NEVER(int route_check_source(const struct route *route UNUSED,
                             const struct net_address *source UNUSED))
NEVER(bool route_is_local(const struct net_address *address UNUSED))
NEVER(bool route_is_broadcast(const struct net_address *address UNUSED))
NEVER(int ip_header_read(struct ip_header *header UNUSED, const char *data UNUSED,
                         uint32_t size UNUSED, bool is_cut UNUSED))
NEVER(struct netif *netif_at(uint32_t index UNUSED))
NEVER(void net_output(struct packet *packet UNUSED))
NEVER(void net_output_checksum(const struct netif *netif UNUSED, struct packet *packet UNUSED,
                               const struct ip_header *header UNUSED))

// ---- The channel and those who use it -------------------------------------------------------

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
    seed_check(released == 0, "told when it was gone");
    ++told_count;
}

static void release(struct net_socket *socket)
{
    (void)socket;
    seed_check(lent == NULL, "gone before what it has lent");
    ++released;
}

static void reset(void)
{
    seed_threads_reset();
    ended = NULL;
    reader_count = 0;
    raw_flow_count = net_early_count = 0;
    wire = (struct netif){.index = 2};
    taker = (struct packet_socket){.kind = 0};
    packet_socket_init(&taker, false);
    taker.socket.ready = ready;
    taker.socket.release = release;
    mutex_lock(&taker.socket.lock);
    seed_check(packet_socket_take(&taker) == 0, "it gets frames already");
    mutex_unlock(&taker.socket.lock);
    packet_socket_bind(&taker, 0, PACKET_KIND_ALL);
    channel_watch(&taker.socket.channel);
    for (unsigned i = 0; i < FRAMES; ++i) {
        frames[i] = (struct packet){.data = bytes[i], .size = ROOM};
        ended_count[i] = 0;
    }
    left = received = released = told_count = 0;
    lent = NULL;
    is_closed = false;
}

static void frames_come(void)
{
    for (unsigned i = 0; i < FRAMES; ++i) {
        if (!packet_sockets_take(&wire, &frames[i])) {
            packet_free(&frames[i]);
            ++left;
        }
    }
}

static void some_receive(unsigned count)
{
    const struct net_patience patience = {.waits = false};
    struct packet *got;
    const int error = direct_receive(&taker.socket, &patience, count, &got);
    seed_check((error == 0) == (got != NULL), "neither a frame nor an error");
    lent = got;
    for (; got != NULL; got = got->next) {
        ++received;
    }
}

static void lent_free(void)
{
    struct packet *packet = lent;
    lent = NULL;
    direct_give_back(packet);
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_free(packet);
        packet = next;
    }
}

static void close_it(void)
{
    packet_socket_close(&taker);
    is_closed = true;
}

static void receive_and_close(void)
{
    some_receive(FRAMES);
    lent_free();
    close_it();
}

static void close_and_give_back(void)
{
    some_receive(FRAMES);
    close_it();
    seed_check(lent == NULL || released == 0, "gone before what it has lent");
    lent_free();
}

static void receive_twice(void)
{
    some_receive(1);
    lent_free();
    some_receive(1);
    lent_free();
}

static void check(void)
{
    if (!is_closed) {
        some_receive(FRAMES);
        lent_free();
        seed_check(left == 0 && received == FRAMES, "a frame is not received");
        seed_check(told_count == FRAMES, "not told of each");
        seed_check(channel_cost(&taker.socket.channel) == 0, "what was given back counts");
        seed_check(net_early_count == NET_TAKER, "nobody is before all else");
        close_it();
    }
    seed_check(released == 1, "the socket has not ended once");
    seed_check(net_early_count == 0, "somebody is before all else");
    for (unsigned i = 0; i < FRAMES; ++i) {
        seed_check(ended_count[i] == 1, "a frame is lost");
    }
    seed_check(ended == NULL && reader_count == 0, "a section has not ended");
}

static const struct seed_test tests[] = {
    {.name = "taking, a receiver",
     .reset = reset,
     .bodies = {frames_come, receive_twice},
     .check = check,
     .preemption_max = 3},
    {.name = "taking, received, and closed",
     .reset = reset,
     .bodies = {frames_come, receive_and_close},
     .check = check,
     .preemption_max = 3},
    {.name = "taking, closed, and given back",
     .reset = reset,
     .bodies = {frames_come, close_and_give_back},
     .check = check,
     .preemption_max = 3},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
