// SPDX-License-Identifier: BSD-3-Clause
// merge_test.c: segments that come in a row become one packet, which says all that they said;
// whatever says more than "here is more data" stays alone.
#include "core/net/merge.h"

#include <check.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/address_text.h"
#include "core/net/checksum.h"
#include "core/net/ethernet.h"
#include "core/net/ip.h"
#include "core/net/tcp.h"
#include "vfs_host.h"

enum { TCP_HEAD = 32, DATA_MAX = 1460, OUT_MAX = 200, PORT = 700 };

static struct merge merge;
static struct packet *out[OUT_MAX]; // as they go on
static uint32_t out_count;

static void start(void)
{
    merge = (struct merge){0};
    out_count = 0;
}

static void stop(void)
{
    for (uint32_t i = 0; i < out_count; ++i) {
        packet_free(out[i]);
    }
    ck_assert_uint_eq(host_block_count() + host_frame_count(), 0);
}

static void take(struct packet *list)
{
    while (list != NULL) {
        ck_assert_uint_lt(out_count, OUT_MAX);
        out[out_count++] = list;
        list = list->next;
    }
}

static void put(struct packet *frame)
{
    take(merge_frame(&merge, frame));
}

static struct net_address address(const char *text)
{
    struct net_address result;
    ck_assert_int_eq(address_read(&result, &text), 0);
    return result;
}

static char byte_at(uint32_t sequence)
{
    return (char)(sequence * 7 + (sequence >> 8) * 13);
}

static uint32_t head_of(bool is_v4)
{
    return ETHERNET_HEADER + (is_v4 ? IP4_HEADER : IP6_HEADER) + TCP_HEAD;
}

