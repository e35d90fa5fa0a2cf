// SPDX-License-Identifier: BSD-3-Clause
// tcp_run.c: running a connection over the packets in its socket's channel, and sending what it
// says.
//
// Who uses a socket runs it first. A packet that comes when nobody waits there is run by whoever
// brought it, once that one has given back all locks (net_run): so a SYN, a FIN, an acknowledgement
// or what nobody reads need no thread of their own. Who finds the lock taken leaves the packet to
// its holder, who looks at the channel once more after giving the lock back.
#include "core/net/tcp_socket.h"

#include "core/dev/packet.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/lib/times.h"
#include "core/mem/heap.h"
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

// As Linux has them with little memory.
enum {
    ORPHANS_MAX = 4096, // net.ipv4.tcp_max_orphans: the rest is reset
    WAITING_MAX = 4096, // net.ipv4.tcp_max_tw_buckets: the rest ends at once
};

// A connection that begins sets its alarm no later: most of its deadlines, such as the next
// acknowledgement's, need not move it then.
#define ALARM_EARLY UINT64_C(40000000)

hal_ns tcp_now(struct tcp_socket *tcp)
{
    if (tcp->now == 0) {
        tcp->now = hal_clock_ns();
    }
    return tcp->now;
}

// ---- Sending -------------------------------------------------------------------------

// A packet without data. NULL: no memory.
static struct packet *headers_alone(const struct tcp_segment *segment,
                                    const struct tcp_ports *ports, const struct ip_header *header,
                                    bool is_trusted)
{
    struct packet *packet = packet_alloc_block(0);
    if (packet == NULL) {
        net_count(NET_NO_MEMORY);
        return NULL;
    }
    packet->is_trusted = is_trusted;
    tcp_headers_put(packet, segment, ports, header);
    return packet;
}

// After the data is in.
static void checksum_put(struct packet *packet, const struct ip_header *header)
{
    enum { CHECKSUM = 16 };
    char *at = packet->data + packet->transport;
    const uint32_t size = packet->size - packet->transport;
    const uint64_t sum = checksum_add_ends(0, &header->source, &header->target, IP_TCP, size);
    const uint16_t checksum = checksum_end(checksum_add_packet(sum, packet, packet->transport));
    memcpy(at + CHECKSUM, &checksum, sizeof checksum);
}

static void outbox_add(struct tcp_socket *tcp, struct packet *packet)
{
    const uint32_t netif = net_socket_netif(&tcp->socket);
    packet->netif = (uint8_t)(netif <= NETIF_MAX ? netif : UINT8_MAX); // that there never is
    if (tcp->outbox == NULL) {
        tcp->outbox = packet;
    } else {
        tcp->outbox_last->next = packet;
    }
    tcp->outbox_last = packet;
    packet->next = NULL;
}

static void whole_put(const struct tcp_socket *tcp, struct packet *packet,
                      const struct tcp_segment *segment, uint8_t hops)
{
    const struct ip_header header = {
        .source = tcp->socket.local.address,
        .target = tcp->socket.remote.address,
        .protocol = IP_TCP,
        .hops = hops,
        .service = tcp->socket.options.service,
    };
    const struct tcp_ports ports = {tcp->socket.local.port, tcp->socket.remote.port};
    tcp_headers_put(packet, segment, &ports, &header);
}

static void bare_put(const struct tcp_socket *tcp, struct packet *packet,
                     const struct tcp_segment *segment, uint8_t hops)
{
    struct tcp_bare *bare = tcp_bare_of(packet);
    bare->segment = *segment;
    bare->source = tcp->socket.local.port;
    bare->hops = hops;
    bare->service = tcp->socket.options.service;
    packet->is_bare = true;
}

__attribute__((noinline)) static void call_put(const struct tcp_socket *tcp, struct packet *packet,
                                               const struct tcp_segment *segment, uint8_t hops)
{
    struct tcp_bare_call *call = tcp_bare_call_of(packet);
    bare_put(tcp, packet, segment, hops);
    call->source = tcp->socket.local;
    call->target = tcp->socket.remote;
    packet->is_call = true;
}

