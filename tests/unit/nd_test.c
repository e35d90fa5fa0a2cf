// SPDX-License-Identifier: BSD-3-Clause
// nd_test.c: neighbour discovery of IPv6, frame by frame: who is asked, who is answered and what is
// believed.
#include "core/net/nd.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/address_text.h"
#include "core/net/checksum.h"
#include "core/net/counts.h"
#include "core/net/ethernet.h"
#include "core/net/interface.h"
#include "core/net/ip.h"
#include "core/net/output.h"
#include "core/net/socket.h"
#include "link_host.h"
#include "vfs_host.h"

enum { ASK = 135, ANSWER = 136, SOLICITED = 0x40, OVERRIDES = 0x20, SIZE = 32 };

static const uint8_t group_of_here[] = {0x33, 0x33, 0xff, 0, 0, 1};

// The index-th frame is an ICMPv6 message of that type from here: its bytes.
static const uint8_t *message_heard(size_t index, const uint8_t *hardware, const char *to,
                                    uint8_t type)
{
    struct ip_header header;
    const struct net_address target = address_of(to);
    ck_assert_uint_lt(index, heard_count);
    const char *frame = heard[index]->data;
    ck_assert_mem_eq(frame, hardware, 6);
    ck_assert_mem_eq(frame + 6, here, 6);
    ck_assert_mem_eq(frame + 12, "\x86\xdd", 2);
    ck_assert_int_eq(ip_header_read(&header, frame + 14, heard[index]->size - 14, false), 0);
    ck_assert(address_is_equal(&header.target, &target));
    ck_assert_uint_eq(header.hops, 255);
    ck_assert_uint_eq(header.protocol, IP_ICMPV6);
    const uint8_t *data = (const uint8_t *)frame + 14 + header.transport;
    uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_ICMPV6, header.size);
    ck_assert_uint_eq(checksum_end(checksum_add(sum, data, header.size)), 0);
    ck_assert_uint_eq(data[0], type);
    return data;
}

static void start(void)
{
    link_start("fd00::1/64,fd00::fe");
    const uint8_t all[] = {0x33, 0x33, 0, 0, 0, 1};
    ck_assert_uint_eq(heard_count, 1); // all are told
    ck_assert_uint_eq(message_heard(0, all, "ff02::1", ANSWER)[4], OVERRIDES);
    link_forget();
}

struct said {
    const char *source, *target, *about;
    uint8_t type, flags, option, units, hops;
    uint32_t size;
    bool is_damaged;
};

static void say(const struct said *said)
{
    uint8_t message[SIZE] = {said->type, [4] = said->flags};
    const struct ip_header header = {.source = address_of(said->source),
                                     .target = address_of(said->target),
                                     .protocol = IP_ICMPV6,
                                     .hops = said->hops};
    const struct net_address about = address_of(said->about);
    struct packet *packet = packet_alloc_block(SIZE);
    memcpy(message + 8, &about, sizeof about);
    message[24] = said->option;
    message[25] = said->units;
    memcpy(message + 26, there, sizeof there);
    const uint64_t sum =
        checksum_add_ends(0, &header.source, &header.target, IP_ICMPV6, said->size);
    const uint16_t checksum = checksum_end(checksum_add(sum, message, said->size));
    memcpy(message + 2, &checksum, sizeof checksum);
    message[8] ^= said->is_damaged;
    memcpy(packet->data, message, said->size);
    packet->size = said->size;
    ip_header_push(packet, &header);
    ethernet_send(&wire, packet, ETHERNET_V6,
                  address_is_multicast(&header.target) ? group_of_here : here);
    struct packet *frame = heard[--heard_count]; // it was not from here
    memcpy(frame->data + 6, there, sizeof there);
    ethernet_input(&wire, frame);
}

static const struct said asked = {.source = "fd00::2",
                                  .target = "ff02::1:ff00:1",
                                  .about = "fd00::1",
                                  .type = ASK,
                                  .option = 1,
                                  .units = 1,
                                  .hops = 255,
                                  .size = SIZE};

