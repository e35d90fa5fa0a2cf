// SPDX-License-Identifier: BSD-3-Clause
// net_test.c: headers, checksums, the classifier and UDP of core/net, packet by packet: what an
// interface receives, good or damaged, and what becomes of it.
#include "core/net/udp.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/lib/siphash.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/datagram.h"
#include "core/net/flow.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/percpu.h"
#include "core/net/route.h"
#include "vfs_host.h"

static const uint8_t home[] = {127, 0, 0, 1};

// ---- Sums and hashes -----------------------------------------------------------------

START_TEST(checksum_of_rfc_1071)
{
    const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}; // RFC 1071, 3
    ck_assert_uint_eq(checksum_end(checksum_add(0, data, sizeof data)), net_order16(0x220d));
    const uint8_t odd[] = {0x12, 0x34, 0x56};
    ck_assert_uint_eq(checksum_end(checksum_add(0, odd, 3)), net_order16((uint16_t)~0x6834));
    ck_assert_uint_eq(checksum_end(checksum_add(0, odd, 0)), 0xffff);
}
END_TEST

START_TEST(checksum_of_any_cut_is_the_same)
{
    uint8_t data[97];
    for (unsigned i = 0; i < sizeof data; ++i) {
        data[i] = (uint8_t)(i * 37 + 11);
    }
    const uint16_t whole = checksum_end(checksum_add(0, data, sizeof data));
    for (size_t cut = 0; cut <= sizeof data; cut += 2) {
        uint64_t sum = checksum_add(0, data, cut);
        sum = checksum_add(sum, data + cut, sizeof data - cut);
        ck_assert_uint_eq(checksum_end(sum), whole);
    }
}
END_TEST

// CPython's hash of the same bytes, with a key of zeros, is SipHash-1-3.
START_TEST(siphash_is_siphash_1_3)
{
    const struct siphash_key key = {{0, 0}};
    uint64_t words[5];
    for (unsigned i = 0; i < sizeof words; ++i) {
        ((uint8_t *)words)[i] = (uint8_t)i;
    }
    ck_assert_uint_eq(siphash(&key, words, 1), UINT64_C(0xead411e67ebe2eea));
    ck_assert_uint_eq(siphash(&key, words, 5), UINT64_C(0x95bc321ab41d8206));
}
END_TEST

// The authors' vectors: the key is 0, 1 ... 15, as the bytes are.
START_TEST(siphash_2_4_is_what_its_authors_say)
{
    struct siphash_key key;
    uint64_t words[5];
    for (unsigned i = 0; i < sizeof words; ++i) {
        ((uint8_t *)words)[i] = (uint8_t)i;
    }
    memcpy(&key, words, sizeof key);
    ck_assert_uint_eq(siphash_2_4(&key, words, 1), UINT64_C(0x93f5f5799a932462));
}
END_TEST

// Whether it was asked for just now or not.
START_TEST(hash_of_a_cpu_is_siphash)
{
    const struct siphash_key key = {{3, 5}};
    for (uint64_t i = 0; i < 12; ++i) {
        const uint64_t words[] = {UINT64_MAX - i / 4, i % 4 / 2};
        ck_assert_uint_eq(net_cpu_siphash(&key, words), siphash(&key, words, 2));
        ck_assert_uint_eq(net_cpu_siphash(&key, words), siphash(&key, words, 2));
    }
}
END_TEST

