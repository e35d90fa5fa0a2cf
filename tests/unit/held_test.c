// SPDX-License-Identifier: BSD-3-Clause
// held_test.c: answers of a program that has more to answer: which of them the device is told of,
// and when.
#include "core/net/held.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/datagram.h"
#include "core/net/ip.h"
#include "core/net/socket.h"
#include "core/net/udp.h"
#include "link_host.h"
#include "unit_hal.h"
#include "vfs_host.h"

enum { PORT = 700, SERVED_NS = 2000, ASKED = 3 * HELD_MAX };

static struct net_socket *server;
static unsigned flushes, promises; // of later ones

static void ready(struct net_socket *socket, unsigned news)
{
    (void)socket, (void)news;
}

static void release(struct net_socket *socket)
{
    free(socket);
}

static void flush(struct netif *netif)
{
    (void)netif;
    ++flushes;
}

static void flush_soon(struct netif *netif)
{
    (void)netif;
    ++promises;
}

static void ask(unsigned count)
{
    const struct ip_header header = {.source = address_of("10.0.0.2"),
                                     .target = address_of("10.0.0.1"),
                                     .protocol = IP_UDP,
                                     .hops = 9};
    static const char data[] = {PORT >> 8, PORT & 255, PORT >> 8, PORT & 255, 0, 9, 0, 0, 'x'};
    for (unsigned i = 0; i < count; ++i) {
        struct packet *packet = packet_alloc_block(sizeof data);
        memcpy(packet->data, data, sizeof data);
        packet->size = sizeof data;
        ip_header_push(packet, &header);
        ethernet_send(&wire, packet, ETHERNET_V4, here);
        struct packet *frame = heard[--heard_count]; // it was not from here
        memcpy(frame->data + 6, there, sizeof there);
        ethernet_input(&wire, frame);
    }
}

// Answers of one that was asked. Answers whether the device is to hear of it.
static bool answer(bool has_next)
{
    const struct net_end to = {address_of("10.0.0.2"), PORT};
    const struct io_vector vector = {(char *)(uintptr_t) "hello", 5};
    const struct net_message message = {
        .vectors = &vector, .count = 1, .to = &to, .has_next = has_next};
    size_t done;
    link_forget();
    unit_clock_ns += SERVED_NS;
    ck_assert_int_eq(udp_send(server, &message, &done), 0);
    ck_assert_uint_eq(heard_count, 1);
    return !heard[0]->has_more;
}

static int take(void)
{
    char data[10];
    const struct io_vector vector = {data, sizeof data};
    struct net_message message = {.vectors = &vector, .count = 1};
    size_t done = 0;
    return datagram_receive(server, &message, &done);
}

static void start(void)
{
    const struct net_end own = {address_of("10.0.0.1"), PORT};
    link_start("10.0.0.1/24,10.0.0.254");
    wire.netif.flush = flush;
    wire.netif.flush_soon = flush_soon;
    struct neighbour_step step;
    const struct net_address peer = address_of("10.0.0.2");
    neighbour_learn(&wire.neighbours, &peer, there, NEIGHBOUR_OVERRIDES | NEIGHBOUR_IS_NEW,
                    hal_clock_ns(), &step);
    server = calloc(1, sizeof *server);
    net_socket_init(server, IP_UDP, true);
    server->ready = ready;
    server->release = release;
    ck_assert_int_eq(net_socket_bind(server, &own), 0);
    unit_clock_ns += 1000 * SERVED_NS;
    link_forget();
}

static void end(void)
{
    net_socket_close(server);
    link_forget();
}

START_TEST(answers_wait_for_the_next)
{
    ask(3);
    ck_assert_int_eq(take(), 0);
    ck_assert(answer(false)); // the first that was asked in a while
    ck_assert_int_eq(take(), 0);
    ck_assert(!answer(false));
    ck_assert_uint_eq(promises, 1);
    ck_assert_int_eq(take(), 0);
    ck_assert_uint_eq(flushes, 0);
    ck_assert(answer(false)); // nothing follows
    ck_assert_int_eq(take(), -EAGAIN);
    ck_assert_uint_eq(flushes, 0); // the last took all with it
}
END_TEST

START_TEST(who_does_not_answer_lets_the_others_go)
{
    ask(3);
    ck_assert_int_eq(take(), 0);
    ck_assert(answer(false));
    ck_assert_int_eq(take(), 0);
    ck_assert(!answer(false));
    ck_assert_int_eq(take(), 0);
    ck_assert_uint_eq(flushes, 0);
    ck_assert_int_eq(take(), -EAGAIN);
    ck_assert_uint_eq(flushes, 1);
    ck_assert_int_eq(take(), -EAGAIN);
    ck_assert_uint_eq(flushes, 1);
}
END_TEST

START_TEST(not_too_many_are_held)
{
    unsigned told = 0;
    ask(ASKED);
    for (unsigned i = 0; i < ASKED; ++i) {
        ck_assert_int_eq(take(), 0);
        told += answer(false);
    }
    ck_assert_uint_eq(told, 1 + (ASKED - 1) / HELD_MAX + 1);
}
END_TEST

START_TEST(answers_that_take_long_go_alone)
{
    ask(4);
    for (unsigned i = 0; i < 3; ++i) {
        ck_assert_int_eq(take(), 0);
        unit_clock_ns += 100 * SERVED_NS;
        ck_assert(answer(false));
    }
}
END_TEST

static unsigned looks, looks_needed;

static bool has_sent(struct netif *netif)
{
    (void)netif;
    return ++looks >= looks_needed;
}

START_TEST(a_machine_ends_when_all_has_left)
{
    wire.netif.has_sent = has_sent;
    looks_needed = 3;
    netif_finish(1000000);
    ck_assert_uint_eq(flushes, 1);
    ck_assert_uint_eq(looks, 3);
    looks_needed = UINT32_MAX; // the device takes no more
    const hal_ns before = unit_clock_ns;
    netif_finish(1000000);
    ck_assert_uint_ge(unit_clock_ns - before, 1000000);
    ck_assert_uint_lt(unit_clock_ns - before, 2000000);
}
END_TEST

START_TEST(what_is_sent_at_once_goes_together)
{
    ck_assert(!answer(true));
    ck_assert(!answer(true));
    ck_assert(answer(false));
    ck_assert_uint_eq(promises, 2);
    wire.netif.flush_soon = NULL; // it has nothing to be told
    ck_assert(answer(true));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("held");
    TCase *cases = tcase_create("held");
    tcase_add_checked_fixture(cases, start, end);
    tcase_add_test(cases, answers_wait_for_the_next);
    tcase_add_test(cases, who_does_not_answer_lets_the_others_go);
    tcase_add_test(cases, not_too_many_are_held);
    tcase_add_test(cases, answers_that_take_long_go_alone);
    tcase_add_test(cases, a_machine_ends_when_all_has_left);
    tcase_add_test(cases, what_is_sent_at_once_goes_together);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
