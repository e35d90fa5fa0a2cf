// SPDX-License-Identifier: BSD-3-Clause
// output_test.c: what packets have become where they leave the machine: checksums and segments, by
// us or left to the interface.
#include "core/net/output.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/route.h"
#include "core/net/tcp_header.h"
#include "core/net/udp.h"
#include "vfs_host.h"

enum { MTU = 1500, SENT_MAX = 64, SEQUENCE = 4294967000u, WHOLE = 2500, PIECE = 1000 };
enum { TCP_SUM = 16, UDP_SUM = 6 };

// ---- The interface -------------------------------------------------------------------

static struct packet *sent[SENT_MAX];
static size_t sent_count;

static void keep(struct netif *netif, struct packet *packet, const struct net_address *hop)
{
    (void)netif, (void)hop;
    ck_assert_uint_lt(sent_count, SENT_MAX);
    ck_assert_ptr_null(packet->next);
    sent[sent_count++] = packet;
}

static struct netif out;

static void start(void)
{
    out = (struct netif){.name = "out", .mtu = MTU, .parts_max = 4, .send = keep};
}

static void stop(void)
{
    while (sent_count > 0) {
        packet_free(sent[--sent_count]);
    }
    ck_assert_uint_eq(host_frame_count() + host_block_count(), 0);
}

// ---- Packets -------------------------------------------------------------------------

static const uint8_t here[] = {10, 0, 0, 1}, there[] = {10, 0, 0, 2};
static const uint8_t here_v6[16] = {0xfd, [15] = 1}, there_v6[16] = {0xfd, [15] = 2};
static char letters[WHOLE];

static struct ip_header header_of(bool is_v4, uint8_t protocol)
{
    return (struct ip_header){
        .source = is_v4 ? address_of_v4(here) : address_of_v6(here_v6),
        .target = is_v4 ? address_of_v4(there) : address_of_v6(there_v6),
        .protocol = protocol,
        .hops = 64,
        .may_cut = protocol == IP_UDP,
    };
}

// A packet of TCP with so many bytes, in as many parts behind its headers, or in one with them.
static struct packet *tcp_make(bool is_v4, uint32_t size, uint32_t part_count)
{
    const struct tcp_ports ports = {1000, 80};
    const struct tcp_segment segment = {.sequence = SEQUENCE,
                                        .flags = TCP_ACK | TCP_PSH | TCP_FIN,
                                        .window = 999,
                                        .has_timestamps = true,
                                        .time = 5,
                                        .scale = UINT8_MAX};
    const struct ip_header header = header_of(is_v4, IP_TCP);
    char head[TCP_HEADER_MAX];
    struct packet *packet = packet_alloc_block(part_count == 0 ? size : 0), *last = packet;
    for (size_t i = 0; i < sizeof letters; ++i) {
        letters[i] = (char)(i * 31 + i / 256);
    }
    if (part_count == 0) {
        memcpy(packet->data, letters, size);
        packet->size = size;
    }
    for (uint32_t i = 0; i < part_count; ++i) {
        const uint32_t from = size * i / part_count, end = size * (i + 1) / part_count;
        last = last->more = packet_alloc_block(end - from);
        memcpy(last->data, letters + from, end - from);
        last->size = end - from;
    }
    const uint32_t length = tcp_header_write(head, &segment, &ports);
    packet->data -= length;
    packet->size += length;
    memcpy(packet->data, head, length);
    packet->is_trusted = true;
    ip_header_push(packet, &header);
    return packet;
}

static struct packet *udp_make(bool is_v4, uint32_t size)
{
    const struct ip_header header = header_of(is_v4, IP_UDP);
    const uint16_t head[4] = {net_order16(1), net_order16(2), net_order16((uint16_t)(size + 8))};
    struct packet *packet = packet_alloc_block(size + sizeof head);
    memcpy(packet->data, head, sizeof head);
    memset(packet->data + sizeof head, 'x', size);
    packet->size = size + (uint32_t)sizeof head;
    packet->is_trusted = true;
    ip_header_push(packet, &header);
    return packet;
}

static void send_out(bool is_v4, struct packet *packet)
{
    const struct route route = {.netif = &out, .hop = header_of(is_v4, 0).target};
    net_output_by(&route, packet);
}

// The sum of a transport with its checksum; 0: it is right.
static uint16_t sum_of(const struct packet *packet)
{
    struct ip_header header;
    ck_assert_int_eq(ip_packet_read(&header, packet), 0);
    const uint64_t ends =
        checksum_add_ends(0, &header.source, &header.target, header.protocol, header.size);
    return checksum_end(checksum_add_packet(ends, packet, header.transport));
}