// Other CPUs' parts are seen once they are many.
START_TEST(a_tally_is_exact_but_for_what_other_cpus_keep)
{
    static struct net_cpu both[2];
    struct percpu one = {.index = 0}, other = {.index = 1};
    struct net_cpu *const before = net_cpus;
    struct cpu *const cpu = unit_cpu;
    net_cpus = both;
    unit_cpu = (struct cpu *)(void *)&one;
    for (int i = 1; i <= 3 * NET_TALLY_KEPT; ++i) {
        ck_assert_int_eq(net_tally_add(NET_TALLY_ORPHANS, 1), i);
    }
    unit_cpu = (struct cpu *)(void *)&other;
    ck_assert_int_ge(net_tally_add(NET_TALLY_ORPHANS, 1), 2 * NET_TALLY_KEPT);
    ck_assert_int_le(net_tally_add(NET_TALLY_ORPHANS, -1), 3 * NET_TALLY_KEPT);
    for (int i = 0; i < 3 * NET_TALLY_KEPT; ++i) {
        ck_assert_int_ge(net_tally_add(NET_TALLY_ORPHANS, -1), -NET_TALLY_KEPT);
    }
    ck_assert_int_eq(net_tally_add(NET_TALLY_WAITING, 1), 1);
    ck_assert_int_eq(net_tally_add(NET_TALLY_WAITING, -1), 0);
    ck_assert_int_le(net_tally_add(NET_TALLY_ORPHANS, 0), NET_TALLY_KEPT);
    unit_cpu = (struct cpu *)(void *)&one;
    ck_assert_int_ge(net_tally_add(NET_TALLY_ORPHANS, 0), -NET_TALLY_KEPT);
    ck_assert_int_eq(both[0].kept[NET_TALLY_WAITING], 0);
    unit_cpu = cpu;
    net_cpus = before;
}
END_TEST

// ---- Headers -------------------------------------------------------------------------

static struct ip_header header_make(bool is_v4, uint8_t protocol)
{
    return (struct ip_header){
        .source = address_loopback(is_v4),
        .target = address_loopback(is_v4),
        .protocol = protocol,
        .hops = 9,
        .service = 0x2c,
    };
}

static struct packet *packet_make(bool is_v4, uint8_t protocol, const void *data, uint32_t size)
{
    const struct ip_header header = header_make(is_v4, protocol);
    struct packet *packet = packet_alloc_block(size);
    memcpy(packet->data, data, size);
    packet->size = size;
    ip_header_push(packet, &header);
    return packet;
}

START_TEST(header_is_read_as_it_was_written)
{
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        struct packet *packet = packet_make(is_v4, IP_UDP, "12345678x", 9);
        const struct ip_header expected = header_make(is_v4, IP_UDP);
        struct ip_header header;
        ck_assert_int_eq(ip_header_read(&header, packet->data, packet->size, false), 0);
        ck_assert(address_is_equal(&header.source, &expected.source));
        ck_assert(address_is_equal(&header.target, &expected.target));
        ck_assert_uint_eq(header.protocol, IP_UDP);
        ck_assert_uint_eq(header.hops, 9);
        ck_assert_uint_eq(header.service, 0x2c);
        ck_assert_uint_eq(header.transport, is_v4 ? 20 : 40);
        ck_assert_uint_eq(header.size, 9);
        for (uint32_t size = 0; size < packet->size; ++size) {
            ck_assert_int_eq(ip_header_read(&header, packet->data, size, false), -EINVAL);
        }
        packet_free(packet);
    }
}
END_TEST

START_TEST(damaged_header_is_none)
{
    struct packet *packet = packet_make(true, IP_UDP, "12345678", 8);
    struct ip_header header;
    for (int bit = 0; bit < 160; ++bit) {
        packet->data[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_int_eq(ip_header_read(&header, packet->data, packet->size, false), -EINVAL);
        packet->data[bit / 8] ^= (char)(1 << bit % 8);
    }
    packet_free(packet);
}
END_TEST

// Also where a device writes into what it has brought.
START_TEST(header_that_is_read_again_stays_within_its_packet)
{
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        struct packet *packet = packet_make(is_v4, IP_UDP, "12345678", 8);
        struct ip_header header, again;
        ck_assert_int_eq(ip_packet_read(&header, packet), 0);
        ck_assert_int_eq(ip_packet_read_again(&again, packet), 0);
        ck_assert(address_is_equal(&again.source, &header.source));
        ck_assert(address_is_equal(&again.target, &header.target));
        ck_assert_uint_eq(again.protocol, header.protocol);
        ck_assert_uint_eq(again.hops, header.hops);
        ck_assert_uint_eq(again.service, header.service);
        ck_assert_uint_eq(again.transport, header.transport);
        ck_assert_uint_eq(again.size, header.size);
        ck_assert(again.may_cut == header.may_cut && again.has_more == header.has_more);
        ck_assert(again.offset == header.offset && again.fragment == header.fragment);
        for (int bit = 8; is_v4 && bit < 160; ++bit) { // but for the version
            packet->data[bit / 8] ^= (char)(1 << bit % 8);
            ck_assert_int_eq(ip_packet_read_again(&again, packet), 0);
            ck_assert_uint_eq(again.transport, header.transport);
            ck_assert_uint_eq(again.size, header.size);
            packet->data[bit / 8] ^= (char)(1 << bit % 8);
        }
        packet_free(packet);
    }
}
END_TEST

