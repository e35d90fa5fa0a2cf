// SPDX-License-Identifier: BSD-3-Clause
// path_test.c: how long packets may be on their way, as routers tell: what is believed, for how
// long, and what sockets of UDP then send, by what their program wishes.
#include "core/net/path.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/datagram.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/udp.h"
#include "link_host.h"
#include "unit_hal.h"
#include "vfs_host.h"

enum { PORT = 99, HEADS = IP4_HEADER + UDP_HEADER };

#define SECOND UINT64_C(1000000000)

static struct net_address peer;
static char data[4000];

static void start(void)
{
    link_start("10.0.0.1/24");
    peer = address_of("10.0.0.2");
    link_forget();
}

// ---- What is known -------------------------------------------------------------------------

START_TEST(what_is_told_is_known_for_ten_minutes)
{
    const struct net_address other = address_of("10.0.0.3");
    unit_clock_ns = 5 * SECOND;
    ck_assert_uint_eq(path_mtu(&peer, 1500), 1500);
    ck_assert_uint_eq(path_learn(&peer, 1000), 1000);
    ck_assert_uint_eq(path_mtu(&peer, 1500), 1000);
    ck_assert_uint_eq(path_mtu(&peer, 900), 900);
    ck_assert_uint_eq(path_mtu(&other, 1500), 1500);
    unit_clock_ns += 599 * SECOND;
    ck_assert_uint_eq(path_mtu(&peer, 1500), 1000);
    unit_clock_ns += SECOND;
    ck_assert_uint_eq(path_mtu(&peer, 1500), 1500);
}
END_TEST

START_TEST(a_way_becomes_no_longer_by_a_message)
{
    path_learn(&peer, 1000);
    ck_assert_uint_eq(path_learn(&peer, 1400), 1400);
    ck_assert_uint_eq(path_mtu(&peer, 1500), 1000);
    path_learn(&peer, 800);
    ck_assert_uint_eq(path_mtu(&peer, 1500), 800);
}
END_TEST

START_TEST(nobody_makes_it_shorter_than_the_least)
{
    const struct net_address six = address_of("2001:db8::7");
    ck_assert_uint_eq(path_learn(&peer, 0), 552);
    ck_assert_uint_eq(path_mtu(&peer, 1500), 552);
    ck_assert_uint_eq(path_learn(&six, 600), 1280);
    ck_assert_uint_eq(path_mtu(&six, 1500), 1280);
}
END_TEST

START_TEST(many_addresses_take_bounded_room)
{
    uint32_t remembered = 0;
    for (uint32_t round = 0; round < 2; ++round) {
        for (uint32_t i = 0; i < 10000; ++i) {
            const uint8_t bytes[] = {10, 1, (uint8_t)(i >> 8), (uint8_t)i};
            const struct net_address each = address_of_v4(bytes);
            if (round == 0) {
                path_learn(&each, 1000);
            }
            remembered += round == 1 && path_mtu(&each, 1500) == 1000;
        }
    }
    ck_assert_uint_gt(remembered, 50);
    ck_assert_uint_le(remembered, 256);
}
END_TEST

// ---- Datagrams -----------------------------------------------------------------------------

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void release(struct net_socket *socket)
{
    free(socket);
}

static struct net_socket *socket_make(enum path_discovery how)
{
    const struct net_end to = {peer, PORT};
    struct net_socket *socket = calloc(1, sizeof *socket);
    net_socket_init(socket, IP_UDP, true);
    socket->ready = ready;
    socket->release = release;
    socket->options.discover = how;
    ck_assert_int_eq(udp_connect(socket, &to), 0);
    return socket;
}

static int send(struct net_socket *socket, size_t size)
{
    const struct io_vector vector = {data, size};
    const struct net_message message = {.vectors = &vector, .count = 1};
    size_t done = 0;
    link_forget();
    return udp_send(socket, &message, &done);
}

static void arrive(const void *bytes, uint32_t size)
{
    struct packet *packet = packet_alloc_block(size);
    memcpy(packet->data, bytes, size);
    packet->size = size;
    ck_assert_ptr_null(net_input(&wire.netif, packet));
}

