// SPDX-License-Identifier: BSD-3-Clause
// tcprun_test.c: who runs a connection, under every schedule of two threads: each packet is looked
// at, whoever brings it and whoever has the lock meanwhile, who waits for its bytes is woken, and
// references are balanced. The state machine counts segments here.
#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/percpu.h"
#include "core/net/run.h"
#include "core/net/tcp_bare.h"
#include "core/net/tcp_counts.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"
#include "core/net/tcp_socket.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { PACKETS = 4, COST = 10, LIMIT = 1000 };

static struct tcp_socket tcp;
static struct packet packets[PACKETS];
static hal_ns brought[PACKETS]; // when
static unsigned freed;

// ---- What stands in for the rest of the room -------------------------------------------

_Atomic uint64_t net_counts[NET_COUNTS];

uint64_t tcp_received(const struct tcp *connection)
{
    return connection->counts.segments_received;
}

uint64_t tcp_acknowledged(const struct tcp *connection)
{
    (void)connection;
    return 0;
}

void tcp_input(struct tcp *connection, const struct tcp_segment *segment, hal_ns now)
{
    (void)segment;
    seed_check(now >= brought[tcp.running - packets], "it is seen before it has come");
    ++connection->counts.segments_received;
}

void packet_free(struct packet *packet)
{
    (void)packet;
    ++freed;
}

int ip_packet_read(struct ip_header *header, const struct packet *packet)
{
    (void)packet;
    *header = (struct ip_header){.size = 0};
    return 0;
}

uint32_t packet_size(const struct packet *packet)
{
    return packet->size;
}

int tcp_header_read(struct tcp_segment *segment, struct tcp_ports *ports, char *data, uint32_t size)
{
    (void)data, (void)size;
    *segment = (struct tcp_segment){.flags = TCP_ACK};
    *ports = (struct tcp_ports){0, 0};
    return 0;
}

void net_socket_get(struct net_socket *socket)
{
    seed_check(atomic_fetch_add(&socket->reference_count, 1) > 0, "used after its end");
}

static bool may_end; // the socket

void net_socket_put(struct net_socket *socket)
{
    const uint32_t before = atomic_fetch_sub(&socket->reference_count, 1);
    seed_check(before > 1 || (before == 1 && may_end), "nobody uses it any more");
}

// One alarm, in place of core/sync/alarm.c.
static _Atomic bool alarm_is_set;

int alarm_set(struct alarm *alarm, hal_ns deadline)
{
    (void)alarm, (void)deadline;
    atomic_store(&alarm_is_set, true);
    return 0;
}

bool alarm_stop(struct alarm *alarm)
{
    (void)alarm;
    return atomic_exchange(&alarm_is_set, false);
}

void tcp_tick(struct tcp *connection, hal_ns now)
{
    connection->deadline = now + 1000;
}

void tcp_settle(struct tcp *connection)
{
    (void)connection;
}

void tcp_urgent_note(struct tcp_socket *socket)
{
    (void)socket;
}

void send_queue_end(struct send_queue *queue)
{
    (void)queue;
}

void tcp_counts_end(struct tcp *connection, struct flow *flow)
{
    (void)connection, (void)flow;
}

// What no schedule here comes to.
#define NEVER(declaration)                                                                         \
    declaration                                                                                    \
    {                                                                                              \
        seed_check(false, "not of this test");                                                     \
        __builtin_trap();                                                                          \
    }

NEVER(struct flow *flow_peer(const struct flow *flow __attribute__((unused))))
NEVER(void preempt_disable(void))
NEVER(void preempt_enable(void))
NEVER(void *heap_alloc(size_t size __attribute__((unused))))
NEVER(void flow_keep(struct flow *flow __attribute__((unused))))
NEVER(void tcp_end(struct tcp *connection __attribute__((unused)),
                   int error __attribute__((unused))))
NEVER(void tcp_abort(struct tcp *connection __attribute__((unused)),
                     hal_ns now __attribute__((unused))))
NEVER(void tcp_stream_acknowledged(struct tcp_socket *socket __attribute__((unused))))
NEVER(uint32_t tcp_stream_room(const struct tcp_socket *socket __attribute__((unused))))
NEVER(uint32_t tcp_stream_limit(const struct tcp_socket *socket __attribute__((unused))))
NEVER(void tcp_memory_charge(struct tcp_socket *socket __attribute__((unused)),
                             uint32_t held __attribute__((unused))))
NEVER(bool tcp_memory_may_keep(const struct tcp_socket *socket __attribute__((unused)),
                               uint64_t from __attribute__((unused))))
_Atomic bool tcp_memory_is_short;
NEVER(void tcp_fast_end(struct tcp_fast_queue *queue __attribute__((unused)),
                        bool is_reset __attribute__((unused)), hal_ns now __attribute__((unused))))
NEVER(void tcp_fast_learn(const struct net_address *peer __attribute__((unused)),
                          const struct tcp_segment *answer __attribute__((unused))))
