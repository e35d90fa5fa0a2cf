// SPDX-License-Identifier: BSD-3-Clause
// wire_test.c: interfaces of core/net that are not lo, frame by frame: what a machine on the link
// hears when it says something, good or damaged; routes and fragments.
#include "core/net/ethernet.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/address_text.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/fragment.h"
#include "core/net/icmp.h"
#include "core/net/interface.h"
#include "core/net/ip.h"
#include "core/net/output.h"
#include "core/net/route.h"
#include "core/net/socket.h"
#include "core/net/udp.h"
#include "link_host.h"
#include "vfs_host.h"

enum { PORT = 700 };

static const uint8_t everybody[] = {255, 255, 255, 255, 255, 255};

// ---- The link ------------------------------------------------------------------------

static void start(void)
{
    link_start("10.0.0.1/24,10.0.0.254");
    link_forget();
}

static void say(uint16_t kind, const uint8_t *target, const void *data, uint32_t size)
{
    struct packet *frame = packet_alloc_block(size + ETHERNET_HEADER);
    memcpy(frame->data, target, 6);
    memcpy(frame->data + 6, there, 6);
    kind = net_order16(kind);
    memcpy(frame->data + 12, &kind, sizeof kind);
    memcpy(frame->data + ETHERNET_HEADER, data, size);
    frame->size = size + ETHERNET_HEADER;
    ethernet_input(&wire, frame);
}

struct arp {
    uint16_t kind, protocol;
    uint8_t sizes[2];
    uint16_t operation;
    uint8_t source_hardware[6], source[4], target_hardware[6], target[4];
};

static struct arp arp_of(uint16_t operation, const char *source, const char *target)
{
    struct arp arp = {htons(1), htons(0x800), {6, 4}, htons(operation), {0}, {0}, {0}, {0}};
    memcpy(arp.source_hardware, there, 6);
    inet_pton(AF_INET, source, arp.source);
    inet_pton(AF_INET, target, arp.target);
    return arp;
}

static void arp_say(uint16_t operation, const char *source, const char *target)
{
    const struct arp arp = arp_of(operation, source, target);
    say(ETHERNET_ARP, operation == 1 ? everybody : here, &arp, sizeof arp);
}

// The index-th frame is of ARP, from here.
static struct arp arp_heard(size_t index, const uint8_t *target)
{
    struct arp arp;
    ck_assert_uint_lt(index, heard_count);
    ck_assert_uint_eq(heard[index]->size, ETHERNET_HEADER + sizeof arp);
    ck_assert_mem_eq(heard[index]->data, target, 6);
    ck_assert_mem_eq(heard[index]->data + 6, here, 6);
    ck_assert_mem_eq(heard[index]->data + 12, "\x08\x06", 2);
    memcpy(&arp, heard[index]->data + ETHERNET_HEADER, sizeof arp);
    ck_assert_mem_eq(arp.source_hardware, here, 6);
    return arp;
}

static struct packet *ip_make(const char *source, const char *target, uint8_t protocol,
                              const void *data, uint32_t size)
{
    const struct ip_header header = {.source = address_of(source),
                                     .target = address_of(target),
                                     .protocol = protocol,
                                     .hops = 9};
    struct packet *packet = packet_alloc_block(size);
    memcpy(packet->data, data, size);
    packet->size = size;
    ip_header_push(packet, &header);
    return packet;
}

static void ip_say(const char *source, const char *target, uint8_t protocol, const void *data,
                   uint32_t size)
{
    struct packet *packet = ip_make(source, target, protocol, data, size);
    say(ETHERNET_V4, here, packet->data, packet->size);
    packet_free(packet);
}

// The index-th frame is of IPv4, to there.
static struct ip_header ip_heard(size_t index, const char **data, int expected)
{
    struct ip_header header;
    ck_assert_uint_lt(index, heard_count);
    ck_assert_mem_eq(heard[index]->data, there, 6);
    ck_assert_mem_eq(heard[index]->data + 12, "\x08\x00", 2);
    ck_assert_int_eq(ip_header_read(&header, heard[index]->data + ETHERNET_HEADER,
                                    heard[index]->size - ETHERNET_HEADER, false),
                     expected);
    *data = heard[index]->data + ETHERNET_HEADER + header.transport;
    return header;
}

