// SPDX-License-Identifier: BSD-3-Clause
// fragment.c: see fragment.h.
//
// The pieces of a packet are a list in the order of their places, without overlaps; it is whole
// when they reach from 0 to the end that the last one has told. Who sends pieces only cannot use up
// memory: there is a limit to packets, pieces and bytes, and the oldest packet makes room.
#include "core/net/fragment.h"

#include "core/dev/packet.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/net/counts.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/route.h"
#include "core/sync/alarm.h"
#include "core/sync/mutex.h"

#define WAIT_V4_NS (UINT64_C(30) * 1000000000) // RFC 1122, 3.3.2, and Linux
#define WAIT_V6_NS (UINT64_C(60) * 1000000000) // RFC 8200, 4.5

enum { PIECE_COST = 512, END_UNKNOWN = UINT16_MAX + 1 };

struct assembly {
    struct list node; // in assemblies, the oldest first
    struct net_address source, target;
    uint32_t number;
    uint8_t protocol; // behind the header about fragments
    hal_ns deadline;
    struct ip_header header; // of the first piece
    struct packet *pieces;   // linked by next; place says where each begins, data what it is
    uint32_t piece_count, bytes, end;
};

static struct mutex lock; // guards what follows
static struct list assemblies = LIST_EMPTY(assemblies);
static uint32_t assembly_count, bytes_all;
static _Atomic uint32_t number_next;

// ---- Putting together ------------------------------------------------------------------

static uint32_t cost_of(const struct packet *piece)
{
    return piece->size + PIECE_COST;
}

// With lock held.
static void assembly_end(struct assembly *assembly)
{
    list_remove(&assembly->node);
    --assembly_count;
    while (assembly->pieces != NULL) {
        struct packet *piece = assembly->pieces;
        assembly->pieces = piece->next;
        bytes_all -= cost_of(piece);
        packet_free(piece);
    }
    heap_free(assembly);
}

static void oldest_end(enum net_count why)
{
    net_count(why);
    assembly_end(container_of(assemblies.next, struct assembly, node));
}

// With lock held: those that wait too long.
static void late_end(hal_ns now)
{
    struct list *node = assemblies.next;
    while (node != &assemblies) {
        struct assembly *assembly = container_of(node, struct assembly, node);
        node = node->next;
        if (now >= assembly->deadline) {
            net_count(NET_IP_FRAGMENTS_LATE);
            assembly_end(assembly);
        }
    }
}

static void alarm_ring(struct alarm *alarm);
static struct alarm late_alarm = {.ring = alarm_ring};

// With lock held: rings when the first is late, or later.
static void alarm_update(hal_ns now)
{
    const bool is_needed = !list_is_empty(&assemblies);
    const int error = alarm_set(&late_alarm, is_needed ? now + WAIT_V4_NS : UINT64_MAX);
    (void)error; // without it they end when others come
}

static void alarm_ring(struct alarm *alarm)
{
    (void)alarm;
    mutex_lock(&lock);
    const hal_ns now = hal_clock_ns();
    late_end(now);
    alarm_update(now);
    mutex_unlock(&lock);
}

static struct assembly *assembly_find(const struct ip_header *header)
{
    struct list *node;
    list_for_each(node, &assemblies)
    {
        struct assembly *assembly = container_of(node, struct assembly, node);
        const bool has_protocol = // RFC 791: of IPv4 it belongs to the name
            !address_is_v4(&header->source) || assembly->protocol == header->protocol;
        if (assembly->number == header->number && has_protocol &&
            address_is_equal(&assembly->source, &header->source) &&
            address_is_equal(&assembly->target, &header->target)) {
            return assembly;
        }
    }
    return NULL;
}

// With lock held. NULL: no memory.
static struct assembly *assembly_make(const struct ip_header *header, hal_ns now)
{
    if (assembly_count == FRAGMENT_PACKETS_MAX) {
        oldest_end(NET_IP_FRAGMENTS_FULL);
    }
    struct assembly *assembly = heap_alloc_zeroed(sizeof *assembly);
    if (assembly == NULL) {
        return NULL;
    }
    assembly->source = header->source;
    assembly->target = header->target;
    assembly->number = header->number;
    assembly->protocol = header->protocol;
    assembly->deadline = now + (address_is_v4(&header->source) ? WAIT_V4_NS : WAIT_V6_NS);
    assembly->end = END_UNKNOWN;
    list_push_back(&assemblies, &assembly->node);
    if (assembly_count++ == 0) {
        alarm_update(now);
    }
    return assembly;
}

enum placing { PLACED, PLACED_BEFORE, PLACING_WRONG };

// Puts piece, [place, place + size), where it belongs. PLACED_BEFORE: it is there already.
static enum placing piece_put(struct assembly *assembly, struct packet *piece)
{
    const uint64_t end = piece->place + piece->size;
    struct packet **link = &assembly->pieces;
    while (*link != NULL && (*link)->place < piece->place) {
        if ((*link)->place + (*link)->size > piece->place) {
            return PLACING_WRONG;
        }
        link = &(*link)->next;
    }
    if (*link != NULL && (*link)->place == piece->place && (*link)->size == piece->size) {
        return PLACED_BEFORE; // the network has doubled it: RFC 8200, 4.5
    }
    if (*link != NULL && (*link)->place < end) {
        return PLACING_WRONG;
    }
    piece->next = *link;
    *link = piece;
    ++assembly->piece_count;
    assembly->bytes += piece->size;
    bytes_all += cost_of(piece);
    return PLACED;
}

