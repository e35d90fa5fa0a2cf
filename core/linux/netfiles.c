// SPDX-License-Identifier: BSD-3-Clause
// netfiles.c: /proc/net: sockets and what became of packets, as proc(5) has them.
// Programs parse them by column.
#include "core/linux/netfiles.h"

#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/linux/linkfiles.h"
#include "core/linux/socketinet.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/vfs/procfs.h"
#include "core/vfs/proctext.h"
#include "core/vfs/vfs.h"

enum { STATE_CONNECTED = 1, STATE_IDLE = 7, LINE_SIZE = 127 };

void net_line_end(struct net_listing *listing, size_t start, size_t size)
{
    const size_t length = listing->writer.length - start;
    const bool is_padded = listing->is_v4 && length < size;
    writer_put(&listing->writer, "%*s\n", is_padded ? (int)(size - length) : 0, "");
}

void net_hex_put(struct writer *writer, uint32_t value, int digits)
{
    while (digits-- > 0) {
        writer_put(writer, "%c", "0123456789ABCDEF"[value >> digits * 4 & 15]);
    }
}

void net_v6_put(struct writer *writer, const struct net_address *address)
{
    for (int i = 0; i < ADDRESS_V6_SIZE; ++i) {
        writer_put(writer, "%02x", address_bytes(address)[i]);
    }
}

void net_end_put(struct net_listing *listing, const struct net_end *end)
{
    const int first = listing->is_v4 ? 3 : 0;
    for (int i = first; i < 4; ++i) {
        uint32_t word;
        memcpy(&word, address_bytes(&end->address) + i * sizeof word, sizeof word);
        net_hex_put(&listing->writer, word, 8);
    }
    writer_put(&listing->writer, ":");
    net_hex_put(&listing->writer, end->port, 4);
    writer_put(&listing->writer, " ");
}

static void flow_put(const struct flow *flow, void *argument)
{
    struct net_listing *listing = argument;
    struct writer *writer = &listing->writer;
    struct net_socket *socket = flow->socket;
    const struct inet_socket *inet = container_of(socket, struct inet_socket, socket);
    if (socket->is_v4 != listing->is_v4) {
        return;
    }
    const size_t start = writer->length;
    writer_put(writer, "%5u: ", listing->line++);
    net_end_put(listing, &flow->key.local);
    net_end_put(listing, &flow->key.remote);
    writer_put(writer, "%02d ", flow->key.remote.port != 0 ? STATE_CONNECTED : STATE_IDLE);
    writer_put(writer, "00000000:");
    net_hex_put(writer, channel_cost(&socket->channel), 8);
    writer_put(writer, " 00:00000000 00000000 %5u        0 %lu 2 0000000000000000 %lu",
               inet->nameless.uid, inet->nameless.inode,
               atomic_load_explicit(&socket->drop_count, memory_order_relaxed));
    net_line_end(listing, start, LINE_SIZE);
}

static size_t udp_make(char *text, size_t size, void *is_v4)
{
    struct net_listing listing = {.writer = {text, size, 0}, .is_v4 = is_v4 != NULL};
    if (listing.is_v4) {
        writer_put(&listing.writer,
                   "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                   "uid  timeout inode ref pointer drops");
        net_line_end(&listing, 0, LINE_SIZE);
    } else {
        writer_put(&listing.writer,
                   "  sl  local_address                         "
                   "remote_address                        st tx_queue rx_queue tr tm->when "
                   "retrnsmt   uid  timeout inode ref pointer drops\n");
    }
    flow_walk(IP_UDP, flow_put, &listing);
    return listing.writer.length;
}

static uint64_t count(enum net_count which)
{
    return atomic_load_explicit(&net_counts[which], memory_order_relaxed);
}

// Of both versions: Linux counts those of IPv6 in a file of their own.
static size_t snmp_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    const uint64_t bad = count(NET_IP_DAMAGED), strange = count(NET_IP_STRANGE);
    const uint64_t on_lo = netif_figure(&loopback, NETIF_SENT);
    const uint64_t unknown = count(NET_IP_NO_PROTOCOL), received = count(NET_IP_RECEIVED) + on_lo;
    const uint64_t pieces = count(NET_IP_FRAGMENTS_RECEIVED), whole = count(NET_IP_FRAGMENTS_WHOLE);
    const uint64_t late = count(NET_IP_FRAGMENTS_LATE), cut = count(NET_IP_FRAGMENTS_SENT);
    const uint64_t udp_bad = count(NET_UDP_DAMAGED) + count(NET_UDP_BAD_CHECKSUM);
    (void)argument;
    writer_put(&writer,
               "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
               "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
               "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
               "Ip: 2 %u %lu %lu %lu 0 %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu\n",
               IP_HOPS_DEFAULT, received, bad, strange, unknown, count(NET_IP_DISCARDED),
               received + whole - pieces - bad - strange - unknown, count(NET_IP_SENT) + on_lo,
               count(NET_NO_MEMORY), count(NET_IP_NO_ROUTE), late, pieces, whole,
               late + count(NET_IP_FRAGMENTS_WRONG) + count(NET_IP_FRAGMENTS_FULL),
               count(NET_IP_CUT), count(NET_IP_TOO_LONG), cut);
    writer_put(&writer, "Icmp: InMsgs InErrors OutMsgs OutErrors\nIcmp: %lu %lu %lu 0\n",
               count(NET_ICMP_RECEIVED), count(NET_ICMP_DROPPED), count(NET_ICMP_SENT));
    tcp_snmp_put(&writer);
    writer_put(&writer,
               "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
               "InCsumErrors\nUdp: %lu %lu %lu %lu %lu 0 %lu\n",
               count(NET_UDP_RECEIVED), count(NET_UDP_NO_PORT), udp_bad + count(NET_UDP_FULL),
               count(NET_UDP_SENT), count(NET_UDP_FULL), count(NET_UDP_BAD_CHECKSUM));
    return writer.length;
}

int netfiles_add(void)
{
    static const bool v4 = true;
    int error = procfs_add("net/udp", udp_make, (void *)(uintptr_t)&v4);
    error = error != 0 ? error : procfs_add("net/udp6", udp_make, NULL);
    error = error != 0 ? error : linkfiles_add();
    error = error != 0 ? error : procfs_add("net/snmp", snmp_make, NULL);
    procfs_fill_later(rawfiles_add);
    procfs_fill_later(fastfiles_add);
    return error != 0 ? error : tcpfiles_add();
}
