// SPDX-License-Identifier: BSD-3-Clause
// piece_test.c: what a switch's frames become for a device without offloads (sim/run/frame.c).
#include "sim/run/frame.h"

#include <check.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

enum { ETHERNET = 14, V4 = 20, V6 = 40, TCP = 20, OPTIONS = 12, UDP = 8, ROOM = 70000 };

static uint8_t data[ROOM], copy[ROOM];

static void put16(uint8_t *bytes, size_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

// Of 16-bit words, as if they were one row. 0xffff where a right checksum is among them.
static unsigned total(unsigned long before, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        before += (unsigned long)bytes[i] << (i % 2 == 0 ? 8 : 0);
    }
    while (before > 0xffff) {
        before = (before & 0xffff) + (before >> 16);
    }
    return (unsigned)before;
}

static void header_make(const struct virtio_net_hdr_v1 *header)
{
    memcpy(data, header, sizeof *header);
}

// A frame of TCP with size bytes of data, whose header has options. Answers the whole size.
static size_t tcp_make(bool is_v4, size_t tag, size_t size, uint8_t flags)
{
    uint8_t *frame = data + FRAME_HEADER;
    const size_t network = ETHERNET + tag, transport = network + (is_v4 ? V4 : V6);
    memset(data, 0, sizeof data);
    memset(frame, 0x11, 12);
    put16(frame + 12, 0x8100);
    put16(frame + network - 2, is_v4 ? 0x0800 : 0x86dd);
    uint8_t *packet = frame + network, *tcp = frame + transport;
    packet[0] = is_v4 ? 0x45 : 0x60;
    put16(packet + 4, is_v4 ? 0xfffe : 1);
    packet[is_v4 ? 9 : 6] = 6;
    memset(packet + (is_v4 ? 12 : 8), 0x77, is_v4 ? 8 : 32);
    put16(tcp, 1000);
    memset(tcp + 4, 0xff, 3); // the sequence begins at 0xffffff00
    tcp[12] = (TCP + OPTIONS) / 4 << 4;
    tcp[13] = flags;
    put16(tcp + 16, 0xabcd);
    memset(tcp + TCP, 1, OPTIONS);
    for (size_t i = 0; i < size; ++i) {
        tcp[TCP + OPTIONS + i] = (uint8_t)(i * 7 + (i >> 8));
    }
    header_make(&(struct virtio_net_hdr_v1){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                            .gso_type = is_v4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                                              : VIRTIO_NET_HDR_GSO_TCPV6,
                                            .gso_size = 1000,
                                            .csum_start = (uint16_t)transport,
                                            .csum_offset = 16});
    memcpy(copy, frame, sizeof copy - FRAME_HEADER);
    return FRAME_HEADER + transport + TCP + OPTIONS + size;
}

static unsigned pseudo(const uint8_t *packet, bool is_v4, unsigned protocol, size_t size)
{
    return total(protocol + size, packet + (is_v4 ? 12 : 8), is_v4 ? 8 : 32);
}

// One of the pieces of a frame that tcp_make made.
static void piece_check(const struct frame_piece *piece, bool is_v4, size_t tag, unsigned index,
                        size_t size)
{
    const size_t network = ETHERNET + tag, transport = network + (is_v4 ? V4 : V6);
    const uint8_t *packet = piece->head + network, *tcp = piece->head + transport;
    ck_assert_uint_eq(piece->head_size, transport + TCP + OPTIONS);
    ck_assert_uint_eq(piece->data_size, size);
    ck_assert_mem_eq(piece->data, copy + transport + TCP + OPTIONS + 1000 * index, size);
    ck_assert_mem_eq(piece->head, copy, network);
    ck_assert_mem_eq(tcp + TCP, copy + transport + TCP, OPTIONS);
    if (is_v4) {
        ck_assert_uint_eq(get16(packet + 2), V4 + TCP + OPTIONS + size);
        ck_assert_uint_eq(get16(packet + 4), (0xfffe + index) & 0xffff);
        ck_assert_uint_eq(total(0, packet, V4), 0xffff);
    } else {
        ck_assert_uint_eq(get16(packet + 4), TCP + OPTIONS + size);
    }
    const unsigned sequence = 0xffffff00u + 1000 * index;
    ck_assert_uint_eq(get16(tcp + 4) << 16 | get16(tcp + 6), sequence);
    unsigned sum = pseudo(packet, is_v4, 6, TCP + OPTIONS + size);
    sum = total(total(sum, tcp, TCP + OPTIONS), piece->data, size);
    ck_assert_uint_eq(sum, 0xffff);
}

enum { ACK = 0x10, ENDS = 0x09, CWR = 0x80 };

// Segments by tag and version.
START_TEST(segments_are_made)
{
    const bool is_v4 = _i % 2 == 0;
    const size_t tag = _i / 2 * 4, last = 501;
    struct frame frame;
    struct frame_piece piece;
    ck_assert(frame_begin(&frame, data, tcp_make(is_v4, tag, 3000 + last, ACK | ENDS | CWR)));
    for (unsigned i = 0; i < 4; ++i) {
        ck_assert(frame_next(&frame, &piece));
        piece_check(&piece, is_v4, tag, i, i < 3 ? 1000 : last);
        ck_assert_uint_eq(piece.head[ETHERNET + tag + (is_v4 ? V4 : V6) + 13],
                          ACK | (i == 3 ? ENDS : 0) | (i == 0 ? CWR : 0));
    }
    ck_assert(!frame_next(&frame, &piece));
}
END_TEST

