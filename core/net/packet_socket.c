// SPDX-License-Identifier: BSD-3-Clause
// packet_socket.c: see packet_socket.h.
//
// One list, which is read under RCU for each frame while there is any. What a socket gets is a copy
// with a note in front, that is made after the socket's filter has looked. Interfaces leave all
// packets to threads meanwhile, as for raw sockets of UDP and TCP. Sockets that take frames are in
// another list, which is read in interrupts, before all else looks.
#include "core/net/packet_socket.h"

#include "core/dev/packet.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/ethernet.h"
#include "core/net/filter.h"
#include "core/net/ip.h"
#include "core/net/raw.h"
#include "core/net/run.h"
#include "core/sched/thread.h"

enum { SOURCE = NETIF_HARDWARE_SIZE, KIND = 2 * NETIF_HARDWARE_SIZE, KIND_MIN = 1536 };

static struct mutex list_lock; // of who changes it
static struct rcu_list all, takers;
_Atomic uint32_t packet_socket_count;

// ---- What is seen --------------------------------------------------------------------

struct frame {
    const struct packet *packet;
    const struct netif *netif;
    uint8_t header[ETHERNET_HEADER]; // as it is, or as lo's would be
    uint32_t missing;                // bytes of it that the packet has not: all, or 0
    uint32_t size;                   // with the header
    struct packet_note note;
};

static uint16_t kind_read(const struct packet *packet, const uint8_t header[ETHERNET_HEADER])
{
    uint16_t kind, begin = 0;
    memcpy(&kind, header + KIND, sizeof kind);
    kind = net_order16(kind);
    if (kind >= KIND_MIN) {
        return kind;
    }
    if (packet->size >= ETHERNET_HEADER + sizeof begin) {
        memcpy(&begin, packet->data + ETHERNET_HEADER, sizeof begin);
    }
    return begin == UINT16_MAX ? PACKET_KIND_802_3 : PACKET_KIND_802_2;
}

// header: as the packet has it, missing 0, or as it would have it.
static struct frame frame_of(const struct netif *netif, const struct packet *packet,
                             const uint8_t header[ETHERNET_HEADER], uint32_t missing,
                             enum packet_way way)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0;
    struct frame frame = {
        .packet = packet,
        .netif = netif,
        .missing = missing,
        .size = packet_size(packet) + missing,
        .note = {.kind = kind_read(packet, header),
                 .way = (uint8_t)way,
                 .netif = (uint8_t)netif->index,
                 .lacks_checksum = is_lo ? packet->is_trusted : packet->checksum_place != 0},
    };
    memcpy(frame.header, header, ETHERNET_HEADER);
    memcpy(frame.note.hardware, header + SOURCE, NETIF_HARDWARE_SIZE);
    return frame;
}

// Of the frame with its header.
static void bytes_read(const struct frame *frame, uint32_t offset, uint8_t *to, uint32_t count)
{
    while (count > 0 && offset < frame->missing) {
        *to++ = frame->header[offset++];
        --count;
    }
    packet_read(frame->packet, offset - frame->missing, to, count);
}

static void view_read(const struct bpf_view *view, uint32_t offset, uint8_t *to, uint32_t count)
{
    bytes_read(view->source, offset, to, count);
}

// In an RCU section: how many of the bytes that it sees a socket wants.
static uint32_t filter_ask(struct packet_socket *packet, const struct frame *frame, uint32_t heads)
{
    const struct packet_filter *filter = atomic_load(&packet->socket.filter);
    const uint32_t size = frame->size - heads;
    if (filter == NULL) {
        return size;
    }
    const struct bpf_view view = {
        .size = frame->size,
        .data = heads,
        .network = ETHERNET_HEADER,
        .bytes = frame->packet->data,
        .near_size = frame->missing == 0 ? frame->packet->size : 0,
        .far_read = view_read,
        .source = frame,
        .protocol = frame->note.kind,
        .hardware = frame->netif == &loopback ? NETIF_KIND_LOOPBACK : NETIF_KIND_ETHERNET,
        .way = frame->note.way,
        .interface = frame->note.netif,
        .cpu = thread_cpu_index(),
    };
    const uint32_t wanted = bpf_run(filter->program, &view);
    return wanted < size ? wanted : size;
}

static bool is_for(const struct packet_socket *packet, const struct frame *frame)
{
    const uint32_t kind = atomic_load_explicit(&packet->kind, memory_order_relaxed);
    const uint32_t netif = atomic_load_explicit(&packet->netif, memory_order_relaxed);
    if (netif != 0 && netif != frame->netif->index) {
        return false;
    }
    if (frame->note.way != PACKET_WAY_SENT) {
        return kind == PACKET_KIND_ALL || kind == frame->note.kind;
    }
    return kind == PACKET_KIND_ALL &&
           !atomic_load_explicit(&packet->ignores_sent, memory_order_relaxed);
}