START_TEST(who_asks_for_us_is_answered)
{
    say(&asked);
    ck_assert_uint_eq(heard_count, 1);
    const uint8_t *answer = message_heard(0, there, "fd00::2", ANSWER);
    const struct net_address own = address_of("fd00::1");
    ck_assert_uint_eq(answer[4], SOLICITED | OVERRIDES);
    ck_assert_mem_eq(answer + 8, &own, 16);
    ck_assert_mem_eq(answer + 24, "\x02\x01", 2);
    ck_assert_mem_eq(answer + 26, here, 6);
    link_forget();
    struct said other = asked;
    other.about = "fd00::3";
    say(&other);
    ck_assert_uint_eq(heard_count, 0);
}
END_TEST

// RFC 4862, 5.4.3: all hear whose it is.
START_TEST(who_wants_our_address_is_told)
{
    const uint8_t all[] = {0x33, 0x33, 0, 0, 0, 1};
    struct said wants = asked;
    wants.source = "::";
    wants.size = SIZE - 8;
    say(&wants);
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_uint_eq(message_heard(0, all, "ff02::1", ANSWER)[4], OVERRIDES);
}
END_TEST

START_TEST(damaged_messages_are_dropped)
{
    const uint64_t before = atomic_load(&net_counts[NET_ICMP_DROPPED]);
    struct said wrong[7] = {asked, asked, asked, asked, asked, asked, asked};
    wrong[0].hops = 254; // from another link
    wrong[1].units = 0;
    wrong[2].units = 2;
    wrong[3].size = 23;
    wrong[4].about = "ff02::1";
    wrong[5].is_damaged = true;
    wrong[6].about = "10.0.0.2"; // ARP's to say
    for (size_t i = 0; i < 7; ++i) {
        say(&wrong[i]);
        ck_assert_uint_eq(heard_count, 0);
        ck_assert_uint_eq(atomic_load(&net_counts[NET_ICMP_DROPPED]), before + i + 1);
    }
}
END_TEST

static struct packet *packet_make(const char *text)
{
    const struct ip_header header = {.source = address_of("fd00::1"),
                                     .target = address_of("fd00::2"),
                                     .protocol = 99,
                                     .hops = 9};
    struct packet *packet = packet_alloc_block((uint32_t)strlen(text));
    memcpy(packet->data, text, strlen(text));
    packet->size = (uint32_t)strlen(text);
    ip_header_push(packet, &header);
    return packet;
}

START_TEST(packets_wait_for_the_answer)
{
    const uint8_t group[] = {0x33, 0x33, 0xff, 0, 0, 2};
    net_output(packet_make("first"));
    ck_assert_uint_eq(heard_count, 1);
    const uint8_t *question = message_heard(0, group, "ff02::1:ff00:2", ASK);
    ck_assert_mem_eq(question + 24, "\x01\x01", 2);
    ck_assert_mem_eq(question + 26, here, 6);
    struct said answer = {.source = "fd00::2",
                          .target = "fd00::1",
                          .about = "fd00::3",
                          .type = ANSWER,
                          .flags = SOLICITED,
                          .option = 2,
                          .units = 1,
                          .hops = 255,
                          .size = SIZE};
    say(&answer); // another's
    ck_assert_uint_eq(heard_count, 1);
    answer.about = "fd00::2";
    say(&answer);
    ck_assert_uint_eq(heard_count, 2);
    ck_assert_mem_eq(heard[1]->data, there, 6);
    ck_assert_mem_eq(heard[1]->data + 54, "first", 5);
    net_output(packet_make("next"));
    ck_assert_uint_eq(heard_count, 3);
    ck_assert_mem_eq(heard[2]->data, there, 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nd");
    TCase *cases = tcase_create("nd");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, start, link_forget);
    tcase_add_test(cases, who_asks_for_us_is_answered);
    tcase_add_test(cases, who_wants_our_address_is_told);
    tcase_add_test(cases, damaged_messages_are_dropped);
    tcase_add_test(cases, packets_wait_for_the_answer);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