// Who believes them takes a packet of IPv6 for one of IPv4, whose filters it has not passed.
START_TEST(mapped_addresses_are_not_on_the_wire)
{
    enum { SOURCE = 8, TARGET = 24 };
    const struct net_address mapped = address_loopback(true);
    for (uint32_t at = SOURCE; at <= TARGET; at += TARGET - SOURCE) {
        struct packet *packet = packet_make(false, IP_UDP, "12345678", 8);
        struct ip_header header;
        memcpy(packet->data + at, &mapped, sizeof mapped);
        ck_assert_int_eq(ip_header_read(&header, packet->data, packet->size, false),
                         -EPROTONOSUPPORT);
        packet_free(packet);
    }
}
END_TEST

START_TEST(fragments_are_refused)
{
    for (int which = 0; which < 2; ++which) {
        struct packet *packet = packet_make(true, IP_UDP, "12345678", 8);
        struct ip_header header;
        packet->data[6] = which == 0 ? 0x20 : 0; // more follow, or an offset
        packet->data[7] = which == 0 ? 0 : 1;
        memset(packet->data + 10, 0, 2);
        const uint16_t sum = checksum_end(checksum_add(0, packet->data, 20));
        memcpy(packet->data + 10, &sum, sizeof sum);
        ck_assert_int_eq(ip_header_read(&header, packet->data, packet->size, false), -EOPNOTSUPP);
        packet_free(packet);
    }
}
END_TEST

// ---- UDP -----------------------------------------------------------------------------

static unsigned released;

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void release(struct net_socket *socket)
{
    free(socket);
    ++released;
}

static const void *tables; // net_start's, which has no end

static void start(void)
{
    ck_assert_int_eq(net_start(), 0);
    tables = host_newest_block();
}

static struct net_socket *socket_make(bool is_v4)
{
    struct net_socket *socket = calloc(1, sizeof *socket);
    net_socket_init(socket, IP_UDP, is_v4);
    socket->ready = ready;
    socket->release = release;
    return socket;
}

static struct net_end end_of(bool is_v4, uint16_t port)
{
    return (struct net_end){address_loopback(is_v4), port};
}

static struct net_socket *socket_bound(bool is_v4, uint16_t port)
{
    struct net_socket *socket = socket_make(is_v4);
    const struct net_end end = end_of(is_v4, port);
    ck_assert_int_eq(net_socket_bind(socket, &end), 0);
    return socket;
}

static int receive(struct net_socket *socket, char *data, size_t size, size_t *done)
{
    const struct io_vector vector = {data, size};
    struct net_message message = {.vectors = &vector, .count = 1};
    *done = 0;
    return datagram_receive(socket, &message, done);
}

static int send(struct net_socket *socket, const char *text, const struct net_end *to)
{
    const struct io_vector vector = {(char *)(uintptr_t)text, strlen(text)};
    const struct net_message message = {.vectors = &vector, .count = 1, .to = to};
    size_t done = 0;
    return udp_send(socket, &message, &done);
}

static uint64_t count_of(enum net_count which)
{
    return atomic_load(&net_counts[which]);
}

enum { SERVER = 1000, CLIENT = 2000 };