// A SYN that stays on this machine, and brings nothing but itself.
static bool is_call(const struct tcp_socket *tcp, const struct tcp_segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && tcp->peer == NULL &&
           segment->size == 0 && !segment->has_cookie && net_socket_netif(&tcp->socket) == 0 &&
           address_is_loopback(&tcp->socket.remote.address) &&
           address_is_loopback(&tcp->socket.local.address);
}

// With lock held: the peer on the loopback network, which is looked for once. NULL: there is none,
// or none yet.
static struct flow *peer_of(struct tcp_socket *tcp)
{
    if (tcp->is_far || tcp->peer != NULL) {
        return tcp->is_far ? NULL : tcp->peer;
    }
    const bool is_early = tcp->socket.flow == NULL || tcp->tcp.state == TCP_STATE_SYN_SENT;
    tcp->is_far = !is_early;
    if (!is_early && address_is_loopback(&tcp->socket.remote.address)) {
        rcu_read_begin();
        struct flow *flow = flow_peer(tcp->socket.flow);
        if (flow != NULL) {
            flow_keep(flow);
            tcp->peer = flow;
            tcp->is_far = false;
        }
        rcu_read_end();
    }
    return tcp->peer;
}

static void host_send(struct tcp *connection, const struct tcp_segment *segment)
{
    struct tcp_socket *tcp = container_of(connection, struct tcp_socket, tcp);
    const struct net_options *options = &tcp->socket.options;
    const bool is_v4 = address_is_v4(&tcp->socket.remote.address);
    const uint8_t hops = is_v4 ? options->hops : options->hops_v6;
    const bool calls = is_call(tcp, segment);
    struct packet *packet = calls ? packet_alloc_block(TCP_BARE_CALL_ROOM)
                                  : send_queue_packet(&tcp->sending, segment->from, segment->size);
    if (packet == NULL) { // it is lost, as others are
        net_count(NET_NO_MEMORY);
        return;
    }
    // A cookie is not a segment's own.
    const bool is_near = segment->cookie == NULL && peer_of(tcp) != NULL;
    (calls ? call_put : is_near ? bare_put : whole_put)(tcp, packet, segment, hops);
    packet->is_trusted = true;
    packet->segment_size = segment->piece;
    outbox_add(tcp, packet);
}

// No lock is held. peer: whom those without headers are for. The caller looks at the channel then.
static void outbox_send(struct net_socket *socket, struct packet *packet, const struct flow *peer)
{
    if (packet != NULL && !packet->is_bare) {
        net_socket_attend(socket);
    }
    for (struct packet *next; packet != NULL; packet = next) {
        next = packet->next;
        packet->next = NULL;
        if (packet->is_bare) {
            loopback_send_to(peer, packet);
        } else {
            net_output(packet);
        }
    }
    net_socket_attend_end(socket);
}

// ---- What comes ------------------------------------------------------------------------

struct packet *tcp_packet_input(struct packet *packet, const struct ip_header *header)
{
    struct tcp_segment segment, refusal;
    struct tcp_ports ports;
    char *data = packet->data + header->transport;
    struct packet *answer = NULL;
    if (tcp_ports_read(&ports, data, header->size) != 0) {
        net_count(NET_TCP_DAMAGED);
        packet_free(packet);
        return NULL;
    }
    const struct net_end local = {header->target, ports.target};
    const struct net_end remote = {header->source, ports.source};
    packet->cost = header->transport + header->size + NET_PACKET_COST;
    if (net_socket_deliver(IP_TCP, &local, &remote, packet)) {
        return NULL;
    }
    net_count(NET_TCP_NO_SOCKET);
    if (tcp_header_read(&segment, &ports, data, header->size) == 0 &&
        tcp_refuse(&segment, &refusal)) {
        const struct ip_header back = {
            .source = header->target,
            .target = header->source,
            .protocol = IP_TCP,
            .hops = IP_HOPS_DEFAULT,
        };
        const struct tcp_ports back_ports = {ports.target, ports.source};
        answer = headers_alone(&refusal, &back_ports, &back, packet->is_trusted);
        if (answer != NULL && !answer->is_trusted) {
            checksum_put(answer, &back);
        }
    }
    packet_free(packet);
    return answer;
}

