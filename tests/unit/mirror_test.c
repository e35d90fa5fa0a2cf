// SPDX-License-Identifier: BSD-3-Clause
// mirror_test.c: what comes back from the far end of a simulated network (hal-linux/seed/mirror.c).
#include "hal-linux/seed/mirror.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 14, V4 = 20, V6 = 40, ROOM = 256 };

static uint8_t frame[ROOM];
static const uint8_t own[MIRROR_HARDWARE_SIZE] = {2, 0, 0, 0, 0, 1}, one[] = {10, 0, 0, 1},
                     two[] = {10, 0, 0, 2};
static const uint8_t all[MIRROR_HARDWARE_SIZE] = {255, 255, 255, 255, 255, 255};

static uint8_t *body_make(const uint8_t *target, uint16_t kind)
{
    memset(frame, 0, sizeof frame);
    memcpy(frame, target, MIRROR_HARDWARE_SIZE);
    memcpy(frame + 6, own, sizeof own);
    frame[12] = (uint8_t)(kind >> 8);
    frame[13] = (uint8_t)kind;
    return frame + BODY;
}

static void back_check(void)
{
    ck_assert_mem_eq(frame, own, sizeof own);
    ck_assert_mem_eq(frame + 6, mirror_hardware, sizeof own);
}

static uint8_t *v4_make(const uint8_t *source, const uint8_t *target, uint8_t protocol)
{
    uint8_t *packet = body_make(mirror_hardware, 0x0800);
    packet[0] = 0x45;
    packet[9] = protocol;
    memcpy(packet + 12, source, 4);
    memcpy(packet + 16, target, 4);
    return packet;
}

START_TEST(packets_come_from_where_they_went)
{
    uint8_t *packet = v4_make(one, two, 6);
    packet[V4] = 77;
    ck_assert_uint_eq(mirror_turn(frame, BODY + V4 + 8), BODY + V4 + 8);
    back_check();
    ck_assert_mem_eq(packet + 12, two, 4);
    ck_assert_mem_eq(packet + 16, one, 4);
    ck_assert_uint_eq(packet[V4], 77);
}
END_TEST

START_TEST(what_is_quoted_is_turned_back)
{
    for (int place = 0; place < 2; ++place) {
        uint8_t *packet = v4_make(one, two, 1);
        packet[V4] = 3;
        packet[7] = (uint8_t)place; // a later fragment has no message's beginning
        memcpy(packet + V4 + 8 + 12, two, 4);
        memcpy(packet + V4 + 8 + 16, one, 4);
        ck_assert_uint_eq(mirror_turn(frame, BODY + V4 + 8 + V4), BODY + V4 + 8 + V4);
        ck_assert_mem_eq(packet + V4 + 8 + 12, place == 0 ? one : two, 4);
    }
    uint8_t *packet = body_make(mirror_hardware, 0x86dd);
    packet[6] = 58;
    packet[8] = 1;
    packet[24] = 2;
    packet[V6] = 1;
    packet[V6 + 8 + 8] = 2;
    packet[V6 + 8 + 24] = 1;
    ck_assert_uint_eq(mirror_turn(frame, BODY + 2 * V6 + 8), BODY + 2 * V6 + 8);
    ck_assert_uint_eq(packet[8], 2);
    ck_assert_uint_eq(packet[V6 + 8 + 8], 1);
}
END_TEST

START_TEST(what_is_for_many_or_nobody_stays_away)
{
    const uint8_t many[] = {224, 0, 0, 1}, other[] = {2, 0, 0, 0, 0, 9};
    (void)v4_make(one, many, 17);
    ck_assert_uint_eq(mirror_turn(frame, BODY + V4), 0);
    (void)v4_make(one, two, 17);
    memcpy(frame, other, sizeof other);
    ck_assert_uint_eq(mirror_turn(frame, BODY + V4), 0);
    (void)v4_make(one, two, 17);
    memcpy(frame, all, sizeof all);
    ck_assert_uint_eq(mirror_turn(frame, BODY + V4), 0);
    for (size_t size = 0; size < BODY + V4; ++size) {
        (void)v4_make(one, two, 1);
        ck_assert_uint_eq(mirror_turn(frame, size), 0);
    }
    uint8_t *packet = body_make(mirror_hardware, 0x86dd);
    packet[24] = 0xff;
    ck_assert_uint_eq(mirror_turn(frame, BODY + V6), 0);
    (void)body_make(mirror_hardware, 0x88cc);
    ck_assert_uint_eq(mirror_turn(frame, 60), 0);
}
END_TEST

static size_t arp_ask(const uint8_t *sender, const uint8_t *target)
{
    const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
    uint8_t *arp = body_make(all, 0x0806);
    memcpy(arp, head, sizeof head);
    memcpy(arp + 8, own, sizeof own);
    memcpy(arp + 14, sender, 4);
    memcpy(arp + 24, target, 4);
    return mirror_turn(frame, BODY + 28);
}

START_TEST(arp_is_answered)
{
    const uint8_t nobody[4] = {0};
    const uint8_t answer[] = {0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 2,
                              10, 0, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1};
    ck_assert_uint_eq(arp_ask(one, two), BODY + 28);
    back_check();
    ck_assert_mem_eq(frame + BODY, answer, sizeof answer);
    ck_assert_uint_eq(arp_ask(one, one), 0);
    ck_assert_uint_eq(arp_ask(nobody, two), 0);
    ck_assert_uint_eq(mirror_turn(frame, BODY + 27), 0);
}
END_TEST

START_TEST(neighbours_are_found)
{
    const uint8_t group[] = {0x33, 0x33, 0xff, 0, 0, 2};
    uint8_t *packet = body_make(group, 0x86dd);
    packet[0] = 0x60;
    packet[5] = 24;
    packet[6] = 58;
    packet[7] = 255;
    packet[8] = packet[48] = 0xfd;
    packet[23] = 1;
    packet[24] = 0xff;
    packet[V6] = 135;
    packet[V6 + 23] = 2;
    ck_assert_uint_eq(mirror_turn(frame, BODY + V6 + 24), BODY + V6 + 32);
    back_check();
    ck_assert_uint_eq(packet[V6], 136);
    ck_assert_uint_eq(packet[23], 2); // from whom was looked for
    ck_assert_uint_eq(packet[39], 1); // to who asked
    ck_assert_mem_eq(packet + V6 + 26, mirror_hardware, sizeof own);
    uint32_t sum = 32 + 58;
    for (int i = 8; i < V6 + 32; i += 2) {
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    }
    ck_assert_uint_eq((sum & 0xffff) + (sum >> 16), 0xffff);
    packet = body_make(group, 0x86dd); // who asks for its own address
    packet[6] = 58;
    packet[24] = 0xff;
    packet[V6] = 135;
    ck_assert_uint_eq(mirror_turn(frame, BODY + V6 + 24), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mirror");
    TCase *tests = tcase_create("mirror");
    tcase_add_test(tests, packets_come_from_where_they_went);
    tcase_add_test(tests, what_is_quoted_is_turned_back);
    tcase_add_test(tests, what_is_for_many_or_nobody_stays_away);
    tcase_add_test(tests, arp_is_answered);
    tcase_add_test(tests, neighbours_are_found);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
