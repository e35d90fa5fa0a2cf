// SPDX-License-Identifier: BSD-3-Clause
// tcpfiles.c: /proc/net/tcp, tcp6, sockstat, sockstat6 and netstat, and TCP's line of snmp, as
// proc(5) has them. Programs parse them by column.
#include "core/linux/netfiles.h"

#include "core/linux/socketinet.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/tcp_counts.h"
#include "core/vfs/proctext.h"
#include "core/vfs/vfs.h"

enum { LINE_SIZE = 149, TICK = 10000000 /* ns, of USER_HZ */ };

#define MILLISECOND UINT64_C(1000000)

static uint64_t count(enum net_count which)
{
    return atomic_load_explicit(&net_counts[which], memory_order_relaxed);
}

// ---- Sockets -----------------------------------------------------------------------

struct net_timer net_timer_of(const struct tcp *tcp, hal_ns now)
{
    const struct {
        unsigned kind;
        hal_ns at;
    } timers[] = {{1, tcp->retransmit_at}, {1, tcp->tail_at}, {1, tcp->reorder_at},
                  {4, tcp->probe_at},      {2, tcp->keep_at}, {3, tcp->end_at}};
    for (unsigned i = 0; i < sizeof timers / sizeof *timers; ++i) {
        if (timers[i].at != UINT64_MAX) {
            return (struct net_timer){timers[i].kind,
                                      timers[i].at > now ? timers[i].at - now : 0};
        }
    }
    return (struct net_timer){0, 0};
}

static void connection_put(struct net_listing *listing, const struct tcp_socket *socket)
{
    struct writer *writer = &listing->writer;
    const struct tcp *tcp = &socket->tcp;
    const struct net_timer timer = net_timer_of(tcp, hal_clock_ns());
    const uint64_t bytes = tcp_received(tcp) - tcp->taken;
    const uint64_t unread = bytes + (bytes > 0 && tcp->has_fin); // the end counts, as on Linux
    net_hex_put(writer, tcp->state, 2);
    writer_put(writer, " ");
    net_hex_put(writer, (uint32_t)(tcp->written - tcp_acknowledged(tcp)), 8);
    writer_put(writer, ":");
    net_hex_put(writer, (uint32_t)unread, 8);
    writer_put(writer, " %02u:", timer.kind);
    net_hex_put(writer, (uint32_t)(timer.left_ns / TICK), 8);
    writer_put(writer, " ");
    net_hex_put(writer, tcp->retries, 8);
}

static void listener_put(struct net_listing *listing, const struct tcp_socket *socket)
{
    struct writer *writer = &listing->writer;
    net_hex_put(writer, TCP_STATE_LISTEN, 2);
    writer_put(writer, " 00000000:");
    net_hex_put(writer, socket->ready_count, 8);
    writer_put(writer, " 00:00000000 00000000");
}

static void flow_put(const struct flow *flow, void *argument)
{
    struct net_listing *listing = argument;
    struct writer *writer = &listing->writer;
    const struct tcp_socket *socket = tcp_socket_of(flow->socket);
    const struct inet_socket *inet = container_of(flow->socket, struct inet_socket, socket);
    const bool listens = socket->stage == TCP_STAGE_LISTENING;
    const struct tcp *tcp = &socket->tcp;
    const bool is_connection = socket->stage == TCP_STAGE_CONNECTION;
    if (flow->socket->is_v4 != listing->is_v4 || (!listens && !is_connection)) {
        return; // bound only, which Linux does not list
    }
    const size_t start = writer->length;
    writer_put(writer, "%4u: ", listing->line++);
    net_end_put(listing, &flow->key.local);
    net_end_put(listing, &flow->key.remote);
    (listens ? listener_put : connection_put)(listing, socket);
    const bool has_file = inet_has_file(inet);
    const uint32_t mss = tcp->mss > 0 ? tcp->mss : 1;
    writer_put(writer, " %5u %8u %lu %u 0000000000000000 %lu %lu %u %u %d",
               has_file ? inet->nameless.uid : 0, tcp->probes, has_file ? inet->nameless.inode : 0,
               atomic_load_explicit(&flow->socket->reference_count, memory_order_relaxed),
               listens ? 100 : tcp->timeout / TICK, listens ? 0 : 4lu, 0,
               listens ? 10 : tcp->congestion / mss,
               listens                            ? (int)socket->backlog
               : tcp->threshold >= UINT32_MAX / 2 ? -1
                                                  : (int)(tcp->threshold / mss));
    net_line_end(listing, start, LINE_SIZE);
}

static size_t tcp_make(char *text, size_t size, void *is_v4)
{
    struct net_listing listing = {.writer = {text, size, 0}, .is_v4 = is_v4 != NULL};
    writer_put(&listing.writer, listing.is_v4
                                    ? "  sl  local_address rem_address   st tx_queue rx_queue tr "
                                      "tm->when retrnsmt   uid  timeout inode"
                                    : "  sl  local_address                         remote_address"
                                      "                        st tx_queue rx_queue tr tm->when "
                                      "retrnsmt   uid  timeout inode");
    net_line_end(&listing, 0, LINE_SIZE);
    flow_walk(IP_TCP, flow_put, &listing);
    return listing.writer.length;
}

static void family_count(const struct flow *flow, void *argument)
{
    uint32_t *counts = argument; // of IPv6, of IPv4
    ++counts[flow->socket->is_v4];
}