NEVER(void tcp_fast_forget(const struct net_address *peer __attribute__((unused))))
NEVER(bool tcp_listener_packet(struct tcp_socket *socket __attribute__((unused)),
                               struct packet *packet __attribute__((unused)),
                               const struct ip_header *header __attribute__((unused)),
                               const struct tcp_ports *ports __attribute__((unused)),
                               const struct tcp_segment *segment __attribute__((unused))))
NEVER(void tcp_child_offer(struct tcp_socket *child __attribute__((unused))))
NEVER(void tcp_child_forget(struct tcp_socket *child __attribute__((unused))))
NEVER(bool tcp_refuse(const struct tcp_segment *segment __attribute__((unused)),
                      struct tcp_segment *answer __attribute__((unused))))
NEVER(struct packet *packet_alloc_block(uint32_t size __attribute__((unused))))
NEVER(void tcp_headers_put(struct packet *packet __attribute__((unused)),
                           const struct tcp_segment *segment __attribute__((unused)),
                           const struct tcp_ports *ports __attribute__((unused)),
                           const struct ip_header *header __attribute__((unused))))
NEVER(void tcp_bare_dress(struct packet *packet __attribute__((unused)),
                          const struct flow *flow __attribute__((unused))))
NEVER(uint64_t checksum_add_packet(uint64_t sum __attribute__((unused)),
                                   const struct packet *packet __attribute__((unused)),
                                   uint32_t from __attribute__((unused))))

NEVER(void tcp_error_run(struct tcp_socket *socket __attribute__((unused)),
                         const struct packet *packet __attribute__((unused))))
NEVER(void flow_drop_later(struct flow *flow __attribute__((unused))))
NEVER(int32_t net_tally_add(enum net_tally which __attribute__((unused)),
                            int32_t by __attribute__((unused))))
NEVER(void tcp_bare_call_read(struct ip_header *header __attribute__((unused)),
                              struct tcp_ports *ports __attribute__((unused)),
                              struct tcp_segment *segment __attribute__((unused)),
                              struct packet *packet __attribute__((unused))))
NEVER(void loopback_send_to(const struct flow *flow __attribute__((unused)),
                            struct packet *packet __attribute__((unused))))
NEVER(void net_output(struct packet *packet __attribute__((unused))))
NEVER(uint16_t checksum_end(uint64_t sum __attribute__((unused))))

uint64_t checksum_add_ends(uint64_t sum, const struct net_address *source,
                           const struct net_address *target, uint8_t protocol, uint32_t size)
{
    (void)source, (void)target, (void)protocol, (void)size;
    return sum;
}

// ---- Packets and threads -------------------------------------------------------------

static void run(struct net_socket *socket, hal_ns *now)
{
    (void)now;
    tcp_enter(tcp_socket_of(socket));
    tcp_leave(tcp_socket_of(socket));
}

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void other_run(struct net_socket *socket, hal_ns *now)
{
    (void)socket, (void)now;
}

// One that is to be run, too, and before.
static struct net_socket other;

static void reset(void)
{
    seed_threads_reset();
    net_run(); // nothing is left of the schedule before
    tcp = (struct tcp_socket){.stage = TCP_STAGE_CONNECTION, .is_alive = true};
    tcp.tcp.state = TCP_STATE_ESTABLISHED;
    tcp.tcp.deadline = tcp.alarm_at = UINT64_MAX;
    tcp.socket.run = run;
    tcp.socket.ready = ready;
    tcp.socket.reference_count = 1;
    for (unsigned i = 0; i < PACKETS; ++i) {
        packets[i] = (struct packet){.cost = COST, .is_trusted = true};
    }
    freed = 0;
    alarm_is_set = may_end = false;
    other = (struct net_socket){.run = other_run, .reference_count = 1};
}

// As net_socket_deliver does.
static void bring(unsigned index)
{
    brought[index] = hal_clock_ns();
    const unsigned pushed = channel_push(&tcp.socket.channel, &packets[index], LIMIT);
    if (pushed & CHANNEL_ALONE) {
        net_run_later(&tcp.socket);
    }
}

static void bring_two(void)
{
    bring(0);
    net_run();
    bring(1);
    net_run();
}

static void bring_others(void)
{
    bring(2);
    bring(3);
    net_run();
}

static void bring_two_behind(void)
{
    net_run_later(&other);
    bring(0);
    net_run();
    bring(1);
    net_run();
}

static void bring_others_behind(void)
{
    net_run_later(&other);
    bring(2);
    bring(3);
    net_run();
}

static void look(void)
{
    tcp_enter(&tcp);
    tcp_leave(&tcp);
    net_run();
}

// As who writes.
static void ask_time(void)
{
    tcp_enter(&tcp);
    (void)tcp_now(&tcp);
    tcp_leave(&tcp);
    net_run();
}

static void ask_and_bring_two(void)
{
    ask_time();
    bring_two();
}