static void echo_say(const char *target, const char *text)
{
    char data[64] = {8, 0, 0, 0, 0x12, 0x34, 0, 1};
    const uint32_t size = 8 + (uint32_t)strlen(text);
    memcpy(data + 8, text, size - 8);
    const uint16_t checksum = checksum_end(checksum_add(0, data, size));
    memcpy(data + 2, &checksum, sizeof checksum);
    ip_say("10.0.0.2", target, IP_ICMP, data, size);
}

// ---- Addresses -------------------------------------------------------------------------

START_TEST(addresses_are_read_as_the_host_reads_them)
{
    static const char *const texts[] = {
        "0.0.0.0",
        "255.255.255.255",
        "1.2.3.4",
        "1.2.3",
        "256.1.1.1",
        "1.2.3.4.5",
        "",
        "::",
        "::1",
        "1::",
        "fe80::1",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "12345::",
        ":1::",
        "1:",
        ":",
        "g::",
        "1:2:3:4:5:6:7:8:9",
        "FE80::aBcD",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        uint8_t expected[16];
        struct net_address address;
        const char *text = texts[i];
        const bool is_v4 = inet_pton(AF_INET, text, expected) == 1;
        const bool is_right = is_v4 || inet_pton(AF_INET6, text, expected) == 1;
        const bool is_read = address_read(&address, &text) == 0 && *text == 0;
        ck_assert_msg(is_read == is_right, "%s", texts[i]);
        if (is_right) {
            ck_assert_int_eq(address_is_v4(&address), is_v4);
            ck_assert_mem_eq(is_v4 ? address_v4_bytes(&address) : address_bytes(&address), expected,
                             is_v4 ? 4 : 16);
        }
    }
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    static const char *const wrong[] = {
        "10.0.0.1",           "10.0.0.1/33",         "10.0.0.1/24,",    "10.0.0.1/24,11.0.0.1",
        "10.0.0.1/24x",       "0.0.0.0/8",           "224.0.0.1/4",     "10.0.0.1/0",
        "fd00::1/129",        "fd00::1/64,10.0.0.1", "10.0.0.1/24,::1", "10.0.0.1/",
        "fd00::1/64,fd01::1",
    };
    struct interface_address address;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        ck_assert_msg(interface_address_read(&address, wrong[i]) == -EINVAL, "%s", wrong[i]);
    }
    ck_assert_int_eq(interface_address_read(&address, "fd00::1/64,fe80::1"), 0);
    ck_assert_int_eq(interface_address_read(&address, "10.0.0.1/32"), 0);
}
END_TEST

// ---- Routes ----------------------------------------------------------------------------

static struct route route_to(const char *text)
{
    const struct net_address target = address_of(text);
    struct route route = {0};
    const int error = route_find(&target, &route);
    ck_assert(error == 0 || error == -ENETUNREACH);
    return route;
}

static void hop_check(const char *target, const char *hop)
{
    const struct route route = route_to(target);
    const struct net_address expected = address_of(hop);
    ck_assert_ptr_eq(route.netif, &wire.netif);
    ck_assert(address_is_equal(&route.hop, &expected));
}

START_TEST(longest_prefix_wins)
{
    const struct route_entry entries[] = {
        {address_of("10.0.0.0"), 8, &wire.netif, address_of("10.0.0.8"), address_of("10.0.0.1"), 0,
         0},
        {address_of("10.9.0.0"), 16, &wire.netif, address_of("10.0.0.16"), address_of("10.0.0.1"),
         0, 5},
        {address_of("10.9.0.0"), 16, &wire.netif, address_of("10.0.0.17"), address_of("10.0.0.1"),
         0, 4},
        {address_of("10.9.8.7"), 32, &wire.netif, address_of("10.0.0.32"), address_of("10.0.0.1"),
         0, 9},
    };
    hop_check("10.9.8.7", "10.0.0.254");
    for (size_t i = 0; i < 4; ++i) {
        ck_assert_int_eq(route_add(&entries[i]), 0);
    }
    hop_check("10.9.8.7", "10.0.0.32");
    hop_check("10.9.8.6", "10.0.0.17");
    hop_check("10.8.8.6", "10.0.0.8");
    hop_check("11.8.8.6", "10.0.0.254");
    hop_check("10.0.0.77", "10.0.0.77");
    ck_assert_ptr_null(route_to("fd00::1").netif); // 0.0.0.0/0 is IPv4's
    ck_assert_ptr_eq(route_to("10.0.0.1").netif, &loopback);
    ck_assert_ptr_eq(route_to("127.3.2.1").netif, &loopback);
    ck_assert_int_eq(route_remove(&entries[2]), 0);
    ck_assert_int_eq(route_remove(&entries[2]), -ESRCH);
    hop_check("10.9.8.6", "10.0.0.16");
}
END_TEST