// What an interface that puts in checksums does.
static void checksum_finish(struct packet *packet)
{
    const uint16_t sum = checksum_end(checksum_add_packet(0, packet, packet->transport));
    memcpy(packet->data + packet->transport + packet->checksum_place, &sum, sizeof sum);
}

static uint64_t count_of(enum net_count which)
{
    return atomic_load(&net_counts[which]);
}

// ---- Tests ---------------------------------------------------------------------------

START_TEST(checksums_are_ours_where_the_interface_has_none)
{
    send_out(_i, udp_make(_i, 33));
    send_out(_i, tcp_make(_i, 35, 2));
    for (size_t i = 0; i < sent_count; ++i) {
        ck_assert_uint_eq(sum_of(sent[i]), 0);
        ck_assert_uint_eq(sent[i]->checksum_place, 0);
        ck_assert(!sent[i]->is_trusted);
    }
    ck_assert_uint_eq(sent_count, 2);
}
END_TEST

START_TEST(checksums_are_left_to_an_interface_that_puts_them_in)
{
    out.flags = NETIF_CHECKSUMS;
    send_out(_i, udp_make(_i, 33));
    send_out(_i, tcp_make(_i, 35, 2));
    ck_assert_uint_eq(sent[0]->checksum_place, UDP_SUM);
    ck_assert_uint_eq(sent[1]->checksum_place, TCP_SUM);
    for (size_t i = 0; i < sent_count; ++i) {
        ck_assert_uint_eq(sent[i]->transport, _i ? IP4_HEADER : IP6_HEADER);
        ck_assert_uint_ne(sum_of(sent[i]), 0);
        checksum_finish(sent[i]);
        ck_assert_uint_eq(sum_of(sent[i]), 0);
    }
}
END_TEST

// The checksum is of the whole, which no interface sees.
START_TEST(what_goes_in_fragments_has_its_checksum)
{
    out.flags = NETIF_CHECKSUMS;
    struct packet *packet = udp_make(_i, 2000);
    struct packet *copy = udp_make(_i, 2000);
    send_out(_i, packet);
    ck_assert_uint_eq(sent_count, 2);
    struct ip_header header;
    ck_assert_int_eq(ip_packet_read(&header, sent[0]), -EOPNOTSUPP);
    const char *udp = sent[0]->data + header.transport;
    ck_assert_uint_eq(sent[0]->checksum_place, 0);
    ck_assert_uint_eq(sent[1]->checksum_place, 0);
    memcpy(copy->data + copy->transport + UDP_SUM, udp + UDP_SUM, 2);
    ck_assert_uint_eq(sum_of(copy), 0);
    packet_free(copy);
}
END_TEST

static void pieces_check(void)
{
    uint32_t at = 0;
    for (size_t i = 0; i < sent_count; ++i) {
        struct ip_header header;
        struct tcp_ports ports;
        struct tcp_segment segment;
        ck_assert_ptr_null(sent[i]->more);
        ck_assert_uint_eq(sum_of(sent[i]), 0);
        ck_assert_uint_eq(sent[i]->segment_size, 0);
        ck_assert_int_eq(ip_packet_read(&header, sent[i]), 0);
        ck_assert_uint_eq(header.transport + header.size, sent[i]->size);
        ck_assert_int_eq(
            tcp_header_read(&segment, &ports, sent[i]->data + header.transport, header.size), 0);
        ck_assert_uint_eq(ports.source, 1000);
        ck_assert_uint_eq(segment.sequence, (uint32_t)(SEQUENCE + at));
        ck_assert_uint_eq(segment.size, WHOLE - at < PIECE ? WHOLE - at : PIECE);
        ck_assert_mem_eq(segment.data, letters + at, segment.size);
        ck_assert(segment.has_timestamps && segment.window == 999);
        at += segment.size;
        ck_assert_uint_eq(segment.flags, at == WHOLE ? TCP_ACK | TCP_PSH | TCP_FIN : TCP_ACK);
    }
    ck_assert_uint_eq(at, WHOLE);
}

START_TEST(segments_are_ours_where_the_interface_makes_none)
{
    for (uint32_t parts = 0; parts < 7; ++parts) {
        struct packet *packet = tcp_make(_i, WHOLE, parts);
        packet->segment_size = PIECE;
        send_out(_i, packet);
        ck_assert_uint_eq(sent_count, 3);
        pieces_check();
        while (sent_count > 0) {
            packet_free(sent[--sent_count]);
        }
    }
}
END_TEST