// A datagram as another machine would send it.
static struct packet *datagram_make(bool is_v4, const char *text, bool has_checksum)
{
    char data[64];
    const uint32_t size = (uint32_t)strlen(text) + 8;
    const uint16_t fields[] = {net_order16(CLIENT), net_order16(SERVER),
                               net_order16((uint16_t)size), 0};
    memcpy(data, fields, sizeof fields);
    memcpy(data + 8, text, size - 8);
    if (has_checksum) {
        const struct net_address address = address_loopback(is_v4);
        const uint64_t sum = checksum_add_ends(0, &address, &address, IP_UDP, size);
        const uint16_t checksum = checksum_end(checksum_add(sum, data, size));
        memcpy(data + 6, &checksum, sizeof checksum);
    }
    return packet_make(is_v4, IP_UDP, data, size);
}

START_TEST(good_datagrams_are_received)
{
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        struct net_socket *socket = socket_bound(is_v4, SERVER);
        char data[16];
        size_t done;
        ck_assert_int_eq(receive(socket, data, sizeof data, &done), -EAGAIN);
        ck_assert_ptr_null(net_input(&loopback, datagram_make(is_v4, "hello", true)));
        ck_assert_int_eq(receive(socket, data, sizeof data, &done), 0);
        ck_assert_uint_eq(done, 5);
        ck_assert_int_eq(memcmp(data, "hello", 5), 0);
        net_socket_close(socket);
    }
}
END_TEST

START_TEST(what_lo_sends_is_counted)
{
    const uint64_t before = netif_figure(&loopback, NETIF_SENT);
    const uint64_t bytes = netif_figure(&loopback, NETIF_SENT_BYTES);
    struct net_socket *socket = socket_bound(true, SERVER);
    uint64_t size = 0;
    for (unsigned i = 0; i < 3; ++i) {
        struct packet *packet = datagram_make(true, "hello", true);
        size += packet_size(packet);
        loopback.send(&loopback, packet, NULL);
    }
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT), before + 3);
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT_BYTES), bytes + size);
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT_DROPPED), 0);
    net_socket_close(socket);
}
END_TEST

// IPv6 has no checksum of its own, so there it is not left out.
START_TEST(checksums_are_checked)
{
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        struct net_socket *socket = socket_bound(is_v4, SERVER);
        char data[16];
        size_t done;
        struct packet *packet = datagram_make(is_v4, "hello", true);
        const uint64_t before = count_of(NET_UDP_BAD_CHECKSUM);
        packet->data[packet->size - 1] ^= 1;
        ck_assert_ptr_null(net_input(&loopback, packet));
        ck_assert_int_eq(receive(socket, data, sizeof data, &done), -EAGAIN);
        ck_assert_uint_eq(count_of(NET_UDP_BAD_CHECKSUM), before + 1);
        ck_assert_ptr_null(net_input(&loopback, datagram_make(is_v4, "none", false)));
        ck_assert_int_eq(receive(socket, data, sizeof data, &done), is_v4 ? 0 : -EAGAIN);
        ck_assert_uint_eq(channel_cost(&socket->channel), 0);
        net_socket_close(socket);
    }
}
END_TEST

START_TEST(wrong_lengths_are_dropped)
{
    struct net_socket *socket = socket_bound(true, SERVER);
    char data[16];
    size_t done;
    const uint64_t before = count_of(NET_UDP_DAMAGED);
    for (int size = 0; size < 20; ++size) {
        struct packet *packet = datagram_make(true, "hello", false);
        packet->data[25] = (char)size;
        ck_assert_ptr_null(net_input(&loopback, packet));
        const bool is_good = size >= 8 && size <= 13;
        ck_assert_int_eq(receive(socket, data, sizeof data, &done), is_good ? 0 : -EAGAIN);
        ck_assert_uint_eq(done, is_good ? (unsigned)size - 8 : 0);
    }
    ck_assert_uint_eq(count_of(NET_UDP_DAMAGED), before + 14);
    ck_assert_ptr_null(net_input(&loopback, packet_make(true, IP_UDP, "1234567", 7)));
    ck_assert_uint_eq(count_of(NET_UDP_DAMAGED), before + 15);
    net_socket_close(socket);
}
END_TEST

