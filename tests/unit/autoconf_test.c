// SPDX-License-Identifier: BSD-3-Clause
// autoconf_test.c: addresses of IPv6 that an interface makes itself, in time that the test makes:
// what is asked, what of a router's words is taken, and for how long.
#include "core/net/autoconf.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/net/address_text.h"

#define SECOND UINT64_C(1000000000)

static const uint8_t hardware[] = {2, 0, 0, 0xaa, 0xbb, 0xcc};
static struct autoconf autoconf;
static hal_ns now;

static struct net_address address_of(const char *text)
{
    struct net_address address;
    ck_assert_int_eq(address_read(&address, &text), 0);
    ck_assert_int_eq(*text, 0);
    return address;
}

static void due(enum autoconf_act act, const char *address)
{
    struct autoconf_step step;
    autoconf_timeout(&autoconf, now, &step);
    ck_assert_int_eq(step.act, act);
    if (address != NULL) {
        const struct net_address wanted = address_of(address);
        ck_assert(address_is_equal(&step.address, &wanted));
    }
}

static void nothing_is_due(void)
{
    due(AUTOCONF_NOTHING, NULL);
    ck_assert_uint_gt(autoconf_deadline(&autoconf), now);
}

static void start(void)
{
    now = 50 * SECOND;
    autoconf_start(&autoconf, hardware, 300000000, now);
}

// Until the link's own address is ours.
static void begin(void)
{
    start();
    nothing_is_due();
    now = autoconf_deadline(&autoconf);
    due(AUTOCONF_ASK, "fe80::ff:feaa:bbcc");
    nothing_is_due();
    now = autoconf_deadline(&autoconf);
    due(AUTOCONF_TAKE, "fe80::ff:feaa:bbcc");
    due(AUTOCONF_SOLICIT, "fe80::ff:feaa:bbcc");
    nothing_is_due();
}

static struct advertisement said(uint32_t lifetime, const char *prefix, uint32_t valid)
{
    struct advertisement advertisement = {.router = address_of("fe80::1"), .lifetime = lifetime};
    if (prefix != NULL) {
        advertisement.prefix_count = 1;
        advertisement.prefixes[0] = (struct autoconf_prefix){.address = address_of(prefix),
                                                             .bits = 64,
                                                             .is_on_link = true,
                                                             .is_for_addresses = true,
                                                             .valid = valid,
                                                             .preferred = valid};
    }
    return advertisement;
}

static void say(uint32_t lifetime, const char *prefix, uint32_t valid)
{
    const struct advertisement advertisement = said(lifetime, prefix, valid);
    autoconf_advertised(&autoconf, &advertisement, now);
}

static void address_gets(const char *prefix, const char *address, uint32_t valid)
{
    say(0, prefix, valid);
    due(AUTOCONF_ASK, address);
    now += SECOND;
    due(AUTOCONF_TAKE, address);
    nothing_is_due();
}

START_TEST(routers_are_asked_three_times)
{
    begin();
    for (int i = 0; i < 2; ++i) {
        now += 4 * SECOND - 1;
        nothing_is_due();
        now += 1;
        due(AUTOCONF_SOLICIT, "fe80::ff:feaa:bbcc");
    }
    ck_assert_uint_eq(autoconf_deadline(&autoconf), UINT64_MAX);
}
END_TEST

START_TEST(a_link_that_returns_may_have_other_routers)
{
    begin();
    say(1800, NULL, 0);
    due(AUTOCONF_ROUTE, "fe80::1");
    nothing_is_due();
    for (int i = 0; i < 3; ++i) {
        autoconf_link_returned(&autoconf, now);
        due(AUTOCONF_SOLICIT, "fe80::ff:feaa:bbcc");
        nothing_is_due();
    }
    now += 4 * SECOND;
    due(AUTOCONF_SOLICIT, "fe80::ff:feaa:bbcc");
}
END_TEST

START_TEST(a_router_that_is_heard_is_not_asked)
{
    begin();
    say(1800, NULL, 0);
    due(AUTOCONF_ROUTE, "fe80::1");
    nothing_is_due();
    ck_assert_uint_eq(autoconf_deadline(&autoconf), now + 1800 * SECOND);
    now += 1800 * SECOND;
    due(AUTOCONF_NO_ROUTE, "fe80::1");
    nothing_is_due();
    say(5, NULL, 0);
    due(AUTOCONF_ROUTE, "fe80::1");
    say(0, NULL, 0);
    due(AUTOCONF_NO_ROUTE, "fe80::1");
    nothing_is_due();
}
END_TEST