void tcp_refusal_add(struct tcp_socket *tcp, const struct ip_header *header,
                     const struct tcp_ports *ports, const struct tcp_segment *refusal)
{
    const struct ip_header back = {
        .source = header->target,
        .target = header->source,
        .protocol = IP_TCP,
        .hops = IP_HOPS_DEFAULT,
    };
    const struct tcp_ports back_ports = {ports->target, ports->source};
    struct packet *packet = headers_alone(refusal, &back_ports, &back, true);
    if (packet != NULL) {
        net_count(NET_TCP_SENT);
        outbox_add(tcp, packet);
    }
}

static bool host_store(struct tcp *connection, const struct tcp_segment *segment, uint64_t from,
                       uint32_t skip, uint32_t size)
{
    struct tcp_socket *tcp = container_of(connection, struct tcp_socket, tcp);
    struct packet *packet = tcp->running;
    if (tcp_memory_is_over() && !tcp_memory_may_keep(tcp, from)) {
        return false;
    }
    tcp->running = NULL;
    const uint32_t headers = (uint32_t)((const char *)segment->data - packet->data);
    tcp_stream_keep(tcp, packet, headers + skip, size, from);
    return true;
}

static struct tcp_space *host_space(struct tcp *connection)
{
    struct tcp_socket *tcp = container_of(connection, struct tcp_socket, tcp);
    if (tcp->space == NULL) {
        tcp->space = heap_alloc(sizeof *tcp->space);
    }
    return tcp->space;
}

// A SYN that had to be sent again may have been lost for its cookie.
static void host_learn(struct tcp *connection, const struct tcp_segment *answer)
{
    const struct tcp_socket *tcp = container_of(connection, struct tcp_socket, tcp);
    if (connection->fast->size > 0) {
        net_count(connection->is_fast ? NET_TCP_FAST_CALLED : NET_TCP_FAST_FAILED);
    }
    if (connection->retries > 0) {
        tcp_fast_forget(&tcp->socket.remote.address);
    } else {
        tcp_fast_learn(&tcp->socket.remote.address, answer);
    }
}

const struct tcp_host tcp_socket_host = {
    .send = host_send,
    .store = host_store,
    .may_grow = tcp_room_may_grow,
    .learn = host_learn,
    .space = host_space,
    .is_short = &tcp_memory_is_short,
};

static bool checksum_is_right(const struct packet *packet, const struct net_end *local,
                              const struct net_end *remote)
{
    if (packet->is_trusted) {
        return true;
    }
    const uint64_t sum = checksum_add_ends(0, &remote->address, &local->address, IP_TCP,
                                           packet_size(packet) - packet->transport);
    return checksum_end(checksum_add_packet(sum, packet, packet->transport)) == 0;
}

// With lock held: what a thread may wait for.
struct look {
    uint64_t received, acknowledged;
    enum tcp_state state;
};

static struct look look_at(const struct tcp_socket *tcp)
{
    return (struct look){tcp_received(&tcp->tcp), tcp_acknowledged(&tcp->tcp), tcp->tcp.state};
}

static void changes_note(struct tcp_socket *tcp, const struct look *before)
{
    const struct look now = look_at(tcp);
    if (now.acknowledged != before->acknowledged) {
        tcp_stream_acknowledged(tcp);
        ++tcp->changes;
        const bool is_enough = tcp_stream_room(tcp) >= tcp_stream_limit(tcp) / 3;
        if (tcp->was_short && is_enough) {
            tcp->was_short = false;
            tcp->news |= NET_NEWS_ROOM;
        }
    }
    if (now.received != before->received) {
        ++tcp->changes;
        tcp->news |= NET_NEWS_INPUT;
        tcp_urgent_note(tcp);
    }
    if (now.state != before->state) {
        ++tcp->changes;
        tcp->news |= NET_NEWS_INPUT | NET_NEWS_ROOM;
        tcp->socket.error = now.state == TCP_STATE_CLOSED ? tcp->tcp.error : tcp->socket.error;
    }
}

