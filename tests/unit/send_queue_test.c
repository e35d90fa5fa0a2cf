// SPDX-License-Identifier: BSD-3-Clause
// send_queue_test.c: bytes that were written and packets that share them: what packets have is what
// was written, whatever is acknowledged and written meanwhile, and all memory comes back.
#include "core/net/send_queue.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/packet.h"
#include "core/net/checksum.h"
#include "vfs_host.h"

enum { MUCH = 200000, PACKETS = 64, STEPS = 20000 };

static uint8_t byte_at(uint64_t place)
{
    return (uint8_t)(place * 7 + place / 251);
}

static char text[MUCH];

static void write_at(struct send_queue *queue, uint64_t place, uint32_t size)
{
    for (uint32_t i = 0; i < size; ++i) {
        text[i] = (char)byte_at(place + i);
    }
    ck_assert_int_eq(send_queue_put(queue, text, size), 0);
}

static void packet_check(const struct packet *packet, uint64_t place, uint32_t size)
{
    ck_assert_uint_eq(packet_size(packet), size);
    ck_assert_uint_ge(packet_headroom(packet), PACKET_HEADROOM);
    for (; packet != NULL; packet = packet->more) {
        for (uint32_t i = 0; i < packet->size; ++i, ++place) {
            if ((uint8_t)packet->data[i] != byte_at(place)) { // an assertion of Check's writes
                ck_abort_msg("another byte at %lu", (unsigned long)place);
            }
        }
    }
}

START_TEST(packets_have_what_was_written)
{
    struct send_queue queue = {.start = 0};
    write_at(&queue, 0, MUCH);
    ck_assert_uint_eq(queue.used, MUCH);
    for (uint32_t size = 0; size < 70000; size = size * 3 / 2 + 1) {
        for (uint64_t place = 0; place + size <= MUCH; place += 16381) {
            struct packet *packet = send_queue_packet(&queue, place, size);
            packet_check(packet, place, size);
            packet_free(packet);
        }
    }
    send_queue_end(&queue);
    ck_assert_uint_eq(host_block_count(), 0);
}
END_TEST

START_TEST(packets_outlive_what_is_acknowledged)
{
    struct send_queue queue = {.start = 0};
    write_at(&queue, 0, 5000);
    struct packet *packet = send_queue_packet(&queue, 100, 4000);
    const char *data = packet->more->data;
    ck_assert(packet->size == 0 && packet->more->buffer != NULL); // not a copy
    send_queue_acknowledged(&queue, 5000);
    write_at(&queue, 5000, 5000);
    packet_check(packet, 100, 4000);
    ck_assert_ptr_eq(packet->more->data, data);
    send_queue_end(&queue);
    packet_check(packet, 100, 4000);
    packet_free(packet);
    ck_assert_uint_eq(host_block_count(), 0);
}
END_TEST

// A byte there and back takes no new memory each time; one that a packet shares stays as it is.
START_TEST(small_chunk_is_used_again)
{
    struct send_queue queue = {.start = 0};
    for (uint64_t place = 0; place < 5000; place += 900) {
        write_at(&queue, place, 900);
        ck_assert_uint_eq(host_block_count(), 1);
        send_queue_acknowledged(&queue, place + 900);
    }
    write_at(&queue, 5400, 900);
    struct packet *packet = send_queue_packet(&queue, 5400, 900);
    send_queue_acknowledged(&queue, 6300);
    write_at(&queue, 6300, 900);
    packet_check(packet, 5400, 900);
    packet_free(packet);
    packet = send_queue_packet(&queue, 6300, 900);
    packet_check(packet, 6300, 900);
    packet_free(packet);
    send_queue_end(&queue);
    ck_assert_uint_eq(host_block_count(), 0);
}
END_TEST

static uint32_t released;

static void release(struct packet_buffer *buffer)
{
    (void)buffer;
    ++released;
}

// What is lent lies between what is copied, is never written again, and is released with the last
// packet that has a part of it.
START_TEST(what_is_lent_stays_where_it_is)
{
    struct packet_buffer lender = {.reference_count = 1, .release = release};
    struct send_queue queue = {.start = 0};
    static char own[5000];
    for (uint32_t i = 0; i < sizeof own; ++i) {
        own[i] = (char)byte_at(100 + i);
    }
    write_at(&queue, 0, 100);
    ck_assert_int_eq(send_queue_lend(&queue, own, sizeof own, &lender), 0);
    write_at(&queue, 5100, 700);
    struct packet *packet = send_queue_packet(&queue, 50, 5700);
    packet_check(packet, 50, 5700);
    ck_assert_ptr_eq(packet->more->more->data, own);
    struct packet *middle = send_queue_packet(&queue, 1000, 2000);
    send_queue_acknowledged(&queue, 5800);
    write_at(&queue, 5800, 10);
    packet_check(middle, 1000, 2000);
    packet_free(packet);
    ck_assert(!packet_buffer_is_mine(&lender));
    packet_free(middle);
    ck_assert(packet_buffer_is_mine(&lender));
    ck_assert_int_eq(send_queue_lend(&queue, own, SEND_LEND_MIN, &lender), 0);
    host_memory_fail_after(0);
    ck_assert_int_eq(send_queue_lend(&queue, own, SEND_LEND_MIN, &lender), -ENOMEM);
    host_memory_fail_after(-1);
    ck_assert_uint_eq(queue.used, 10 + SEND_LEND_MIN);
    send_queue_end(&queue);
    ck_assert_uint_eq(released, 0);
    packet_buffer_put(&lender);
    ck_assert_uint_eq(released, 1);
    released = 0;
    ck_assert_uint_eq(host_block_count(), 0);
}
END_TEST

