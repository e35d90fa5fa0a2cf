// SPDX-License-Identifier: BSD-3-Clause
// tcp_fast_test.c: what Fast Open (RFC 7413) gives, takes and keeps: cookies, keys, room.
#include <check.h>
#include <stdlib.h>

#include "core/net/counts.h"
#include "core/net/tcp_fast.h"
#include "core/net/tcp_header.h"
#include "unit_hal.h"

static const uint8_t cookie[TCP_FAST_COOKIE_MAX] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

START_TEST(a_cookie_is_known_until_it_does_harm)
{
    const uint8_t bytes[] = {10, 9, 8, 7}, others[] = {10, 9, 8, 6};
    const struct net_address far = address_of_v4(bytes), other = address_of_v4(others);
    struct tcp_segment answer = {
        .has_cookie = true, .cookie = cookie, .cookie_size = 6, .mss = 1000};
    tcp_fast_learn(&far, &answer);
    ck_assert_uint_eq(tcp_fast_find(&far).size, 6);
    ck_assert_uint_eq(tcp_fast_find(&far).mss, 1000);
    ck_assert_uint_eq(tcp_fast_find(&other).size, 0);
    answer.has_cookie = false;
    tcp_fast_learn(&far, &answer);
    ck_assert_uint_eq(tcp_fast_find(&far).size, 6);
    tcp_fast_forget(&other);
    ck_assert_uint_eq(tcp_fast_find(&far).size, 6);
    tcp_fast_forget(&far);
    ck_assert_uint_eq(tcp_fast_find(&far).size, 0);
}
END_TEST

START_TEST(options_of_a_syn_have_room_for_any_cookie)
{
    const struct tcp_ports ports = {1, 2};
    for (uint8_t size = 0; size <= TCP_FAST_COOKIE_MAX;
         size = (uint8_t)(size == 0 ? 4 : size + 2)) {
        char head[TCP_HEADER_MAX];
        struct tcp_segment read, syn = {.flags = TCP_SYN,
                                        .mss = 1460,
                                        .scale = 7,
                                        .may_sack = true,
                                        .has_timestamps = true,
                                        .time = 1234,
                                        .has_cookie = true,
                                        .cookie = cookie,
                                        .cookie_size = size};
        struct tcp_ports its;
        const uint32_t length = tcp_header_write(head, &syn, &ports);
        ck_assert_int_eq(tcp_header_read(&read, &its, head, length), 0);
        ck_assert_uint_eq(read.size, 0);
        ck_assert(read.may_sack && read.has_timestamps && read.has_cookie);
        ck_assert_uint_eq(read.time, 1234);
        ck_assert_uint_eq(read.mss, 1460);
        ck_assert_uint_eq(read.scale, 7);
        ck_assert_uint_eq(read.cookie_size, size);
        ck_assert_mem_eq(read.cookie, cookie, size);
    }
}
END_TEST

// Cookies that Linux 6.18 has given.
START_TEST(a_cookie_is_the_one_that_linux_gives)
{
    static const uint8_t v4[TCP_FAST_COOKIE] = {0x64, 0xd8, 0xe3, 0x03, 0x57, 0x65, 0x2f, 0x68};
    static const uint8_t v6[TCP_FAST_COOKIE] = {0xaf, 0x0b, 0x35, 0xc1, 0x20, 0x04, 0xab, 0xc0};
    struct siphash_key key;
    uint8_t bytes[16] = {127, 0, 0, 2}, others[16] = {127, 0, 0, 3}, made[TCP_FAST_COOKIE];
    memcpy(&key, "0123456789abcdef", sizeof key);
    struct net_address local = address_of_v4(bytes), remote = address_of_v4(others);
    tcp_fast_make(made, &key, &local, &remote);
    ck_assert_mem_eq(made, v4, sizeof v4);
    memset(bytes, 0, sizeof bytes);
    bytes[0] = 0xfd;
    bytes[15] = 1;
    memcpy(others, bytes, sizeof others);
    others[15] = 2;
    local = address_of_v6(bytes);
    remote = address_of_v6(others);
    tcp_fast_make(made, &key, &local, &remote);
    ck_assert_mem_eq(made, v6, sizeof v6);
}
END_TEST

// ---- Calls that come -----------------------------------------------------------------

#define SECOND UINT64_C(1000000000)

static const uint8_t here[] = {10, 0, 0, 1}, there[] = {10, 0, 0, 2};
static struct tcp_fast_queue queue;
static struct tcp_fast fast; // what the last call was answered with

static void judge(const uint8_t *said, uint8_t size, uint32_t bytes, hal_ns now)
{
    const struct net_address local = address_of_v4(here), remote = address_of_v4(there);
    const struct tcp_segment syn = {
        .has_cookie = said != NULL, .cookie = said, .cookie_size = size, .size = bytes};
    const struct tcp_fast_call call = {&syn, &local, &remote, false};
    tcp_fast_judge(&queue, &call, now, &fast);
}

static uint64_t count_of(enum net_count which)
{
    return atomic_load(&net_counts[which]);
}

static void start(void)
{
    queue = (struct tcp_fast_queue){.most = 2};
    atomic_store(&tcp_fast_switches, TCP_FAST_CALLS | TCP_FAST_ANSWERS);
}