// A new connection between the same ends, while the old one waits for what is late (RFC 6191, and
// RFC 9293, 3.6.1): it is over, and the SYN finds who listens.
static bool begins_anew(const struct tcp *old, const struct tcp_segment *segment)
{
    const bool is_syn = (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    const bool has_times = old->has_timestamps && segment->has_timestamps;
    return old->state == TCP_STATE_TIME_WAIT && is_syn &&
           ((has_times && tcp_is_before(old->recent_time, segment->time)) ||
            tcp_is_before(old->expected, segment->sequence));
}

// Of a packet for a connection; source: its port. False: it is damaged.
static bool segment_read(const struct tcp_socket *tcp, struct packet *packet,
                         struct tcp_segment *segment, uint16_t *source)
{
    struct tcp_ports ports;
    if (packet->is_bare) {
        tcp_bare_read(segment, packet);
        *source = tcp_bare_of(packet)->source;
        return true;
    }
    const uint32_t size = packet_size(packet) - packet->transport;
    const bool is_right =
        checksum_is_right(packet, &tcp->socket.local, &tcp->socket.remote) &&
        tcp_header_read(segment, &ports, packet->data + packet->transport, size) == 0;
    *source = is_right ? ports.source : 0;
    return is_right;
}

// A packet for a connection. Answers it if it is to be freed; NULL: it has been kept.
static struct packet *segment_run(struct tcp_socket *tcp, struct packet *packet)
{
    struct tcp_segment segment;
    uint16_t source;
    if (!segment_read(tcp, packet, &segment, &source)) {
        net_count(NET_TCP_BAD_CHECKSUM);
    } else if (source != tcp->socket.remote.port) { // it came before the connection
        net_count(NET_TCP_NO_SOCKET);
    } else if (begins_anew(&tcp->tcp, &segment)) {
        tcp_end(&tcp->tcp, 0);
        channel_return_locked(&tcp->socket.channel, packet->cost);
        outbox_add(tcp, packet); // once the flow is gone
        packet = NULL;
    } else {
        tcp->running = packet;
        tcp_input(&tcp->tcp, &segment, tcp_now(tcp));
        packet = tcp->running;
        if (!tcp->is_alive) { // what it has counted itself is told by now
            net_count(NET_TCP_RECEIVED);
        }
    }
    return packet;
}

// Of one for a socket that is no connection any more. False: nobody knows from where it came.
static bool stray_dress(const struct tcp_socket *tcp, struct packet *packet)
{
    const struct flow *flow = tcp->socket.flow;
    const bool is_known =
        flow != NULL && packet->is_bare && flow->key.remote.port == tcp_bare_of(packet)->source;
    if (is_known) {
        tcp_bare_dress(packet, flow);
    }
    return !packet->is_bare;
}

// False: it is damaged.
static bool headers_read(struct ip_header *header, struct tcp_ports *ports,
                         struct tcp_segment *segment, struct packet *packet)
{
    if (packet->is_call) {
        tcp_bare_call_read(header, ports, segment, packet);
        return true;
    }
    if (ip_packet_read(header, packet) != 0) {
        return false;
    }
    const struct net_end local = {.address = header->target}, remote = {.address = header->source};
    char *data = packet->data + header->transport;
    return checksum_is_right(packet, &local, &remote) &&
           tcp_header_read(segment, ports, data, header->size) == 0;
}

// The same of one for a socket that is no connection.
static struct packet *stray_run(struct tcp_socket *tcp, struct packet *packet)
{
    struct ip_header header;
    struct tcp_segment segment, refusal;
    struct tcp_ports ports;
    if (!packet->is_call && !stray_dress(tcp, packet)) {
        net_count(NET_TCP_NO_SOCKET);
        return packet;
    }
    if (!headers_read(&header, &ports, &segment, packet)) {
        net_count(NET_TCP_BAD_CHECKSUM);
        return packet;
    }
    const uint32_t cost = packet->cost;
    if (tcp->stage == TCP_STAGE_LISTENING &&
        tcp_listener_packet(tcp, packet, &header, &ports, &segment)) {
        channel_return_locked(&tcp->socket.channel, cost);
        return NULL; // another counts it
    }
    net_count(NET_TCP_RECEIVED);
    if (tcp->stage == TCP_STAGE_LISTENING) {
        return packet;
    }
    if (tcp_refuse(&segment, &refusal)) { // nobody listens
        tcp_refusal_add(tcp, &header, &ports, &refusal);
    }
    return packet;
}

static void packet_run(struct tcp_socket *tcp, struct packet *packet)
{
    const uint32_t cost = packet->cost;
    struct packet *left = packet;
    if (packet->is_message) {
        tcp_error_run(tcp, packet);
    } else {
        const bool is_connection = tcp->stage == TCP_STAGE_CONNECTION;
        left = is_connection ? segment_run(tcp, packet) : stray_run(tcp, packet);
    }
    if (left != NULL) {
        channel_return_locked(&tcp->socket.channel, cost);
        packet_free(left);
    }
}

static void channel_run(struct tcp_socket *tcp)
{
    struct packet *packet = channel_take(&tcp->socket.channel);
    if (packet == NULL) {
        return;
    }
    const struct look before = look_at(tcp);
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_run(tcp, packet);
        packet = next;
    }
    if (tcp->stage == TCP_STAGE_CONNECTION) {
        changes_note(tcp, &before);
    }
    // Nobody will read it (RFC 9293, 3.6.1: the peer is told so).
    if (tcp->is_orphan && tcp->socket.first != NULL) {
        tcp_abort(&tcp->tcp, tcp_now(tcp));
    }
}

