// SPDX-License-Identifier: BSD-3-Clause
// group_test.c: groups of multicast: what routers are told by IGMP and MLD, frame by frame, and
// when, in time that the test makes.
#include "core/net/group.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/ethernet.h"
#include "core/net/group_link.h"
#include "core/net/icmp.h"
#include "core/net/ip.h"
#include "link_host.h"
#include "vfs_host.h"

#define SECOND UINT64_C(1000000000)

enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 };

// ---- Messages ------------------------------------------------------------------------------

static void start(void)
{
    link_start("10.0.0.1/24");
    link_forget();
}

static void start_v6(void)
{
    link_start("fe80::1/64");
    link_forget();
}

// The index-th frame, to that group: the bytes of its message, which is right.
static const uint8_t *message_heard(size_t index, const char *to, const char *hardware)
{
    struct ip_header header;
    const struct net_address target = address_of(to);
    ck_assert_uint_lt(index, heard_count);
    const char *packet = heard[index]->data + 14;
    ck_assert_mem_eq(heard[index]->data, hardware, 6);
    ck_assert_int_eq(ip_header_read(&header, packet, heard[index]->size - 14, false), 0);
    ck_assert(address_is_equal(&header.target, &target));
    ck_assert_uint_eq(header.hops, 1);
    const uint8_t *data = (const uint8_t *)packet + header.transport;
    if (address_is_v4(&target)) {
        ck_assert_mem_eq(packet + 20, "\x94\x04\0\0", 4); // "router alert"
        ck_assert_uint_eq(header.protocol, IP_IGMP);
        ck_assert_uint_eq(checksum_end(checksum_add(0, data, header.size)), 0);
    } else {
        ck_assert_mem_eq(packet + 40, "\x3a\0\x05\x02\0\0", 6);
        ck_assert_uint_eq(header.protocol, IP_ICMPV6);
        const uint64_t sum =
            checksum_add_ends(0, &header.source, &header.target, IP_ICMPV6, header.size);
        ck_assert_uint_eq(checksum_end(checksum_add(sum, data, header.size)), 0);
    }
    return data;
}

static void report_heard(size_t index, uint8_t kind, const char *group)
{
    const struct net_address address = address_of(group);
    const bool is_v4 = address_is_v4(&address);
    const uint8_t *message = message_heard(index, is_v4 ? "224.0.0.22" : "ff02::16",
                                           is_v4 ? "\x01\0\x5e\0\0\x16" : "\x33\x33\0\0\0\x16");
    ck_assert_uint_eq(message[0], is_v4 ? 0x22 : 143);
    ck_assert_mem_eq(message + 6, "\0\x01", 2);
    ck_assert_uint_eq(message[8], kind);
    ck_assert_mem_eq(message + 9, "\0\0\0", 3);
    ck_assert_mem_eq(message + 12, is_v4 ? address_v4_bytes(&address) : address_bytes(&address),
                     is_v4 ? 4 : 16);
}

// A question that is to be answered at once, of size bytes.
static void ask(const char *group, uint32_t size, uint8_t span, bool is_damaged)
{
    const struct net_address address = address_of(group);
    const bool is_v4 = address_is_v4(&address);
    uint8_t message[32] = {is_v4 ? 0x11 : 130, [1] = is_v4 ? span : 0};
    const struct ip_header header = {.source = address_of(is_v4 ? "10.0.0.9" : "fe80::9"),
                                     .target = address_of(is_v4 ? "224.0.0.1" : "ff02::1"),
                                     .protocol = is_v4 ? IP_IGMP : IP_ICMPV6,
                                     .hops = 1};
    struct packet *packet = packet_alloc_block(size);
    memcpy(message + (is_v4 ? 4 : 8), is_v4 ? address_v4_bytes(&address) : address_bytes(&address),
           is_v4 ? 4 : 16);
    const uint64_t sum =
        is_v4 ? 0 : checksum_add_ends(0, &header.source, &header.target, IP_ICMPV6, size);
    const uint16_t checksum = checksum_end(checksum_add(sum, message, size));
    memcpy(message + 2, &checksum, sizeof checksum);
    message[7] ^= is_damaged;
    memcpy(packet->data, message, size);
    packet->size = size;
    ip_header_push(packet, &header);
    ip_alert_insert(packet);
    ethernet_send(&wire, packet, is_v4 ? ETHERNET_V4 : ETHERNET_V6,
                  (const uint8_t *)(is_v4 ? "\x01\0\x5e\0\0\x01" : "\x33\x33\0\0\0\x01"));
    struct packet *frame = heard[--heard_count]; // it was not from here
    memcpy(frame->data + 6, there, sizeof there);
    ethernet_input(&wire, frame);
}

static void join(const char *group)
{
    const struct net_address address = address_of(group);
    ck_assert_int_eq(netif_join(&wire.netif, &address), 0);
}

static void leave(const char *group)
{
    const struct net_address address = address_of(group);
    netif_leave(&wire.netif, &address);
}

