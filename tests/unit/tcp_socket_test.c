// SPDX-License-Identifier: BSD-3-Clause
// tcp_socket_test.c: sockets of TCP against peers that the test plays, packet by packet: many SYNs
// that come to nothing, connections that nobody closes, those that begin anew, and peers that take
// nothing, or send what nobody reads.
#include "core/net/tcp_socket.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/mem/frame.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/flow.h"
#include "core/net/ip.h"
#include "core/net/netif.h"
#include "core/net/run.h"
#include "core/net/tcp_cookie.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"
#include "tcp_sockets.h"
#include "unit_hal.h"
#include "vfs_host.h"

enum { PEERS = 5000, IRS = 7000, LIMIT = 4096 };

// ---- The peers -----------------------------------------------------------------------

static struct tcp_segment answers[PEERS]; // the last to each, by port
static uint32_t answer_count;
static uint8_t told_cookie[TCP_FAST_COOKIE_MAX]; // that was told last
static uint32_t told_size;                       // UINT32_MAX: none

static void capture(struct netif *netif, struct packet *packet, const struct net_address *next)
{
    (void)next;
    struct ip_header header;
    struct tcp_segment segment;
    struct tcp_ports ports;
    ck_assert_int_eq(ip_packet_read(&header, packet), 0);
    ck_assert_int_eq(
        tcp_header_read(&segment, &ports, packet->data + header.transport, header.size), 0);
    if (ports.target == SERVER) { // a SYN that finds who listens once more
        ck_assert_ptr_null(net_input(netif, packet));
        return;
    }
    ck_assert_uint_lt(ports.target, 10000 + PEERS);
    answers[ports.target - 10000] = segment;
    told_size = segment.has_cookie ? segment.cookie_size : UINT32_MAX;
    if (segment.has_cookie) {
        memcpy(told_cookie, segment.cookie, segment.cookie_size);
    }
    ++answer_count;
    packet_free(packet);
}

static void send_from(uint32_t peer, const struct tcp_segment *segment, const char *text)
{
    const struct ip_header header = {.source = address_loopback(true),
                                     .target = address_loopback(true),
                                     .protocol = IP_TCP,
                                     .hops = 64};
    const struct tcp_ports ports = {(uint16_t)(10000 + peer), SERVER};
    char head[TCP_HEADER_MAX];
    const uint32_t size = (uint32_t)strlen(text);
    const uint32_t length = tcp_header_write(head, segment, &ports);
    struct packet *packet = packet_alloc_block(length + size);
    ck_assert_ptr_nonnull(packet);
    memcpy(packet->data, head, length);
    memcpy(packet->data + length, text, size);
    packet->size = length + size;
    packet->is_trusted = true;
    ip_header_push(packet, &header);
    struct packet *answer = net_input(&loopback, packet);
    if (answer != NULL) {
        capture(&loopback, answer, NULL);
    }
    net_run();
}

static void peer(uint32_t which, uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
                 const char *text)
{
    const struct tcp_segment segment = {.flags = flags,
                                        .sequence = sequence,
                                        .acknowledgement = acknowledgement,
                                        .window = 60000,
                                        .scale = UINT8_MAX,
                                        .mss = flags & TCP_SYN ? 1460 : 0};
    answers[which] = (struct tcp_segment){.flags = 0};
    send_from(which, &segment, text);
}

static uint64_t count_of(enum net_count which)
{
    return atomic_load(&net_counts[which]);
}

// ---- The sockets ---------------------------------------------------------------------

static const void *tables;
static void (*lo_send)(struct netif *netif, struct packet *packet, const struct net_address *next);

// The three steps.
static struct tcp_socket *connection_of(struct tcp_socket *listener, uint32_t which)
{
    peer(which, TCP_SYN, IRS, 0, "");
    ck_assert_uint_eq(answers[which].flags, TCP_SYN | TCP_ACK);
    peer(which, TCP_ACK, IRS + 1, answers[which].sequence + 1, "");
    struct tcp_socket *child = accepted(listener);
    ck_assert_ptr_nonnull(child);
    return child;
}

static void start(void)
{
    ck_assert_int_eq(net_start(), 0);
    tables = host_newest_block();
    lo_send = loopback.send;
    loopback.send = capture;
    unit_clock_ns = 1000000000;
}

// ---- Cases ---------------------------------------------------------------------------

