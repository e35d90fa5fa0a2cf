// SPDX-License-Identifier: BSD-3-Clause
// tcp_near_test.c: connections of TCP with both ends on this machine: what they say needs no
// headers, unless others look.
#include "core/net/tcp_socket.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/raw.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"
#include "tcp_sockets.h"
#include "unit_hal.h"

static void (*lo_send)(struct netif *netif, struct packet *packet, const struct net_address *next);

static void start(void)
{
    ck_assert_int_eq(net_start(), 0);
    lo_send = loopback.send;
    unit_clock_ns = 1000000000;
}

// The headers of IP and of TCP, with times, that nobody needs; of a SYN, with all it may say.
enum { BARE = 20 + 20 + 12, BARE_SYN = BARE + 3 * 4 };

static struct tcp_socket *near_listener, *near_client, *near_child;
static uint32_t whole_count; // of packets that went by their headers

static void lo_count(struct netif *netif, struct packet *packet, const struct net_address *next)
{
    ++whole_count;
    lo_send(netif, packet, next);
}

static void near_call(void)
{
    const struct net_end end = {address_loopback(true), SERVER};
    const struct net_patience none = {.waits = false};
    ck_assert_int_eq(tcp_connect_to(near_client, &end, &none), -EINPROGRESS);
    near_child = accepted(near_listener);
    ck_assert_ptr_nonnull(near_child);
}

static void near_connect(void)
{
    whole_count = 0;
    loopback.send = lo_count;
    near_listener = listener_make(BACKLOG);
    near_client = socket_new();
    near_call();
}

static int near_send(struct tcp_socket *from, const char *text)
{
    const struct io_vector vector = {(char *)(uintptr_t)text, strlen(text)};
    const struct net_message sent = {.vectors = &vector, .count = 1};
    size_t done = 0;
    return tcp_send(from, &sent, &done);
}

static int near_receive(struct tcp_socket *to, char *data, size_t size, size_t *done)
{
    const struct io_vector vector = {data, size};
    struct net_message message = {.vectors = &vector, .count = 1};
    *done = 0;
    return tcp_receive(to, &message, false, false, done);
}

static void near_close(void)
{
    tcp_socket_close(near_client);
    tcp_socket_close(near_child);
    tcp_socket_close(near_listener);
}

START_TEST(bytes_between_ends_here_arrive_and_are_counted_with_headers)
{
    char data[16];
    size_t done;
    near_connect();
    const uint64_t packets = netif_figure(&loopback, NETIF_SENT);
    const uint64_t bytes = netif_figure(&loopback, NETIF_SENT_BYTES);
    ck_assert_int_eq(near_send(near_client, "hello"), 0);
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT), packets + 1);
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT_BYTES), bytes + BARE + 5);
    ck_assert_int_eq(near_receive(near_child, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 5);
    ck_assert_int_eq(memcmp(data, "hello", 5), 0);
    near_close();
}
END_TEST

START_TEST(a_connection_between_ends_here_needs_no_headers)
{
    const uint64_t packets = netif_figure(&loopback, NETIF_SENT);
    const uint64_t bytes = netif_figure(&loopback, NETIF_SENT_BYTES);
    near_connect();
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT), packets + 3);
    ck_assert_uint_eq(netif_figure(&loopback, NETIF_SENT_BYTES), bytes + 2 * BARE_SYN + BARE);
    ck_assert_int_eq(near_send(near_client, "hello"), 0);
    near_close();
    ck_assert_uint_eq(whole_count, 0);
}
END_TEST

START_TEST(who_calls_nobody_here_is_refused)
{
    const struct net_end end = {address_loopback(true), SERVER};
    const struct net_patience none = {.waits = false};
    loopback.send = lo_send;
    struct tcp_socket *client = socket_new();
    ck_assert_int_eq(tcp_connect_to(client, &end, &none), -EINPROGRESS);
    ck_assert_int_eq(tcp_error_take(client), -ECONNREFUSED);
    tcp_socket_close(client);
}
END_TEST

START_TEST(a_call_from_here_begins_anew_what_waits)
{
    near_connect();
    const struct net_end local = near_client->socket.local;
    tcp_socket_close(near_child); // waits for what is late
    tcp_socket_close(near_client);
    unit_clock_ns += 1000000000;
    near_client = socket_new();
    ck_assert_int_eq(net_socket_bind(&near_client->socket, &local), 0);
    near_call();
    ck_assert_uint_eq(near_child->socket.remote.port, local.port);
    near_close();
    ck_assert_uint_eq(whole_count, 0);
}
END_TEST

static void raw_release(struct net_socket *socket)
{
    (void)socket;
}

static struct raw_socket raw;

static void raw_begin(void)
{
    raw_socket_init(&raw, NET_RAW, IP_TCP, true);
    raw.socket.ready = ready;
    raw.socket.release = raw_release;
    raw_socket_open(&raw);
}