START_TEST(routes_go_with_their_address)
{
    const struct net_address address = address_of("10.0.0.1");
    ck_assert_int_eq(route_address_remove(&address), 0);
    ck_assert_int_eq(route_address_remove(&address), -EADDRNOTAVAIL);
    ck_assert_ptr_null(route_to("10.0.0.1").netif);
    ck_assert_ptr_null(route_to("11.0.0.1").netif);
    struct route_entry entries[ROUTE_MAX];
    ck_assert_uint_eq(route_list(entries), 0);
}
END_TEST

START_TEST(there_is_a_limit_to_routes)
{
    struct route_entry entry = {address_of("12.0.0.0"),
                                32,
                                &wire.netif,
                                address_of("10.0.0.8"),
                                address_of("10.0.0.1"),
                                0,
                                0};
    int error = 0;
    for (uint32_t i = 0; i <= ROUTE_MAX && error == 0; ++i) {
        entry.metric = i;
        error = route_add(&entry);
    }
    ck_assert_int_eq(error, -ENOSPC);
    host_memory_fail_after(0);
    ck_assert_int_eq(route_remove(&entry), -ENOMEM);
    host_memory_fail_after(-1);
}
END_TEST

START_TEST(a_route_takes_the_place_of_another)
{
    struct route_entry former = {address_of("12.0.0.0"),
                                 32,
                                 &wire.netif,
                                 address_of("10.0.0.8"),
                                 address_of("10.0.0.1"),
                                 0,
                                 0};
    for (former.metric = 1; route_add(&former) == 0; ++former.metric) {
    }
    former.metric = 1;
    struct route_entry entry = former;
    entry.gateway = address_of("10.0.0.9");
    host_memory_fail_after(0);
    ck_assert_int_eq(route_replace(&former, &entry), -ENOMEM);
    host_memory_fail_after(-1);
    hop_check("12.0.0.0", "10.0.0.8");
    ck_assert_int_eq(route_replace(&former, &entry), 0); // there is no room for one more
    hop_check("12.0.0.0", "10.0.0.9");
    ck_assert_int_eq(route_remove(&former), -ESRCH);
    ck_assert_int_eq(route_remove(&entry), 0);
    hop_check("12.0.0.0", "10.0.0.8"); // by the next of them
    ck_assert_int_eq(route_replace(&former, &entry), 0);
    hop_check("12.0.0.0", "10.0.0.9");
}
END_TEST

// Of all pairs of these it is what the single questions say.
START_TEST(plain_ends_are_another_s_and_one_of_ours)
{
    static const char *const all[] = {
        "10.0.0.1",  "10.0.0.255", "10.0.0.9",        "11.1.1.1", "255.255.255.255",
        "127.0.0.1", "224.0.0.1",  "127.255.255.255", "0.0.0.0",  "fe80::1",
        "fd00::9",   "::1",        "ff02::1"};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        for (size_t j = 0; j < sizeof all / sizeof *all; ++j) {
            const struct net_address from = address_of(all[i]), to = address_of(all[j]);
            const bool is_wrong =
                address_is_multicast(&from) || route_is_local(&from) || route_is_broadcast(&from);
            const bool is_plain = !is_wrong && route_takes(&wire.netif, &to) && route_is_local(&to);
            ck_assert_msg(route_is_plain(&from, &to) == is_plain, "%s, %s", all[i], all[j]);
            count += is_plain;
        }
    }
    ck_assert_uint_gt(count, 0);
}
END_TEST

// ---- ARP -------------------------------------------------------------------------------

