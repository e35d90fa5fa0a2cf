// SPDX-License-Identifier: BSD-3-Clause
// link_fuzz.c: any bytes at all as what a machine on the same Ethernet says. The first byte chooses
// a protocol, and stays; each item is a message of it, behind headers that bring it to where it is
// read: merged, looked at as an interrupt does, then as the interface's thread.
//
// Where chance would never come, the target helps: acknowledgements of TCP count from what was
// sent, DHCP's messages have the number that the client waits for. What this machine sends is
// looked at, too: it is whole, fits the link, and its sums are right.
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/address_text.h"
#include "core/net/autoconf_client.h"
#include "core/net/checksum.h"
#include "core/net/dhcp_client.h"
#include "core/net/ethernet.h"
#include "core/net/group_link.h"
#include "core/net/interface.h"
#include "core/net/ip.h"
#include "core/net/merge.h"
#include "core/net/route.h"
#include "core/net/run.h"
#include "core/net/socket.h"
#include "core/net/tcp_header.h"
#include "core/sync/rcu.h"
#include "input.h"
#include "net_world.h"

enum { // of an item's head
    IS_RIGHT = 0x8000,
    IS_V4 = 0x4000,
};

enum {
    MTU = 1500,
    FRAGMENT_HEAD = 2,
    DHCP_HEAD = 240,
    ITEMS_MAX = 12, // what more of them reach takes longer than it is worth
};

enum kind { FRAME, ARP, IP, ICMP, ICMP6, ND, MLD, IGMP, UDP, TCP, FRAGMENTS, DHCP, KINDS };

// What lies beneath a message; protocol 0: nothing, or the frame's kind alone.
static const struct layer {
    uint8_t protocol, hops;
    bool is_v4, is_v6, is_near; // is_near: from an address that is good on the link alone
} layers[KINDS] = {
    [ICMP] = {IP_ICMP, 64, .is_v4 = true},
    [ICMP6] = {IP_ICMPV6, 64, .is_v6 = true},
    [ND] = {IP_ICMPV6, 255, .is_v6 = true, .is_near = true},
    [MLD] = {IP_ICMPV6, 1, .is_v6 = true, .is_near = true},
    [IGMP] = {IP_IGMP, 1, .is_v4 = true},
    [UDP] = {IP_UDP, 64, .is_v4 = true, .is_v6 = true},
    [TCP] = {IP_TCP, 64, .is_v4 = true, .is_v6 = true},
    [FRAGMENTS] = {IP_UDP, 64, .is_v4 = true, .is_v6 = true},
    [DHCP] = {IP_UDP, 64, .is_v4 = true},
};

static const uint8_t here[] = {2, 0, 0, 0, 0, 1}, there[] = {2, 0, 0, 0, 0, 2};
static const uint8_t all[] = {255, 255, 255, 255, 255, 255};

static void transmit(struct ethernet *ethernet, struct packet *frame);

static struct ethernet wire = {.netif = {.name = "eth0", .mtu = MTU}, .transmit = transmit};
static struct merge merge;
static struct net_told told_sockets;
static struct net_address own[2], peers[2], near; // of IPv6, IPv4
static uint32_t tcp_next;                         // what follows what was sent last
static uint8_t dhcp_number[4];                    // that was sent last

// ---- What is sent --------------------------------------------------------------------

static void tcp_note(const char *data, uint32_t size)
{
    uint32_t sequence;
    memcpy(&sequence, data + 4, sizeof sequence);
    const uint32_t flags = (uint8_t)data[13];
    tcp_next = __builtin_bswap32(sequence) + size - tcp_header_length(data) +
               ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0);
}

static void ip_look(const char *data, uint32_t size)
{
    struct ip_header header;
    if (ip_header_read(&header, data, size, false) != 0) {
        return; // a fragment: the sender of a whole one is looked at
    }
    const char *transport = data + header.transport;
    const bool has_ends = header.protocol != IP_ICMP && header.protocol != IP_IGMP;
    const uint64_t ends = !has_ends ? 0
                                    : checksum_add_ends(0, &header.source, &header.target,
                                                        header.protocol, header.size);
    demand(checksum_end(checksum_add(ends, transport, header.size)) == 0, "sums are right");
    if (header.protocol == IP_TCP) {
        demand(tcp_header_is_whole(transport, header.size), "a header is whole");
        tcp_note(transport, header.size);
    } else if (header.protocol == IP_UDP && memcmp(transport, "\0\x44\0\x43", 4) == 0) {
        memcpy(dhcp_number, transport + 12, sizeof dhcp_number);
    }
}