// In an RCU section.
static void copy_give(struct packet_socket *packet, const struct frame *frame,
                      struct net_told *told)
{
    struct packet_note note = frame->note;
    struct net_socket *tell;
    note.heads = packet->is_cooked ? ETHERNET_HEADER : 0;
    note.full_size = frame->size - note.heads;
    const uint32_t wanted = filter_ask(packet, frame, note.heads);
    if (wanted == 0) {
        return;
    }
    atomic_fetch_add_explicit(&packet->seen_count, 1, memory_order_relaxed);
    struct packet *copy = packet_alloc_block((uint32_t)sizeof note + wanted);
    if (copy == NULL) {
        net_count(NET_NO_MEMORY);
        atomic_fetch_add_explicit(&packet->socket.drop_count, 1, memory_order_relaxed);
        return;
    }
    memcpy(copy->data, &note, sizeof note);
    bytes_read(frame, note.heads, (uint8_t *)copy->data + sizeof note, wanted);
    copy->size = (uint32_t)sizeof note + wanted;
    copy->transport = sizeof note;
    copy->cost = wanted + NET_PACKET_COST;
    net_socket_give(&packet->socket, copy, &tell);
    if (tell != NULL) {
        (void)net_told_push(told, tell);
    }
}

static void show(struct frame *frame, const struct packet_socket *sender)
{
    struct net_told told = {NULL};
    struct rcu_node *node;
    frame->note.arrived = hal_clock_wall_ns();
    rcu_read_begin();
    rcu_list_for_each(node, &all)
    {
        struct packet_socket *one = container_of(node, struct packet_socket, node);
        if (one != sender && is_for(one, frame)) {
            copy_give(one, frame, &told);
        }
    }
    rcu_read_end();
    (void)net_told_tell(&told);
}

void packet_sockets_show(const struct netif *netif, const struct packet *packet,
                         enum packet_way way, const struct packet_socket *sender)
{
    if (packet->size >= ETHERNET_HEADER) {
        const uint8_t *header = (const uint8_t *)packet->data;
        struct frame frame = frame_of(netif, packet, header, 0, way);
        show(&frame, sender);
    }
}

static struct frame frame_of_bare(const struct packet *packet, enum packet_way way)
{
    uint8_t header[ETHERNET_HEADER] = {0};
    const bool is_v4 = (uint8_t)packet->data[0] >> 4 == 4;
    const uint16_t kind = net_order16(is_v4 ? ETHERNET_V4 : ETHERNET_V6);
    memcpy(header + KIND, &kind, sizeof kind);
    return frame_of(&loopback, packet, header, sizeof header, way);
}

void packet_sockets_show_bare(const struct packet *packet, enum packet_way way)
{
    struct frame frame = frame_of_bare(packet, way);
    show(&frame, NULL);
}

// ---- What is taken -------------------------------------------------------------------

enum packet_way packet_way_here(const struct netif *netif, const struct packet *frame)
{
    static const uint8_t everybody[NETIF_HARDWARE_SIZE] = {255, 255, 255, 255, 255, 255};
    if (memcmp(frame->data, netif->hardware, sizeof everybody) == 0) {
        return PACKET_WAY_HERE;
    }
    return memcmp(frame->data, everybody, sizeof everybody) == 0 ? PACKET_WAY_BROADCAST
           : (frame->data[0] & 1) != 0                           ? PACKET_WAY_MULTICAST
                                                                 : PACKET_WAY_ELSEWHERE;
}

// In an RCU section. NULL: none wants it.
static struct packet_socket *taker_find(const struct frame *frame)
{
    struct rcu_node *node;
    rcu_list_for_each(node, &takers)
    {
        struct packet_socket *one = container_of(node, struct packet_socket, node);
        if (is_for(one, frame) &&
            filter_ask(one, frame, one->is_cooked ? ETHERNET_HEADER : 0) != 0) {
            return one;
        }
    }
    return NULL;
}

bool packet_sockets_take_direct(struct netif *netif, struct packet *packet,
                                struct net_socket **told)
{
    const bool is_lo = netif == &loopback;
    *told = NULL;
    if (!is_lo && packet->size < ETHERNET_HEADER) {
        return false;
    }
    const struct frame frame = is_lo ? frame_of_bare(packet, PACKET_WAY_HERE)
                                     : frame_of(netif, packet, (const uint8_t *)packet->data, 0,
                                                packet_way_here(netif, packet));
    struct packet_socket *taker = taker_find(&frame);
    if (taker == NULL) {
        return false;
    }
    const uint32_t size = packet_size(packet);
    packet->netif = (uint8_t)netif->index;
    packet->cost = size + NET_PACKET_COST;
    atomic_fetch_add_explicit(&taker->seen_count, 1, memory_order_relaxed);
    net_socket_give(&taker->socket, packet, told);
    if (!is_lo) { // which counts what is sent
        netif_count(netif, NETIF_RECEIVED, 1);
        netif_count(netif, NETIF_RECEIVED_BYTES, size);
    }
    return true;
}