START_TEST(who_asks_for_us_is_answered)
{
    arp_say(1, "10.0.0.2", "10.0.0.1");
    ck_assert_uint_eq(heard_count, 1);
    const struct arp arp = arp_heard(0, there);
    ck_assert_uint_eq(ntohs(arp.operation), 2);
    ck_assert_mem_eq(arp.source, "\x0a\0\0\x01", 4);
    ck_assert_mem_eq(arp.target, "\x0a\0\0\x02", 4);
    ck_assert_mem_eq(arp.target_hardware, there, 6);
    link_forget();
    arp_say(1, "10.0.0.2", "10.0.0.3"); // another
    arp_say(2, "10.0.0.2", "10.0.0.1"); // nobody has asked
    arp_say(1, "10.0.0.2", "10.0.0.2"); // it announces itself
    ck_assert_uint_eq(heard_count, 0);
    echo_say("10.0.0.1", ""); // who has asked is known
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_mem_eq(heard[0]->data, there, 6);
}
END_TEST

START_TEST(damaged_arp_is_dropped)
{
    const struct arp right = arp_of(1, "10.0.0.2", "10.0.0.1");
    for (size_t byte = 0; byte < 6; ++byte) {
        struct arp arp = right;
        ((uint8_t *)&arp)[byte] ^= 1;
        say(ETHERNET_ARP, everybody, &arp, sizeof arp);
    }
    for (uint32_t size = 0; size < sizeof right; ++size) {
        say(ETHERNET_ARP, everybody, &right, size);
    }
    ck_assert_uint_eq(heard_count, 0);
}
END_TEST

// Packets to somebody unknown are sent in their order when he answers.
START_TEST(packets_wait_for_the_answer)
{
    net_output(ip_make("10.0.0.1", "10.0.0.2", 99, "first", 5));
    ck_assert_uint_eq(heard_count, 1);
    const struct arp arp = arp_heard(0, everybody);
    ck_assert_uint_eq(ntohs(arp.operation), 1);
    ck_assert_mem_eq(arp.source, "\x0a\0\0\x01", 4);
    ck_assert_mem_eq(arp.target, "\x0a\0\0\x02", 4);
    net_output(ip_make("10.0.0.1", "10.0.0.2", 99, "newest", 6));
    ck_assert_uint_eq(heard_count, 1);
    arp_say(2, "10.0.0.3", "10.0.0.1"); // another's
    ck_assert_uint_eq(heard_count, 1);
    arp_say(2, "10.0.0.2", "10.0.0.1");
    const char *data;
    ck_assert_uint_eq(heard_count, 3);
    ck_assert_uint_eq(ip_heard(1, &data, 0).size, 5);
    ck_assert_mem_eq(data, "first", 5);
    ck_assert_uint_eq(ip_heard(2, &data, 0).size, 6);
    ck_assert_mem_eq(data, "newest", 6);
    net_output(ip_make("10.0.0.1", "10.0.0.2", 99, "known", 5));
    ck_assert_uint_eq(heard_count, 4);
    ck_assert_mem_eq(heard[3]->data, there, 6);
    ck_assert_uint_eq(netif_figure(&wire.netif, NETIF_SENT_DROPPED), 0);
}
END_TEST

// Not more of them than there is room for: then the oldest are dropped.
START_TEST(not_too_many_packets_wait)
{
    enum { WAIT = NEIGHBOUR_WAITING_MAX / HAL_PAGE_SIZE, MORE = 3 };
    _Static_assert(WAIT < (int)HEARD_MAX, "all are heard");
    for (uint8_t i = 0; i < WAIT + MORE; ++i) {
        net_output(ip_make("10.0.0.1", "10.0.0.2", 99, &i, 1));
    }
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_uint_eq(netif_figure(&wire.netif, NETIF_SENT_DROPPED), MORE);
    arp_say(2, "10.0.0.2", "10.0.0.1");
    ck_assert_uint_eq(heard_count, 1 + WAIT);
    for (uint8_t i = 0; i < WAIT; ++i) {
        const char *data;
        (void)ip_heard(1u + i, &data, 0);
        ck_assert_uint_eq((uint8_t)*data, MORE + i);
    }
}
END_TEST