static size_t sockstat_make(char *text, size_t size, void *is_v4)
{
    struct writer writer = {text, size, 0};
    struct tcp_totals totals;
    uint32_t datagrams[2] = {0, 0};
    enum { PAGE = 4096 };
    tcp_counts_sum(&totals);
    flow_walk(IP_UDP, family_count, datagrams);
    if (is_v4 == NULL) {
        writer_put(&writer,
                   "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse 0\n"
                   "FRAG6: inuse 0 memory 0\n",
                   totals.used_v6, datagrams[0]);
        return writer.length;
    }
    writer_put(&writer,
               "sockets: used %u\nTCP: inuse %u orphan %u tw %u alloc %u mem %lu\n"
               "UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n",
               totals.used + datagrams[0] + datagrams[1],
               totals.used - totals.used_v6 - totals.waiting, totals.orphans, totals.waiting,
               totals.used, (totals.bytes + PAGE - 1) / PAGE, datagrams[1]);
    return writer.length;
}

// ---- Counts ------------------------------------------------------------------------

void tcp_snmp_put(struct writer *writer)
{
    struct tcp_totals totals;
    tcp_counts_sum(&totals);
    const struct tcp_counts *counts = &totals.counts;
    const uint64_t damaged = count(NET_TCP_DAMAGED) + count(NET_TCP_BAD_CHECKSUM);
    const uint64_t received = count(NET_TCP_RECEIVED) + counts->segments_received + damaged +
                              count(NET_TCP_NO_SOCKET) + count(NET_TCP_FULL);
    writer_put(writer,
               "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
               "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
               "Tcp: 1 200 120000 -1 %lu %lu %lu %lu %u %lu %lu %lu %lu %lu %lu\n",
               counts->calls, counts->answers, counts->failures, counts->resets_received,
               totals.open, received, count(NET_TCP_SENT) + counts->segments_sent,
               counts->resent_segments, damaged, counts->resets_sent + count(NET_TCP_NO_SOCKET),
               count(NET_TCP_BAD_CHECKSUM));
}

static size_t netstat_make(char *text, size_t size, void *argument)
{
    struct writer writer = {text, size, 0};
    struct tcp_totals totals;
    (void)argument;
    tcp_counts_sum(&totals);
    const struct tcp_counts *counts = &totals.counts;
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
        {"SyncookiesSent", count(NET_TCP_COOKIES_SENT)},
        {"SyncookiesRecv", count(NET_TCP_COOKIES_RECEIVED)},
        {"SyncookiesFailed", count(NET_TCP_COOKIES_WRONG)},
        {"ListenOverflows", count(NET_TCP_BACKLOG_FULL)},
        {"ListenDrops", count(NET_TCP_BACKLOG_FULL) + count(NET_TCP_NO_CHILD)},
        {"PAWSEstab", counts->old},
        {"TCPSackRecovery", counts->fast_recoveries},
        {"TCPTimeouts", counts->timeouts},
        {"TCPLossProbes", counts->tail_probes},
        {"TCPLossUndo", counts->undone_timeouts},
        {"TCPSpuriousRTOs", counts->doubted_timeouts},
        {"TCPFullUndo", counts->undone_recoveries},
        {"TCPDSACKUndo", counts->undone_repeated},
        {"TCPDSACKRecv", counts->repeated},
        {"TCPDSACKOldSent", counts->duplicate},
        {"TCPAbortOnTimeout", counts->given_up},
        {"TCPRcvQDrop", counts->dropped},
        {"TCPChallengeACK", counts->challenges},
        {"TCPAbortOnMemory", count(NET_TCP_ORPHANS_FULL) + count(NET_TCP_NO_MEMORY)},
        {"TCPTimeWaitOverflow", count(NET_TCP_WAITING_FULL)},
        {"TCPBacklogDrop", count(NET_TCP_FULL)},
        {"TCPOutOfWindow", counts->out_of_window},
        {"TCPFastOpenActive", count(NET_TCP_FAST_CALLED)},
        {"TCPFastOpenActiveFail", count(NET_TCP_FAST_FAILED)},
        {"TCPFastOpenPassive", count(NET_TCP_FAST_TAKEN)},
        {"TCPFastOpenPassiveFail", count(NET_TCP_FAST_WRONG)},
        {"TCPFastOpenListenOverflow", count(NET_TCP_FAST_FULL)},
        {"TCPFastOpenCookieReqd", count(NET_TCP_FAST_ASKED)},
        {"TCPFastOpenPassiveAltKey", count(NET_TCP_FAST_OLD)},
    };
    writer_put(&writer, "TcpExt:");
    for (unsigned i = 0; i < sizeof values / sizeof *values; ++i) {
        writer_put(&writer, " %s", values[i].name);
    }
    writer_put(&writer, "\nTcpExt:");
    for (unsigned i = 0; i < sizeof values / sizeof *values; ++i) {
        writer_put(&writer, " %lu", values[i].value);
    }
    writer_put(&writer, "\nIpExt: ReasmOverlaps\nIpExt: %lu\n", count(NET_IP_FRAGMENTS_TWICE));
    return writer.length;
}

int tcpfiles_add(void)
{
    static const bool v4 = true;
    void *const is_v4 = (void *)(uintptr_t)&v4;
    int error = procfs_add("net/tcp", tcp_make, is_v4);
    error = error != 0 ? error : procfs_add("net/tcp6", tcp_make, NULL);
    error = error != 0 ? error : procfs_add("net/sockstat", sockstat_make, is_v4);
    error = error != 0 ? error : procfs_add("net/sockstat6", sockstat_make, NULL);
    return error != 0 ? error : procfs_add("net/netstat", netstat_make, NULL);
}
