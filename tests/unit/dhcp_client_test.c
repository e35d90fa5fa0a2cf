// SPDX-License-Identifier: BSD-3-Clause
// dhcp_client_test.c: an interface that gets its address by DHCP, frame by frame, in virtual time:
// what it says, what it has while it has a lease, and what is left after that.
#include "core/net/dhcp_client.h"

#include <check.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/dhcp_message.h"
#include "core/net/ip.h"
#include "core/net/names.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/socket.h"
#include "link_host.h"
#include "tests/unit/hal/unit_hal.h"
#include "vfs_host.h"

#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

enum { LEASE_S = 1000, UDP = 14 + 20, BOOTP = UDP + 8, NUMBER = BOOTP + 4, KIND = BOOTP + 242 };

static uint8_t number[4]; // of the exchange

static void pass(hal_ns span)
{
    unit_clock_ns += span;
    host_thread_run();
}

// The only frame since the last look is a message of the client.
static void message_heard(uint8_t kind, const char *source, const char *target)
{
    struct ip_header header;
    const struct net_address from = address_of(source), to = address_of(target);
    ck_assert_uint_eq(heard_count, 1);
    const uint8_t *frame = (const uint8_t *)heard[0]->data;
    ck_assert_mem_eq(frame + 6, here, 6);
    ck_assert_mem_eq(frame + 12, "\x08\0", 2);
    ck_assert_int_eq(ip_header_read(&header, (const char *)frame + 14, heard[0]->size - 14, false),
                     0);
    ck_assert(address_is_equal(&header.source, &from) && address_is_equal(&header.target, &to));
    ck_assert_mem_eq(frame + UDP, "\0\x44\0\x43", 4);
    const uint64_t sum = checksum_add_ends(0, &from, &to, IP_UDP, header.size);
    ck_assert_uint_eq(checksum_end(checksum_add(sum, frame + UDP, header.size)), 0);
    ck_assert_mem_eq(frame + BOOTP + 28, here, 6);
    ck_assert_uint_eq(frame[KIND], kind);
    memcpy(number, frame + NUMBER, sizeof number);
    link_forget();
}

// The only frame asks who has the address.
static void question_heard(const char *source, const char *target)
{
    const struct net_address from = address_of(source), to = address_of(target);
    ck_assert_uint_eq(heard_count, 1);
    const uint8_t *arp = (const uint8_t *)heard[0]->data + 14;
    ck_assert_mem_eq(arp - 2, "\x08\x06", 2);
    ck_assert_mem_eq(arp + 6, "\0\1", 2);
    ck_assert_mem_eq(arp + 14, address_v4_bytes(&from), 4);
    ck_assert_mem_eq(arp + 24, address_v4_bytes(&to), 4);
    link_forget();
}

static void frame_say(struct packet *packet, const char *kind)
{
    packet->data -= 14;
    packet->size += 14;
    memcpy(packet->data, here, 6);
    memcpy(packet->data + 6, there, 6);
    memcpy(packet->data + 12, kind, 2);
    ethernet_input(&wire, packet);
}

static const uint8_t usual[] = {1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1};

// A server's message with these options, and damage added to its checksum.
static void server_say(uint8_t kind, const uint8_t more[12], uint16_t damage)
{
    static const uint8_t options[] = {
        54, 4, 10, 0, 0, 1, 51, 4, 0,   0,   LEASE_S >> 8, LEASE_S & 255,
        6,  4, 10, 0, 0, 3, 12, 4, 'm', 'i', 'n',          'e'};
    enum { MORE = 12, SIZE = 8 + 243 + sizeof options + MORE + 1 };
    const struct ip_header header = {.source = address_of("10.0.0.1"),
                                     .target = address_of("10.0.0.7"),
                                     .protocol = IP_UDP,
                                     .hops = 64};
    uint8_t data[SIZE] = {0, 67, 0, 68, SIZE >> 8, SIZE & 255, [SIZE - 1] = 255};
    uint8_t *message = data + 8;
    memcpy(message, "\2\1\6", 3);
    memcpy(message + 4, number, sizeof number);
    memcpy(message + 16, "\x0a\0\0\7", 4);
    memcpy(message + 28, here, 6);
    memcpy(message + 236, "\x63\x82\x53\x63\x35\1", 6);
    message[242] = kind;
    memcpy(message + 243, options, sizeof options);
    memcpy(message + 243 + sizeof options, more, MORE);
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_UDP, SIZE);
    const uint16_t checksum = (uint16_t)(checksum_end(checksum_add(sum, data, SIZE)) + damage);
    memcpy(data + 6, &checksum, sizeof checksum);
    struct packet *packet = packet_alloc_block(SIZE);
    memcpy(packet->data, data, SIZE);
    packet->size = SIZE;
    ip_header_push(packet, &header);
    frame_say(packet, "\x08\0");
}

static void start(void)
{
    unit_clock_ns = 1000 * SECOND;
    ck_assert_int_eq(net_start(), 0);
    memcpy(wire.netif.hardware, here, sizeof here);
    ck_assert_int_eq(ethernet_start(&wire), 0);
    ck_assert_int_eq(dhcp_client_make(&wire), 0);
    dhcp_client_start(wire.dhcp);
    message_heard(DHCP_DISCOVER, "0.0.0.0", "255.255.255.255");
}

static void get_lease(const uint8_t options[12])
{
    const struct net_address own = address_of("10.0.0.7");
    server_say(DHCP_OFFER, options, 0);
    message_heard(DHCP_REQUEST, "0.0.0.0", "255.255.255.255");
    server_say(DHCP_ACK, options, 0);
    question_heard("0.0.0.0", "10.0.0.7");
    ck_assert(!route_has(&wire.netif, &own));
    pass(50 * MILLISECOND);
    question_heard("0.0.0.0", "10.0.0.7");
    pass(99 * MILLISECOND);
    ck_assert(!route_has(&wire.netif, &own));
    pass(2 * MILLISECOND);
    ck_assert(route_has(&wire.netif, &own));
    question_heard("10.0.0.7", "10.0.0.7"); // all are told
}

