// SPDX-License-Identifier: BSD-3-Clause
// interface_address_test.c: addresses that interfaces are given by hand for a time, in virtual
// time.
#include <check.h>
#include <errno.h>

#include "core/net/interface.h"
#include "core/net/netif.h"
#include "core/net/route.h"
#include "link_host.h"
#include "unit_hal.h"
#include "vfs_host.h"

#define SECOND UINT64_C(1000000000)

static void start(void)
{
    link_start("10.0.0.1/24");
}

static void pass(hal_ns span)
{
    unit_clock_ns += span;
    host_thread_run();
    link_forget();
}

static struct route_address own_of(const char *text, hal_ns span)
{
    return (struct route_address){
        .address = address_of(text),
        .bits = 24,
        .netif = &wire.netif,
        .valid_until = span == 0 ? 0 : unit_clock_ns + span,
    };
}

static void give(const char *text, hal_ns span)
{
    const struct route_address own = own_of(text, span);
    ck_assert_int_eq(interface_address_add(&own), 0);
}

static int renew(const char *text, hal_ns span)
{
    const struct route_address own = own_of(text, span);
    return interface_address_renew(&own);
}

static bool has(const char *text)
{
    const struct net_address address = address_of(text);
    return route_is_local(&address);
}

START_TEST(an_address_goes_when_its_time_is_over)
{
    give("10.1.0.1", 20 * SECOND);
    give("10.2.0.1", 10 * SECOND);
    give("10.3.0.1", 0);
    pass(9 * SECOND);
    ck_assert(has("10.1.0.1") && has("10.2.0.1"));
    pass(2 * SECOND);
    ck_assert(has("10.1.0.1") && !has("10.2.0.1"));
    pass(10 * SECOND);
    ck_assert(!has("10.1.0.1") && has("10.3.0.1") && has("10.0.0.1"));
}
END_TEST

START_TEST(its_time_can_be_another)
{
    give("10.1.0.1", 10 * SECOND);
    give("10.2.0.1", 10 * SECOND);
    give("10.3.0.1", 0);
    ck_assert_int_eq(renew("10.1.0.1", 30 * SECOND), 0);
    ck_assert_int_eq(renew("10.2.0.1", 0), 0);
    ck_assert_int_eq(renew("10.3.0.1", 5 * SECOND), 0);
    pass(11 * SECOND);
    ck_assert(has("10.1.0.1") && has("10.2.0.1") && !has("10.3.0.1"));
    pass(20 * SECOND);
    ck_assert(!has("10.1.0.1") && has("10.2.0.1"));
}
END_TEST

// He who has given it takes it back.
START_TEST(what_others_have_given_stays_theirs)
{
    const struct route_address own = own_of("10.1.0.1", 10 * SECOND);
    ck_assert_int_eq(route_address_add(&own), 0);
    ck_assert_int_eq(renew("10.1.0.1", 5 * SECOND), 0);
    give("10.2.0.1", 20 * SECOND);
    pass(15 * SECOND);
    ck_assert(has("10.1.0.1"));
}
END_TEST

// preferred 0: for ever.
static struct route_address preferred_of(const char *text, hal_ns preferred)
{
    return (struct route_address){
        .address = address_of(text),
        .bits = 64,
        .netif = &wire.netif,
        .preferred_until = preferred == 0 ? 0 : unit_clock_ns + preferred,
    };
}

static void source_check(const char *text)
{
    const struct net_address target = address_of("fd00::9"), source = address_of(text);
    struct route route;
    ck_assert_int_eq(route_find(&target, &route), 0);
    ck_assert(address_is_equal(&route.source, &source));
    ck_assert(route_source_any(&wire.netif, false, false, &route.source));
    ck_assert(address_is_equal(&route.source, &source));
}

// RFC 6724, 5, rules 2 and 3.
START_TEST(packets_come_from_addresses_that_are_preferred)
{
    struct route_address first = preferred_of("fd00::1", 10 * SECOND);
    const struct route_address near = preferred_of("fe80::1", 0);
    const struct route_address second = preferred_of("fd01::1", 20 * SECOND);
    ck_assert_int_eq(interface_address_add(&first), 0);
    ck_assert_int_eq(interface_address_add(&near), 0);
    ck_assert_int_eq(interface_address_add(&second), 0);
    source_check("fd00::1");
    pass(11 * SECOND);
    source_check("fd01::1");
    pass(10 * SECOND);
    source_check("fd00::1"); // none is
    ck_assert_int_eq(interface_address_renew(&second), 0);
    first.preferred_until = unit_clock_ns + 10 * SECOND;
    ck_assert_int_eq(interface_address_renew(&first), 0);
    source_check("fd00::1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interface_address");
    TCase *cases = tcase_create("interface_address");
    tcase_add_checked_fixture(cases, start, link_forget);
    tcase_add_test(cases, an_address_goes_when_its_time_is_over);
    tcase_add_test(cases, its_time_can_be_another);
    tcase_add_test(cases, what_others_have_given_stays_theirs);
    tcase_add_test(cases, packets_come_from_addresses_that_are_preferred);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
