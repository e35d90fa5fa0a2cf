// SPDX-License-Identifier: BSD-3-Clause
// net_sender.c: see net_sender.h. What is looked at is a copy: the driver may write the frame
// meanwhile.
#include "hal-linux/dev/net_sender.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <stddef.h>

#include "hal-linux/dev/device.h"
#include "hal-linux/syscall.h"

enum {
    HEADER = sizeof(struct virtio_net_hdr_mrg_rxbuf),
    KIND = 2 * ETH_ALEN, // places in a frame
    IP = ETH_HLEN,
    V4 = 20, // sizes of headers
    V6 = 40,
    UDP = 8,
    V4_SIZE = 2, // places in IP's header
    V4_NUMBER = 4,
    V4_CUT = 6,
    V4_PROTOCOL = 9,
    V4_CHECKSUM = 10,
    V4_ENDS = 12,
    V6_SIZE = 4,
    V6_PROTOCOL = 6,
    UDP_SIZE = 4, // and in that of UDP
    UDP_CHECKSUM = 6,
    PROTOCOL_UDP = 17,
    SIZE_MAX_TOGETHER = 65000, // bytes of payload
};

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

_Static_assert(HEADER + ETH_HLEN + V6 + UDP == NET_SENDER_HEADS, "net_sender.h");

struct datagram {
    uint32_t transport, payload; // as in struct net_sender
    uint8_t heads[NET_SENDER_HEADS];
};

static uint32_t read16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void write16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t folded(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

static bool is_same(const uint8_t *one, const uint8_t *other, uint32_t from, uint32_t to)
{
    while (from < to && one[from] == other[from]) {
        ++from;
    }
    return from == to;
}

// Where UDP's header lies, behind Ethernet's; 0: there is none, or it is a fragment's, or has
// options.
static uint32_t transport_find(const uint8_t *frame, uint32_t size)
{
    const uint8_t *ip = frame + IP;
    const uint32_t kind = read16(frame + KIND);
    if (kind == ETH_P_IP && size >= IP + V4 + UDP && ip[0] == 0x45 &&
        ip[V4_PROTOCOL] == PROTOCOL_UDP && (read16(ip + V4_CUT) & 0x3fff) == 0 &&
        read16(ip + V4_SIZE) == size - IP) {
        return IP + V4;
    }
    if (kind == ETH_P_IPV6 && size >= IP + V6 + UDP && ip[V6_PROTOCOL] == PROTOCOL_UDP &&
        read16(ip + V6_SIZE) == size - IP - V6) {
        return IP + V6;
    }
    return 0;
}

// False: it goes alone.
static bool datagram_read(struct datagram *datagram, const struct device_chain *chain)
{
    struct virtio_net_hdr_mrg_rxbuf header;
    const uint8_t *frame = datagram->heads + HEADER;
    if (chain->in_count != 1 || chain->parts[0].iov_len < HEADER + IP + V4 + UDP) {
        return false;
    }
    const uint32_t size = (uint32_t)chain->parts[0].iov_len - HEADER;
    (void)device_gather(chain->parts, 1, 0, datagram->heads, sizeof datagram->heads);
    (void)device_gather(chain->parts, 1, 0, &header, sizeof header);
    datagram->transport = transport_find(frame, size);
    datagram->payload = size - datagram->transport - UDP;
    return datagram->transport != 0 && datagram->payload > 0 &&
           read16(frame + datagram->transport + UDP_SIZE) == datagram->payload + UDP &&
           header.hdr.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM &&
           header.hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE &&
           header.hdr.csum_start == datagram->transport && header.hdr.csum_offset == UDP_CHECKSUM;
}

// Whether the host may take it for one of those that wait.
static bool is_next(const struct net_sender *sender, const struct datagram *datagram)
{
    const uint8_t *one = sender->heads + HEADER, *other = datagram->heads + HEADER;
    const uint8_t *ip = one + IP, *other_ip = other + IP;
    if (datagram->transport != sender->transport || datagram->payload > sender->payload ||
        sender->size + datagram->payload > SIZE_MAX_TOGETHER || !is_same(one, other, 0, IP) ||
        !is_same(one, other, sender->transport, sender->transport + UDP_SIZE)) {
        return false;
    }
    return sender->transport == IP + V4
               ? is_same(ip, other_ip, 0, V4_SIZE) && is_same(ip, other_ip, V4_CUT, V4_CHECKSUM) &&
                     is_same(ip, other_ip, V4_ENDS, V4)
               : is_same(ip, other_ip, 0, V6_SIZE) && is_same(ip, other_ip, V6_PROTOCOL, V6);
}

static void chain_add(struct net_sender *sender, struct device_chain *chain, uint32_t payload)
{
    const uint32_t heads = HEADER + sender->transport + UDP;
    sender->chains[sender->count++] = chain;
    sender->parts[sender->count] =
        (struct iovec){(char *)chain->parts[0].iov_base + heads, payload};
    sender->size += payload;
}

static void first_add(struct net_sender *sender, struct device_chain *chain,
                      const struct datagram *datagram)
{
    sender->size = 0;
    sender->transport = datagram->transport;
    sender->payload = datagram->payload;
    for (uint32_t i = 0; i < sizeof sender->heads; ++i) {
        sender->heads[i] = datagram->heads[i];
    }
    chain_add(sender, chain, datagram->payload);
}

// The headers of all as one: their sizes, what sums these are in, and how it is to be cut.
static void heads_join(struct net_sender *sender)
{
    uint8_t *ip = sender->heads + HEADER + IP, *udp = sender->heads + HEADER + sender->transport;
    struct virtio_net_hdr_mrg_rxbuf header = {
        .hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
                .hdr_len = (uint16_t)(sender->transport + UDP),
                .gso_size = (uint16_t)sender->payload,
                .csum_start = (uint16_t)sender->transport,
                .csum_offset = UDP_CHECKSUM}};
    const uint32_t size = UDP + sender->size;
    const uint32_t more = size - read16(udp + UDP_SIZE);
    __builtin_memcpy(sender->heads, &header, sizeof header);
    write16(udp + UDP_CHECKSUM, folded(read16(udp + UDP_CHECKSUM) + more)); // of the ends
    write16(udp + UDP_SIZE, size);
    if (sender->transport != IP + V4) {
        write16(ip + V6_SIZE, size);
        return;
    }
    uint32_t sum = 0;
    write16(ip + V4_SIZE, V4 + size);
    write16(ip + V4_CHECKSUM, 0);
    for (uint32_t i = 0; i < V4; i += 2) {
        sum += read16(ip + i);
    }
    write16(ip + V4_CHECKSUM, ~folded(sum) & 0xffff);
}