START_TEST(any_order_of_steps)
{
    struct send_queue queue = {.start = 0};
    struct packet *packets[PACKETS] = {NULL};
    uint64_t places[PACKETS] = {0};
    srand(1);
    for (int step = 0; step < STEPS; ++step) {
        const uint32_t which = (uint32_t)rand() % PACKETS;
        const uint32_t chance = (uint32_t)rand();
        const uint32_t skip = queue.used == 0 ? 0 : chance % queue.used;
        const uint32_t left = queue.used - skip;
        if (chance >> 8 & 1 && queue.used < MUCH) {
            write_at(&queue, queue.start + queue.used, 1u << (chance >> 9) % 17);
        } else if (chance >> 8 & 2) {
            send_queue_acknowledged(&queue, queue.start + (chance >> 10 & 3 ? skip : queue.used));
        } else if (packets[which] != NULL) {
            packet_check(packets[which], places[which], packet_size(packets[which]));
            packet_free(packets[which]);
            packets[which] = NULL;
        } else if (left > 0) {
            places[which] = queue.start + skip;
            packets[which] = send_queue_packet(&queue, places[which], left < 3000 ? left : 3000);
        }
    }
    for (int i = 0; i < PACKETS; ++i) {
        packet_free(packets[i]);
    }
    send_queue_end(&queue);
    ck_assert_uint_eq(host_block_count(), 0);
}
END_TEST

START_TEST(without_memory_nothing_is_lost)
{
    for (int works = 0; works < 4; ++works) {
        struct send_queue queue = {.start = 0};
        write_at(&queue, 0, 10000);
        host_memory_fail_after(works);
        const int error = send_queue_put(&queue, text, 10000);
        ck_assert(error == 0 || error == -ENOMEM);
        const uint32_t used = queue.used;
        struct packet *packet = send_queue_packet(&queue, 0, used);
        host_memory_fail_after(-1);
        if (packet != NULL) {
            ck_assert_uint_eq(packet_size(packet), used);
            packet_free(packet);
        }
        packet = send_queue_packet(&queue, 0, 10000);
        packet_check(packet, 0, 10000);
        packet_free(packet);
        send_queue_end(&queue);
        ck_assert_uint_eq(host_block_count(), 0);
    }
}
END_TEST

// ---- Packets of several parts ----------------------------------------------------------

// A part of its own, and two of memory that is not the heap's.
static struct packet *packet_make(struct packet_buffer *buffer, uint32_t first, uint32_t second)
{
    struct packet *packet = packet_alloc_block(first);
    memcpy(packet->data, text, first);
    packet->size = first;
    packet->more = packet_alloc_shared(buffer, text + first, second);
    packet->more->more = packet_alloc_shared(buffer, text + first + second, 1000 - first - second);
    return packet;
}

START_TEST(checksum_of_parts_is_that_of_the_whole)
{
    struct packet_buffer buffer = {.reference_count = 1, .release = release};
    for (uint32_t i = 0; i < 1000; ++i) {
        text[i] = (char)(rand() >> 7);
    }
    for (uint32_t first = 20; first < 60; ++first) {
        struct packet *packet = packet_make(&buffer, first, first * 3 + first / 8);
        ck_assert_uint_eq(checksum_end(checksum_add_packet(0, packet, 20)),
                          checksum_end(checksum_add(0, text + 20, 980)));
        packet_free(packet);
    }
    ck_assert_uint_eq(released, 0);
    packet_buffer_put(&buffer);
    ck_assert_uint_eq(released, 1);
}
END_TEST

START_TEST(parts_are_trimmed_and_joined)
{
    struct packet_buffer buffer = {.reference_count = 1, .release = release};
    for (uint32_t size = 0; size <= 1000; size += 50) {
        struct packet *packet = packet_make(&buffer, 100, 300);
        packet->is_trusted = true;
        packet_trim(packet, size);
        ck_assert_uint_eq(packet_size(packet), size);
        packet = packet_join(packet);
        ck_assert(packet->more == NULL && packet->size == size && packet->is_trusted);
        ck_assert_int_eq(memcmp(packet->data, text, size), 0);
        packet_free(packet);
    }
    struct packet *packet = packet_make(&buffer, 100, 300);
    host_memory_fail_after(0);
    ck_assert_ptr_null(packet_join(packet));
    host_memory_fail_after(-1);
    ck_assert(packet_buffer_is_mine(&buffer));
    ck_assert_uint_eq(host_block_count(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("send_queue");
    TCase *cases = tcase_create("send_queue");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, packets_have_what_was_written);
    tcase_add_test(cases, packets_outlive_what_is_acknowledged);
    tcase_add_test(cases, small_chunk_is_used_again);
    tcase_add_test(cases, what_is_lent_stays_where_it_is);
    tcase_add_test(cases, any_order_of_steps);
    tcase_add_test(cases, without_memory_nothing_is_lost);
    tcase_add_test(cases, checksum_of_parts_is_that_of_the_whole);
    tcase_add_test(cases, parts_are_trimmed_and_joined);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
