// SPDX-License-Identifier: BSD-3-Clause
// neighbour_test.c: the table of those on a link, as it answers one call after another: who is
// asked when, who makes room, and what of that which waits goes.
#include "core/net/neighbour.h"

#include <check.h>

#include "core/dev/packet.h"
#include "link_host.h"
#include "vfs_host.h"

enum { SECOND = 1000000000 };

static struct neighbours neighbours;
static struct neighbour_step step;

static void list_free(struct packet *packet)
{
    while (packet != NULL) {
        struct packet *next = packet->next;
        packet_free(packet);
        packet = next;
    }
}

static void send_to(const struct net_address *address, hal_ns now)
{
    struct packet *packet = packet_alloc_block(1);
    neighbour_send(&neighbours, address, packet, now, &step);
    if (step.act == NEIGHBOUR_SEND) {
        list_free(step.packets);
    }
    list_free(step.dropped);
}

static void learn(const struct net_address *address, unsigned news, hal_ns now)
{
    neighbour_learn(&neighbours, address, there, news, now, &step);
    if (step.act == NEIGHBOUR_SEND) {
        list_free(step.packets);
    }
}

START_TEST(nobody_answers_three_questions)
{
    const struct net_address address = address_of("10.0.0.2");
    const hal_ns second = SECOND;
    neighbours_init(&neighbours);
    send_to(&address, 0);
    ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ALL);
    for (hal_ns now = second; now <= 2 * second; now += second) {
        ck_assert_uint_eq(neighbour_deadline(&neighbours), now);
        neighbour_timeout(&neighbours, now - 1, &step);
        ck_assert_int_eq(step.act, NEIGHBOUR_NOTHING);
        neighbour_timeout(&neighbours, now, &step);
        ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ALL);
    }
    neighbour_timeout(&neighbours, 3 * second, &step);
    ck_assert_int_eq(step.act, NEIGHBOUR_GIVE_UP);
    ck_assert_ptr_nonnull(step.packets);
    list_free(step.packets);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), UINT64_MAX);
}
END_TEST

START_TEST(who_is_not_heard_is_asked_again)
{
    const struct net_address address = address_of("10.0.0.2");
    const hal_ns second = SECOND;
    neighbours_init(&neighbours);
    send_to(&address, 0);
    learn(&address, NEIGHBOUR_SOLICITED, second);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), 31 * second);
    neighbour_timeout(&neighbours, 31 * second, &step);
    ck_assert_int_eq(step.act, NEIGHBOUR_NOTHING);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), UINT64_MAX); // nobody needs it
    send_to(&address, 40 * second);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    neighbour_timeout(&neighbours, 45 * second, &step);
    ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ONE);
    ck_assert_mem_eq(step.hardware, there, 6);
    learn(&address, NEIGHBOUR_SOLICITED, 45 * second);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), 75 * second);
    neighbour_timeout(&neighbours, 75 * second, &step);
    send_to(&address, 80 * second);
    for (hal_ns now = 85; now < 88; ++now) {
        neighbour_timeout(&neighbours, now * second, &step);
        ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ONE);
    }
    neighbour_timeout(&neighbours, 88 * second, &step);
    ck_assert_int_eq(step.act, NEIGHBOUR_GIVE_UP);
    send_to(&address, 89 * second);
    ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ALL);
    learn(&address, 0, 89 * second);
}
END_TEST

// Who says where he is without having been asked is believed, and asked when he was sent something.
START_TEST(who_was_not_asked_is_asked_later)
{
    const struct net_address address = address_of("10.0.0.2"), other = address_of("10.0.0.3");
    const hal_ns second = SECOND;
    neighbours_init(&neighbours);
    send_to(&address, 0);
    ck_assert(step.waits);
    learn(&address, NEIGHBOUR_OVERRIDES, 0);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), 5 * second);
    neighbour_timeout(&neighbours, 5 * second, &step);
    ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ONE);
    learn(&address, NEIGHBOUR_SOLICITED, 5 * second);
    learn(&other, NEIGHBOUR_IS_NEW, 0);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), 35 * second);
    send_to(&other, second);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    ck_assert(step.waits);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), 6 * second);
}
END_TEST

// RFC 4861, 7.2.5: the first is believed until he is asked.
START_TEST(two_have_one_address)
{
    static const uint8_t stranger[] = {2, 0, 0, 0, 0, 99};
    const struct net_address address = address_of("10.0.0.2");
    neighbours_init(&neighbours);
    send_to(&address, 0);
    learn(&address, NEIGHBOUR_SOLICITED, 0);
    neighbour_learn(&neighbours, &address, stranger, NEIGHBOUR_SOLICITED, 1, &step);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), UINT64_MAX);
    send_to(&address, 2);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    ck_assert_mem_eq(step.hardware, there, 6);
    ck_assert_uint_eq(neighbour_deadline(&neighbours), UINT64_C(5) * SECOND + 2);
}
END_TEST

