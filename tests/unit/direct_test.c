// SPDX-License-Identifier: BSD-3-Clause
// direct_test.c: frames that an interrupt puts straight into channels: those that sockets get by
// their flows alone, and no others.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/ip.h"
#include "core/net/udp.h"
#include "core/sync/rcu.h"
#include "link_host.h"
#include "vfs_host.h"

enum { PORT = 700, PEER = 701, DATA = 1000 };

static struct net_socket *socket;
static unsigned ready_count;
static char data[DATA];

static void ready(struct net_socket *of, unsigned news)
{
    (void)of, (void)news;
    ++ready_count;
}

static void release(struct net_socket *of)
{
    free(of);
}

static void start(void)
{
    link_start("10.0.0.1/24,10.0.0.254");
    link_forget();
    for (size_t i = 0; i < sizeof data; ++i) {
        data[i] = (char)(i * 7);
    }
    const struct net_end local = {address_any(true), PORT};
    socket = calloc(1, sizeof *socket);
    net_socket_init(socket, IP_UDP, true);
    socket->ready = ready;
    socket->release = release;
    ck_assert_int_eq(net_socket_bind(socket, &local), 0);
    ready_count = 0;
}

static void stop(void)
{
    net_socket_close(socket);
    link_forget();
}

// A frame of a transport, whose header says its ports and, where it is TCP's, flags.
static struct packet *frame_of_transport(uint8_t protocol, uint16_t port, uint8_t flags)
{
    struct packet *packet = packet_alloc_block(DATA + 40);
    const uint16_t words[4] = {net_order16(PEER), net_order16(port), net_order16(DATA + 8), 0};
    const struct ip_header header = {.source = address_of("10.0.0.2"),
                                     .target = address_of("10.0.0.1"),
                                     .protocol = protocol,
                                     .hops = 64};
    memcpy(packet->data, words, sizeof words);
    memcpy(packet->data + sizeof words, data, DATA);
    packet->size = DATA + sizeof words;
    if (protocol == IP_TCP) {
        packet->data[12] = 5 << 4;
        packet->data[13] = (char)flags;
    }
    ip_header_push(packet, &header);
    packet->data -= ETHERNET_HEADER;
    packet->size += ETHERNET_HEADER;
    memcpy(packet->data, here, sizeof here);
    memcpy(packet->data + 6, there, sizeof there);
    packet->data[12] = 8;
    packet->data[13] = 0;
    return packet;
}

static bool push(struct packet *frame, struct net_socket **told)
{
    rcu_read_begin();
    const bool is_taken = ethernet_input_direct(&wire, frame, told);
    rcu_read_end();
    return is_taken;
}

// Refused, and as it was.
static void refuse(struct packet *frame)
{
    struct net_socket *told = NULL;
    const char *start_of = frame->data;
    const uint32_t size = frame->size;
    ck_assert(!push(frame, &told));
    ck_assert_ptr_null(told);
    ck_assert_ptr_eq(frame->data, start_of);
    ck_assert_uint_eq(frame->size, size);
    packet_free(frame);
}

static void receive_check(void)
{
    static char got[DATA];
    const struct io_vector vector = {got, sizeof got};
    struct net_message message = {.vectors = &vector, .count = 1};
    size_t done = 0;
    ck_assert_int_eq(datagram_receive(socket, &message, &done), 0);
    ck_assert_uint_eq(done, DATA);
    ck_assert_mem_eq(got, data, DATA);
    ck_assert_uint_eq(message.from.port, PEER);
}

START_TEST(a_datagram_goes_to_its_socket)
{
    struct net_socket *told;
    const uint64_t before = netif_figure(&wire.netif, NETIF_RECEIVED);
    ck_assert(push(frame_of_transport(IP_UDP, PORT, 0), &told));
    ck_assert_ptr_null(told); // nobody polls
    ck_assert_uint_eq(netif_figure(&wire.netif, NETIF_RECEIVED), before + 1);
    receive_check();
}
END_TEST