START_TEST(flood_of_syns_takes_no_memory)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    const uint64_t before = count_of(NET_TCP_COOKIES_SENT);
    for (uint32_t i = 0; i < PEERS; ++i) {
        peer(i, TCP_SYN, IRS + i, 0, "");
        ck_assert_uint_eq(answers[i].flags, TCP_SYN | TCP_ACK);
        ck_assert_uint_eq(answers[i].acknowledgement, IRS + i + 1);
    }
    ck_assert_uint_eq(made, BACKLOG + 1);
    ck_assert_uint_eq(count_of(NET_TCP_COOKIES_SENT), before + PEERS - BACKLOG - 1);
    // Who means it is served, with the bytes that come along.
    peer(77, TCP_ACK | TCP_PSH, IRS + 78, answers[77].sequence + 1, "hello");
    struct tcp_socket *child = accepted(listener);
    ck_assert_ptr_nonnull(child);
    ck_assert_uint_eq(child->tcp.mss, 1460);
    ck_assert_uint_eq(tcp_input_size(child), 5);
    // Who guesses is not.
    answer_count = 0;
    peer(78, TCP_ACK, IRS + 79, 12345, "");
    ck_assert_uint_eq(answers[78].flags, TCP_RST);
    ck_assert_ptr_null(accepted(listener));
    tcp_socket_close(child);
    tcp_socket_close(listener);
}
END_TEST

START_TEST(full_queue_drops_syns)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    for (uint32_t i = 0; i <= BACKLOG; ++i) {
        peer(i, TCP_SYN, IRS, 0, "");
        peer(i, TCP_ACK, IRS + 1, answers[i].sequence + 1, "");
    }
    const uint64_t before = count_of(NET_TCP_BACKLOG_FULL);
    peer(BACKLOG + 1, TCP_SYN, IRS, 0, "");
    ck_assert_uint_eq(answers[BACKLOG + 1].flags, 0);
    ck_assert_uint_eq(count_of(NET_TCP_BACKLOG_FULL), before + 1);
    struct tcp_socket *child = accepted(listener);
    peer(BACKLOG + 1, TCP_SYN, IRS, 0, "");
    ck_assert_uint_eq(answers[BACKLOG + 1].flags, TCP_SYN | TCP_ACK);
    tcp_socket_close(child);
    tcp_socket_close(listener);
}
END_TEST

START_TEST(cookies_are_of_their_ends_and_time)
{
    const struct net_end local = {address_loopback(true), 80}, other = {address_loopback(true), 81};
    const struct net_end remote = {address_loopback(true), 5555};
    const hal_ns second = 1000000000, now = 100000 * second;
    uint16_t mss;
    tcp_cookie_start();
    const uint32_t cookie = tcp_cookie_make(&local, &remote, IRS, 1460, now);
    ck_assert(tcp_cookie_check(cookie, &local, &remote, IRS, now, &mss));
    ck_assert_uint_eq(mss, 1460);
    ck_assert(tcp_cookie_check(cookie, &local, &remote, IRS, now + 120 * second, &mss));
    ck_assert(!tcp_cookie_check(cookie, &local, &remote, IRS, now + 200 * second, &mss));
    ck_assert(!tcp_cookie_check(cookie, &local, &remote, IRS + 1, now, &mss));
    ck_assert(!tcp_cookie_check(cookie, &other, &remote, IRS, now, &mss));
    ck_assert(!tcp_cookie_check(cookie ^ 1, &local, &remote, IRS, now, &mss));
    for (uint16_t size = 1; size < 65000; size = (uint16_t)(size + 111)) {
        const uint32_t its = tcp_cookie_make(&local, &remote, IRS, size, now);
        ck_assert(tcp_cookie_check(its, &local, &remote, IRS, now, &mss));
        ck_assert(mss <= size || mss == TCP_MSS_UNSAID);
    }
}
END_TEST

START_TEST(too_many_without_a_file_are_reset)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    uint32_t resets = 0;
    for (uint32_t i = 0; i < LIMIT + 10; ++i) {
        tcp_socket_close(connection_of(listener, i));
        resets += (answers[i].flags & TCP_RST) != 0;
        ck_assert(answers[i].flags & (TCP_FIN | TCP_RST));
    }
    ck_assert_uint_eq(resets, 10);
    for (uint32_t i = 0; i < LIMIT; ++i) {
        peer(i, TCP_RST, IRS + 1, 0, "");
    }
    tcp_socket_close(connection_of(listener, PEERS - 1));
    ck_assert(answers[PEERS - 1].flags & TCP_FIN);
    tcp_socket_close(listener);
}
END_TEST

