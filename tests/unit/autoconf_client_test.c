// SPDX-License-Identifier: BSD-3-Clause
// autoconf_client_test.c: an interface that makes itself addresses of IPv6, in virtual time: which
// it has, and for how long, while a router says so, and whom it tells.
#include "core/net/autoconf_client.h"

#include <check.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/ip.h"
#include "core/net/route.h"
#include "link_host.h"
#include "unit_hal.h"
#include "vfs_host.h"

#define SECOND UINT64_C(1000000000)

enum { VALID_S = 10000, PREFERRED_S = 4000 };

static unsigned told_count; // changes of addresses

static void told(const struct route_change *change)
{
    told_count += change->event == ROUTE_ADDRESS_ADDED;
}

static void pass(hal_ns span)
{
    unit_clock_ns += span;
    host_thread_run();
    link_forget();
}

static void start(void)
{
    link_start("10.0.0.1/24");
    ck_assert_int_eq(autoconf_client_make(&wire), 0);
    autoconf_client_start(wire.autoconf);
    pass(SECOND);
    pass(SECOND);
    pass(SECOND);
    told_count = 0;
    route_watch(told);
}

// A router's message: fd00:1::/64 is for addresses.
static void router_say(uint32_t valid, uint32_t preferred)
{
    uint8_t message[16 + 32] = {134, [4] = 64, [16] = 3, 4, 64, 0xc0, [32] = 0xfd, 0, 0, 1};
    const struct ip_header header = {.source = address_of("fe80::1"),
                                     .target = address_of("ff02::1"),
                                     .protocol = IP_ICMPV6,
                                     .hops = 255};
    const uint32_t times[] = {__builtin_bswap32(valid), __builtin_bswap32(preferred)};
    struct packet *packet = packet_alloc_block(sizeof message);
    struct ip_header read;
    memcpy(message + 20, times, sizeof times);
    memcpy(packet->data, message, sizeof message);
    packet->size = sizeof message;
    ip_header_push(packet, &header);
    ck_assert_int_eq(ip_header_read(&read, packet->data, packet->size, false), 0);
    ck_assert(autoconf_client_input(wire.autoconf, packet, &read));
    packet_free(packet);
}

static struct route_address made(void)
{
    struct route_address all[ROUTE_ADDRESS_MAX];
    const struct net_address address = address_of("fd00:1::ff:fe00:1");
    const uint32_t count = route_address_list(all);
    uint32_t at = 0;
    while (at < count && !address_is_equal(&all[at].address, &address)) {
        ++at;
    }
    ck_assert_uint_lt(at, count);
    return all[at];
}

START_TEST(an_address_says_how_long_it_is_good)
{
    router_say(VALID_S, PREFERRED_S);
    const hal_ns heard_at = unit_clock_ns;
    pass(SECOND);
    pass(SECOND);
    ck_assert_uint_eq(made().valid_until, heard_at + VALID_S * SECOND);
    ck_assert_uint_eq(made().preferred_until, heard_at + PREFERRED_S * SECOND);
    ck_assert_uint_eq(told_count, 1);
}
END_TEST

START_TEST(a_router_that_is_heard_again_gives_more_time)
{
    router_say(VALID_S, PREFERRED_S);
    pass(SECOND);
    pass(SECOND);
    pass(100 * SECOND);
    router_say(2 * VALID_S, PREFERRED_S);
    ck_assert_uint_eq(made().valid_until, unit_clock_ns + 2 * VALID_S * SECOND);
    ck_assert_uint_eq(made().preferred_until, unit_clock_ns + PREFERRED_S * SECOND);
    ck_assert_uint_eq(told_count, 2);
    router_say(2 * VALID_S, PREFERRED_S); // nothing is new
    ck_assert_uint_eq(told_count, 2);
    router_say(UINT32_MAX, UINT32_MAX);
    ck_assert_uint_eq(made().valid_until, UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("autoconf_client");
    TCase *cases = tcase_create("autoconf_client");
    tcase_add_checked_fixture(cases, start, link_forget);
    tcase_add_test(cases, an_address_says_how_long_it_is_good);
    tcase_add_test(cases, a_router_that_is_heard_again_gives_more_time);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