// What it says about the end of the whole agrees with the others.
static bool end_note(struct assembly *assembly, const struct packet *piece, bool has_more)
{
    const uint32_t end = (uint32_t)piece->place + piece->size;
    const uint32_t former = assembly->end;
    if (!has_more) {
        assembly->end = end;
        const struct packet *last = assembly->pieces;
        while (last != NULL && last->next != NULL) {
            last = last->next;
        }
        return (former == END_UNKNOWN || former == end) &&
               (last == NULL || last->place + last->size <= end);
    }
    return former == END_UNKNOWN || end <= former;
}

// With lock held. NULL: no memory.
static struct packet *whole_make(const struct assembly *assembly)
{
    struct packet *whole = packet_alloc_block(assembly->end);
    if (whole == NULL) {
        return NULL;
    }
    for (const struct packet *piece = assembly->pieces; piece != NULL; piece = piece->next) {
        memcpy(whole->data + piece->place, piece->data, piece->size);
    }
    whole->size = assembly->end;
    ip_header_push(whole, &assembly->header);
    return whole;
}

// With lock held. False: the caller keeps packet.
static bool piece_take(struct assembly *assembly, struct packet *packet,
                       const struct ip_header *header)
{
    packet->data += header->transport;
    packet->size = header->size;
    packet->place = header->offset;
    const bool is_right =
        header->size > 0 && header->offset + header->size <= IP_SIZE_MAX - IP4_HEADER &&
        (!header->has_more || header->size % 8 == 0) &&
        assembly->piece_count < FRAGMENT_PIECES_MAX && end_note(assembly, packet, header->has_more);
    const enum placing placing = is_right ? piece_put(assembly, packet) : PLACING_WRONG;
    if (placing == PLACING_WRONG) {
        net_count(NET_IP_FRAGMENTS_WRONG);
        assembly_end(assembly);
        return false;
    }
    if (placing == PLACED_BEFORE) {
        net_count(NET_IP_FRAGMENTS_TWICE);
    } else if (header->offset == 0) {
        assembly->header = *header;
        assembly->header.has_more = false;
    }
    return placing == PLACED;
}

struct packet *fragment_input(struct packet *packet, const struct ip_header *header, hal_ns now)
{
    struct packet *whole = NULL;
    net_count(NET_IP_FRAGMENTS_RECEIVED);
    mutex_lock(&lock);
    late_end(now);
    while (bytes_all + cost_of(packet) > FRAGMENT_BYTES_MAX) {
        oldest_end(NET_IP_FRAGMENTS_FULL);
    }
    struct assembly *assembly = assembly_find(header);
    assembly = assembly == NULL ? assembly_make(header, now) : assembly;
    if (assembly == NULL) {
        net_count(NET_NO_MEMORY);
    }
    const bool is_taken = assembly != NULL && piece_take(assembly, packet, header);
    if (is_taken && assembly->bytes == assembly->end) { // they do not overlap
        whole = whole_make(assembly);
        net_count(whole == NULL ? NET_NO_MEMORY : NET_IP_FRAGMENTS_WHOLE);
        assembly_end(assembly);
    }
    mutex_unlock(&lock);
    if (!is_taken) {
        packet_free(packet);
    }
    return whole;
}

// ---- Cutting ---------------------------------------------------------------------------

static uint32_t fragment_size(const struct ip_header *header, uint32_t mtu)
{
    const bool is_v4 = address_is_v4(&header->target);
    return (mtu - (is_v4 ? IP4_HEADER : IP6_HEADER + IP6_FRAGMENT_HEADER)) & ~7u;
}

static uint32_t number_make(void)
{
    uint32_t number = atomic_fetch_add_explicit(&number_next, 1, memory_order_relaxed);
    if (number == 0) { // nobody is to guess them (RFC 7739)
        hal_entropy(&number, sizeof number);
        atomic_store_explicit(&number_next, number + 1, memory_order_relaxed);
    }
    return number;
}

void fragments_leave(struct packet *packet, const struct ip_header *header, uint32_t mtu)
{
    packet->is_fragmented = true;
    packet->segment_size = (uint16_t)fragment_size(header, mtu);
    ip_number_put(packet, number_make());
}

void fragments_send(const struct route *route, struct packet *packet,
                    const struct ip_header *header, uint32_t mtu)
{
    const uint32_t most = fragment_size(header, mtu);
    const char *data = packet->data + header->transport;
    struct ip_header part = *header;
    net_count(NET_IP_CUT);
    part.number = number_make();
    for (uint32_t at = 0; at < header->size; at += most) {
        const uint32_t size = header->size - at < most ? header->size - at : most;
        struct packet *piece = packet_alloc_block(size);
        if (piece == NULL) {
            net_count(NET_NO_MEMORY);
            break;
        }
        memcpy(piece->data, data + at, size);
        piece->size = size;
        part.offset = at;
        part.has_more = at + size < header->size;
        ip_header_push(piece, &part);
        net_count(NET_IP_FRAGMENTS_SENT);
        route->netif->send(route->netif, piece, &route->hop);
    }
    packet_free(packet);
}
