// SPDX-License-Identifier: BSD-3-Clause
// socket_filter.c: what the filter of a socket says of packets that are on their way there. It sees
// what Linux shows it: of a raw socket of IPv4 the whole packet, of others what is behind IP's
// headers.
#include "core/dev/packet.h"
#include "core/net/counts.h"
#include "core/net/ethernet.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/socket.h"

static struct bpf_view view_of(const struct net_socket *socket, const struct packet *packet,
                               const struct ip_header *header)
{
    struct bpf_view view = packet_filter_view(packet);
    const uint32_t size = header->transport + header->size; // of the rest IP knows nothing
    view.size = size < view.size ? size : view.size;
    view.near_size = view.near_size < view.size ? view.near_size : view.size;
    view.data = socket->kind == NET_RAW && socket->is_v4 ? 0 : header->transport;
    view.network = 0;
    view.protocol = address_is_v4(&header->target) ? ETHERNET_V4 : ETHERNET_V6;
    view.interface = packet->netif;
    view.hardware = packet->netif <= loopback.index ? NETIF_KIND_LOOPBACK : NETIF_KIND_ETHERNET;
    return view;
}

bool net_socket_wants(struct net_socket *socket, const struct packet *packet)
{
    const struct packet_filter *filter = atomic_load(&socket->filter);
    struct ip_header header;
    const bool is_early = packet->is_bare; // it was on its way before there was a filter
    if (filter == NULL || socket->kind == NET_FRAMES || packet->is_message || is_early ||
        ip_packet_read(&header, packet) != 0) {
        return true;
    }
    const struct bpf_view view = view_of(socket, packet, &header);
    if (bpf_run(filter->program, &view) != 0) {
        return true;
    }
    atomic_fetch_add_explicit(&socket->drop_count, 1, memory_order_relaxed);
    net_count(NET_SOCKET_FILTERED);
    return false;
}
