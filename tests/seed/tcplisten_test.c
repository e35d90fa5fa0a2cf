// SPDX-License-Identifier: BSD-3-Clause
// tcplisten_test.c: sockets that listen and their children, under every schedule of two threads: a
// child is accepted once or broken off, whoever closes, shuts or accepts meanwhile; who waits in
// accept is woken by a child and by the end; each socket ends once, and no earlier than its users.
// The state machine knows three states here.
#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/percpu.h"
#include "core/net/run.h"
#include "core/net/tcp_bare.h"
#include "core/net/tcp_cookie.h"
#include "core/net/tcp_counts.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"
#include "core/net/tcp_socket.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { CHILDREN = 2, PACKETS = 4, COST = 10, LIMIT = 1000, PORT = 700 };

enum { LISTENER, FIRST_CHILD, SOCKETS = FIRST_CHILD + CHILDREN };

static struct tcp_socket sockets[SOCKETS];
static struct packet packets[PACKETS];
static unsigned released[SOCKETS], child_count, aborted, accepted_count, freed;
static uint8_t flags[PACKETS]; // of the segments

static struct tcp_socket *const listener = &sockets[LISTENER];

// ---- What stands in for the rest of the room -------------------------------------------

_Atomic uint64_t net_counts[NET_COUNTS];

#define IGNORED __attribute__((unused))

static unsigned index_of(const struct net_socket *socket)
{
    return (unsigned)((const struct tcp_socket *)socket - sockets);
}

void net_socket_get(struct net_socket *socket)
{
    seed_check(atomic_fetch_add(&socket->reference_count, 1) > 0, "used after its end");
}

static struct flow flows[SOCKETS];

void net_socket_put(struct net_socket *socket)
{
    const uint32_t before = atomic_fetch_sub(&socket->reference_count, 1);
    seed_check(before > 0, "its end comes twice");
    if (before == 1) {
        ++released[index_of(socket)];
        tcp_socket_release(tcp_socket_of(socket));
        const struct flow *flow = &flows[index_of(socket)];
        seed_check(flow->socket == NULL || flow->is_gone, "a flow is kept for ever");
    }
}

void net_socket_init(struct net_socket *socket, uint8_t protocol IGNORED, bool is_v4 IGNORED)
{
    socket->reference_count = 1;
    socket->receive_limit = LIMIT;
}

int net_socket_flow_set(struct net_socket *socket, struct net_end local, struct net_end remote)
{
    socket->local = local;
    socket->remote = remote;
    socket->flow = &flows[index_of(socket)];
    return 0;
}

// What is_gone says here: it is given back, too.
static void flow_leave_kept(struct flow *flow)
{
    seed_check(flow->socket == NULL, "a flow is left twice");
    flow->socket = &listener->socket;
}

void flow_drop(struct flow *flow)
{
    seed_check(flow->socket != NULL && !flow->is_gone, "a flow is dropped that is not left");
    flow->is_gone = true;
}

void flow_leave(struct flow *flow)
{
    flow_leave_kept(flow);
    flow_drop(flow);
}

// As who finds it by its flow does. False: it is gone.
static bool is_found(struct tcp_socket *tcp)
{
    uint32_t count = tcp->socket.reference_count;
    while (count != 0) {
        if (atomic_compare_exchange_weak(&tcp->socket.reference_count, &count, count + 1)) {
            return true;
        }
    }
    return false;
}

// All packets here are of one connection.
bool net_socket_pass(const struct net_end *local IGNORED, const struct net_end *remote IGNORED,
                     struct packet *packet)
{
    struct tcp_socket *child = &sockets[FIRST_CHILD];
    if (child->socket.flow == NULL || !is_found(child)) {
        return false;
    }
    if (channel_push(&child->socket.channel, packet, LIMIT) & CHANNEL_ALONE) {
        net_run_later(&child->socket);
    }
    net_socket_put(&child->socket);
    return true;
}

uint32_t flow_sequence(const struct flow *flow IGNORED, hal_ns now IGNORED)
{
    return 1;
}

uint64_t tcp_received(const struct tcp *tcp IGNORED)
{
    return 0;
}

uint64_t tcp_acknowledged(const struct tcp *tcp IGNORED)
{
    return 0;
}

void tcp_answer(struct tcp *tcp, const struct tcp_host *host IGNORED,
                const struct tcp_settings *settings IGNORED, uint32_t iss IGNORED,
                const struct tcp_segment *syn IGNORED, hal_ns now IGNORED)
{
    tcp->state = TCP_STATE_SYN_RECEIVED;
}