START_TEST(segments_are_left_to_an_interface_that_makes_them)
{
    out.flags = NETIF_CHECKSUMS | (_i ? NETIF_SEGMENTS_V4 : NETIF_SEGMENTS_V6);
    struct packet *packet = tcp_make(_i, WHOLE, 3);
    packet->segment_size = PIECE;
    send_out(_i, packet);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0]->segment_size, PIECE);
    ck_assert_uint_eq(sent[0]->checksum_place, TCP_SUM);
    checksum_finish(sent[0]);
    ck_assert_uint_eq(sum_of(sent[0]), 0);
}
END_TEST

// Of the other version of IP, too long for it, or of more parts than it takes.
START_TEST(segments_that_the_interface_cannot_make_are_ours)
{
    const uint32_t heads = (_i ? IP4_HEADER : IP6_HEADER) + TCP_HEADER_MIN + 12;
    const struct {
        unsigned flags;
        uint32_t mtu, parts;
        size_t count;
    } cases[] = {
        {NETIF_CHECKSUMS | (_i ? NETIF_SEGMENTS_V6 : NETIF_SEGMENTS_V4), MTU, 0, 3},
        {NETIF_SEGMENTS_V4 | NETIF_SEGMENTS_V6, MTU, 4, 3},
        {NETIF_SEGMENTS_V4 | NETIF_SEGMENTS_V6, PIECE + heads, 3, 1},
        {NETIF_SEGMENTS_V4 | NETIF_SEGMENTS_V6, MTU, 3, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        out.flags = cases[i].flags;
        out.mtu = cases[i].mtu;
        struct packet *packet = tcp_make(_i, WHOLE, cases[i].parts);
        packet->segment_size = PIECE;
        send_out(_i, packet);
        ck_assert_uint_eq(sent_count, cases[i].count);
        while (sent_count > 0) {
            packet_free(sent[--sent_count]);
        }
    }
    const uint64_t before = count_of(NET_IP_TOO_LONG);
    out.mtu = 1280;
    struct packet *packet = tcp_make(true, WHOLE, 3);
    packet->segment_size = 1270; // as the way was when it was made
    send_out(true, packet);
    ck_assert_uint_eq(sent_count, 0);
    ck_assert_uint_eq(count_of(NET_IP_TOO_LONG), before + 2);
}
END_TEST

START_TEST(without_memory_the_first_segments_go)
{
    for (int room = 0; room < 3; ++room) {
        const uint64_t before = count_of(NET_NO_MEMORY);
        struct packet *packet = tcp_make(_i, WHOLE, 3);
        packet->segment_size = PIECE;
        host_memory_fail_after(room * 2); // a block is an allocation and a frame
        send_out(_i, packet);
        host_memory_fail_after(-1);
        ck_assert_uint_eq(sent_count, (size_t)room);
        ck_assert_uint_eq(count_of(NET_NO_MEMORY), before + 1);
        while (sent_count > 0) {
            packet_free(sent[--sent_count]);
        }
    }
}
END_TEST

// One that need not be cut, in more parts than the interface takes, is sent in one.
START_TEST(scattered_packets_are_gathered)
{
    send_out(true, tcp_make(true, 600, 3));
    send_out(true, tcp_make(true, 600, 4));
    ck_assert_uint_eq(sent_count, 2);
    ck_assert_ptr_nonnull(sent[0]->more);
    ck_assert_ptr_null(sent[1]->more);
    ck_assert_uint_eq(packet_size(sent[1]), packet_size(sent[0]));
    ck_assert_uint_eq(sum_of(sent[0]), 0);
    ck_assert_uint_eq(sum_of(sent[1]), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *leaving = tcase_create("leaving");
    tcase_add_checked_fixture(leaving, start, stop);
    suite_add_tcase(suite, leaving);
    tcase_add_loop_test(leaving, checksums_are_ours_where_the_interface_has_none, 0, 2);
    tcase_add_loop_test(leaving, checksums_are_left_to_an_interface_that_puts_them_in, 0, 2);
    tcase_add_loop_test(leaving, what_goes_in_fragments_has_its_checksum, 0, 2);
    tcase_add_loop_test(leaving, segments_are_ours_where_the_interface_makes_none, 0, 2);
    tcase_add_loop_test(leaving, segments_are_left_to_an_interface_that_makes_them, 0, 2);
    tcase_add_loop_test(leaving, segments_that_the_interface_cannot_make_are_ours, 0, 2);
    tcase_add_loop_test(leaving, without_memory_the_first_segments_go, 0, 2);
    tcase_add_test(leaving, scattered_packets_are_gathered);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