bool packet_sockets_take(struct netif *netif, struct packet *packet)
{
    struct net_told list = {NULL};
    struct net_socket *told;
    rcu_read_begin();
    const bool is_taken = packet_sockets_take_direct(netif, packet, &told);
    rcu_read_end();
    if (told != NULL) {
        (void)net_told_push(&list, told);
        (void)net_told_tell(&list);
    }
    return is_taken;
}

// ---- Receiving -----------------------------------------------------------------------

int packet_socket_receive(struct packet_socket *packet, struct net_message *message,
                          struct packet_note *note, size_t *done)
{
    struct net_socket *socket = &packet->socket;
    mutex_lock(&socket->lock);
    int error = socket->is_direct ? -EOPNOTSUPP : datagram_await(socket, &message->patience);
    struct packet *frame = error == 0 ? socket->first : NULL;
    if (frame != NULL) {
        memcpy(note, frame->data, sizeof *note);
    }
    if (frame != NULL && message->only_looks) {
        error = datagram_bytes_copy(frame, frame->transport, message, done);
    } else if (frame != NULL) {
        socket->first = frame->next;
    }
    mutex_unlock(&socket->lock);
    if (frame != NULL && !message->only_looks) {
        error = datagram_bytes_copy(frame, frame->transport, message, done);
        channel_return(&socket->channel, frame->cost);
        packet_free(frame);
    }
    return error;
}

// ---- Sending -------------------------------------------------------------------------

static void header_push(struct packet *frame, const struct packet_target *target)
{
    const uint16_t kind = net_order16(target->kind);
    frame->data -= ETHERNET_HEADER;
    frame->size += ETHERNET_HEADER;
    memcpy(frame->data, target->hardware, NETIF_HARDWARE_SIZE);
    memcpy(frame->data + SOURCE, target->netif->hardware, NETIF_HARDWARE_SIZE);
    memcpy(frame->data + KIND, &kind, sizeof kind);
}

int packet_socket_send(struct packet_socket *packet, const struct net_message *message,
                       const struct packet_target *target, size_t *done)
{
    const size_t size = datagram_size(message);
    const uint32_t heads = packet->is_cooked ? 0 : ETHERNET_HEADER;
    struct packet *frame = NULL;
    if (size > target->netif->mtu + heads) {
        return -EMSGSIZE;
    }
    const int error = datagram_packet_make(&frame, message, size);
    if (error != 0) {
        return error;
    }
    if (packet->is_cooked) {
        header_push(frame, target);
    } else if (size < ETHERNET_HEADER) {
        packet_free(frame);
        return -EINVAL;
    }
    net_count(NET_RAW_SENT);
    target->netif->send_frame(target->netif, frame, packet);
    net_run(); // who was given something on lo
    *done = size;
    return 0;
}

// ---- Beginning and end ---------------------------------------------------------------

void packet_socket_init(struct packet_socket *packet, bool is_cooked)
{
    net_socket_init(&packet->socket, 0, false);
    packet->socket.kind = NET_FRAMES;
    packet->is_cooked = is_cooked;
}

// With list_lock held.
static void listed_set(struct packet_socket *packet, bool is_listed)
{
    const bool takes = packet->socket.is_direct;
    struct rcu_list *list = takes ? &takers : &all;
    const uint32_t by = is_listed ? 1 : UINT32_MAX;
    if (packet->is_listed == is_listed) {
        return;
    }
    packet->is_listed = is_listed;
    if (is_listed) {
        rcu_list_push(list, &packet->node);
    } else {
        rcu_list_remove(list, &packet->node);
    }
    if (takes) {
        atomic_fetch_add_explicit(&net_early_count, by * NET_TAKER, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&packet_socket_count, by, memory_order_relaxed);
        atomic_fetch_add_explicit(&raw_flow_count, by, memory_order_relaxed);
    }
}

int packet_socket_take(struct packet_socket *packet)
{
    mutex_lock(&list_lock);
    const int error = packet->is_listed ? -EINVAL : 0;
    packet->socket.is_direct |= error == 0;
    mutex_unlock(&list_lock);
    return error;
}

void packet_socket_bind(struct packet_socket *packet, uint32_t netif, uint16_t kind)
{
    mutex_lock(&list_lock);
    atomic_store_explicit(&packet->netif, netif, memory_order_relaxed);
    atomic_store_explicit(&packet->kind, kind, memory_order_relaxed);
    if (kind != 0) {
        listed_set(packet, true);
    }
    mutex_unlock(&list_lock);
}

void packet_socket_close(struct packet_socket *packet)
{
    mutex_lock(&list_lock);
    listed_set(packet, false);
    mutex_unlock(&list_lock);
    net_socket_close(&packet->socket);
}