static void transmit(struct ethernet *ethernet, struct packet *frame)
{
    char bytes[ETHERNET_HEADER + MTU];
    const uint32_t size = packet_size(frame);
    demand(size >= ETHERNET_HEADER && size <= sizeof bytes, "a frame fits the link");
    packet_copy(frame, bytes);
    packet_free(frame);
    demand(memcmp(bytes + 6, ethernet->netif.hardware, sizeof here) == 0, "a frame is ours");
    if (memcmp(bytes + 12, "\x08\x06", 2) != 0) {
        ip_look(bytes + ETHERNET_HEADER, size - ETHERNET_HEADER);
    }
}

// ---- What comes ----------------------------------------------------------------------

// As interface.c has it.
static void frames_input(struct packet *frame)
{
    while (frame != NULL) {
        struct packet *next = frame->next;
        struct net_socket *told = NULL;
        rcu_read_begin(); // an interrupt has that, too
        const bool is_taken = ethernet_input_direct(&wire, frame, &told);
        rcu_read_end();
        if (told != NULL) {
            (void)net_told_push(&told_sockets, told);
        } else if (!is_taken) {
            frame = frame->more == NULL ? frame : packet_join(frame);
            demand(frame != NULL, "there is memory");
            ethernet_input(&wire, frame);
        }
        frame = next;
    }
    (void)net_told_tell(&told_sockets);
    net_run();
}

static void frame_bring(struct packet *packet, enum ethernet_kind kind, const uint8_t *target)
{
    const uint16_t kind_bytes = net_order16((uint16_t)kind);
    packet->data -= ETHERNET_HEADER;
    packet->size += ETHERNET_HEADER;
    memcpy(packet->data, target, sizeof here);
    memcpy(packet->data + 6, there, sizeof there);
    memcpy(packet->data + 12, &kind_bytes, sizeof kind_bytes);
    frames_input(merge_frame(&merge, packet));
}

static void ip_bring(struct packet *packet, const uint8_t *target)
{
    const bool is_v4 = packet->size > 0 && (packet->data[0] & 0xf0) == 0x40;
    frame_bring(packet, is_v4 ? ETHERNET_V4 : ETHERNET_V6, target);
}

// Numbers that chance does not find.
static void tcp_help(struct packet *packet)
{
    uint32_t number;
    if (packet->size >= TCP_HEADER_MIN) {
        memcpy(&number, packet->data + 8, sizeof number);
        number = __builtin_bswap32(__builtin_bswap32(number) + tcp_next);
        memcpy(packet->data + 8, &number, sizeof number);
    }
}

static void dhcp_help(struct packet *packet)
{
    static const uint8_t ports[] = {0, 67, 0, 68};
    const uint32_t ends = sizeof ports + 4; // and the length, and no sum
    const uint16_t size = net_order16((uint16_t)(packet->size + ends));
    if (packet->size >= DHCP_HEAD) {
        memcpy(packet->data + 4, dhcp_number, sizeof dhcp_number);
        memcpy(packet->data + 28, here, sizeof here);
    }
    packet->data -= ends;
    packet->size += ends;
    memcpy(packet->data, ports, sizeof ports);
    memset(packet->data + sizeof ports, 0, 4);
    memcpy(packet->data + sizeof ports, &size, sizeof size);
}

// The first two bytes say which piece it is, as IPv6's header about it does.
static void fragment_help(struct packet *packet, struct ip_header *header)
{
    if (packet->size > FRAGMENT_HEAD) {
        const uint32_t word = (uint32_t)(uint8_t)packet->data[0] << 8 | (uint8_t)packet->data[1];
        header->offset = word & 0xfff8;
        header->has_more = (word & 1) != 0;
        header->number = 1 + (word >> 1 & 3);
        packet->data += FRAGMENT_HEAD;
        packet->size -= FRAGMENT_HEAD;
    }
}

static void message_bring(const struct item *item, enum kind kind)
{
    const struct layer *layer = &layers[kind];
    const bool is_v4 = layer->is_v4 && (!layer->is_v6 || (item->head & IS_V4) != 0);
    struct ip_header header = {
        .source = layer->is_near ? near : peers[is_v4],
        .target = own[is_v4],
        .protocol = layer->protocol,
        .hops = layer->hops,
    };
    struct packet *packet = world_packet(item->data, item->size, false);
    if (kind == TCP) {
        tcp_help(packet);
    } else if (kind == DHCP) {
        dhcp_help(packet);
    } else if (kind == FRAGMENTS) {
        fragment_help(packet, &header);
    }
    ip_header_push(packet, &header);
    if ((item->head & IS_RIGHT) != 0) {
        world_sums_set(packet);
    }
    ip_bring(packet, here);
}