static void chain_write(const struct net_sender *sender, struct device_chain *chain)
{
    (void)syscall3(SYS_writev, sender->fd, (long)chain->parts, chain->in_count);
    device_chain_done(chain, 0);
}

static void submitted_write(struct net_sender *sender)
{
    if (sender->ring == NULL || sender->ring->count == 0) {
        return;
    }
    const uint32_t count = uring_run(sender->ring);
    for (uint32_t i = 0; i < count; ++i) {
        const long result = sender->ring->results[i];
        if (result == -EAGAIN || result == -EOPNOTSUPP) { // it may wait here
            chain_write(sender, sender->submitted[i]);
        } else {
            device_chain_done(sender->submitted[i], 0);
        }
    }
}

// Now, or with those of the kick that follow.
static void chain_send(struct net_sender *sender, struct device_chain *chain, bool has_next)
{
    if (sender->ring == NULL || (sender->ring->count == 0 && !has_next)) {
        chain_write(sender, chain);
        return;
    }
    sender->submitted[sender->ring->count] = chain;
    uring_write(sender->ring, sender->fd, chain->parts, chain->in_count);
    if (sender->ring->count == URING_MAX) {
        submitted_write(sender);
    }
}

// False: the host does not know such frames.
static bool joined_write(struct net_sender *sender)
{
    if (sender->count == 1) {
        return false;
    }
    submitted_write(sender);
    heads_join(sender);
    sender->parts[0] = (struct iovec){sender->heads, HEADER + sender->transport + UDP};
    sender->is_alone =
        syscall3(SYS_writev, sender->fd, (long)sender->parts, 1 + sender->count) == -EINVAL;
    return !sender->is_alone;
}

static void datagrams_send(struct net_sender *sender)
{
    const bool is_written = sender->count > 0 && joined_write(sender);
    for (uint32_t i = 0; i < sender->count; ++i) {
        if (is_written) {
            device_chain_done(sender->chains[i], 0);
        } else {
            chain_send(sender, sender->chains[i], true);
        }
    }
    sender->count = 0;
}

bool net_sender_flush(struct net_sender *sender)
{
    const bool has_long = sender->has_long;
    datagrams_send(sender);
    submitted_write(sender);
    sender->has_long = false;
    return has_long;
}

void net_sender_send(struct net_sender *sender, struct device_chain *chain)
{
    struct datagram datagram;
    const bool has_others = sender->count > 0 || device_chain_has_next(chain);
    const bool is_datagram = !sender->is_alone && has_others && datagram_read(&datagram, chain);
    if (sender->count > 0 && is_datagram && is_next(sender, &datagram)) {
        chain_add(sender, chain, datagram.payload);
        if (datagram.payload < sender->payload || sender->count == NET_SENDER_MAX) {
            datagrams_send(sender);
        }
        return;
    }
    datagrams_send(sender);
    sender->has_long = sender->has_long || chain->in_count > 1;
    if (is_datagram) {
        first_add(sender, chain, &datagram);
    } else {
        chain_send(sender, chain, device_chain_has_next(chain));
    }
}