START_TEST(an_address_is_valid_for_a_time)
{
    begin();
    address_gets("fd00:1::", "fd00:1::ff:feaa:bbcc", 10000);
    now += 9000 * SECOND;
    say(0, "fd00:1::", 10000); // again
    nothing_is_due();
    now += 9999 * SECOND;
    nothing_is_due();
    now += SECOND;
    due(AUTOCONF_LOSE, "fd00:1::ff:feaa:bbcc");
    nothing_is_due();
    address_gets("fd00:1::", "fd00:1::ff:feaa:bbcc", UINT32_MAX);
    ck_assert_uint_eq(autoconf_deadline(&autoconf), UINT64_MAX);
}
END_TEST

// RFC 4862, 5.5.3: who is no router may say so, too.
START_TEST(nobody_takes_an_address_at_once)
{
    begin();
    address_gets("fd00:1::", "fd00:1::ff:feaa:bbcc", 100000);
    say(0, "fd00:1::", 0);
    nothing_is_due();
    ck_assert_uint_eq(autoconf_deadline(&autoconf), now + 7200 * SECOND);
    now += 7000 * SECOND;
    say(0, "fd00:1::", 1); // less is left than two hours: it stays as it is
    now += 199 * SECOND;
    nothing_is_due();
    now += SECOND;
    due(AUTOCONF_LOSE, "fd00:1::ff:feaa:bbcc");
}
END_TEST

START_TEST(an_address_that_another_has_is_not_taken)
{
    begin();
    const struct net_address address = address_of("fd00:1::ff:feaa:bbcc");
    say(0, "fd00:1::", 10000);
    due(AUTOCONF_ASK, "fd00:1::ff:feaa:bbcc");
    autoconf_heard(&autoconf, &address);
    now += 2 * SECOND;
    nothing_is_due();
    say(0, "fd00:1::", 10000);
    now += 2 * SECOND;
    nothing_is_due();
    address_gets("fd00:2::", "fd00:2::ff:feaa:bbcc", 10000);
    const struct net_address ours = address_of("fd00:2::ff:feaa:bbcc");
    autoconf_heard(&autoconf, &ours); // too late
    nothing_is_due();
}
END_TEST

START_TEST(without_an_address_on_the_link_there_are_none)
{
    start();
    const struct net_address address = address_of("fe80::ff:feaa:bbcc");
    now = autoconf_deadline(&autoconf);
    due(AUTOCONF_ASK, "fe80::ff:feaa:bbcc");
    autoconf_heard(&autoconf, &address);
    now += 10 * SECOND;
    nothing_is_due();
    say(1800, "fd00:1::", 10000);
    nothing_is_due();
}
END_TEST

START_TEST(prefixes_that_are_not_for_addresses_are_left)
{
    struct advertisement wrong[4] = {said(0, "fd00:1::", 100), said(0, "fd00:1::", 100),
                                     said(0, "fd00:1::", 100), said(0, "fd00:1::", 0)};
    begin();
    wrong[0].prefixes[0].is_for_addresses = false;
    wrong[1].prefixes[0].bits = 63;
    wrong[2].prefixes[0].preferred = 101;
    for (int i = 0; i < 4; ++i) {
        autoconf_advertised(&autoconf, &wrong[i], now);
        nothing_is_due();
    }
}
END_TEST

START_TEST(there_is_a_limit)
{
    struct autoconf_step step;
    int taken = 0;
    begin();
    for (int i = 1; i < 100; ++i) {
        struct advertisement advertisement = said(0, "fd00::", 10000);
        ((uint8_t *)advertisement.prefixes[0].address.words)[7] = (uint8_t)i;
        advertisement.router.words[1] = (uint64_t)i << 32;
        advertisement.lifetime = 100;
        autoconf_advertised(&autoconf, &advertisement, now);
    }
    for (int i = 0; i < 100; ++i) {
        autoconf_timeout(&autoconf, now, &step);
        taken += step.act == AUTOCONF_ASK || step.act == AUTOCONF_ROUTE;
    }
    ck_assert_int_eq(taken, AUTOCONF_ADDRESSES_MAX - 1 + AUTOCONF_ROUTERS_MAX);
}
END_TEST

START_TEST(name_servers_and_mtu)
{
    begin();
    struct advertisement advertisement = said(0, NULL, 0);
    advertisement.servers[0] = address_of("fd00::53");
    advertisement.server_count = 1;
    advertisement.server_lifetime = 600;
    advertisement.mtu = 1400;
    autoconf_advertised(&autoconf, &advertisement, now);
    due(AUTOCONF_SERVERS, NULL);
    due(AUTOCONF_MTU, NULL);
    nothing_is_due();
    ck_assert_uint_eq(autoconf.mtu, 1400);
    autoconf_advertised(&autoconf, &advertisement, now); // nothing new
    advertisement.mtu = 1279;                            // less than IPv6 asks for
    autoconf_advertised(&autoconf, &advertisement, now);
    nothing_is_due();
    now += 600 * SECOND;
    due(AUTOCONF_SERVERS, NULL);
    ck_assert_uint_eq(autoconf.server_count, 0);
    nothing_is_due();
}
END_TEST

// ---- Messages ------------------------------------------------------------------------------