// Of any bytes whatever: nothing is read beyond them, and nothing is kept.
START_TEST(noise_is_dropped)
{
    const size_t blocks = host_block_count();
    uint32_t random = 1;
    for (int round = 0; round < 20000; ++round) {
        char data[80];
        for (unsigned i = 0; i < sizeof data; ++i) {
            random = random * 1664525 + 1013904223;
            data[i] = (char)(random >> 24);
        }
        const uint8_t protocols[] = {IP_UDP, IP_ICMP, IP_ICMPV6, IP_TCP};
        const uint32_t size = random % sizeof data;
        struct packet *packet = packet_make(round % 2, protocols[round / 2 % 4], data, size);
        if (round % 8 == 7) {
            packet->data[random / 80 % packet->size] ^= 0x10;
        }
        packet_free(net_input(&loopback, packet));
    }
    ck_assert_uint_eq(host_block_count(), blocks);
}
END_TEST

// ---- What is not delivered --------------------------------------------------------------

START_TEST(nobody_there_is_told)
{
    for (int is_v4 = 0; is_v4 < 2; ++is_v4) {
        struct packet *packet = datagram_make(is_v4, "hello", true);
        struct ip_header header, about;
        uint32_t quoted;
        struct packet *answer = net_input(&loopback, packet);
        ck_assert_ptr_nonnull(answer);
        ck_assert_int_eq(ip_header_read(&header, answer->data, answer->size, false), 0);
        ck_assert_int_eq(icmp_error_read(answer, &header, &about, &quoted), -ECONNREFUSED);
        ck_assert_uint_eq(about.protocol, IP_UDP);
        answer->data[answer->size - 1] ^= 1; // damaged: it says nothing
        ck_assert_int_eq(icmp_error_read(answer, &header, &about, &quoted), 0);
        answer->data[answer->size - 1] ^= 1;
        // About a datagram that nobody has sent.
        ck_assert_ptr_null(net_input(&loopback, answer));
    }
}
END_TEST

START_TEST(refusal_reaches_who_is_connected)
{
    for (int is_connected = 0; is_connected < 2; ++is_connected) {
        struct net_socket *socket = socket_bound(true, CLIENT);
        const struct net_end to = end_of(true, SERVER);
        if (is_connected) {
            ck_assert_int_eq(udp_connect(socket, &to), 0);
        }
        ck_assert_int_eq(send(socket, "x", &to), 0);
        ck_assert_uint_eq(datagram_poll(socket), is_connected ? DATAGRAM_FAILED : 0);
        ck_assert_int_eq(datagram_error_take(socket), is_connected ? -ECONNREFUSED : 0);
        ck_assert_int_eq(datagram_error_take(socket), 0);
        net_socket_close(socket);
    }
}
END_TEST

START_TEST(what_is_too_much_is_dropped)
{
    struct net_socket *server = socket_bound(true, SERVER);
    struct net_socket *client = socket_make(true);
    const struct net_end to = end_of(true, SERVER);
    char data[16];
    size_t done;
    unsigned got = 0;
    atomic_store(&server->receive_limit, 5000);
    for (int i = 0; i < 100; ++i) {
        ck_assert_int_eq(send(client, "x", &to), 0);
    }
    while (receive(server, data, sizeof data, &done) == 0) {
        ++got;
    }
    ck_assert_uint_gt(got, 4);
    ck_assert_uint_lt(got, 9);
    ck_assert_uint_eq(atomic_load(&server->drop_count), 100 - got);
    ck_assert_uint_eq(channel_cost(&server->channel), 0);
    net_socket_close(client);
    net_socket_close(server);
}
END_TEST

START_TEST(without_memory_nothing_is_sent)
{
    struct net_socket *server = socket_bound(true, SERVER);
    struct net_socket *client = socket_bound(true, CLIENT);
    const struct net_end to = end_of(true, SERVER);
    host_memory_fail_after(0);
    ck_assert_int_eq(send(client, "x", &to), -ENOBUFS);
    host_memory_fail_after(0);
    struct net_socket *third = socket_make(true);
    ck_assert_int_eq(net_socket_bind(third, &(struct net_end){to.address, 3000}), -ENOMEM);
    host_memory_fail_after(-1);
    ck_assert_int_eq(send(client, "x", &to), 0);
    const unsigned before = released;
    net_socket_close(third);
    net_socket_close(client);
    net_socket_close(server); // with a datagram in its channel
    ck_assert_uint_eq(released, before + 3);
}
END_TEST