static void comes_and_goes(const char *group)
{
    join(group);
    ck_assert_uint_eq(heard_count, 1);
    report_heard(0, TO_EXCLUDE, group);
    link_forget();
    join(group);
    leave(group);
    ck_assert_uint_eq(heard_count, 0); // one is still a member
    leave(group);
    ck_assert_uint_eq(heard_count, 1);
    report_heard(0, TO_INCLUDE, group);
    link_forget();
}

START_TEST(members_of_ipv4_are_told_of)
{
    comes_and_goes("239.1.2.3");
    join("224.0.0.1");
    leave("224.0.0.1");
    ck_assert_uint_eq(heard_count, 0);
}
END_TEST

START_TEST(members_of_ipv6_are_told_of)
{
    comes_and_goes("ff05::1234");
    join("ff02::1");
    join("ff01::7");
    ck_assert_uint_eq(heard_count, 0);
}
END_TEST

START_TEST(who_asks_is_answered)
{
    join("239.1.2.3");
    join("239.1.2.4");
    link_forget();
    ask("0.0.0.0", 12, 0, false);
    ck_assert_uint_eq(heard_count, 2);
    report_heard(0, IS_EXCLUDE, "239.1.2.3");
    report_heard(1, IS_EXCLUDE, "239.1.2.4");
    link_forget();
    ask("239.1.2.4", 12, 0, false);
    ck_assert_uint_eq(heard_count, 1);
    report_heard(0, IS_EXCLUDE, "239.1.2.4");
    link_forget();
    const uint64_t before = atomic_load(&net_counts[NET_ICMP_DROPPED]);
    ask("239.1.2.9", 12, 0, false);
    ask("0.0.0.0", 12, 0, true);
    ask("0.0.0.0", 7, 0, false);
    ck_assert_uint_eq(heard_count, 0);
    ck_assert_uint_eq(atomic_load(&net_counts[NET_ICMP_DROPPED]), before + 2);
}
END_TEST

START_TEST(who_asks_by_ipv6_is_answered)
{
    join("ff05::1");
    link_forget();
    ask("::", 28, 0, false);
    ck_assert_uint_eq(heard_count, 1);
    report_heard(0, IS_EXCLUDE, "ff05::1");
    link_forget();
    ask("ff05::1", 24, 0, false); // by MLD's first version, and in its words
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_uint_eq(message_heard(0, "ff05::1", "\x33\x33\0\0\0\x01")[0], 131);
    link_forget();
    leave("ff05::1");
    ck_assert_uint_eq(message_heard(0, "ff02::2", "\x33\x33\0\0\0\x02")[0], 132);
}
END_TEST

START_TEST(older_routers_are_told_in_their_words)
{
    join("239.1.2.3");
    link_forget();
    ask("239.1.2.3", 8, 1, false);
    leave("239.1.2.3");
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_uint_eq(message_heard(0, "224.0.0.2", "\x01\0\x5e\0\0\x02")[0], 0x17);
    link_forget();
    join("239.1.2.3");
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_uint_eq(message_heard(0, "239.1.2.3", "\x01\0\x5e\x01\x02\x03")[0], 0x16);
}
END_TEST

// ---- Time ----------------------------------------------------------------------------------

static struct groups groups;

static void groups_start(void)
{
    groups_init(&groups, 1234567);
}

static enum group_act due(hal_ns now, enum group_version *version)
{
    struct group_step step;
    group_timeout(&groups, now, &step);
    *version = step.version;
    return step.act;
}

START_TEST(a_change_is_told_twice)
{
    const struct net_address group = address_of("239.1.2.3");
    enum group_version version;
    ck_assert_int_eq(group_join(&groups, &group, 100), 0);
    ck_assert_uint_eq(group_deadline(&groups), 100);
    ck_assert_int_eq(due(100, &version), GROUP_IS_JOINED);
    ck_assert_uint_eq(version, GROUP_VERSION_3);
    const hal_ns next = group_deadline(&groups);
    ck_assert_uint_ge(next, 100);
    ck_assert_uint_lt(next, 100 + SECOND);
    ck_assert_int_eq(due(next, &version), GROUP_IS_JOINED);
    ck_assert_int_eq(due(next, &version), GROUP_NOTHING);
    ck_assert_uint_eq(group_deadline(&groups), UINT64_MAX);
    ck_assert(group_is_joined(&groups, &group));
    group_leave(&groups, &group, 5 * SECOND);
    ck_assert(!group_is_joined(&groups, &group));
    ck_assert_int_eq(due(5 * SECOND, &version), GROUP_IS_LEFT);
    ck_assert_int_eq(due(6 * SECOND, &version), GROUP_IS_LEFT);
    ck_assert_uint_eq(group_deadline(&groups), UINT64_MAX);
}
END_TEST