// A router has not let the first one through that was heard, which began with size bytes.
static void router_says(uint16_t mtu, uint32_t size)
{
    const struct ip_header header = {.source = address_of("10.0.0.9"),
                                     .target = address_of("10.0.0.1"),
                                     .protocol = 1,
                                     .hops = 9};
    uint8_t message[200] = {3, 4, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
    memcpy(message + 8, heard[0]->data + ETHERNET_HEADER, size);
    const uint16_t sum = checksum_end(checksum_add(0, message, 8 + size));
    memcpy(message + 2, &sum, sizeof sum);
    struct packet *packet = packet_alloc_block(8 + size);
    memcpy(packet->data, message, 8 + size);
    packet->size = 8 + size;
    ip_header_push(packet, &header);
    arrive(packet->data, packet->size);
    packet_free(packet);
}

static bool may_be_cut(size_t index)
{
    enum { FLAGS = 6, DONT = 0x40 };
    return (heard[index]->data[ETHERNET_HEADER + FLAGS] & DONT) == 0;
}

static void heard_check(size_t count, uint32_t longest, bool is_cuttable)
{
    ck_assert_uint_eq(heard_count, count);
    for (size_t i = 0; i < count; ++i) {
        ck_assert_uint_le(heard[i]->size, longest + ETHERNET_HEADER);
        ck_assert_int_eq(may_be_cut(i), is_cuttable);
    }
}

// The neighbour asks for us, and is known then.
static void neighbour_know(void)
{
    static const uint8_t frame[] = {
        2, 0, 0, 0, 0, 1, 2,  0, 0, 0, 0, 2, 8, 6,              // Ethernet
        0, 1, 8, 0, 6, 4, 0,  1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, // ARP, from there
        0, 0, 0, 0, 0, 0, 10, 0, 0, 1,                          // for here
    };
    struct packet *packet = packet_alloc_block(sizeof frame);
    memcpy(packet->data, frame, sizeof frame);
    packet->size = sizeof frame;
    ethernet_input(&wire, packet);
}

static int piece_send(struct net_socket *socket, size_t size, bool has_rest)
{
    const struct io_vector vector = {data, size};
    const struct net_message message = {.vectors = &vector, .count = 1, .has_rest = has_rest};
    size_t done = 0;
    return udp_send(socket, &message, &done);
}

// They are as long as all their pieces.
START_TEST(what_is_gathered_is_cut_or_refused_as_a_whole)
{
    struct net_socket *socket = socket_make(PATH_WANT);
    link_forget();
    ck_assert_int_eq(piece_send(socket, 1000, true), 0);
    ck_assert_int_eq(piece_send(socket, 400, true), 0);
    heard_check(0, 0, false);
    ck_assert_int_eq(piece_send(socket, 10, false), 0);
    heard_check(1, 1438, false);
    link_forget();
    ck_assert_int_eq(piece_send(socket, 1000, true), 0);
    ck_assert_int_eq(piece_send(socket, 1000, false), 0);
    heard_check(2, 1500, true);
    net_socket_close(socket);

    socket = socket_make(PATH_DO);
    link_forget();
    ck_assert_int_eq(piece_send(socket, 1000, true), 0);
    ck_assert_int_eq(piece_send(socket, 1000, true), -EMSGSIZE);
    ck_assert_ptr_null(socket->gathered);
    ck_assert_int_eq(piece_send(socket, 1, false), 0);
    heard_check(1, HEADS + 1, false);
    ck_assert_int_eq(piece_send(socket, 7, true), 0);
    udp_close(socket); // the leak checker knows
}
END_TEST

// Each as long as the link takes.
START_TEST(a_send_of_several_segments)
{
    struct net_socket *socket = socket_make(PATH_WANT);
    link_forget();
    socket->options.segment = 1500 - HEADS;
    ck_assert_int_eq(piece_send(socket, 3000, false), 0);
    heard_check(3, 1500, false);
    ck_assert_uint_eq(heard[2]->size, ETHERNET_HEADER + HEADS + 56);
    ++socket->options.segment;
    ck_assert_int_eq(piece_send(socket, 3000, false), -EMSGSIZE);
    socket->options.segment = 10;
    ck_assert_int_eq(piece_send(socket, 1281, false), -EINVAL);
    heard_check(3, 1500, false);
    udp_close(socket);
}
END_TEST

// One frame, of a UDP header that speaks of all.
START_TEST(an_interface_that_cuts_datagrams_gets_them_whole)
{
    enum { PIECE = 1000, ALL = 2500, CHECKSUM = 6 };
    struct net_socket *socket = socket_make(PATH_WANT);
    wire.netif.flags = NETIF_CHECKSUMS | NETIF_SEGMENTS_UDP;
    link_forget();
    socket->options.segment = PIECE;
    ck_assert_int_eq(piece_send(socket, ALL, false), 0);
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_uint_eq(heard[0]->segment_size, PIECE);
    ck_assert_uint_eq(heard[0]->checksum_place, CHECKSUM);
    ck_assert_uint_eq(heard[0]->size, ETHERNET_HEADER + HEADS + ALL);
    const uint8_t *udp = (uint8_t *)heard[0]->data + ETHERNET_HEADER + HEADS - 8;
    ck_assert_uint_eq(udp[4] << 8 | udp[5], ALL + 8);
    ck_assert_int_eq(piece_send(socket, PIECE, false), 0); // it is one alone
    ck_assert_uint_eq(heard_count, 2);
    ck_assert_uint_eq(heard[1]->segment_size, 0);
    link_forget();
    wire.netif.flags = NETIF_SEGMENTS_UDP; // no device is so: it would not have their sums
    ck_assert_int_eq(piece_send(socket, ALL, false), 0);
    heard_check(3, HEADS + PIECE, false);
    wire.netif.flags = 0;
    udp_close(socket);
}
END_TEST

// Its header is the fragments': one that may be cut, with a number and a right checksum.
START_TEST(an_interface_that_fragments_gets_datagrams_whole)
{
    enum { NUMBER = 4, CHECKSUM = 6 };
    struct net_socket *socket = socket_make(PATH_WANT);
    uint16_t numbers[2];
    wire.netif.flags = NETIF_CHECKSUMS | NETIF_FRAGMENTS;
    for (int i = 0; i < 2; ++i) {
        struct ip_header header;
        ck_assert_int_eq(send(socket, 3000), 0);
        heard_check(1, HEADS + 3000, true);
        ck_assert(heard[0]->is_fragmented);
        ck_assert_uint_eq(heard[0]->segment_size, 1480);
        ck_assert_uint_eq(heard[0]->checksum_place, CHECKSUM);
        const char *ip = heard[0]->data + ETHERNET_HEADER;
        ck_assert_int_eq(ip_header_read(&header, ip, HEADS + 3000, false), 0);
        memcpy(&numbers[i], ip + NUMBER, sizeof numbers[i]);
    }
    ck_assert_uint_ne(numbers[0], numbers[1]);
    path_learn(&peer, 1003);
    ck_assert_int_eq(send(socket, 3000), 0);
    ck_assert_uint_eq(heard[0]->segment_size, 976);
    ck_assert_int_eq(send(socket, 900), 0);
    heard_check(1, HEADS + 900, false);
    ck_assert(!heard[0]->is_fragmented);
    ck_assert_uint_eq(heard[0]->segment_size, 0);
    wire.netif.flags = NETIF_FRAGMENTS; // no device is so: it would not have their sums
    ck_assert_int_eq(send(socket, 3000), 0);
    heard_check(4, 1003, true);
    wire.netif.flags = 0;
    net_socket_close(socket);
}
END_TEST

START_TEST(who_wants_it_cuts_what_is_too_long)
{
    struct net_socket *socket = socket_make(PATH_WANT);
    ck_assert_int_eq(send(socket, 1400), 0);
    heard_check(1, 1428, false);
    router_says(1000, HEADS);
    ck_assert_int_eq(datagram_error_take(socket), -EMSGSIZE);
    ck_assert_uint_eq(net_output_mtu(&peer, NULL), 1000);
    ck_assert_int_eq(send(socket, 1400), 0);
    heard_check(2, 1000, true);
    ck_assert_int_eq(send(socket, 972), 0);
    heard_check(1, 1000, false);
    unit_clock_ns += 601 * SECOND;
    ck_assert_int_eq(send(socket, 1400), 0);
    heard_check(1, 1428, false);
    net_socket_close(socket);
}
END_TEST

START_TEST(who_does_not_cut_is_refused)
{
    struct net_socket *socket = socket_make(PATH_DO);
    ck_assert_int_eq(send(socket, 1473), -EMSGSIZE);
    ck_assert_int_eq(send(socket, 1472), 0);
    heard_check(1, 1500, false);
    router_says(1200, HEADS);
    ck_assert_int_eq(datagram_error_take(socket), -EMSGSIZE);
    ck_assert_int_eq(send(socket, 1173), -EMSGSIZE);
    ck_assert_int_eq(send(socket, 1172), 0);
    heard_check(1, 1200, false);
    net_socket_close(socket);
}
END_TEST

START_TEST(who_probes_sends_as_long_as_the_link_takes)
{
    struct net_socket *socket = socket_make(PATH_PROBE);
    ck_assert_int_eq(send(socket, 1400), 0);
    router_says(1000, HEADS);
    ck_assert_int_eq(datagram_error_take(socket), -EMSGSIZE);
    ck_assert_int_eq(send(socket, 1472), 0);
    heard_check(1, 1500, false);
    ck_assert_int_eq(send(socket, 1473), -EMSGSIZE);
    net_socket_close(socket);
}
END_TEST

START_TEST(who_does_not_want_it_lets_routers_cut)
{
    struct net_socket *socket = socket_make(PATH_DONT);
    ck_assert_int_eq(send(socket, 1400), 0);
    heard_check(1, 1428, true);
    router_says(1000, HEADS);
    ck_assert_int_eq(datagram_error_take(socket), 0);
    ck_assert_int_eq(send(socket, 1400), 0);
    heard_check(2, 1000, true);
    net_socket_close(socket);
}
END_TEST

START_TEST(who_looks_at_the_interface_alone_believes_no_router)
{
    struct net_socket *socket = socket_make(PATH_INTERFACE), *other = socket_make(PATH_OMIT);
    ck_assert_int_eq(send(socket, 1400), 0);
    heard_check(1, 1428, true);
    router_says(1000, HEADS);
    ck_assert_int_eq(datagram_error_take(socket), -EMSGSIZE); // told, all the same
    ck_assert_uint_eq(net_output_mtu(&peer, NULL), 1500);
    ck_assert_int_eq(send(socket, 1473), -EMSGSIZE);
    ck_assert_int_eq(send(other, 1473), 0);
    heard_check(2, 1500, true);
    net_socket_close(socket);
    net_socket_close(other);
}
END_TEST

START_TEST(a_message_that_cannot_be_is_not_believed)
{
    struct net_socket *socket = socket_make(PATH_WANT);
    ck_assert_int_eq(send(socket, 900), 0);
    router_says(1000, HEADS); // it was shorter
    ck_assert_int_eq(datagram_error_take(socket), 0);
    ck_assert_uint_eq(net_output_mtu(&peer, NULL), 1500);
    ck_assert_int_eq(send(socket, 1400), 0);
    heard[0]->data[ETHERNET_HEADER + IP4_HEADER + 1] ^= 1; // from another's port
    router_says(1000, HEADS);
    ck_assert_int_eq(datagram_error_take(socket), 0);
    ck_assert_uint_eq(net_output_mtu(&peer, NULL), 1500);
    net_socket_close(socket);
}
END_TEST

static void start_known(void)
{
    start();
    neighbour_know();
    link_forget();
}

int main(void)
{
    Suite *suite = suite_create("path");
    TCase *known = tcase_create("known"), *sent = tcase_create("sent");
    tcase_add_checked_fixture(known, start, link_forget);
    tcase_add_test(known, what_is_told_is_known_for_ten_minutes);
    tcase_add_test(known, a_way_becomes_no_longer_by_a_message);
    tcase_add_test(known, nobody_makes_it_shorter_than_the_least);
    tcase_add_test(known, many_addresses_take_bounded_room);
    tcase_add_checked_fixture(sent, start_known, link_forget);
    tcase_add_test(sent, what_is_gathered_is_cut_or_refused_as_a_whole);
    tcase_add_test(sent, a_send_of_several_segments);
    tcase_add_test(sent, an_interface_that_cuts_datagrams_gets_them_whole);
    tcase_add_test(sent, an_interface_that_fragments_gets_datagrams_whole);
    tcase_add_test(sent, who_wants_it_cuts_what_is_too_long);
    tcase_add_test(sent, who_does_not_cut_is_refused);
    tcase_add_test(sent, who_probes_sends_as_long_as_the_link_takes);
    tcase_add_test(sent, who_does_not_want_it_lets_routers_cut);
    tcase_add_test(sent, who_looks_at_the_interface_alone_believes_no_router);
    tcase_add_test(sent, a_message_that_cannot_be_is_not_believed);
    suite_add_tcase(suite, known);
    suite_add_tcase(suite, sent);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