START_TEST(too_many_that_wait_end_at_once)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    const uint64_t before = count_of(NET_TCP_WAITING_FULL);
    for (uint32_t i = 0; i < LIMIT + 10; ++i) {
        tcp_socket_close(connection_of(listener, i));
        peer(i, TCP_FIN | TCP_ACK, IRS + 1, answers[i].sequence + 1, "");
        ck_assert_uint_eq(answers[i].acknowledgement, IRS + 2);
    }
    ck_assert_uint_eq(count_of(NET_TCP_WAITING_FULL), before + 10);
    ck_assert_uint_eq(released, 10);
    tcp_socket_close(listener);
}
END_TEST

START_TEST(syn_begins_anew_what_waits) // RFC 6191
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    tcp_socket_close(connection_of(listener, 1));
    peer(1, TCP_FIN | TCP_ACK, IRS + 1, answers[1].sequence + 1, "");
    peer(1, TCP_SYN, IRS, 0, ""); // an old one
    ck_assert_uint_eq(answers[1].flags, TCP_ACK);
    peer(1, TCP_SYN, IRS + 100000, 0, "");
    ck_assert_uint_eq(answers[1].flags, TCP_SYN | TCP_ACK);
    ck_assert_uint_eq(answers[1].acknowledgement, IRS + 100001);
    tcp_socket_close(listener);
}
END_TEST

// ---- Messages of ICMP ------------------------------------------------------------------