START_TEST(raw_sockets_see_whole_calls_between_ends_here)
{
    struct ip_header header;
    struct tcp_segment segment;
    struct tcp_ports ports;
    raw_begin();
    near_connect();
    struct packet *packet = channel_take(&raw.socket.channel);
    ck_assert_ptr_nonnull(packet);
    ck_assert_int_eq(ip_packet_read(&header, packet), 0);
    ck_assert(address_is_loopback(&header.source) && address_is_loopback(&header.target));
    char *at = packet->data + header.transport;
    ck_assert_int_eq(tcp_header_read(&segment, &ports, at, header.size), 0);
    ck_assert_uint_eq(ports.target, SERVER);
    ck_assert_uint_eq(ports.source, near_client->socket.local.port);
    ck_assert_uint_eq(segment.flags, TCP_SYN);
    ck_assert_uint_eq(segment.size, 0);
    ck_assert_uint_ne(segment.mss, 0);
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_free(packet);
        packet = next;
    }
    raw_socket_close(&raw);
    near_close();
}
END_TEST

START_TEST(raw_sockets_see_whole_packets_between_ends_here)
{
    struct ip_header header;
    struct tcp_segment segment;
    struct tcp_ports ports;
    near_connect();
    raw_begin();
    near_client->socket.options.hops = 33;
    ck_assert_int_eq(near_send(near_client, "hello"), 0);
    struct packet *packet = channel_take(&raw.socket.channel);
    ck_assert_ptr_nonnull(packet);
    ck_assert_int_eq(ip_packet_read(&header, packet), 0);
    ck_assert_uint_eq(header.hops, 33);
    char *at = packet->data + header.transport;
    ck_assert_int_eq(tcp_header_read(&segment, &ports, at, header.size), 0);
    ck_assert_uint_eq(ports.target, SERVER);
    ck_assert_uint_eq(ports.source, near_client->socket.local.port);
    ck_assert_uint_eq(segment.flags, TCP_ACK | TCP_PSH);
    ck_assert_int_eq(memcmp(segment.data, "hello", 5), 0);
    packet_free(packet);
    raw_socket_close(&raw);
    near_close();
}
END_TEST

START_TEST(who_sends_to_an_end_here_that_is_gone_is_refused)
{
    char data[16];
    size_t done;
    near_connect();
    flow_leave(near_child->socket.flow);
    near_child->socket.flow = NULL;
    ck_assert_int_eq(near_send(near_client, "hello"), 0);
    ck_assert_int_eq(near_receive(near_client, data, sizeof data, &done), -ECONNRESET);
    near_close();
}
END_TEST

START_TEST(who_breaks_off_tells_an_end_here)
{
    char data[16];
    size_t done;
    near_connect();
    tcp_disconnect(near_child);
    ck_assert_int_eq(near_receive(near_client, data, sizeof data, &done), -ECONNRESET);
    near_close();
}
END_TEST

START_TEST(bytes_go_with_the_syn_that_has_waited_for_them)
{
    const struct net_end end = {address_loopback(true), SERVER};
    const struct net_patience none = {.waits = false};
    char data[16];
    size_t done;
    loopback.send = lo_send;
    near_listener = fast_listener(5);
    tcp_fast_forget(&end.address);
    near_client = socket_new();
    ck_assert_int_eq(tcp_connect_later_to(near_client, &end, &none), -EINPROGRESS); // asks
    near_child = accepted(near_listener);
    tcp_socket_close(near_child);
    tcp_socket_close(near_client);
    near_client = socket_new();
    ck_assert_int_eq(tcp_connect_later_to(near_client, &end, &none), 0);
    ck_assert_int_eq(tcp_connect_later_to(near_client, &end, &none), -EISCONN);
    ck_assert_uint_eq(tcp_poll(near_client), TCP_WRITABLE);
    ck_assert_ptr_null(accepted(near_listener));
    ck_assert_int_eq(near_send(near_client, "hello"), 0);
    near_child = accepted(near_listener);
    ck_assert_ptr_nonnull(near_child);
    ck_assert(near_child->tcp.is_fast && near_client->tcp.is_fast);
    ck_assert_int_eq(near_receive(near_child, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 5);
    ck_assert_int_eq(memcmp(data, "hello", 5), 0);
    near_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp_near");
    TCase *cases = tcase_create("tcp_near");
    tcase_add_checked_fixture(cases, start, NULL);
    tcase_add_test(cases, bytes_between_ends_here_arrive_and_are_counted_with_headers);
    tcase_add_test(cases, a_connection_between_ends_here_needs_no_headers);
    tcase_add_test(cases, who_calls_nobody_here_is_refused);
    tcase_add_test(cases, a_call_from_here_begins_anew_what_waits);
    tcase_add_test(cases, raw_sockets_see_whole_calls_between_ends_here);
    tcase_add_test(cases, raw_sockets_see_whole_packets_between_ends_here);
    tcase_add_test(cases, who_sends_to_an_end_here_that_is_gone_is_refused);
    tcase_add_test(cases, who_breaks_off_tells_an_end_here);
    tcase_add_test(cases, bytes_go_with_the_syn_that_has_waited_for_them);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