static uint32_t message_make(uint8_t *message)
{
    static const uint8_t head[] = {134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t mtu[] = {5, 1, 0, 0, 0, 0, 5, 0x78};
    static const uint8_t prefix[] = {3,    4, 64, 0xc0, 0, 0,    0x27, 0x10, 0, 0, 0x13,
                                     0x88, 0, 0,  0,    0, 0xfd, 0,    0,    1, 0, 0,
                                     0,    0, 9,  9,    9, 9,    9,    9,    9, 9};
    static const uint8_t servers[] = {25, 5, 0, 0, 0, 0, 2, 0x58, 0xfd, 0,    0,    0,   0, 0,
                                      0,  0, 0, 0, 0, 0, 0, 0,    0,    0x53, 0xfd, 0,   0, 0,
                                      0,  0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0x54};
    uint32_t size = 0;
    memcpy(message, head, sizeof head);
    size += sizeof head;
    memcpy(message + size, mtu, sizeof mtu);
    size += sizeof mtu;
    memcpy(message + size, prefix, sizeof prefix);
    size += sizeof prefix;
    memcpy(message + size, servers, sizeof servers);
    return size + (uint32_t)sizeof servers;
}

START_TEST(a_message_is_read)
{
    uint8_t message[128];
    struct advertisement read;
    const uint32_t size = message_make(message);
    const struct net_address router = address_of("fe80::1"), first = address_of("fd00:1::");
    const struct net_address server = address_of("fd00::54");
    ck_assert_int_eq(advertisement_read(&read, &router, message, size), 0);
    ck_assert_uint_eq(read.lifetime, 1800);
    ck_assert_uint_eq(read.mtu, 1400);
    ck_assert_uint_eq(read.prefix_count, 1);
    ck_assert(address_is_equal(&read.prefixes[0].address, &first)); // the rest is not said
    ck_assert_uint_eq(read.prefixes[0].valid, 10000);
    ck_assert_uint_eq(read.prefixes[0].preferred, 5000);
    ck_assert(read.prefixes[0].is_on_link && read.prefixes[0].is_for_addresses);
    ck_assert_uint_eq(read.server_count, 2);
    ck_assert_uint_eq(read.server_lifetime, 600);
    ck_assert(address_is_equal(&read.servers[1], &server));
}
END_TEST

START_TEST(a_prefix_of_addresses_that_stand_for_v4_is_none)
{
    uint8_t message[128];
    struct advertisement read;
    const uint32_t size = message_make(message);
    const struct net_address router = address_of("fe80::1"), mapped = address_of("10.0.0.0");
    ck_assert_mem_eq(message + 40, "\xfd\0\0\1", 4); // the prefix
    memcpy(message + 40, &mapped, sizeof mapped);
    ck_assert_int_eq(advertisement_read(&read, &router, message, size), 0);
    ck_assert_uint_eq(read.prefix_count, 0);
}
END_TEST

START_TEST(damaged_messages_are_not_read)
{
    uint8_t message[128];
    struct advertisement read;
    const uint32_t size = message_make(message);
    const struct net_address router = address_of("fe80::1"), other = address_of("fd00::1");
    ck_assert_int_eq(advertisement_read(&read, &other, message, size), -EINVAL);
    for (uint32_t i = 0; i < size; ++i) {
        const bool is_end = i == 16 || i == 24 || i == 56;
        ck_assert_int_eq(advertisement_read(&read, &router, message, i), is_end ? 0 : -EINVAL);
    }
    message[17] = 0; // an option without a length
    ck_assert_int_eq(advertisement_read(&read, &router, message, size), -EINVAL);
    message[17] = 200;
    ck_assert_int_eq(advertisement_read(&read, &router, message, size), -EINVAL);
    message[17] = 1;
    message[1] = 1;
    ck_assert_int_eq(advertisement_read(&read, &router, message, size), -EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("autoconf");
    TCase *cases = tcase_create("autoconf");
    tcase_add_test(cases, routers_are_asked_three_times);
    tcase_add_test(cases, a_prefix_of_addresses_that_stand_for_v4_is_none);
    tcase_add_test(cases, a_link_that_returns_may_have_other_routers);
    tcase_add_test(cases, a_router_that_is_heard_is_not_asked);
    tcase_add_test(cases, an_address_is_valid_for_a_time);
    tcase_add_test(cases, nobody_takes_an_address_at_once);
    tcase_add_test(cases, an_address_that_another_has_is_not_taken);
    tcase_add_test(cases, without_an_address_on_the_link_there_are_none);
    tcase_add_test(cases, prefixes_that_are_not_for_addresses_are_left);
    tcase_add_test(cases, there_is_a_limit);
    tcase_add_test(cases, name_servers_and_mtu);
    tcase_add_test(cases, a_message_is_read);
    tcase_add_test(cases, damaged_messages_are_not_read);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
