// SPDX-License-Identifier: BSD-3-Clause
// fragment_test.c: packets in pieces, of both versions of IP: in any order, doubled, overlapping,
// late, and more than there is room for.
#include "core/net/fragment.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/address_text.h"
#include "core/net/counts.h"
#include "core/net/ip.h"
#include "hal/unit_hal.h"
#include "link_host.h"
#include "vfs_host.h"

enum { SECOND = 1000000000 };

static struct packet *piece_make(const char *source, const char *target, uint32_t number,
                                 uint32_t offset, bool has_more, const char *data, uint32_t size)
{
    const struct ip_header header = {.source = address_of(source),
                                     .target = address_of(target),
                                     .protocol = 99,
                                     .hops = 9,
                                     .may_cut = true,
                                     .has_more = has_more,
                                     .offset = offset,
                                     .number = number};
    struct packet *packet = packet_alloc_block(size);
    memcpy(packet->data, data, size);
    packet->size = size;
    ip_header_push(packet, &header);
    return packet;
}

static bool is_v6; // which version the pieces are of

static struct packet *piece(uint32_t number, uint32_t offset, bool has_more, const char *data,
                            uint32_t size, hal_ns now)
{
    struct ip_header header;
    struct packet *packet =
        piece_make(is_v6 ? "fd00::2" : "10.0.0.2", is_v6 ? "fd00::1" : "10.0.0.1", number, offset,
                   has_more, data, size);
    ck_assert_int_eq(ip_header_read(&header, packet->data, packet->size, false), -EOPNOTSUPP);
    ck_assert_uint_eq(header.offset, offset);
    ck_assert_int_eq(header.has_more, has_more);
    ck_assert_uint_eq(header.size, size);
    return fragment_input(packet, &header, now);
}

START_TEST(pieces_in_any_order_make_the_packet)
{
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};
    const char data[] = "01234567abcdefghABCDEFGHxyz";
    is_v6 = _i;
    for (size_t order = 0; order < 4; ++order) {
        for (int i = 0; i < 4; ++i) {
            const int which = orders[order][i];
            const uint32_t at = 8u * (uint32_t)which;
            if (i > 0) { // doubled on the way
                const uint32_t old = 8u * (uint32_t)orders[order][i - 1];
                ck_assert_ptr_null(
                    piece((uint32_t)order, old, old != 24, data + old, old == 24 ? 3 : 8, 0));
            }
            struct packet *whole =
                piece((uint32_t)order, at, which != 3, data + at, which == 3 ? 3 : 8, 0);
            if (i < 3) {
                ck_assert_ptr_null(whole);
            } else {
                whole_check(whole, data, 27);
            }
        }
    }
}
END_TEST

// RFC 5722: all of it is dropped, also what comes later.
START_TEST(pieces_that_overlap_are_dropped)
{
    static const struct {
        uint32_t offset, size;
        bool has_more;
    } wrong[] = {{8, 16, true}, {0, 16, true}, {8, 8, false}, {16, 16, true}};
    const char data[40] = "01234567abcdefghABCDEFGHxyz";
    is_v6 = _i;
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        const uint64_t before = atomic_load(&net_counts[NET_IP_FRAGMENTS_WRONG]);
        ck_assert_ptr_null(piece(100 + i, 0, true, data, 8, 0));
        ck_assert_ptr_null(piece(100 + i, 16, true, data + 16, 8, 0));
        ck_assert_ptr_null(
            piece(100 + i, wrong[i].offset, wrong[i].has_more, data, wrong[i].size, 0));
        ck_assert_uint_eq(atomic_load(&net_counts[NET_IP_FRAGMENTS_WRONG]), before + 1);
        ck_assert_ptr_null(piece(100 + i, 8, true, data + 8, 8, 0));
        ck_assert_ptr_null(piece(100 + i, 24, false, data + 24, 3, 0));
    }
}
END_TEST