void tcp_input(struct tcp *tcp, const struct tcp_segment *segment, hal_ns now IGNORED)
{
    if (tcp->state != TCP_STATE_CLOSED) {
        tcp->state = segment->flags & TCP_RST ? TCP_STATE_CLOSED : TCP_STATE_ESTABLISHED;
    }
}

void tcp_end(struct tcp *tcp, int error)
{
    tcp->state = TCP_STATE_CLOSED;
    tcp->error = error;
}

void tcp_abort(struct tcp *tcp, hal_ns now IGNORED)
{
    aborted += tcp->state != TCP_STATE_CLOSED;
    tcp_end(tcp, 0);
}

void tcp_close(struct tcp *tcp, hal_ns now)
{
    tcp_abort(tcp, now); // its peer says goodbye at once
}

void tcp_orphan(struct tcp *tcp, hal_ns span IGNORED, hal_ns now)
{
    tcp_close(tcp, now);
}

void tcp_deadline_set(struct tcp *tcp IGNORED)
{
}

void tcp_growth_begin(struct tcp_socket *tcp IGNORED, const struct net_address *target IGNORED)
{
}

void tcp_grown_end(struct tcp_socket *tcp IGNORED)
{
}

bool tcp_room_may_grow(struct tcp *connection IGNORED, uint32_t size IGNORED)
{
    return false;
}

_Atomic bool tcp_memory_is_short;

void tcp_memory_charge(struct tcp_socket *tcp IGNORED, uint32_t held IGNORED)
{
}

bool tcp_memory_may_keep(const struct tcp_socket *tcp IGNORED, uint64_t from IGNORED)
{
    return true;
}

void tcp_counts_end(struct tcp *tcp IGNORED, struct flow *flow)
{
    if (flow != NULL) {
        flow_leave_kept(flow);
    }
}

void tcp_settle(struct tcp *tcp IGNORED)
{
}

void tcp_urgent_note(struct tcp_socket *tcp IGNORED)
{
}

void send_queue_end(struct send_queue *queue IGNORED)
{
}

void tcp_stream_end(struct tcp_socket *tcp IGNORED)
{
}

uint32_t net_output_mtu(const struct net_address *target IGNORED, struct netif *by IGNORED)
{
    return 1500;
}

MARK_GUESS void packet_free(struct packet *packet IGNORED)
{
    ++freed;
}

uint32_t packet_size(const struct packet *packet)
{
    return packet->size;
}

int ip_packet_read(struct ip_header *header, const struct packet *packet)
{
    *header = (struct ip_header){.transport = 0};
    (void)packet;
    return 0;
}

// The packet's number is in its bytes.
int tcp_header_read(struct tcp_segment *segment, struct tcp_ports *ports, char *data,
                    uint32_t size IGNORED)
{
    const unsigned index = (unsigned)((struct packet *)(void *)data - packets);
    *segment = (struct tcp_segment){.flags = flags[index]};
    *ports = (struct tcp_ports){.source = PORT + 1, .target = PORT};
    return 0;
}

void heap_free(void *block)
{
    seed_check(block == NULL, "no connection here needs more space");
}

// What no schedule here comes to.
#define NEVER(declaration)                                                                         \
    declaration                                                                                    \
    {                                                                                              \
        seed_fail("not of this test");                                                             \
    }

NEVER(void packet_filter_share(packet_filter_slot *to IGNORED, packet_filter_slot *from IGNORED))
NEVER(int net_socket_bound(const struct net_socket *bound IGNORED,
                           const struct net_address *target IGNORED, struct netif **by IGNORED))
NEVER(int alarm_set(struct alarm *alarm IGNORED, hal_ns deadline IGNORED))
NEVER(bool alarm_stop(struct alarm *alarm IGNORED))
NEVER(void tcp_stream_acknowledged(struct tcp_socket *tcp IGNORED))
NEVER(uint32_t tcp_stream_room(const struct tcp_socket *tcp IGNORED))
NEVER(uint32_t tcp_stream_limit(const struct tcp_socket *tcp IGNORED))
NEVER(bool tcp_stream_is_enough(const struct tcp_socket *tcp IGNORED, uint64_t size IGNORED))
NEVER(void tcp_error_run(struct tcp_socket *tcp IGNORED, const struct packet *packet IGNORED))
NEVER(struct flow *flow_peer(const struct flow *flow IGNORED))
NEVER(void preempt_disable(void))
NEVER(void preempt_enable(void))
NEVER(void flow_keep(struct flow *flow IGNORED))
NEVER(void *heap_alloc(size_t size IGNORED))
NEVER(void loopback_send_to(const struct flow *flow IGNORED, struct packet *packet IGNORED))
NEVER(void net_output(struct packet *packet IGNORED))
NEVER(void tcp_resume(struct tcp *tcp IGNORED, const struct tcp_host *host IGNORED,
                      const struct tcp_settings *settings IGNORED, uint32_t iss IGNORED,
                      const struct tcp_segment *syn IGNORED, hal_ns now IGNORED))