static void cookie_get(uint8_t got[TCP_FAST_COOKIE])
{
    judge(cookie, 0, 0, SECOND);
    ck_assert(!fast.is_open && fast.has_cookie);
    ck_assert_uint_eq(fast.cookie_size, TCP_FAST_COOKIE);
    memcpy(got, fast.cookie, TCP_FAST_COOKIE);
}

START_TEST(who_has_a_cookie_is_served)
{
    uint8_t mine[TCP_FAST_COOKIE];
    const uint64_t asked = count_of(NET_TCP_FAST_ASKED), wrong = count_of(NET_TCP_FAST_WRONG);
    start();
    cookie_get(mine);
    ck_assert_uint_eq(count_of(NET_TCP_FAST_ASKED), asked + 1);
    judge(mine, sizeof mine, 5, SECOND);
    ck_assert(fast.is_open && !fast.has_cookie);
    judge(mine, 6, 5, SECOND); // too short
    ck_assert(!fast.is_open && fast.has_cookie);
    ++mine[7];
    judge(mine, sizeof mine, 5, SECOND);
    ck_assert(!fast.is_open && fast.has_cookie);
    ck_assert_uint_eq(count_of(NET_TCP_FAST_WRONG), wrong + 2);
    judge(NULL, 0, 5, SECOND); // says none
    ck_assert(!fast.is_open && !fast.has_cookie);
}
END_TEST

START_TEST(who_does_not_answer_gives_no_cookie)
{
    const struct net_address local = address_of_v4(here);
    const struct tcp_segment syn = {.has_cookie = true, .cookie = cookie};
    const struct tcp_fast_call call = {&syn, &local, &local, false};
    start();
    tcp_fast_judge(NULL, &call, SECOND, &fast);
    ck_assert(!fast.is_open && !fast.has_cookie);
    queue.most = 0;
    judge(cookie, 0, 0, SECOND);
    ck_assert(!fast.is_open && !fast.has_cookie);
    queue.most = 2;
    atomic_store(&tcp_fast_switches, TCP_FAST_CALLS);
    judge(cookie, 0, 0, SECOND);
    ck_assert(!fast.is_open && !fast.has_cookie);
    atomic_store(&tcp_fast_switches, TCP_FAST_ANSWERS | TCP_FAST_ANSWERS_ANY);
    judge(NULL, 0, 5, SECOND);
    ck_assert(fast.is_open && !fast.has_cookie);
}
END_TEST

START_TEST(cookies_of_the_earlier_key_are_right_and_replaced)
{
    const struct tcp_fast_keys first = {1, {{{1, 2}}}}, both = {2, {{{3, 4}}, {{1, 2}}}};
    uint8_t old[TCP_FAST_COOKIE], new[TCP_FAST_COOKIE];
    const uint64_t count = count_of(NET_TCP_FAST_OLD);
    start();
    queue.keys = first;
    cookie_get(old);
    queue.keys = both;
    cookie_get(new);
    ck_assert_mem_ne(old, new, sizeof old);
    judge(old, sizeof old, 5, SECOND);
    ck_assert(fast.is_open && fast.has_cookie);
    ck_assert_mem_eq(fast.cookie, new, sizeof new);
    ck_assert_uint_eq(count_of(NET_TCP_FAST_OLD), count + 1);
    judge(new, sizeof new, 5, SECOND);
    ck_assert(fast.is_open && !fast.has_cookie);
}
END_TEST

START_TEST(no_more_are_served_at_once_than_there_is_room_for)
{
    uint8_t mine[TCP_FAST_COOKIE];
    const uint64_t full = count_of(NET_TCP_FAST_FULL);
    start();
    cookie_get(mine);
    tcp_fast_begin(&queue);
    tcp_fast_begin(&queue);
    judge(mine, sizeof mine, 5, 100 * SECOND);
    ck_assert(!fast.is_open && !fast.has_cookie);
    ck_assert_uint_eq(count_of(NET_TCP_FAST_FULL), full + 1);
    tcp_fast_end(&queue, false, 100 * SECOND);
    judge(mine, sizeof mine, 5, 100 * SECOND);
    ck_assert(fast.is_open);
}
END_TEST

START_TEST(what_was_reset_counts_for_a_minute)
{
    uint8_t mine[TCP_FAST_COOKIE];
    start();
    cookie_get(mine);
    tcp_fast_begin(&queue);
    tcp_fast_begin(&queue);
    tcp_fast_end(&queue, true, 100 * SECOND);
    tcp_fast_end(&queue, true, 110 * SECOND);
    judge(mine, sizeof mine, 5, 169 * SECOND);
    ck_assert(!fast.is_open);
    judge(mine, sizeof mine, 5, 170 * SECOND);
    ck_assert(fast.is_open);
    ck_assert_uint_eq(queue.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp_fast");
    TCase *cases = tcase_create("tcp_fast");
    tcase_add_test(cases, a_cookie_is_known_until_it_does_harm);
    tcase_add_test(cases, options_of_a_syn_have_room_for_any_cookie);
    tcase_add_test(cases, a_cookie_is_the_one_that_linux_gives);
    tcase_add_test(cases, who_has_a_cookie_is_served);
    tcase_add_test(cases, who_does_not_answer_gives_no_cookie);
    tcase_add_test(cases, cookies_of_the_earlier_key_are_right_and_replaced);
    tcase_add_test(cases, no_more_are_served_at_once_than_there_is_room_for);
    tcase_add_test(cases, what_was_reset_counts_for_a_minute);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