START_TEST(many_have_hardware_by_rule)
{
    net_output(ip_make("10.0.0.1", "10.0.0.255", 99, "all", 3));
    ck_assert_mem_eq(heard[0]->data, everybody, 6);
    const struct route_entry many = {
        address_of("224.0.0.0"), 4, &wire.netif, address_any(true), address_of("10.0.0.1"), 0, 0};
    ck_assert_int_eq(route_add(&many), 0);
    net_output(ip_make("10.0.0.1", "239.129.2.3", 99, "many", 4));
    ck_assert_mem_eq(heard[1]->data, "\x01\x00\x5e\x01\x02\x03", 6);
}
END_TEST

// ---- ICMP ------------------------------------------------------------------------------

START_TEST(echo_comes_back)
{
    const char *data;
    arp_say(1, "10.0.0.2", "10.0.0.1");
    link_forget();
    echo_say("10.0.0.1", "are you there?");
    ck_assert_uint_eq(heard_count, 1);
    const struct ip_header header = ip_heard(0, &data, 0);
    ck_assert_uint_eq(header.protocol, IP_ICMP);
    ck_assert_uint_eq(header.size, 22);
    ck_assert_mem_eq(data, "\0\0", 2);
    ck_assert_mem_eq(data + 4, "\x12\x34\0\1are you there?", 18);
    ck_assert_uint_eq(checksum_end(checksum_add(0, data, header.size)), 0);
    link_forget();
    echo_say("10.0.0.255", "all of you?");
    echo_say("10.0.0.9", "another?");
    ip_say("10.0.0.2", "10.0.0.1", IP_ICMP, "\x08\0\0\0 damaged", 12);
    ck_assert_uint_eq(heard_count, 0);
}
END_TEST

// What comes by the wire and says to come from this machine, or to be for the loopback network.
START_TEST(martians_are_dropped)
{
    const char datagram[] = {1, 2, 0, 99, 0, 8, 0, 0};
    const uint64_t before = atomic_load(&net_counts[NET_IP_STRANGE]);
    arp_say(1, "10.0.0.2", "10.0.0.1");
    link_forget();
    ip_say("10.0.0.2", "127.0.0.1", IP_UDP, datagram, 8);
    ip_say("127.0.0.1", "10.0.0.1", IP_UDP, datagram, 8);
    ip_say("10.0.0.1", "10.0.0.1", IP_UDP, datagram, 8);
    ip_say("10.0.0.255", "10.0.0.1", IP_UDP, datagram, 8);
    ip_say("224.0.0.1", "10.0.0.1", IP_UDP, datagram, 8);
    ck_assert_uint_eq(heard_count, 0);
    ck_assert_uint_eq(atomic_load(&net_counts[NET_IP_STRANGE]), before + 5);
    ip_say("10.0.0.2", "10.0.0.1", IP_UDP, datagram, 8); // nobody has the port: said
    ck_assert_uint_eq(heard_count, 1);
    ip_say("10.0.0.2", "10.0.0.255", IP_UDP, datagram, 8); // not about what all got
    ck_assert_uint_eq(heard_count, 1);
}
END_TEST

START_TEST(noise_is_dropped)
{
    uint32_t random = 1;
    for (int round = 0; round < 20000; ++round) {
        uint8_t data[80];
        for (unsigned i = 0; i < sizeof data; ++i) {
            random = random * 1664525 + 1013904223;
            data[i] = (uint8_t)(random >> 24);
        }
        const uint16_t kinds[] = {ETHERNET_ARP, ETHERNET_V4, ETHERNET_V6, (uint16_t)random};
        data[0] = round % 3 == 0 ? 0x45 : round % 3 == 1 ? 0x60 : data[0];
        say(kinds[round % 4], round % 5 == 0 ? everybody : here, data, random % sizeof data);
        link_forget();
    }
}
END_TEST

// ---- Fragments -------------------------------------------------------------------------