_Atomic uint32_t tcp_fast_switches;
NEVER(void tcp_answer_fast(struct tcp *tcp IGNORED, const struct tcp_host *host IGNORED,
                           const struct tcp_settings *settings IGNORED, uint32_t iss IGNORED,
                           const struct tcp_segment *syn IGNORED, struct tcp_fast *fast IGNORED,
                           hal_ns now IGNORED))
NEVER(void tcp_fast_judge(struct tcp_fast_queue *queue IGNORED,
                          const struct tcp_fast_call *call IGNORED, hal_ns now IGNORED,
                          struct tcp_fast *fast IGNORED))
NEVER(void tcp_fast_begin(struct tcp_fast_queue *queue IGNORED))
NEVER(void tcp_fast_end(struct tcp_fast_queue *queue IGNORED, bool is_reset IGNORED,
                        hal_ns now IGNORED))
NEVER(void tcp_fast_learn(const struct net_address *peer IGNORED,
                          const struct tcp_segment *answer IGNORED))
NEVER(void tcp_fast_forget(const struct net_address *peer IGNORED))
NEVER(bool tcp_cookie_check(uint32_t cookie IGNORED, const struct net_end *local IGNORED,
                            const struct net_end *remote IGNORED, uint32_t irs IGNORED,
                            hal_ns now IGNORED, uint16_t *mss IGNORED))
NEVER(uint32_t tcp_cookie_make(const struct net_end *local IGNORED,
                               const struct net_end *remote IGNORED, uint32_t irs IGNORED,
                               uint16_t mss IGNORED, hal_ns now IGNORED))
NEVER(bool tcp_refuse(const struct tcp_segment *segment IGNORED,
                      struct tcp_segment *answer IGNORED))
NEVER(void tcp_headers_put(struct packet *packet IGNORED, const struct tcp_segment *segment IGNORED,
                           const struct tcp_ports *ports IGNORED,
                           const struct ip_header *header IGNORED))
NEVER(void tcp_bare_dress(struct packet *packet IGNORED, const struct flow *flow IGNORED))
NEVER(void tcp_stream_keep(struct tcp_socket *tcp IGNORED, struct packet *packet IGNORED,
                           uint32_t skip IGNORED, uint32_t size IGNORED, uint64_t from IGNORED))
NEVER(struct packet *send_queue_packet(const struct send_queue *queue IGNORED,
                                       uint64_t place IGNORED, uint32_t size IGNORED))
NEVER(struct packet *packet_alloc_block(uint32_t size IGNORED))
NEVER(uint64_t checksum_add_ends(uint64_t sum IGNORED, const struct net_address *source IGNORED,
                                 const struct net_address *target IGNORED, uint8_t protocol IGNORED,
                                 uint32_t size IGNORED))
NEVER(uint64_t checksum_add_packet(uint64_t sum IGNORED, const struct packet *packet IGNORED,
                                   uint32_t from IGNORED))
NEVER(uint16_t checksum_end(uint64_t sum IGNORED))
NEVER(void tcp_tick(struct tcp *tcp IGNORED, hal_ns now IGNORED))
NEVER(void flow_drop_later(struct flow *flow IGNORED))
NEVER(void tcp_bare_call_read(struct ip_header *header IGNORED, struct tcp_ports *ports IGNORED,
                              struct tcp_segment *segment IGNORED, struct packet *packet IGNORED))

int32_t net_tally_add(enum net_tally which IGNORED, int32_t by IGNORED)
{
    return 0; // there are few
}

// ---- Sockets -----------------------------------------------------------------------------

static void ready(struct net_socket *socket, unsigned news IGNORED)
{
    seed_check(socket->reference_count > 0, "told after its end");
}

static void socket_make(struct tcp_socket *tcp)
{
    *tcp = (struct tcp_socket){.socket.ready = ready};
    tcp_socket_init(tcp, true);
}

static struct tcp_socket *child_make(const struct tcp_socket *from IGNORED)
{
    struct tcp_socket *child = &sockets[FIRST_CHILD + child_count++];
    socket_make(child);
    return child;
}

static void packet_bring(unsigned index, struct tcp_socket *to)
{
    const unsigned pushed = channel_push(&to->socket.channel, &packets[index], LIMIT);
    seed_check(pushed != 0, "no room");
    if (pushed & CHANNEL_ALONE) {
        net_run_later(&to->socket);
    }
    net_run();
}