static void await_two(void)
{
    const struct net_patience for_ever = {true, UINT64_MAX};
    bool has_both;
    do {
        tcp_enter(&tcp);
        has_both = tcp_received(&tcp.tcp) >= 2;
        const uint32_t changes = tcp.changes;
        tcp_leave(&tcp);
        if (!has_both) {
            seed_check(tcp_await(&tcp, changes, &for_ever) == 0, "it gave up");
        }
    } while (!has_both);
    net_run();
}

// As who reads does, who keeps the lock while there is nothing else to do.
static void await_two_within(void)
{
    const struct net_patience for_ever = {true, UINT64_MAX};
    bool has_both;
    do {
        tcp_enter(&tcp);
        do {
            has_both = tcp_received(&tcp.tcp) >= 2;
        } while (!has_both && tcp_await_within(&tcp, &for_ever) == 0);
        const uint32_t changes = tcp.changes;
        tcp_leave(&tcp);
        if (!has_both) {
            seed_check(tcp_await(&tcp, changes, &for_ever) == 0, "it gave up");
        }
    } while (!has_both);
    net_run();
}

static void check(unsigned count)
{
    seed_check(tcp_received(&tcp.tcp) == count && freed == count, "a packet is not looked at");
    seed_check(channel_is_empty(&tcp.socket.channel), "a packet is left");
    seed_check(channel_cost(&tcp.socket.channel) == 0, "its cost is not given back");
    seed_check(tcp.socket.reference_count == 1, "references are not balanced");
    seed_check(!tcp.socket.is_to_run && !other.is_to_run, "it is still to be run");
    seed_check(other.reference_count == 1, "another's references are not balanced");
    seed_check(!net_run_is_due() && seed_thread(0)->to_run == NULL &&
                   seed_thread(1)->to_run == NULL,
               "one is still to be run");
}

// ---- The alarm ---------------------------------------------------------------------------

// Of a connection whose alarm is set: its file and itself are the socket's users.
static void reset_alarm(void)
{
    reset();
    tcp.socket.reference_count = 2;
    tcp.tcp.deadline = 100;
    tcp_enter(&tcp);
    tcp_leave(&tcp);
    may_end = true;
}

static void ring(void)
{
    if (atomic_exchange(&alarm_is_set, false)) {
        tcp.alarm.ring(&tcp.alarm);
    }
}

static void end(void)
{
    tcp_enter(&tcp);
    tcp.tcp.state = TCP_STATE_CLOSED;
    tcp.tcp.deadline = UINT64_MAX;
    tcp_leave(&tcp);
    net_run();
    net_socket_put(&tcp.socket); // the file's
}

static void hurry_and_end(void)
{
    tcp_enter(&tcp);
    tcp.tcp.deadline = 50;
    tcp_leave(&tcp);
    end();
}

static void check_end(void)
{
    seed_check(tcp.socket.reference_count == 0, "something uses it for ever");
    seed_check(!alarm_is_set, "it will ring after its end");
}

static const char *const hurry_marks[] = {"tcp: the alarm is about to ring, and looks itself",
                                          NULL};

// ---- Checks ------------------------------------------------------------------------------

static void check_two(void)
{
    check(2);
}

static void check_four(void)
{
    check(4);
}

static const struct seed_test tests[] = {
    {.name = "tcprun, one looks",
     .reset = reset,
     .bodies = {bring_two, look},
     .check = check_two,
     .preemption_max = 2},
    {.name = "tcprun, one waits",
     .reset = reset,
     .bodies = {bring_two, await_two},
     .check = check_two,
     .preemption_max = 2},
    {.name = "tcprun, one waits with the lock",
     .reset = reset,
     .bodies = {bring_two, await_two_within},
     .check = check_two,
     .preemption_max = 2},
    {.name = "tcprun, one waits with the lock, and another asks the time",
     .reset = reset,
     .bodies = {ask_and_bring_two, await_two_within},
     .check = check_two,
     .preemption_max = 2},
    {.name = "tcprun, two bring",
     .reset = reset,
     .bodies = {bring_two, bring_others},
     .check = check_four,
     .preemption_max = 2},
    {.name = "tcprun, one brings behind another that is to be run",
     .reset = reset,
     .bodies = {bring_two_behind, look},
     .check = check_two,
     .preemption_max = 2},
    {.name = "tcprun, two bring behind another that is to be run",
     .reset = reset,
     .bodies = {bring_two_behind, bring_others_behind},
     .check = check_four,
     .preemption_max = 2},
    {.name = "tcprun, the alarm rings at the end",
     .reset = reset_alarm,
     .bodies = {ring, end},
     .check = check_end,
     .preemption_max = 2},
    {.name = "tcprun, the alarm rings when it is set anew",
     .reset = reset_alarm,
     .bodies = {ring, hurry_and_end},
     .check = check_end,
     .marks = hurry_marks,
     .preemption_max = 2},
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