// ---- Entering and leaving ----------------------------------------------------------------

void tcp_enter_at(struct tcp_socket *tcp, hal_ns now)
{
    mutex_lock(&tcp->socket.lock);
    // Another may have been here since now.
    tcp->now = now == 0 ? 0 : later(now, tcp->tcp.now);
    channel_run(tcp);
}

void tcp_enter(struct tcp_socket *tcp)
{
    tcp_enter_at(tcp, 0);
}

void tcp_enter_to_write(struct tcp_socket *tcp)
{
    mutex_lock(&tcp->socket.lock);
    tcp->now = 0;
    tcp->tcp.writes_soon = true;
    channel_run(tcp);
}

void tcp_leave_and_run(struct tcp_socket *tcp)
{
    const hal_ns now = tcp->now;
    tcp_leave(tcp);
    net_run_at(now);
}

// The connection is a user of the socket until the lock is held, if not one that is over.
static void alarm_ring(struct alarm *alarm)
{
    struct tcp_socket *tcp = container_of(alarm, struct tcp_socket, alarm);
    mutex_lock(&tcp->socket.lock);
    if (!tcp->is_left_to_alarm) {
        net_socket_get(&tcp->socket);
    }
    tcp->is_left_to_alarm = false;
    tcp->now = 0;
    tcp->alarm_at = UINT64_MAX;
    channel_run(tcp);
    if (tcp->stage == TCP_STAGE_CONNECTION) {
        const struct look before = look_at(tcp);
        tcp_tick(&tcp->tcp, tcp_now(tcp));
        changes_note(tcp, &before);
    }
    tcp_leave(tcp);
    net_run();
    net_socket_put(&tcp->socket);
}

static bool has_begun(const struct tcp_socket *tcp)
{
    return tcp->tcp.state != TCP_STATE_SYN_SENT && tcp->tcp.state != TCP_STATE_SYN_RECEIVED;
}

// With lock held.
__attribute__((noinline)) static void alarm_move(struct tcp_socket *tcp, hal_ns deadline)
{
    if (tcp->alarm_at != UINT64_MAX && !alarm_stop(&tcp->alarm)) {
        MARK("tcp: the alarm is about to ring, and looks itself");
        return;
    }
    tcp->alarm_at = has_begun(tcp) ? deadline : earlier(deadline, tcp->tcp.now + ALARM_EARLY);
    tcp->alarm.ring = alarm_ring;
    const int error = alarm_set(&tcp->alarm, tcp->alarm_at);
    ASSERT(error == 0); // net_start has made its thread
}

// With lock held. A later deadline is looked at when the alarm has rung for the earlier one, but
// for the end of TIME-WAIT, which is far.
__attribute__((always_inline)) static inline void alarm_update(struct tcp_socket *tcp)
{
    const hal_ns deadline =
        tcp->stage == TCP_STAGE_CONNECTION && tcp->is_alive ? tcp->tcp.deadline : UINT64_MAX;
    const bool is_far = tcp->is_waiting && deadline != UINT64_MAX && tcp->alarm_at < deadline;
    if (is_far || deadline < tcp->alarm_at) {
        alarm_move(tcp, deadline);
    }
}

// With lock held.
static void waiting_count_update(struct tcp_socket *tcp)
{
    const bool waits = tcp->is_alive && tcp->tcp.state == TCP_STATE_TIME_WAIT;
    if (waits && !tcp->is_waiting) {
        if (net_tally_add(NET_TALLY_WAITING, 1) > WAITING_MAX) {
            net_count(NET_TCP_WAITING_FULL);
            tcp_end(&tcp->tcp, 0);
        }
        tcp->is_waiting = true;
    }
    if (tcp->is_waiting && tcp->tcp.state != TCP_STATE_TIME_WAIT) {
        (void)net_tally_add(NET_TALLY_WAITING, -1);
        tcp->is_waiting = false;
    }
}