START_TEST(who_polls_is_told_once_for_many)
{
    struct net_socket *told;
    channel_watch(&socket->channel);
    ck_assert(push(frame_of_transport(IP_UDP, PORT, 0), &told));
    ck_assert_ptr_eq(told, socket);
    ck_assert_uint_eq(ready_count, 0); // not in an interrupt
    struct net_socket *again;
    ck_assert(push(frame_of_transport(IP_UDP, PORT, 0), &again));
    ck_assert_ptr_null(again);
    struct net_told all = {NULL};
    ck_assert(!net_told_tell(&all));
    ck_assert(net_told_push(&all, told));
    ck_assert(net_told_tell(&all));
    ck_assert_uint_eq(ready_count, 1);
    receive_check();
    receive_check();
    ck_assert(push(frame_of_transport(IP_UDP, PORT, 0), &told));
    ck_assert_ptr_eq(told, socket);
    ck_assert(net_told_push(&all, told));
    ck_assert(net_told_tell(&all));
}
END_TEST

// As a device gives it: each cut at another place.
START_TEST(a_packet_may_have_several_parts)
{
    struct net_socket *told;
    for (uint32_t size = 50; size < DATA; size += 130) {
        struct packet *frame = frame_of_transport(IP_UDP, PORT, 0);
        struct packet **end = &frame->more;
        uint32_t at = size;
        while (at < frame->size) {
            struct packet *part = packet_alloc();
            part->size = frame->size - at < 300 ? frame->size - at : 300;
            memcpy(part->data, frame->data + at, part->size);
            at += part->size;
            *end = part;
            end = &part->more;
        }
        frame->size = size;
        ck_assert(push(frame, &told));
        receive_check();
    }
}
END_TEST

START_TEST(what_a_flow_does_not_say_is_a_threads)
{
    struct packet *frame;
    refuse(frame_of_transport(IP_UDP, PORT + 1, 0)); // nobody has the port
    refuse(frame_of_transport(IP_ICMP, PORT, 0));
    refuse(frame_of_transport(IP_TCP, PORT, 2));  // a SYN
    refuse(frame_of_transport(IP_TCP, PORT, 16)); // of no connection
    frame = frame_of_transport(IP_UDP, PORT, 0);
    memset(frame->data, 0xff, 6); // to all
    refuse(frame);
    frame = frame_of_transport(IP_UDP, PORT, 0);
    frame->data[5] ^= 1; // to another
    refuse(frame);
    frame = frame_of_transport(IP_UDP, PORT, 0);
    frame->data[13] = 6; // of ARP
    refuse(frame);
    frame = frame_of_transport(IP_UDP, PORT, 0);
    frame->data[ETHERNET_HEADER + 6] |= 0x20; // a fragment
    refuse(frame);
    frame = frame_of_transport(IP_UDP, PORT, 0);
    frame->data[ETHERNET_HEADER + 10] ^= 1; // a wrong checksum of IP's
    refuse(frame);
}
END_TEST

START_TEST(what_is_cut_off_is_a_threads)
{
    const uint32_t size = ETHERNET_HEADER + IP4_HEADER + 8 + DATA;
    for (uint32_t left = 0; left < size; ++left) {
        struct packet *frame = frame_of_transport(IP_UDP, PORT, 0);
        frame->size = left;
        refuse(frame);
    }
}
END_TEST

START_TEST(a_full_socket_drops_and_counts)
{
    struct net_socket *told;
    const uint64_t before = atomic_load(&net_counts[NET_UDP_FULL]);
    atomic_store(&socket->receive_limit, 1);
    ck_assert(push(frame_of_transport(IP_UDP, PORT, 0), &told));
    ck_assert(push(frame_of_transport(IP_UDP, PORT, 0), &told));
    ck_assert_uint_eq(atomic_load(&net_counts[NET_UDP_FULL]), before + 1);
    ck_assert_uint_eq(atomic_load(&socket->drop_count), 1);
    receive_check();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("direct");
    TCase *cases = tcase_create("direct");
    tcase_add_checked_fixture(cases, start, stop);
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, a_datagram_goes_to_its_socket);
    tcase_add_test(cases, who_polls_is_told_once_for_many);
    tcase_add_test(cases, a_packet_may_have_several_parts);
    tcase_add_test(cases, what_a_flow_does_not_say_is_a_threads);
    tcase_add_test(cases, what_is_cut_off_is_a_threads);
    tcase_add_test(cases, a_full_socket_drops_and_counts);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