// About the segment of ours to that peer that begins at sequence.
static void message(uint32_t which, uint8_t code, uint16_t mtu, uint32_t sequence)
{
    const struct ip_header header = {.source = address_loopback(true),
                                     .target = address_loopback(true),
                                     .protocol = IP_TCP,
                                     .hops = 64};
    const struct tcp_segment segment = {.sequence = sequence, .scale = UINT8_MAX};
    const struct tcp_ports ports = {SERVER, (uint16_t)(10000 + which)};
    const uint8_t head[8] = {3, code, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
    struct ip_header outer = header;
    outer.protocol = IP_ICMP;
    char raw[TCP_HEADER_MAX];
    const uint32_t length = tcp_header_write(raw, &segment, &ports);
    struct packet *packet = packet_alloc_block(length);
    memcpy(packet->data, raw, length);
    packet->size = length;
    ip_header_push(packet, &header);
    packet->data -= sizeof head;
    packet->size += sizeof head;
    memcpy(packet->data, head, sizeof head);
    const uint16_t sum = checksum_end(checksum_add(0, packet->data, packet->size));
    memcpy(packet->data + 2, &sum, sizeof sum);
    ip_header_push(packet, &outer);
    ck_assert_ptr_null(net_input(&loopback, packet));
    net_run();
}

START_TEST(message_about_a_long_segment_makes_them_shorter)
{
    static const char data[1400];
    const struct io_vector vector = {(char *)(uintptr_t)data, sizeof data};
    const struct net_message sent = {.vectors = &vector, .count = 1};
    struct tcp_socket *listener = listener_make(BACKLOG);
    struct tcp_socket *child = connection_of(listener, 1);
    const uint64_t before = count_of(NET_ICMP_DROPPED);
    size_t done = 0;
    ck_assert_int_eq(tcp_send(child, &sent, &done), 0);
    ck_assert_uint_eq(answers[1].size, sizeof data);
    const uint32_t sequence = answers[1].sequence;
    message(1, 4, 1000, sequence + 5000); // not under way
    ck_assert_uint_eq(child->tcp.mss, 1460);
    message(1, 4, 1000, sequence);
    ck_assert_uint_eq(child->tcp.mss, 960);
    ck_assert_uint_eq(answers[1].sequence, sequence + 960);
    message(1, 4, 100, sequence); // Linux's least
    ck_assert_uint_eq(child->tcp.mss, 512);
    message(1, 1, 0, sequence);
    ck_assert_int_eq(child->tcp.obstacle, -EHOSTUNREACH);
    ck_assert_uint_eq(count_of(NET_ICMP_DROPPED), before);
    message(2, 1, 0, sequence); // of nobody: it goes to who listens
    ck_assert_uint_eq(count_of(NET_ICMP_DROPPED), before + 1);
    tcp_socket_close(child);
    tcp_socket_close(listener);
}
END_TEST

// ---- Buffers that grow -----------------------------------------------------------------

START_TEST(buffers_grow_within_a_share_of_memory)
{
    enum { SOCKETS = 4096, STEP = 6291456 - TCP_ROOM };
    static struct tcp_socket *sockets[SOCKETS];
    const uint8_t bytes[] = {10, 9, 8, 7};
    const struct net_address far = address_of_v4(bytes), near = address_loopback(true);
    const size_t share = frame_total_count() * HAL_PAGE_SIZE / 16;
    uint32_t count = 0;
    bool is_granted = true;
    while (is_granted && count < SOCKETS) {
        struct tcp_socket *tcp = sockets[count++] = socket_new();
        tcp_growth_begin(tcp, &near);
        ck_assert_uint_eq(tcp->settings.room_max, 0);
        tcp_growth_begin(tcp, &far);
        ck_assert_uint_eq(tcp->settings.room_max, 6291456);
        const uint32_t before = atomic_load(&tcp->socket.receive_limit);
        is_granted = tcp_room_may_grow(&tcp->tcp, STEP);
        ck_assert_uint_eq(atomic_load(&tcp->socket.receive_limit) > before, is_granted);
    }
    ck_assert_uint_eq(count - 1, share / STEP);
    struct tcp_socket *last = sockets[count - 1];
    if (count > 1) {
        tcp_grown_end(sockets[0]);
        ck_assert(tcp_room_may_grow(&last->tcp, STEP));
    }
    while (count > 0) {
        tcp_socket_close(sockets[--count]);
    }
}
END_TEST

START_TEST(a_full_send_buffer_grows_with_the_window)
{
    const uint8_t bytes[] = {10, 9, 8, 7};
    const struct net_address far = address_of_v4(bytes);
    struct tcp_socket *tcp = socket_new();
    tcp_growth_begin(tcp, &far);
    tcp->tcp.congestion = TCP_SEND_ROOM / 2;
    ck_assert(!tcp_send_grow(tcp));
    tcp->tcp.congestion = TCP_SEND_ROOM / 2 + 1000;
    ck_assert(tcp_send_grow(tcp));
    ck_assert_uint_eq(tcp->send_limit, TCP_SEND_ROOM + 2000);
    ck_assert(!tcp_send_grow(tcp));
    tcp_growth_begin(tcp, &far); // another connection
    ck_assert_uint_eq(tcp->send_limit, TCP_SEND_ROOM);
    tcp->is_send_fixed = tcp->is_room_fixed = true;
    tcp_growth_begin(tcp, &far);
    ck_assert(!tcp_send_grow(tcp));
    ck_assert_uint_eq(tcp->settings.room_max, 0);
    tcp_socket_close(tcp);
}
END_TEST

// ---- Fast Open (RFC 7413) ----------------------------------------------------------------

static void fast_call(uint32_t which, uint8_t size, const char *text)
{
    const struct tcp_segment syn = {.flags = TCP_SYN,
                                    .sequence = IRS,
                                    .window = 60000,
                                    .scale = UINT8_MAX,
                                    .mss = 1460,
                                    .has_cookie = true,
                                    .cookie = told_cookie,
                                    .cookie_size = size};
    answers[which] = (struct tcp_segment){.flags = 0};
    told_size = UINT32_MAX;
    send_from(which, &syn, text);
}

START_TEST(a_syn_with_the_right_cookie_is_served_at_once)
{
    static const char text[] = "answer";
    const struct io_vector vector = {(char *)(uintptr_t)text, 6};
    const struct net_message sent = {.vectors = &vector, .count = 1};
    struct tcp_socket *listener = fast_listener(1);
    size_t done = 0;
    fast_call(1, 0, "hello"); // asks
    ck_assert_uint_eq(answers[1].acknowledgement, IRS + 1);
    ck_assert_uint_eq(told_size, TCP_FAST_COOKIE);
    ck_assert_ptr_null(accepted(listener));
    fast_call(2, TCP_FAST_COOKIE, "hello");
    ck_assert_uint_eq(answers[2].flags, TCP_SYN | TCP_ACK);
    ck_assert_uint_eq(answers[2].acknowledgement, IRS + 6);
    ck_assert_uint_eq(told_size, UINT32_MAX);
    struct tcp_socket *child = accepted(listener);
    ck_assert_ptr_nonnull(child);
    ck_assert_uint_eq(tcp_input_size(child), 5);
    ck_assert_uint_eq(tcp_poll(child) & (TCP_READABLE | TCP_WRITABLE), TCP_READABLE | TCP_WRITABLE);
    ck_assert_int_eq(tcp_send(child, &sent, &done), 0);
    ck_assert_uint_eq(answers[2].size, 6); // before the third step
    const uint32_t end = answers[2].sequence + 6;
    // No more than one at a time.
    fast_call(3, TCP_FAST_COOKIE, "hello");
    ck_assert_uint_eq(answers[3].acknowledgement, IRS + 1);
    peer(2, TCP_ACK, IRS + 6, end, "");
    ck_assert_uint_eq(child->tcp.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(tcp_output_size(child), 0);
    fast_call(4, TCP_FAST_COOKIE, "hello");
    ck_assert_uint_eq(answers[4].acknowledgement, IRS + 6);
    tcp_socket_close(child);
    tcp_socket_close(listener);
}
END_TEST

START_TEST(a_wrong_cookie_is_corrected)
{
    struct tcp_socket *listener = fast_listener(5);
    memset(told_cookie, 1, sizeof told_cookie);
    fast_call(1, TCP_FAST_COOKIE, "hello");
    ck_assert_uint_eq(answers[1].acknowledgement, IRS + 1);
    ck_assert_uint_eq(told_size, TCP_FAST_COOKIE);
    fast_call(2, TCP_FAST_COOKIE, ""); // right, and brings nothing: it may be answered
    ck_assert_uint_eq(answers[2].acknowledgement, IRS + 1);
    struct tcp_socket *child = accepted(listener);
    ck_assert_ptr_nonnull(child);
    tcp_socket_close(child);
    atomic_store(&tcp_fast_switches, TCP_FAST_CALLS);
    fast_call(3, TCP_FAST_COOKIE, "hello");
    ck_assert_uint_eq(answers[3].acknowledgement, IRS + 1);
    ck_assert_uint_eq(told_size, UINT32_MAX);
    tcp_socket_close(listener);
}
END_TEST

// Perhaps it was lost for its cookie: the next call begins as with a stranger.
START_TEST(a_cookie_is_forgotten_whose_syn_was_sent_again)
{
    static const char text[] = "hello";
    const struct io_vector vector = {(char *)(uintptr_t)text, 5};
    const struct net_message sent = {.vectors = &vector, .count = 1};
    const struct net_end here = {address_loopback(true), SERVER};
    const struct net_end there = {address_loopback(true), 10001};
    static const uint8_t cookie[TCP_FAST_COOKIE] = {1};
    const struct tcp_segment said = {
        .has_cookie = true, .cookie = cookie, .cookie_size = sizeof cookie};
    struct tcp_socket *client = socket_new(), *listener = socket_new();
    size_t done = 0;
    atomic_store(&tcp_fast_switches, TCP_FAST_CALLS);
    tcp_fast_learn(&there.address, &said);
    ck_assert_int_eq(net_socket_bind(&listener->socket, &there), 0);
    ck_assert_int_eq(tcp_listen(listener, BACKLOG), 0);
    ck_assert_int_eq(net_socket_bind(&client->socket, &here), 0);
    ck_assert_int_eq(tcp_connect_fast_to(client, &there, &sent, &done), -EINPROGRESS);
    ck_assert_uint_eq(answers[1].size, 5); // it is lost
    ck_assert_uint_eq(told_size, TCP_FAST_COOKIE);
    unit_clock_ns += UINT64_C(1500000000);
    ck_assert(alarm_stop(&client->alarm)); // it is about to ring
    client->alarm.ring(&client->alarm);
    ck_assert_uint_eq(client->tcp.counts.resent_segments, 1);
    ck_assert_uint_eq(client->tcp.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(tcp_fast_find(&there.address).size, 0);
    tcp_socket_close(client);
    tcp_socket_close(listener);
}
END_TEST

// ---- What all may hold together ----------------------------------------------------------

enum { HOLDERS = 2000, PIECE = 1400 };

static struct tcp_socket *holders[HOLDERS];

static size_t share(void)
{
    return frame_total_count() * HAL_PAGE_SIZE / 8;
}

// As much as it takes.
static size_t fill(struct tcp_socket *tcp)
{
    static const char data[65536];
    const struct io_vector vector = {(char *)(uintptr_t)data, sizeof data};
    const struct net_message sent = {.vectors = &vector, .count = 1};
    size_t all = 0, done = 0;
    while (tcp_send(tcp, &sent, &done) == 0) {
        all += done;
        done = 0;
    }
    return all;
}

START_TEST(peers_that_acknowledge_nothing_take_a_share)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    size_t held = 0;
    uint32_t count = 0, resets = 0;
    for (; !tcp_memory_is_over(); ++count) {
        ck_assert_uint_lt(count, HOLDERS);
        holders[count] = connection_of(listener, count);
        held += fill(holders[count]);
    }
    ck_assert_uint_gt(held, share() / 4);
    ck_assert_uint_le(held, share());
    struct tcp_socket *other = connection_of(listener, count);
    for (int turn = 0; turn < 3; ++turn) { // it gets little, but again and again
        ck_assert_uint_gt(fill(other), 0);
        ck_assert_uint_le(other->sending.used, TCP_HELD_LEAST);
        ck_assert_uint_eq(tcp_poll(other) & TCP_WRITABLE, 0);
        peer(count, TCP_ACK, IRS + 1, other->tcp.next, "");
        ck_assert_uint_ne(tcp_poll(other) & TCP_WRITABLE, 0);
    }
    for (uint32_t i = 0; i < count; ++i) {
        const bool is_over = tcp_memory_is_over();
        tcp_socket_close(holders[i]);
        ck_assert_uint_eq((answers[i].flags & TCP_RST) != 0, is_over);
        resets += is_over;
    }
    ck_assert_uint_gt(resets, 0);
    ck_assert_uint_eq(count_of(NET_TCP_NO_MEMORY), resets);
    ck_assert(fill(other) > TCP_HELD_LEAST);
    tcp_socket_close(other);
    tcp_socket_close(listener);
}
END_TEST

// Answers whether it was taken.
static bool piece_bring(struct tcp_socket *tcp, uint32_t which)
{
    static char text[PIECE + 1];
    const uint32_t expected = tcp->tcp.expected;
    memset(text, 'x', PIECE);
    peer(which, TCP_ACK, expected, tcp->tcp.next, text);
    return tcp->tcp.expected != expected;
}

static void drain(struct tcp_socket *tcp)
{
    static char data[100000];
    const struct io_vector vector = {data, sizeof data};
    struct net_message message = {.vectors = &vector, .count = 1};
    size_t done = 0;
    ck_assert_int_eq(tcp_receive(tcp, &message, false, false, &done), 0);
}

START_TEST(peers_whose_bytes_nobody_reads_take_a_share)
{
    struct tcp_socket *listener = listener_make(BACKLOG);
    uint32_t count = 0;
    for (; !tcp_memory_is_over(); ++count) {
        ck_assert_uint_lt(count, HOLDERS);
        holders[count] = connection_of(listener, count);
        for (int i = 0; i < 40 && !tcp_memory_is_over(); ++i) {
            ck_assert(piece_bring(holders[count], count));
        }
    }
    ck_assert_uint_le((size_t)count * 40 * PIECE, share());
    ck_assert(!piece_bring(holders[0], 0));
    ck_assert_uint_eq(holders[0]->tcp.counts.dropped, 1);
    struct tcp_socket *other = connection_of(listener, count);
    for (int turn = 0; turn < 10; ++turn) { // who reads is served
        ck_assert(piece_bring(other, count));
        drain(other);
    }
    for (uint32_t i = 0; i < count; ++i) {
        drain(holders[i]);
    }
    ck_assert(!tcp_memory_is_over());
    ck_assert(piece_bring(holders[0], 0));
    while (count > 0) {
        tcp_socket_close(holders[--count]);
    }
    tcp_socket_close(other);
    tcp_socket_close(listener);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp_socket");
    TCase *cases = tcase_create("tcp_socket");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, start, NULL);
    tcase_add_test(cases, flood_of_syns_takes_no_memory);
    tcase_add_test(cases, full_queue_drops_syns);
    tcase_add_test(cases, cookies_are_of_their_ends_and_time);
    tcase_add_test(cases, too_many_without_a_file_are_reset);
    tcase_add_test(cases, too_many_that_wait_end_at_once);
    tcase_add_test(cases, syn_begins_anew_what_waits);
    tcase_add_test(cases, message_about_a_long_segment_makes_them_shorter);
    tcase_add_test(cases, buffers_grow_within_a_share_of_memory);
    tcase_add_test(cases, a_full_send_buffer_grows_with_the_window);
    tcase_add_test(cases, a_syn_with_the_right_cookie_is_served_at_once);
    tcase_add_test(cases, a_wrong_cookie_is_corrected);
    tcase_add_test(cases, a_cookie_is_forgotten_whose_syn_was_sent_again);
    tcase_add_test(cases, peers_that_acknowledge_nothing_take_a_share);
    tcase_add_test(cases, peers_whose_bytes_nobody_reads_take_a_share);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