// Its address is said to be good until then.
static hal_ns lease_until(void)
{
    struct route_address all[ROUTE_ADDRESS_MAX];
    ck_assert_uint_eq(route_address_list(all), 1);
    ck_assert_uint_eq(all[0].preferred_until, all[0].valid_until);
    return all[0].valid_until;
}

START_TEST(lease_gives_address_routes_and_names)
{
    const struct net_address out = address_of("192.0.2.1"), router = address_of("10.0.0.1");
    struct route route;
    const hal_ns asked_at = unit_clock_ns;
    get_lease(usual);
    ck_assert(dhcp_client_await(wire.dhcp, 0));
    ck_assert_uint_eq(lease_until(), asked_at + LEASE_S * SECOND);
    ck_assert_int_eq(route_find(&out, &route), 0);
    ck_assert(address_is_equal(&route.hop, &router));
    const struct net_names names = net_names_now();
    const struct net_address server = address_of("10.0.0.3");
    ck_assert_uint_eq(names.server_count, 1);
    ck_assert(address_is_equal(&names.servers[0], &server));
    ck_assert_str_eq(names.host, "mine");
}
END_TEST

// A network that a route says to be on the link, too.
START_TEST(who_is_on_the_link_by_a_route_is_asked_for)
{
    static const uint8_t routes[] = {121, 8, 24, 192, 0, 2,
                                     0,   0, 0,  0,   0, 0}; // 24 bits, on the link
    const struct net_address out = address_of("192.0.2.1");
    get_lease(routes);
    struct packet *packet = packet_alloc_block(0);
    const struct ip_header header = {
        .source = address_of("10.0.0.7"), .target = out, .protocol = 99, .hops = 64};
    ip_header_push(packet, &header);
    net_output(packet);
    question_heard("10.0.0.7", "192.0.2.1");
}
END_TEST

START_TEST(lease_that_nobody_extends_ends)
{
    const struct net_address own = address_of("10.0.0.7"), out = address_of("192.0.2.1");
    struct route route;
    get_lease(usual);
    pass(LEASE_S / 2 * SECOND);
    question_heard("10.0.0.7", "10.0.0.1"); // the server, before it can be told
    for (int i = 0; i < LEASE_S; ++i) {
        ck_assert(i >= LEASE_S / 2 - 1 || route_has(&wire.netif, &own));
        pass(SECOND);
        link_forget();
    }
    ck_assert(!route_has(&wire.netif, &own));
    ck_assert_int_ne(route_find(&out, &route), 0);
    ck_assert_uint_eq(net_names_now().server_count, 0);
}
END_TEST

START_TEST(link_that_returns_asks_whether_the_address_may_stay)
{
    const struct net_address own = address_of("10.0.0.7");
    get_lease(usual);
    pass(10 * SECOND);
    for (int i = 0; i < 2; ++i) {
        dhcp_client_link_returned(wire.dhcp);
        message_heard(DHCP_REQUEST, "0.0.0.0", "255.255.255.255");
        ck_assert(route_has(&wire.netif, &own));
        server_say(i == 0 ? DHCP_ACK : DHCP_NAK, usual, 0);
        ck_assert(i == 1 || lease_until() == unit_clock_ns + LEASE_S * SECOND);
    }
    message_heard(DHCP_DISCOVER, "0.0.0.0", "255.255.255.255");
    ck_assert(!route_has(&wire.netif, &own));
}
END_TEST

START_TEST(address_that_somebody_has_is_declined)
{
    static const uint8_t answer[] = {0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2,
                                     10, 0, 0, 7, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    const struct net_address own = address_of("10.0.0.7");
    server_say(DHCP_OFFER, usual, 0);
    message_heard(DHCP_REQUEST, "0.0.0.0", "255.255.255.255");
    server_say(DHCP_ACK, usual, 0);
    question_heard("0.0.0.0", "10.0.0.7");
    struct packet *packet = packet_alloc_block(sizeof answer);
    memcpy(packet->data, answer, sizeof answer);
    packet->size = sizeof answer;
    frame_say(packet, "\x08\x06");
    message_heard(DHCP_DECLINE, "0.0.0.0", "255.255.255.255");
    pass(SECOND);
    ck_assert_uint_eq(heard_count, 0);
    ck_assert(!route_has(&wire.netif, &own));
    pass(10 * SECOND);
    message_heard(DHCP_DISCOVER, "0.0.0.0", "255.255.255.255");
}
END_TEST

START_TEST(damaged_message_is_none)
{
    server_say(DHCP_OFFER, usual, 1);
    ck_assert_uint_eq(heard_count, 0);
    server_say(DHCP_OFFER, usual, 0);
    message_heard(DHCP_REQUEST, "0.0.0.0", "255.255.255.255");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dhcp_client");
    TCase *cases = tcase_create("client");
    tcase_add_checked_fixture(cases, start, link_forget);
    tcase_add_test(cases, lease_gives_address_routes_and_names);
    tcase_add_test(cases, who_is_on_the_link_by_a_route_is_asked_for);
    tcase_add_test(cases, lease_that_nobody_extends_ends);
    tcase_add_test(cases, link_that_returns_asks_whether_the_address_may_stay);
    tcase_add_test(cases, address_that_somebody_has_is_declined);
    tcase_add_test(cases, damaged_message_is_none);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