// size bytes of the stream from sequence on, with a timestamp.
static struct packet *frame_of(bool is_v4, uint16_t port, uint32_t sequence, uint32_t size,
                               uint8_t flags)
{
    static const uint8_t options[] = {1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4};
    struct packet *packet = packet_alloc_block(TCP_HEAD + size);
    const struct ip_header header = {.source = address(is_v4 ? "10.0.0.2" : "fd00::2"),
                                     .target = address(is_v4 ? "10.0.0.1" : "fd00::1"),
                                     .protocol = IP_TCP,
                                     .hops = 64};
    uint8_t *tcp = (uint8_t *)packet->data;
    memset(tcp, 0, TCP_HEAD);
    tcp[1] = 80;
    tcp[2] = (uint8_t)(port >> 8);
    tcp[3] = (uint8_t)port;
    const uint32_t number = __builtin_bswap32(sequence);
    memcpy(tcp + 4, &number, sizeof number);
    tcp[11] = 99; // acknowledged
    tcp[12] = TCP_HEAD / 4 << 4;
    tcp[13] = flags;
    tcp[14] = 0x20; // the window
    memcpy(tcp + 20, options, sizeof options);
    for (uint32_t i = 0; i < size; ++i) {
        tcp[TCP_HEAD + i] = (uint8_t)byte_at(sequence + i);
    }
    packet->size = TCP_HEAD + size;
    const uint64_t sum = checksum_add_ends(0, &header.source, &header.target, IP_TCP, packet->size);
    const uint16_t checksum = checksum_end(checksum_add(sum, tcp, packet->size));
    memcpy(tcp + 16, &checksum, sizeof checksum);
    ip_header_push(packet, &header);
    packet->data -= ETHERNET_HEADER;
    packet->size += ETHERNET_HEADER;
    memcpy(packet->data, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    memcpy(packet->data + 12, is_v4 ? "\x08\0" : "\x86\xdd", 2);
    return packet;
}

// A frame has the bytes of the stream from sequence on, and headers that are right.
static uint32_t stream_check(struct packet *frame, bool is_v4, uint32_t sequence)
{
    struct ip_header header;
    const uint32_t head = head_of(is_v4), size = packet_size(frame) - head;
    uint32_t number;
    char bytes[IP_SIZE_MAX];
    memcpy(&number, frame->data + head - TCP_HEAD + 4, sizeof number);
    ck_assert_uint_eq(__builtin_bswap32(number), sequence);
    frame->data += ETHERNET_HEADER;
    frame->size -= ETHERNET_HEADER;
    ck_assert_int_eq(ip_packet_read(&header, frame), 0);
    ck_assert_uint_eq(header.size, TCP_HEAD + size);
    packet_copy(frame, bytes);
    for (uint32_t i = 0; i < size; ++i) {
        ck_assert_int_eq(bytes[head - ETHERNET_HEADER + i], byte_at(sequence + i));
    }
    frame->data -= ETHERNET_HEADER;
    frame->size += ETHERNET_HEADER;
    return size;
}

START_TEST(segments_in_a_row_become_one)
{
    const bool is_v4 = _i == 4;
    uint32_t sequence = UINT32_MAX - 2000;
    for (int i = 0; i < 10; ++i) {
        put(frame_of(is_v4, PORT, sequence + 1000 * (uint32_t)i, 1000, TCP_ACK));
        ck_assert_uint_eq(out_count, 0);
    }
    put(frame_of(is_v4, PORT, sequence + 10000, 500, TCP_ACK)); // a short one is the last
    ck_assert_uint_eq(out_count, 1);
    ck_assert(out[0]->is_trusted);
    ck_assert_uint_eq(stream_check(out[0], is_v4, sequence), 10500);
    ck_assert_int_eq(out[0]->data[head_of(is_v4) - TCP_HEAD + 13], TCP_ACK);
    ck_assert_ptr_null(merge_end(&merge));
}
END_TEST

START_TEST(the_last_of_what_was_written_goes_on_at_once)
{
    put(frame_of(true, PORT, 1, 1000, TCP_ACK | TCP_PSH));
    ck_assert_uint_eq(out_count, 1);
    ck_assert(!out[0]->is_trusted); // that is left to who reads
    put(frame_of(true, PORT, 1001, 1000, TCP_ACK));
    put(frame_of(true, PORT, 2001, 1000, TCP_ACK | TCP_PSH));
    ck_assert_uint_eq(out_count, 2);
    ck_assert_uint_eq(stream_check(out[1], true, 1001), 2000);
    ck_assert_int_eq(out[1]->data[head_of(true) - TCP_HEAD + 13], TCP_ACK | TCP_PSH);
}
END_TEST

START_TEST(nothing_is_held_at_the_end)
{
    put(frame_of(true, PORT, 1, 1000, TCP_ACK));
    take(merge_end(&merge));
    ck_assert_uint_eq(out_count, 1);
    put(frame_of(true, PORT, 1001, 1000, TCP_ACK));
    put(frame_of(true, PORT, 2001, 1000, TCP_ACK));
    take(merge_end(&merge));
    ck_assert_uint_eq(out_count, 2);
    ck_assert_uint_eq(stream_check(out[1], true, 1001), 2000);
    ck_assert_ptr_null(merge_end(&merge));
}
END_TEST

static void sum_renew(char *ip)
{
    memset(ip + 10, 0, 2);
    const uint16_t sum = checksum_end(checksum_add(0, ip, IP4_HEADER));
    memcpy(ip + 10, &sum, sizeof sum);
}

// Which bits of the second's headers are of no account.
static bool is_free(bool is_v4, uint32_t at, uint32_t bit)
{
    const uint32_t tcp = head_of(is_v4) - TCP_HEAD;
    const bool is_number = is_v4 && (at == ETHERNET_HEADER + 4 || at == ETHERNET_HEADER + 5);
    const bool is_sum = is_v4 && (at == ETHERNET_HEADER + 10 || at == ETHERNET_HEADER + 11);
    return is_number || is_sum || at == tcp + 16 || at == tcp + 17 ||
           (at == tcp + 13 && 1u << bit == TCP_PSH);
}

// Each bit of the headers, the checksum of IP's renewed, and that of TCP not looked at.
START_TEST(whoever_differs_stays_alone)
{
    const bool is_v4 = _i == 4;
    for (uint32_t place = 0; place < 8 * head_of(is_v4); ++place) {
        const uint32_t at = place / 8, bit = place % 8;
        char before[200], after[200];
        struct packet *second = frame_of(is_v4, PORT, 101, 100, TCP_ACK);
        start();
        put(frame_of(is_v4, PORT, 1, 100, TCP_ACK));
        second->data[at] = (char)(second->data[at] ^ 1 << bit);
        second->is_trusted = true;
        if (is_v4) {
            sum_renew(second->data + ETHERNET_HEADER);
        }
        packet_copy(second, before);
        put(second);
        take(merge_end(&merge));
        ck_assert_msg(out_count == (is_free(is_v4, at, bit) ? 1 : 2), "byte %u, bit %u: %u", at,
                      bit, out_count);
        if (out_count == 2) {
            ck_assert_uint_eq(stream_check(out[0], is_v4, 1), 100);
            packet_copy(out[1], after);
            ck_assert_uint_eq(packet_size(out[1]), head_of(is_v4) + 100);
            ck_assert_mem_eq(before, after, head_of(is_v4) + 100);
        } else {
            ck_assert_uint_eq(stream_check(out[0], is_v4, 1), 200);
        }
        stop();
    }
    start();
}
END_TEST

START_TEST(what_is_damaged_is_not_held)
{
    put(frame_of(true, PORT, 1, 100, TCP_ACK));
    struct packet *second = frame_of(true, PORT, 101, 100, TCP_ACK);
    second->data[head_of(true) + 50] ^= 4;
    put(second);
    ck_assert_uint_eq(out_count, 2);
    ck_assert(!out[1]->is_trusted);
    put(frame_of(true, PORT, 201, 100, TCP_ACK));
    put(frame_of(true, PORT, 301, 101, TCP_ACK)); // longer than the first
    ck_assert_uint_eq(out_count, 3);
    take(merge_end(&merge));
    ck_assert_uint_eq(out_count, 4);
}
END_TEST

// It would end before it begins.
START_TEST(a_header_that_says_too_little_is_not_held)
{
    enum { SAID = 16, SIZE = 100 + TCP_HEAD - SAID };
    for (uint32_t i = 0; i < 3; ++i) {
        struct packet *frame = frame_of(true, PORT, 1 + SIZE * i, 100, TCP_ACK);
        frame->data[head_of(true) - TCP_HEAD + 12] = (char)(SAID / 4 << 4);
        frame->is_trusted = true;
        put(frame);
    }
    ck_assert_uint_eq(out_count, 3);
}
END_TEST

// Neither without data nor with more flags.
START_TEST(what_is_no_data_goes_on)
{
    put(frame_of(true, PORT, 1, 0, TCP_ACK));
    ck_assert_uint_eq(out_count, 1);
    put(frame_of(true, PORT, 1, 100, TCP_ACK));
    put(frame_of(true, PORT, 101, 100, TCP_ACK | TCP_FIN));
    ck_assert_uint_eq(out_count, 3);
    for (uint32_t i = 1; i < 3; ++i) {
        ck_assert_uint_eq(stream_check(out[i], true, 100 * i - 99), 100);
    }
}
END_TEST

START_TEST(no_packet_is_longer_than_packets_may_be)
{
    enum { SEGMENTS = 100 };
    uint32_t sequence = 1;
    for (uint32_t i = 0; i < SEGMENTS; ++i) {
        put(frame_of(_i == 4, PORT, 1 + DATA_MAX * i, DATA_MAX, TCP_ACK));
    }
    take(merge_end(&merge));
    ck_assert_uint_eq(out_count, 3);
    for (uint32_t i = 0; i < out_count; ++i) {
        ck_assert_uint_le(packet_size(out[i]), ETHERNET_HEADER + IP_SIZE_MAX);
        sequence += stream_check(out[i], _i == 4, sequence);
    }
    ck_assert_uint_eq(sequence, 1 + SEGMENTS * DATA_MAX);
}
END_TEST

START_TEST(others_in_between_do_not_overtake)
{
    for (uint32_t i = 0; i < 20; ++i) {
        put(frame_of(true, PORT + i / 2 % 2, 1 + 200 * (i / 4) + 100 * (i % 2), 100, TCP_ACK));
    }
    take(merge_end(&merge));
    ck_assert_uint_eq(out_count, 10);
    for (uint32_t i = 0; i < 10; ++i) {
        ck_assert_uint_eq((uint8_t)out[i]->data[head_of(true) - TCP_HEAD + 3],
                          (PORT + i % 2) & 255);
        ck_assert_uint_eq(stream_check(out[i], true, 1 + 200 * (i / 2)), 200);
    }
}
END_TEST

// A device may have left the checksum out where it trusts.
START_TEST(what_is_no_segment_stays_as_it_is)
{
    struct packet *packet = packet_alloc_block(100);
    memset(packet->data, 0, 100);
    packet->size = 100;
    const struct ip_header header = {.source = address("10.0.0.2"),
                                     .target = address("10.0.0.1"),
                                     .protocol = IP_UDP,
                                     .hops = 64};
    ip_header_push(packet, &header);
    packet->data -= ETHERNET_HEADER;
    packet->size += ETHERNET_HEADER;
    memset(packet->data, 0, 12);
    memcpy(packet->data + 12, "\x08\0", 2);
    packet->is_trusted = true;
    put(packet);
    ck_assert_uint_eq(out_count, 1);
    ck_assert(out[0]->is_trusted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merge");
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, start, stop);
    suite_add_tcase(suite, cases);
    tcase_add_loop_test(cases, segments_in_a_row_become_one, 4, 6);
    tcase_add_test(cases, the_last_of_what_was_written_goes_on_at_once);
    tcase_add_test(cases, nothing_is_held_at_the_end);
    tcase_add_loop_test(cases, whoever_differs_stays_alone, 4, 6);
    tcase_add_test(cases, what_is_damaged_is_not_held);
    tcase_add_test(cases, a_header_that_says_too_little_is_not_held);
    tcase_add_test(cases, what_is_no_data_goes_on);
    tcase_add_loop_test(cases, no_packet_is_longer_than_packets_may_be, 4, 6);
    tcase_add_test(cases, others_in_between_do_not_overtake);
    tcase_add_test(cases, what_is_no_segment_stays_as_it_is);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