static void bring(const struct item *item, enum kind kind)
{
    const bool is_right = (item->head & IS_RIGHT) != 0;
    if (kind == FRAME) {
        frames_input(merge_frame(&merge, world_packet(item->data, item->size, false)));
    } else if (kind == ARP) {
        frame_bring(world_packet(item->data, item->size, false), ETHERNET_ARP,
                    is_right ? here : all);
    } else if (kind == IP) {
        ip_bring(world_packet(item->data, item->size, is_right), here);
    } else {
        message_bring(item, kind);
    }
}

// ---- The link ------------------------------------------------------------------------

static struct net_address address_of(const char *text)
{
    struct net_address address;
    demand(address_read(&address, &text) == 0, "an address is right");
    return address;
}

static void address_give(const char *text)
{
    struct interface_address address;
    demand(interface_address_read(&address, text) == 0 &&
               interface_address_set(&wire, &address) == 0,
           "the interface has an address");
}

static void link_start(void)
{
    static const char *const groups[] = {"224.0.0.251", "ff02::fb"};
    own[0] = address_of("fd00::1");
    own[1] = address_of("10.0.0.1");
    peers[0] = address_of("fd00::2");
    peers[1] = address_of("10.0.0.2");
    near = address_of("fe80::2");
    memcpy(wire.netif.hardware, here, sizeof here);
    demand(net_start() == 0 && ethernet_start(&wire) == 0, "the interface starts");
    address_give("10.0.0.1/24,10.0.0.254");
    address_give("fd00::1/64,fd00::fe");
    for (int i = 0; i < 2; ++i) {
        const struct net_address group = address_of(groups[i]);
        demand(netif_join(&wire.netif, &group) == 0, "a group is joined");
    }
}

// Who has much to say of his own is there where he is spoken to.
static void clients_start(enum kind kind)
{
    if ((kind == DHCP || kind == ARP) && wire.dhcp == NULL) {
        demand(dhcp_client_make(&wire) == 0, "there is memory");
        dhcp_client_start(wire.dhcp);
        world_rest();
    }
    if (kind == ND && wire.autoconf == NULL) {
        demand(autoconf_client_make(&wire) == 0, "there is memory");
        autoconf_client_start(wire.autoconf);
        world_rest();
    }
}

static void neighbour_know(const struct net_address *address)
{
    struct neighbour_step step;
    neighbour_learn(&wire.neighbours, address, there, NEIGHBOUR_OVERRIDES | NEIGHBOUR_IS_NEW,
                    hal_clock_ns(), &step);
    ethernet_step(&wire, &step);
}

// A lease that DHCP gave ends: the link is another, and there the server refuses it.
static void lease_end(void)
{
    static const uint8_t refusal[DHCP_HEAD + 10] = {2, 1,  6, [236] = 0x63, 0x82, 0x53, 0x63, 53, 1,
                                                    6, 54, 4, 10,           0,    0,    9,    255};
    const struct item item = {IS_RIGHT, sizeof refusal, refusal};
    dhcp_client_link_returned(wire.dhcp);
    bring(&item, DHCP);
}

// As it was, but for what has no effect on others: inputs do the same again.
static void link_renew(void)
{
    frames_input(merge_end(&merge));
    wire.netif.mtu = MTU;
    if (wire.dhcp != NULL) {
        lease_end();
    }
    for (int i = 0; i < 2; ++i) {
        if (!route_has(&wire.netif, &own[i])) {
            address_give(i == 0 ? "fd00::1/64,fd00::fe" : "10.0.0.1/24,10.0.0.254");
        }
        neighbour_know(&peers[i]);
    }
    neighbour_know(&near);
}

// Those that messages may be for. head: the first one's, whose version the caller has.
static void sockets_open(enum kind kind, uint32_t head)
{
    const bool is_for_streams = kind == TCP || kind == ICMP || kind == ICMP6;
    if (is_for_streams || kind == FRAME || kind == IP || kind == UDP || kind == FRAGMENTS) {
        world_open();
    }
    if (is_for_streams) {
        world_call(&peers[kind == ICMP || (kind == TCP && (head & IS_V4) != 0)]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct item item;
    if (size == 0) {
        return 0;
    }
    const enum kind kind = (enum kind)(data[0] % KINDS);
    ++data;
    --size;
    if (!is_started) {
        link_start();
        world_start();
        is_started = true;
    }
    clients_start(kind);
    link_renew();
    sockets_open(kind, size > 0 ? (uint32_t)data[0] << 8 : 0);
    for (int i = 0; i < ITEMS_MAX && item_next(&item, &data, &size); ++i) {
        world_pass(item.head);
        bring(&item, kind);
        world_serve();
    }
    frames_input(merge_end(&merge));
    world_close();
    return 0;
}