// What its sender had behind it may be elsewhere by the time that it goes.
START_TEST(what_has_waited_goes_alone)
{
    const struct net_address address = address_of("10.0.0.2");
    struct packet *packet = packet_alloc_block(1), *behind = packet_alloc_block(1);
    packet->has_more = true;
    packet->next = behind;
    neighbours_init(&neighbours);
    neighbour_send(&neighbours, &address, packet, 0, &step);
    neighbour_learn(&neighbours, &address, there, NEIGHBOUR_SOLICITED, 0, &step);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    ck_assert_ptr_eq(step.packets, packet);
    ck_assert_ptr_null(packet->next);
    ck_assert(!packet->has_more);
    packet_free(packet);
    packet_free(behind);
}
END_TEST

// Those of several pages are as many pages.
START_TEST(long_packets_leave_less_room)
{
    enum { LONG = 2 * HAL_PAGE_SIZE, ROOM = NEIGHBOUR_WAITING_MAX / LONG };
    const struct net_address address = address_of("10.0.0.2");
    uint32_t dropped = 0;
    neighbours_init(&neighbours);
    for (int i = 0; i < ROOM + 3; ++i) {
        struct packet *packet = packet_alloc_block(LONG);
        packet->size = LONG;
        neighbour_send(&neighbours, &address, packet, 0, &step);
        dropped += step.dropped != NULL;
        list_free(step.dropped);
    }
    ck_assert_uint_eq(dropped, 3);
    learn(&address, NEIGHBOUR_SOLICITED, 0);
}
END_TEST

static struct net_address stranger_of(uint32_t index)
{
    const uint8_t bytes[] = {10, 1, (uint8_t)(index >> 8), (uint8_t)index};
    return address_of_v4(bytes);
}

// Of those of whom nothing was heard: who was sent something is kept.
START_TEST(who_is_wanted_stays)
{
    neighbours_init(&neighbours);
    for (uint32_t i = 0; i < NEIGHBOUR_MAX; ++i) {
        const struct net_address stranger = stranger_of(i);
        send_to(&stranger, i + 1);
    }
    const struct net_address first = stranger_of(0), second = stranger_of(1),
                             last = stranger_of(NEIGHBOUR_MAX);
    send_to(&first, 1000);
    send_to(&last, 1001);
    ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ALL);
    send_to(&first, 1002);
    ck_assert_int_eq(step.act, NEIGHBOUR_NOTHING);
    send_to(&second, 1003);
    ck_assert_int_eq(step.act, NEIGHBOUR_ASK_ALL);
    for (uint32_t i = 0; i < NEIGHBOUR_MAX; ++i) {
        list_free(neighbour_at(&neighbours, i).waiting);
    }
}
END_TEST

// Whatever others make us send to: there is a limit, and who is there stays.
START_TEST(strangers_do_not_push_out_neighbours)
{
    const struct net_address friend = address_of("10.0.0.2");
    const size_t blocks = host_block_count();
    neighbours_init(&neighbours);
    send_to(&friend, 1);
    learn(&friend, NEIGHBOUR_SOLICITED, 1);
    for (uint32_t i = 0; i < 4 * NEIGHBOUR_MAX; ++i) {
        const struct net_address stranger = stranger_of(i);
        send_to(&stranger, i + 2);
    }
    ck_assert_uint_eq(host_block_count(), blocks + NEIGHBOUR_MAX - 1);
    send_to(&friend, 9999);
    ck_assert_int_eq(step.act, NEIGHBOUR_SEND);
    do {
        neighbour_timeout(&neighbours, UINT64_C(10) * SECOND, &step);
        list_free(step.packets);
    } while (step.act != NEIGHBOUR_NOTHING);
    for (uint32_t i = 0; i < NEIGHBOUR_MAX; ++i) {
        list_free(neighbour_at(&neighbours, i).waiting);
    }
}
END_TEST

// However many are not there: what waits for all of them has a limit, but each keeps its newest.
START_TEST(what_waits_for_all_has_a_limit)
{
    const uint32_t limit = NEIGHBOURS_WAITING_MAX / HAL_PAGE_SIZE;
    const size_t blocks = host_block_count();
    neighbours_init(&neighbours);
    for (uint32_t i = 0; i < 4 * limit; ++i) {
        const uint8_t bytes[] = {10, 1, 0, (uint8_t)(i / (limit / 8))};
        const struct net_address stranger = address_of_v4(bytes);
        send_to(&stranger, i);
    }
    ck_assert_uint_le(host_block_count() - blocks, limit + 4 * 8);
    for (hal_ns now = 9; now <= 29; now += 10) { // twice they are asked again
        do {
            neighbour_timeout(&neighbours, now * SECOND, &step);
            list_free(step.packets);
        } while (step.act != NEIGHBOUR_NOTHING);
    }
    ck_assert_uint_eq(host_block_count(), blocks);
    ck_assert_uint_eq(neighbours.waiting_size, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("neighbour");
    TCase *cases = tcase_create("neighbour");
    tcase_add_test(cases, nobody_answers_three_questions);
    tcase_add_test(cases, who_is_not_heard_is_asked_again);
    tcase_add_test(cases, who_was_not_asked_is_asked_later);
    tcase_add_test(cases, two_have_one_address);
    tcase_add_test(cases, what_has_waited_goes_alone);
    tcase_add_test(cases, long_packets_leave_less_room);
    tcase_add_test(cases, who_is_wanted_stays);
    tcase_add_test(cases, strangers_do_not_push_out_neighbours);
    tcase_add_test(cases, what_waits_for_all_has_a_limit);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