// With lock held.
static void orphan_count_update(struct tcp_socket *tcp)
{
    const bool is_alive = tcp->is_alive && tcp->tcp.state != TCP_STATE_CLOSED &&
                          tcp->tcp.state != TCP_STATE_TIME_WAIT;
    if (tcp->is_orphan && is_alive && !tcp->is_counted_orphan) {
        tcp->is_counted_orphan = true;
        if (net_tally_add(NET_TALLY_ORPHANS, 1) > ORPHANS_MAX) {
            net_count(NET_TCP_ORPHANS_FULL);
            tcp_abort(&tcp->tcp, tcp_now(tcp));
        }
    } else if (tcp->is_counted_orphan && !is_alive) {
        tcp->is_counted_orphan = false;
        (void)net_tally_add(NET_TALLY_ORPHANS, -1);
    }
}

// With lock held, at the end. False: it is about to ring, and the reference that the connection was
// is left to it.
static bool alarm_end(struct tcp_socket *tcp)
{
    const bool is_stopped = tcp->alarm_at == UINT64_MAX || alarm_stop(&tcp->alarm);
    tcp->alarm_at = is_stopped ? UINT64_MAX : tcp->alarm_at;
    tcp->is_left_to_alarm |= !is_stopped;
    return is_stopped;
}

// With lock held. True: the connection is over, and the caller puts the reference that it was.
static bool is_over(struct tcp_socket *tcp)
{
    if (!tcp->is_alive || tcp->tcp.state != TCP_STATE_CLOSED) {
        return false;
    }
    tcp->is_alive = false;
    send_queue_end(&tcp->sending); // nobody will take what is left of it
    tcp_counts_end(&tcp->tcp, tcp->socket.flow);
    if (tcp->left != NULL) {
        flow_drop_later(tcp->left); // of an earlier connection
    }
    tcp->left = tcp->socket.flow; // who has found it is done before the socket's end
    tcp->socket.flow = NULL;
    return true;
}

enum standing { // what has become of a connection since the last look; bits
    STANDING_ENDED = 1,
    STANDING_LEFT = 2, // with that: to the alarm
    STANDING_ESTABLISHED = 4,
    STANDING_STILLBORN = 8,
};

static uint32_t standing_key(const struct tcp_socket *tcp)
{
    return 1u | (uint32_t)tcp->is_alive << 1 | (uint32_t)tcp->is_orphan << 2 |
           (uint32_t)tcp->tcp.state << 3;
}

// With lock held, at the end.
__attribute__((noinline)) static unsigned standing_look(struct tcp_socket *tcp)
{
    orphan_count_update(tcp);
    waiting_count_update(tcp);
    if (tcp->is_fast_counted && tcp->tcp.state != TCP_STATE_SYN_RECEIVED) {
        tcp->is_fast_counted = false;
        tcp_fast_end(tcp->parent->fast, tcp->tcp.counts.resets_received > 0, tcp_now(tcp));
    }
    const bool ends = is_over(tcp);
    const bool was_embryo = tcp->is_embryo;
    tcp->is_embryo = was_embryo && !ends && !tcp_has_begun(&tcp->tcp);
    tcp->settled = standing_key(tcp);
    if (ends) {
        return STANDING_ENDED | (alarm_end(tcp) ? 0 : STANDING_LEFT) |
               (was_embryo ? STANDING_STILLBORN : 0);
    }
    return was_embryo && !tcp->is_embryo ? STANDING_ESTABLISHED : 0;
}

static inline unsigned standing_update(struct tcp_socket *tcp)
{
    return standing_key(tcp) == tcp->settled ? 0 : standing_look(tcp);
}

// With lock held.
__attribute__((always_inline)) static inline void memory_update(struct tcp_socket *tcp)
{
    const uint32_t held = tcp->sending.taken + channel_cost(&tcp->socket.channel);
    if (held > TCP_HELD_LEAST || tcp->charged != 0) {
        tcp_memory_charge(tcp, held);
    }
}