// Both reports are sent.
static void join_quietly(const struct net_address *group)
{
    enum group_version version;
    ck_assert_int_eq(group_join(&groups, group, 0), 0);
    ck_assert_int_eq(due(10 * SECOND, &version), GROUP_IS_JOINED);
    ck_assert_int_eq(due(11 * SECOND, &version), GROUP_IS_JOINED);
    ck_assert_uint_eq(group_deadline(&groups), UINT64_MAX);
}

START_TEST(answers_are_spread)
{
    const struct net_address any = address_of("0.0.0.0");
    for (int i = 0; i < 10; ++i) {
        const uint8_t bytes[] = {239, 1, 1, (uint8_t)i};
        const struct net_address group = address_of_v4(bytes);
        join_quietly(&group);
    }
    group_asked(&groups, &any, GROUP_VERSION_3, 10 * SECOND, 20 * SECOND);
    hal_ns last = 20 * SECOND;
    for (int i = 0; i < 10; ++i) {
        enum group_version version;
        const hal_ns at = group_deadline(&groups);
        ck_assert_uint_gt(at, last);
        ck_assert_uint_lt(at, 30 * SECOND);
        ck_assert_int_eq(due(at - 1, &version), GROUP_NOTHING);
        ck_assert_int_eq(due(at, &version), GROUP_IS_MEMBER);
        last = at;
    }
    ck_assert_uint_eq(group_deadline(&groups), UINT64_MAX);
}
END_TEST

START_TEST(by_the_older_version_one_answer_is_enough)
{
    const struct net_address group = address_of("239.1.2.3");
    enum group_version version;
    join_quietly(&group);
    group_asked(&groups, &group, GROUP_VERSION_2, SECOND, 20 * SECOND);
    group_heard(&groups, &group);
    ck_assert_uint_eq(group_deadline(&groups), UINT64_MAX);
    group_leave(&groups, &group, 21 * SECOND); // the other is still a member
    ck_assert_int_eq(due(22 * SECOND, &version), GROUP_NOTHING);
    ck_assert_uint_eq(group_deadline(&groups), UINT64_MAX);
}
END_TEST

START_TEST(the_older_version_is_over_in_time)
{
    const struct net_address group = address_of("239.1.2.3"), six = address_of("ff05::1");
    const hal_ns end = (20 + 260) * SECOND;
    enum group_version version;
    join_quietly(&group);
    join_quietly(&six);
    group_asked(&groups, &group, GROUP_VERSION_2, 0, 20 * SECOND);
    ck_assert_int_eq(due(20 * SECOND, &version), GROUP_IS_MEMBER);
    ck_assert_uint_eq(version, GROUP_VERSION_2);
    group_asked(&groups, &six, GROUP_VERSION_3, 0, end - 1); // IPv6's is another matter
    ck_assert_int_eq(due(end - 1, &version), GROUP_IS_MEMBER);
    ck_assert_uint_eq(version, GROUP_VERSION_3);
    group_asked(&groups, &group, GROUP_VERSION_3, 0, end - 1);
    ck_assert_int_eq(due(end - 1, &version), GROUP_IS_MEMBER);
    ck_assert_uint_eq(version, GROUP_VERSION_2);
    group_asked(&groups, &group, GROUP_VERSION_3, 0, end);
    ck_assert_int_eq(due(end, &version), GROUP_IS_MEMBER);
    ck_assert_uint_eq(version, GROUP_VERSION_3);
}
END_TEST

START_TEST(there_is_a_limit)
{
    struct net_address group;
    for (int i = 0; i <= GROUP_MAX; ++i) {
        const uint8_t bytes[] = {239, 1, 1, (uint8_t)i};
        group = address_of_v4(bytes);
        ck_assert_int_eq(group_join(&groups, &group, 0), i < GROUP_MAX ? 0 : -ENOBUFS);
    }
    ck_assert(!group_is_joined(&groups, &group));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("groups");
    TCase *messages = tcase_create("messages"), *v6 = tcase_create("messages of IPv6");
    TCase *time = tcase_create("time");
    tcase_add_checked_fixture(messages, start, link_forget);
    tcase_add_test(messages, members_of_ipv4_are_told_of);
    tcase_add_test(messages, who_asks_is_answered);
    tcase_add_test(messages, older_routers_are_told_in_their_words);
    tcase_add_checked_fixture(v6, start_v6, link_forget);
    tcase_add_test(v6, members_of_ipv6_are_told_of);
    tcase_add_test(v6, who_asks_by_ipv6_is_answered);
    tcase_add_checked_fixture(time, groups_start, NULL);
    tcase_add_test(time, a_change_is_told_twice);
    tcase_add_test(time, answers_are_spread);
    tcase_add_test(time, by_the_older_version_one_answer_is_enough);
    tcase_add_test(time, the_older_version_is_over_in_time);
    tcase_add_test(time, there_is_a_limit);
    suite_add_tcase(suite, messages);
    suite_add_tcase(suite, v6);
    suite_add_tcase(suite, time);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