// ---- The classifier ----------------------------------------------------------------------

static struct net_socket *found(const struct net_end *local, uint16_t remote_port)
{
    const struct net_end remote = end_of(address_is_v4(&local->address), remote_port);
    const struct flow *flow = flow_find(IP_UDP, local, &remote, loopback.index);
    return flow == NULL ? NULL : flow->socket;
}

START_TEST(best_match_is_found)
{
    const struct net_end v4 = {address_of_v4(home), SERVER}, v6 = end_of(false, SERVER);
    struct net_socket *both = socket_make(false);
    both->options.shares = FLOW_SHARES_ADDRESS;
    ck_assert_int_eq(net_socket_bind(both, &(struct net_end){address_any(false), SERVER}), 0);
    ck_assert_ptr_eq(found(&v4, CLIENT), both);
    ck_assert_ptr_eq(found(&v6, CLIENT), both);
    struct net_socket *any = socket_make(true);
    any->options.shares = FLOW_SHARES_ADDRESS;
    ck_assert_int_eq(net_socket_bind(any, &(struct net_end){address_any(true), SERVER}), 0);
    ck_assert_ptr_eq(found(&v4, CLIENT), any);
    ck_assert_ptr_eq(found(&v6, CLIENT), both);
    struct net_socket *exact = socket_make(true);
    exact->options.shares = FLOW_SHARES_ADDRESS;
    ck_assert_int_eq(net_socket_bind(exact, &v4), 0);
    ck_assert_ptr_eq(found(&v4, CLIENT), exact);
    struct net_socket *connected = socket_make(true);
    connected->options.shares = FLOW_SHARES_ADDRESS;
    ck_assert_int_eq(net_socket_bind(connected, &v4), 0);
    ck_assert_ptr_eq(found(&v4, CLIENT), connected); // the newest
    ck_assert_int_eq(udp_connect(connected, &(struct net_end){v4.address, CLIENT}), 0);
    ck_assert_ptr_eq(found(&v4, CLIENT), connected);
    ck_assert_ptr_eq(found(&v4, CLIENT + 1), exact);
    net_socket_close(connected);
    net_socket_close(exact);
    ck_assert_ptr_eq(found(&v4, CLIENT), any);
    net_socket_close(any);
    net_socket_close(both);
    ck_assert_ptr_null(found(&v4, CLIENT));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *cases = tcase_create("net");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, start, NULL);
    tcase_add_test(cases, checksum_of_rfc_1071);
    tcase_add_test(cases, checksum_of_any_cut_is_the_same);
    tcase_add_test(cases, siphash_is_siphash_1_3);
    tcase_add_test(cases, siphash_2_4_is_what_its_authors_say);
    tcase_add_test(cases, hash_of_a_cpu_is_siphash);
    tcase_add_test(cases, a_tally_is_exact_but_for_what_other_cpus_keep);
    tcase_add_test(cases, header_is_read_as_it_was_written);
    tcase_add_test(cases, damaged_header_is_none);
    tcase_add_test(cases, header_that_is_read_again_stays_within_its_packet);
    tcase_add_test(cases, mapped_addresses_are_not_on_the_wire);
    tcase_add_test(cases, fragments_are_refused);
    tcase_add_test(cases, good_datagrams_are_received);
    tcase_add_test(cases, what_lo_sends_is_counted);
    tcase_add_test(cases, checksums_are_checked);
    tcase_add_test(cases, wrong_lengths_are_dropped);
    tcase_add_test(cases, noise_is_dropped);
    tcase_add_test(cases, nobody_there_is_told);
    tcase_add_test(cases, refusal_reaches_who_is_connected);
    tcase_add_test(cases, what_is_too_much_is_dropped);
    tcase_add_test(cases, without_memory_nothing_is_sent);
    tcase_add_test(cases, best_match_is_found);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