// What is still to be done of one that has been left.
struct leaving {
    struct packet *outbox;
    const struct flow *peer;
    unsigned standing, news; // enum standing; enum net_news, for who polls
};

// With the lock held, which is not held then.
__attribute__((always_inline)) static inline struct leaving leave_begin(struct tcp_socket *tcp)
{
    struct net_socket *socket = &tcp->socket;
    memory_update(tcp);
    tcp_settle(&tcp->tcp);
    const unsigned standing = standing_update(tcp);
    struct packet *outbox = tcp->outbox;
    tcp->outbox = NULL;
    unsigned news = tcp->news;
    tcp->news = 0;
    if (news != 0) {
        news = channel_is_watched(&socket->channel) ? news : 0;
        channel_wake_all(&socket->channel);
    }
    alarm_update(tcp);
    const struct flow *peer = tcp->peer; // kept as long as the socket
    mutex_unlock(&socket->lock);
    return (struct leaving){outbox, peer, standing, news};
}

__attribute__((always_inline)) static inline void leave_end(struct tcp_socket *tcp,
                                                            const struct leaving *leaving)
{
    struct net_socket *socket = &tcp->socket;
    const unsigned standing = leaving->standing;
    outbox_send(socket, leaving->outbox, leaving->peer);
    if (standing & STANDING_ESTABLISHED) {
        tcp_child_offer(tcp);
    } else if (standing & STANDING_STILLBORN) {
        tcp_child_forget(tcp);
    }
    if (leaving->news != 0) {
        socket->ready(socket, leaving->news);
    }
    if (!channel_is_empty(&socket->channel)) {
        net_run_later(socket);
    }
    if ((standing & (STANDING_ENDED | STANDING_LEFT)) == STANDING_ENDED) {
        net_socket_put(socket);
    }
}

__attribute__((noinline)) static void leave_with_child(struct tcp_socket *tcp)
{
    struct tcp_socket *const both[] = {tcp, tcp->begun};
    struct leaving leaving[2];
    tcp->begun = NULL;
    for (int i = 0; i < 2; ++i) {
        leaving[i] = leave_begin(both[i]);
    }
    for (int i = 1; i >= 0; --i) {
        leave_end(both[i], &leaving[i]);
    }
    net_socket_put(&both[1]->socket);
}

void tcp_leave(struct tcp_socket *tcp)
{
    if (__builtin_expect(tcp->begun != NULL, 0)) {
        leave_with_child(tcp);
        return;
    }
    const struct leaving leaving = leave_begin(tcp);
    leave_end(tcp, &leaving);
}

static int error_of(enum wait_result result)
{
    return result == WAIT_WOKEN ? 0 : result == WAIT_INTERRUPTED ? -EINTR : -EAGAIN;
}

// Who accepts sleeps until there is a connection: segments of those that begin are run by whoever
// brings them.
static enum wait_result change_wait(struct tcp_socket *tcp, hal_ns deadline)
{
    struct channel *channel = &tcp->socket.channel;
    return tcp->stage == TCP_STAGE_LISTENING
               ? channel_wait_told(channel, &tcp->socket.lock, deadline)
               : channel_wait(channel, &tcp->socket.lock, deadline);
}

int tcp_await_within(struct tcp_socket *tcp, const struct net_patience *patience)
{
    if (!patience->waits || tcp->now != 0 || tcp->outbox != NULL || net_run_is_due()) {
        return -EAGAIN;
    }
    const hal_ns since = thread_since_ns();
    const enum wait_result result = change_wait(tcp, patience->deadline);
    tcp->now = 0;                     // what others have seen meanwhile is past
    if (thread_since_ns() != since) { // it has slept until just now
        tcp->now = later(thread_since_ns(), tcp->tcp.now);
    }
    channel_run(tcp);
    return error_of(result);
}

int tcp_await(struct tcp_socket *tcp, uint32_t changes, const struct net_patience *patience)
{
    enum wait_result result = WAIT_WOKEN;
    net_run();
    if (!patience->waits) {
        return -EAGAIN;
    }
    mutex_lock(&tcp->socket.lock);
    if (tcp->changes == changes) {
        result = change_wait(tcp, patience->deadline);
    }
    mutex_unlock(&tcp->socket.lock);
    return error_of(result);
}