START_TEST(the_longest_frame_is_cut)
{
    struct frame frame;
    struct frame_piece piece;
    size_t sum = 0;
    ck_assert(frame_begin(&frame, data, tcp_make(true, 0, 65000, ACK)));
    while (frame_next(&frame, &piece)) {
        sum += piece.data_size;
    }
    ck_assert_uint_eq(sum, 65000);
}
END_TEST

START_TEST(what_fits_in_one_is_one)
{
    struct frame frame;
    struct frame_piece piece;
    ck_assert(frame_begin(&frame, data, tcp_make(false, 0, 1000, ACK | ENDS)));
    ck_assert(frame_next(&frame, &piece));
    piece_check(&piece, false, 0, 0, 1000);
    ck_assert(!frame_next(&frame, &piece));
}
END_TEST

// A datagram's, whose sum the sender has begun: 0 would say that there is none.
START_TEST(checksums_are_put_in)
{
    const size_t transport = ETHERNET + V4, size = UDP + 3;
    uint8_t *packet = data + FRAME_HEADER + ETHERNET, *udp = packet + V4;
    struct frame frame;
    struct frame_piece piece;
    for (unsigned byte = 0; byte < 65536; ++byte) {
        memset(data, 0, sizeof data / 100);
        put16(packet - 2, 0x0800);
        memset(packet + 12, 0x55, 8);
        put16(udp + 8, byte);
        put16(udp + 6, pseudo(packet, true, 17, size));
        header_make(&(struct virtio_net_hdr_v1){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                                .csum_start = (uint16_t)transport,
                                                .csum_offset = 6});
        ck_assert(frame_begin(&frame, data, FRAME_HEADER + transport + size));
        ck_assert(frame_next(&frame, &piece));
        ck_assert_uint_eq(piece.head_size + piece.data_size, transport + size);
        ck_assert_uint_ne(get16(udp + 6), 0);
        ck_assert_uint_eq(total(pseudo(packet, true, 17, size), udp, size), 0xffff);
        ck_assert(!frame_next(&frame, &piece));
    }
}
END_TEST

START_TEST(whole_frames_stay)
{
    struct frame frame;
    struct frame_piece piece;
    memset(data, 0, FRAME_HEADER);
    memset(data + FRAME_HEADER, 0x5a, 60);
    ck_assert(frame_begin(&frame, data, FRAME_HEADER + 60));
    ck_assert(frame_next(&frame, &piece));
    ck_assert_uint_eq(piece.head_size, 60);
    ck_assert_uint_eq(piece.data_size, 0);
    for (int i = 0; i < 60; ++i) {
        ck_assert_uint_eq(piece.head[i], 0x5a);
    }
    ck_assert(!frame_next(&frame, &piece));
}
END_TEST

START_TEST(headers_of_tcp_are_whole)
{
    struct frame frame;
    const size_t size = tcp_make(true, 0, 3000, ACK);
    data[FRAME_HEADER + ETHERNET + V4 + 12] = (TCP - 4) / 4 << 4;
    ck_assert(!frame_begin(&frame, data, size));
    data[FRAME_HEADER + ETHERNET + V4 + 12] = TCP / 4 << 4;
    ck_assert(frame_begin(&frame, data, size));
}
END_TEST

// Whatever a header says of a frame, cut anywhere, nothing outside of it is read (the sanitizers
// and Valgrind look), and its pieces are no more than it is.
START_TEST(lies_of_headers_do_no_harm)
{
    unsigned long seed = 1;
    for (int round = 0; round < 20000; ++round) {
        uint8_t bytes[FRAME_HEADER];
        const size_t whole = tcp_make(round % 2 == 0, 0, 50, ACK) % 200;
        for (size_t i = 0; i < sizeof bytes; ++i) {
            seed = seed * 6364136223846793005ul + 1442695040888963407ul;
            bytes[i] = round % 3 == 0 || i > 5 ? (uint8_t)((seed >> 33) % 80) : data[i];
        }
        const size_t size = (seed >> 40) % (whole + 1);
        uint8_t *heap = malloc(size + 1);
        memcpy(heap, data, size);
        memcpy(heap, bytes, size < sizeof bytes ? size : sizeof bytes);
        struct frame frame;
        struct frame_piece piece;
        size_t sum = 0;
        const bool is_frame = frame_begin(&frame, heap, size);
        while (is_frame && frame_next(&frame, &piece)) {
            sum += piece.data_size;
        }
        ck_assert_uint_le(sum, size);
        free(heap);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("piece");
    TCase *cases = tcase_create("piece");
    tcase_add_loop_test(cases, segments_are_made, 0, 4);
    tcase_add_test(cases, the_longest_frame_is_cut);
    tcase_add_test(cases, what_fits_in_one_is_one);
    tcase_add_test(cases, checksums_are_put_in);
    tcase_add_test(cases, whole_frames_stay);
    tcase_add_test(cases, headers_of_tcp_are_whole);
    tcase_add_test(cases, lies_of_headers_do_no_harm);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