// What is too long for the link is cut, and is the same when put together.
START_TEST(long_datagrams_are_cut)
{
    static char data[5000];
    const char *part;
    uint32_t size = 0;
    for (size_t i = 0; i < sizeof data; ++i) {
        data[i] = (char)(i * 7);
    }
    arp_say(1, "10.0.0.2", "10.0.0.1");
    link_forget();
    struct packet *packet = ip_make("10.0.0.1", "10.0.0.2", 99, data, sizeof data);
    net_output(packet); // may not be cut
    ck_assert_uint_eq(heard_count, 0);
    struct ip_header header = {.source = address_of("10.0.0.1"),
                               .target = address_of("10.0.0.2"),
                               .protocol = 99,
                               .hops = 9,
                               .may_cut = true};
    packet = packet_alloc_block(sizeof data);
    memcpy(packet->data, data, sizeof data);
    packet->size = sizeof data;
    ip_header_push(packet, &header);
    net_output(packet);
    ck_assert_uint_eq(heard_count, 4);
    struct packet *whole = NULL;
    for (size_t i = 0; i < 4; ++i) {
        const struct ip_header got = ip_heard(i, &part, -EOPNOTSUPP);
        ck_assert_uint_le(heard[i]->size, 1500 + ETHERNET_HEADER);
        ck_assert_uint_eq(got.offset, size);
        ck_assert_int_eq(got.has_more, i < 3);
        size += got.size;
        struct packet *copy = packet_alloc_block(1500);
        copy->size = heard[i]->size - ETHERNET_HEADER;
        memcpy(copy->data, heard[i]->data + ETHERNET_HEADER, copy->size);
        ck_assert_ptr_null(whole);
        whole = fragment_input(copy, &got, 0);
    }
    whole_check(whole, data, sizeof data);
}
END_TEST

// ---- UDP -------------------------------------------------------------------------------

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void release(struct net_socket *socket)
{
    free(socket);
}

// What leaves has a checksum, and comes from the address that leads there.
START_TEST(datagrams_leave_with_a_checksum)
{
    const struct net_end to = {address_of("10.0.0.2"), PORT};
    struct net_socket *socket = calloc(1, sizeof *socket);
    const struct io_vector vector = {(char *)(uintptr_t) "hello", 5};
    const struct net_message message = {.vectors = &vector, .count = 1, .to = &to};
    size_t done = 0;
    const char *data;
    net_socket_init(socket, IP_UDP, true);
    socket->ready = ready;
    socket->release = release;
    arp_say(1, "10.0.0.2", "10.0.0.1");
    link_forget();
    ck_assert_int_eq(udp_send(socket, &message, &done), 0);
    ck_assert_uint_eq(done, 5);
    const struct ip_header header = ip_heard(0, &data, 0);
    const struct net_address source = address_of("10.0.0.1");
    ck_assert(address_is_equal(&header.source, &source));
    ck_assert_uint_eq(header.size, 13);
    ck_assert(data[6] != 0 || data[7] != 0);
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_UDP, header.size);
    ck_assert_uint_eq(checksum_end(checksum_add(sum, data, header.size)), 0);
    const struct net_end lo = {address_loopback(true), PORT};
    struct net_socket *bound = calloc(1, sizeof *bound);
    net_socket_init(bound, IP_UDP, true);
    bound->ready = ready;
    bound->release = release;
    ck_assert_int_eq(net_socket_bind(bound, &lo), 0);
    ck_assert_int_eq(udp_send(bound, &message, &done), -EINVAL);
    ck_assert_int_eq(udp_connect(bound, &to), -EINVAL);
    net_socket_close(bound);
    net_socket_close(socket);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire");
    TCase *cases = tcase_create("wire");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, start, link_forget);
    tcase_add_test(cases, addresses_are_read_as_the_host_reads_them);
    tcase_add_test(cases, wrong_options_are_refused);
    tcase_add_test(cases, longest_prefix_wins);
    tcase_add_test(cases, routes_go_with_their_address);
    tcase_add_test(cases, there_is_a_limit_to_routes);
    tcase_add_test(cases, a_route_takes_the_place_of_another);
    tcase_add_test(cases, plain_ends_are_another_s_and_one_of_ours);
    tcase_add_test(cases, who_asks_for_us_is_answered);
    tcase_add_test(cases, damaged_arp_is_dropped);
    tcase_add_test(cases, packets_wait_for_the_answer);
    tcase_add_test(cases, not_too_many_packets_wait);
    tcase_add_test(cases, many_have_hardware_by_rule);
    tcase_add_test(cases, echo_comes_back);
    tcase_add_test(cases, martians_are_dropped);
    tcase_add_test(cases, noise_is_dropped);
    tcase_add_test(cases, long_datagrams_are_cut);
    tcase_add_test(cases, datagrams_leave_with_a_checksum);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