START_TEST(wrong_pieces_are_dropped)
{
    const char data[40] = "01234567abcdefghABCDEFGHxyz";
    const uint64_t before = atomic_load(&net_counts[NET_IP_FRAGMENTS_WRONG]);
    const size_t blocks = host_block_count();
    is_v6 = _i;
    ck_assert_ptr_null(piece(1, 0, true, data, 7, 0));       // not a multiple of 8
    ck_assert_ptr_null(piece(2, 65528, false, data, 16, 0)); // longer than packets are
    ck_assert_ptr_null(piece(3, 8, false, data, 0, 0));      // nothing
    ck_assert_uint_eq(atomic_load(&net_counts[NET_IP_FRAGMENTS_WRONG]), before + 3);
    ck_assert_uint_eq(host_block_count(), blocks);
}
END_TEST

START_TEST(pieces_do_not_wait_for_ever)
{
    const size_t blocks = host_block_count();
    const hal_ns late = (is_v6 = _i) ? UINT64_C(60) * SECOND : UINT64_C(30) * SECOND;
    ck_assert_ptr_null(piece(1, 0, true, "01234567", 8, 5));
    ck_assert_ptr_null(piece(2, 0, true, "01234567", 8, late + 4));
    whole_check(piece(1, 8, false, "abc", 3, late + 4), "01234567abc", 11);
    ck_assert_ptr_null(piece(3, 0, true, "01234567", 8, late + 5));
    ck_assert_ptr_null(piece(3, 8, false, "abc", 3, 2 * late + 5)); // the first is gone
    ck_assert_ptr_null(piece(4, 0, true, "01234567", 8, 3 * late + 5));
    whole_check(piece(4, 8, false, "abc", 3, 3 * late + 5), "01234567abc", 11);
    ck_assert_uint_eq(host_block_count(), blocks);
}
END_TEST

START_TEST(pieces_go_though_no_others_come)
{
    const size_t blocks = host_block_count();
    is_v6 = _i;
    unit_clock_ns = SECOND;
    ck_assert_ptr_null(piece(1, 0, true, "01234567", 8, unit_clock_ns));
    for (int i = 0; i < 3 && host_block_count() > blocks; ++i) {
        unit_clock_ns += UINT64_C(31) * SECOND;
        host_thread_run();
    }
    ck_assert_uint_eq(host_block_count(), blocks);
}
END_TEST

START_TEST(there_is_a_limit_to_pieces)
{
    static char data[1400];
    const size_t blocks = host_block_count();
    is_v6 = _i;
    for (uint32_t i = 0; i < 10 * FRAGMENT_PACKETS_MAX; ++i) {
        ck_assert_ptr_null(piece(i, 0, true, data, sizeof data, 0));
    }
    ck_assert_uint_le(host_block_count(), blocks + 2 * FRAGMENT_PACKETS_MAX);
    for (uint32_t i = 0; i < 2 * FRAGMENT_PIECES_MAX; ++i) { // the end never comes
        ck_assert_ptr_null(piece(7777, 16 * i, true, data, 8, 0));
    }
    ck_assert_uint_le(host_block_count(), blocks + 2 * FRAGMENT_PACKETS_MAX + FRAGMENT_PIECES_MAX);
    for (uint32_t i = 0; i < 46 * FRAGMENT_PACKETS_MAX; ++i) {
        ck_assert_ptr_null(piece(i % FRAGMENT_PACKETS_MAX, 1400 * (i / FRAGMENT_PACKETS_MAX), true,
                                 data, sizeof data, 0));
    }
    ck_assert_uint_le((host_block_count() - blocks) * sizeof data, FRAGMENT_BYTES_MAX);
    ck_assert_ptr_null(piece(1, 0, true, data, 7, UINT64_C(100) * SECOND)); // the rest is late
    ck_assert_uint_eq(host_block_count(), blocks);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fragment");
    TCase *cases = tcase_create("fragment");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, pieces_in_any_order_make_the_packet, 0, 2);
    tcase_add_loop_test(cases, pieces_that_overlap_are_dropped, 0, 2);
    tcase_add_loop_test(cases, wrong_pieces_are_dropped, 0, 2);
    tcase_add_loop_test(cases, pieces_do_not_wait_for_ever, 0, 2);
    tcase_add_loop_test(cases, pieces_go_though_no_others_come, 0, 2);
    tcase_add_loop_test(cases, there_is_a_limit_to_pieces, 0, 2);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