static void reset(void)
{
    seed_threads_reset();
    net_run(); // nothing is left of the schedule before
    memset(released, 0, sizeof released);
    memset(flows, 0, sizeof flows);
    child_count = aborted = accepted_count = freed = 0;
    memset(sockets, 0, sizeof sockets);
    for (unsigned i = 0; i < PACKETS; ++i) {
        packets[i] = (struct packet){.cost = COST, .is_trusted = true};
        packets[i].data = (char *)&packets[i];
        flags[i] = i % 3 == 0 ? TCP_SYN : TCP_ACK;
    }
    socket_make(listener);
    listener->child_make = child_make;
    listener->stage = TCP_STAGE_LISTENING;
    listener->backlog = 4;
    listener->socket.flow = &flows[LISTENER];
}

// With a child of which the last packet of the handshake is missing.
static void reset_embryo(void)
{
    reset();
    packet_bring(0, listener);
    seed_check(child_count == 1, "no child");
}

// ---- What threads do -----------------------------------------------------------------------

static void child_establish(void)
{
    packet_bring(1, &sockets[FIRST_CHILD]);
}

static void child_establish_found(void)
{
    if (is_found(&sockets[FIRST_CHILD])) {
        child_establish();
        net_socket_put(&sockets[FIRST_CHILD].socket);
    }
}

static int accept_one(bool waits)
{
    const struct net_patience patience = {waits, UINT64_MAX};
    struct tcp_socket *child;
    const int error = tcp_accept(listener, &patience, &child);
    if (error == 0) {
        ++accepted_count;
        tcp_socket_close(child);
    }
    return error;
}

static void accept_and_close(void)
{
    seed_check(accept_one(true) == 0, "no child comes");
}

static void accept_until_shut(void)
{
    int error;
    do {
        error = accept_one(true);
    } while (error == 0);
    seed_check(error == -EINVAL, "it listens no more");
}

static void accept_some(void)
{
    (void)accept_one(false);
    (void)accept_one(false);
}

static void shut(void)
{
    seed_check(tcp_shutdown(listener, NET_SHUT_READ) == 0, "it listens");
}

static void close_it(void)
{
    tcp_socket_close(listener);
}

static void syn_come(void)
{
    packet_bring(0, listener);
}

static void syn_come_again(void)
{
    packet_bring(3, listener);
}

static void syn_come_found(void)
{
    if (is_found(listener)) {
        syn_come();
        net_socket_put(&listener->socket);
    }
}

// ---- What must hold ------------------------------------------------------------------------

static void ends_check(void)
{
    for (unsigned i = 0; i < FIRST_CHILD + child_count; ++i) {
        seed_check(released[i] == 1, "a socket has not ended");
        seed_check(!sockets[i].socket.is_to_run, "it is still to be run");
    }
    seed_check(listener->child_count == 0 && listener->ready_count == 0, "children are counted");
}

// Accepted, or broken off with the listener; then all is over.
static void accepted_check(void)
{
    seed_check(accepted_count == 1, "it is accepted once");
    tcp_socket_close(listener);
    ends_check();
}

static void shut_check(void)
{
    seed_check(accepted_count <= 1 && aborted == 1, "accepted, or broken off");
    tcp_socket_close(listener);
    ends_check();
}

static void once_check(void)
{
    seed_check(child_count == 1 && listener->child_count == 1, "one connection, one child");
    close_it();
    ends_check();
}

static void some_check(void)
{
    accept_some();
    accepted_check();
}

static const struct seed_test tests[] = {
    {.name = "tcplisten, one accepts",
     .reset = reset_embryo,
     .bodies = {child_establish, accept_and_close},
     .check = accepted_check,
     .preemption_max = 2},
    {.name = "tcplisten, one looks for it",
     .reset = reset_embryo,
     .bodies = {child_establish, accept_some},
     .check = some_check,
     .preemption_max = 2},
    {.name = "tcplisten, one calls twice",
     .reset = reset,
     .bodies = {syn_come, syn_come_again},
     .check = once_check,
     .preemption_max = 2},
    {.name = "tcplisten, it is shut under who accepts",
     .reset = reset_embryo,
     .bodies = {shut, accept_until_shut},
     .check = shut_check,
     .preemption_max = 2},
    {.name = "tcplisten, it is shut when a child comes",
     .reset = reset_embryo,
     .bodies = {shut, child_establish_found},
     .check = shut_check,
     .preemption_max = 2},
    {.name = "tcplisten, it is closed when a child comes",
     .reset = reset_embryo,
     .bodies = {close_it, child_establish_found},
     .check = ends_check,
     .preemption_max = 2},
    {.name = "tcplisten, it is closed when one calls",
     .reset = reset,
     .bodies = {close_it, syn_come_found},
     .check = ends_check,
     .preemption_max = 2},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
