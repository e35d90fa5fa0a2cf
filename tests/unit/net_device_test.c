// SPDX-License-Identifier: BSD-3-Clause
// net_device_test.c: the driver of network devices against a model of one, and against one that
// lies.
#include "core/dev/net.h"

#include <check.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/device.h"
#include "core/dev/virtq.h"
#include "net_far.h"
#include "vfs_host.h"

// ---- Tests -------------------------------------------------------------------------

START_TEST(a_device_is_opened_as_it_offers)
{
    ck_assert_uint_eq(wanted_features, all_features & ~(UINT64_C(1) << VIRTIO_NET_F_CTRL_RX));
    ck_assert_uint_eq(net_device_offloads(device), NET_CHECKSUMS | NET_SEGMENTS_V4 |
                                                       NET_SEGMENTS_V6 | NET_MERGES |
                                                       NET_SEGMENTS_UDP | NET_FRAGMENTS);
    ck_assert_mem_eq(net_device_address(device), "\2\3\4\5\6\7", NET_ADDRESS_SIZE);
    ck_assert_uint_eq(net_device_mtu(device), 9000);
    ck_assert(net_device_has_link(device));
    config.status = 0;
    ck_assert(!net_device_has_link(device));
    ck_assert_uint_eq(available(RECEIVE), VIRTQ_SIZE);
    ck_assert_uint_eq(kicks[RECEIVE], 1);
    ck_assert_uint_eq(avail(RECEIVE)->flags, 0); // interrupts
}
END_TEST

START_TEST(a_device_that_offers_little_will_do)
{
    stop();
    offered_features = VIRTIO_VERSION_1;
    memset(&config, 0xff, sizeof config);
    ck_assert_int_eq(open_device(), 0);
    ck_assert_uint_eq(net_device_mtu(device), NET_MTU_DEFAULT);
    ck_assert_uint_eq(net_device_offloads(device), 0);
    ck_assert_uint_eq(net_device_address(device)[0] & 3, 2);
    ck_assert(net_device_has_link(device));
}
END_TEST

START_TEST(the_device_says_when_its_link_or_its_place_changes)
{
    for (int i = 0; i < 100; ++i) { // more than the ring of commands has room for
        ck_assert(net_device_has_link(device));
        ck_assert(!net_device_wants_announcement(device));
        config.status = 0;
        interrupt(DEVICE_CONFIG);
        ck_assert(!net_device_has_link(device));
        config.status = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
        interrupt(DEVICE_CONFIG);
        ck_assert_uint_eq(changed_count, 2 * (i + 1));
        ck_assert(net_device_wants_announcement(device));
        net_device_announced(device);
    }
    host_memory_fail_after(0);
    net_device_announced(device);
    host_memory_fail_after(-1);
}
END_TEST

// Who wants announcements without a queue to be told of them is not listened to.
START_TEST(without_a_control_queue_there_are_no_announcements)
{
    stop();
    start_with(all_features & ~(UINT64_C(1) << VIRTIO_NET_F_CTRL_VQ));
    config.status |= VIRTIO_NET_S_ANNOUNCE;
    ck_assert(!net_device_wants_announcement(device));
    ck_assert(net_device_has_link(device));
}
END_TEST

static void start_pairs(uint32_t cpus)
{
    stop();
    control = 2 * PAIRS;
    host_cpu_count = cpus;
    config.max_virtqueue_pairs = PAIRS;
    offered_features = all_features | UINT64_C(1) << VIRTIO_NET_F_MQ;
    ck_assert_int_eq(open_device(), 0);
    host_thread_run();
}

// What is sent on a CPU goes by its pair, and what comes by a pair is received on its CPU.
START_TEST(each_cpu_has_its_pair)
{
    start_pairs((uint32_t)_i);
    const uint32_t count = _i < PAIRS ? (uint32_t)_i : PAIRS;
    ck_assert_uint_eq(pairs_set, count == 1 ? 0 : count);
    sends_at_once = false;
    for (host_cpu_index = 0; host_cpu_index < host_cpu_count; ++host_cpu_index) {
        const uint32_t pair = host_cpu_index % count;
        ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
        ck_assert_uint_eq(available((int)(2 * pair + SEND)), 1);
        send_one_by((int)(2 * pair + SEND));
        if (host_cpu_index < count) {
            arrives_at = 2 * pair;
            ck_assert_uint_eq(available((int)arrives_at), VIRTQ_SIZE);
            arrive(letters, 30, 4000);
            interrupt((int)arrives_at);
            ck_assert_uint_eq(got_count, pair + 1);
        }
    }
    host_cpu_index = 0;
    ck_assert_uint_eq(net_device_counts(device).received, count);
    ck_assert_uint_eq(net_device_counts(device).sent, host_cpu_count);
    config.status |= VIRTIO_NET_S_ANNOUNCE;
    net_device_announced(device);
    ck_assert(!net_device_wants_announcement(device));
}
END_TEST

static uint16_t spread_at(uint32_t offset)
{
    uint16_t value;
    memcpy(&value, spreading + offset, sizeof value);
    return value;
}

START_TEST(a_device_that_hashes_is_told_how)
{
    enum { TABLE = 8, ENTRIES = 128, SENDERS = TABLE + 2 * ENTRIES, KEY = SENDERS + 3 };
    uint8_t key[40] = {0};
    stop();
    control = 2 * PAIRS;
    host_cpu_count = 2;
    config.max_virtqueue_pairs = PAIRS;
    config.supported_hash_types = UINT32_MAX & ~(uint32_t)VIRTIO_NET_RSS_HASH_TYPE_UDPv6;
    offered_features = all_features | UINT64_C(1) << VIRTIO_NET_F_RSS;
    ck_assert_int_eq(open_device(), 0);
    ck_assert_uint_eq(pairs_set, 0);
    ck_assert_uint_eq(spreading_size, KEY + sizeof key);
    ck_assert_uint_eq(spread_at(0) | (uint32_t)spread_at(2) << 16, 0x1f);
    ck_assert_uint_eq(spread_at(4), ENTRIES - 1);
    ck_assert_uint_eq(spread_at(6), 0);
    for (uint32_t i = 0; i < ENTRIES; ++i) {
        ck_assert_uint_eq(spread_at(TABLE + 2 * i), i % 2);
    }
    ck_assert_uint_eq(spread_at(SENDERS), 2);
    ck_assert_uint_eq(spreading[KEY - 1], sizeof key);
    ck_assert_mem_ne(spreading + KEY, key, sizeof key);
    host_thread_run();
    const uint32_t first = kicks[RECEIVE], second = kicks[2 + RECEIVE];
    arrive(letters, 30, 4000);
    interrupt(RECEIVE);
    ck_assert_uint_eq(kicks[RECEIVE], first + 1); // both hear of room
    ck_assert_uint_eq(kicks[2 + RECEIVE], second + 1);
    memcpy(key, spreading + KEY, sizeof key);
    stop();
    ck_assert_int_eq(open_device(), 0);
    ck_assert_mem_ne(spreading + KEY, key, sizeof key); // another each time
}
END_TEST

// Its control queue would be behind what the machine has room for.
START_TEST(a_device_of_too_many_pairs_is_used_with_one)
{
    stop();
    config.max_virtqueue_pairs = PAIRS + 1;
    host_cpu_count = PAIRS + 1;
    offered_features = all_features | UINT64_C(1) << VIRTIO_NET_F_MQ;
    ck_assert_int_eq(open_device(), 0);
    ck_assert_uint_eq(wanted_features >> VIRTIO_NET_F_MQ & 1, 0);
    ck_assert_uint_ne(wanted_features >> VIRTIO_NET_F_GUEST_ANNOUNCE & 1, 0);
    host_cpu_index = PAIRS;
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    host_cpu_index = 0;
    ck_assert_uint_eq(kicks[SEND], 1);
}
END_TEST

// An interrupt that all queues share comes to one CPU; the rings are others'.
START_TEST(a_ring_is_touched_on_its_cpu_alone)
{
    start_pairs(PAIRS);
    for (arrives_at = 0; arrives_at < 2 * PAIRS; arrives_at += 2) {
        arrive(letters, 30, 4000);
    }
    for (int queue = 0; queue < QUEUES; ++queue) {
        interrupt(queue);
    }
    ck_assert_uint_eq(got_count, 1);
    host_thread_run();
    ck_assert_uint_eq(got_count, PAIRS);
    for (int queue = 0; queue < 2 * PAIRS; queue += 2) {
        ck_assert_uint_eq(avail(queue)->flags, 0);
    }
}
END_TEST

START_TEST(a_device_that_does_not_use_its_pairs_is_sent_to_by_one)
{
    pairs_refused = true;
    start_pairs(PAIRS);
    for (host_cpu_index = 0; host_cpu_index < PAIRS; ++host_cpu_index) {
        ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    }
    host_cpu_index = 0;
    ck_assert_uint_eq(kicks[SEND], PAIRS);
}
END_TEST

// The machine has no interrupt left for them.
START_TEST(fewer_pairs_will_do)
{
    refused_queue = 3;
    start_pairs(PAIRS);
    ck_assert_uint_eq(pairs_set, 0);
    host_cpu_index = 2;
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    host_cpu_index = 0;
    ck_assert_uint_eq(kicks[SEND], 1);
    stop();
    refused_queue = 1;
    ck_assert_int_eq(open_device(), -ENOSPC);
    refused_queue = 5;
    ck_assert_int_eq(open_device(), 0);
    ck_assert_uint_eq(pairs_set, 2);
}
END_TEST

START_TEST(no_memory_for_many_pairs_is_no_error_where_there_is_one)
{
    start_pairs(PAIRS);
    stop();
    int count = 0;
    do {
        host_memory_fail_after(count);
        device = NULL;
        pairs_set = 0;
        const int error = open_device();
        ck_assert(error == 0 || error == -ENOMEM);
        ck_assert(error == 0 || host_frame_count() + host_block_count() == 0);
        if (error == 0 && pairs_set < PAIRS) {
            host_memory_fail_after(-1);
            stop();
            device = NULL;
        }
        ++count;
    } while (device == NULL);
    host_memory_fail_after(-1);
    ck_assert_int_gt(count, PAIRS * VIRTQ_SIZE);
}
END_TEST

// Packets of many segments need many buffers.
START_TEST(a_device_without_merged_buffers_gives_no_large_packets)
{
    stop();
    offered_features = all_features & ~(UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF);
    config.mtu = 1500;
    ck_assert_int_eq(open_device(), 0);
    ck_assert_uint_eq(wanted_features & large_features, 0);
    ck_assert_uint_ne(wanted_features & 1 << VIRTIO_NET_F_HOST_TSO4, 0);
}
END_TEST

START_TEST(a_device_that_cannot_be_driven_is_refused)
{
    const struct {
        uint64_t features;
        uint16_t mtu;
    } cases[] = {
        {all_features & ~VIRTIO_VERSION_1, 1500},
        {all_features, NET_MTU_MIN - 1},
        {all_features & ~(UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF), 4096},
    };
    stop();
    offered_features = cases[_i].features;
    config.mtu = cases[_i].mtu;
    ck_assert_int_eq(open_device(), -ENODEV);
    ck_assert_uint_eq(host_frame_count() + host_block_count(), 0);
    offered_features = all_features;
    config.mtu = 1500;
    ck_assert_int_eq(open_device(), 0);
}
END_TEST

START_TEST(no_memory_is_an_error_wherever_it_ends)
{
    stop();
    int count = 0;
    do {
        host_memory_fail_after(count);
        device = NULL;
        const int error = open_device();
        ck_assert(error == 0 || error == -ENOMEM);
        ck_assert(error == 0 || host_frame_count() + host_block_count() == 0);
        ++count;
    } while (device == NULL);
    host_memory_fail_after(-1);
    ck_assert_int_gt(count, VIRTQ_SIZE);
}
END_TEST

START_TEST(packets_come_without_their_header)
{
    for (size_t i = 0; i < 5 * VIRTQ_SIZE; ++i) {
        arrive(letters, 20 + i % 20, 4000);
        interrupt(RECEIVE);
        ck_assert_uint_eq(got_count, i + 1);
        ck_assert_uint_eq(got_size, 20 + i % 20);
        ck_assert_mem_eq(got, letters, got_size);
        ck_assert_uint_eq(available(RECEIVE), VIRTQ_SIZE);
    }
    ck_assert_uint_eq(net_device_counts(device).received, got_count);
}
END_TEST

// The device knows of the checksum, or there is none yet; but only where that was agreed upon.
START_TEST(what_the_device_has_checked_is_trusted)
{
    const uint8_t flags[] = {0, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_DATA_VALID, 4};
    for (size_t i = 0; i < sizeof flags; ++i) {
        for (size_t size = 400; size <= 4000; size += 3600) { // copied, and kept; of parts
            static char bytes[3000];
            arrive_flagged(bytes, i % 2 == 0 ? 30 : sizeof bytes, size, flags[i]);
            interrupt(RECEIVE);
            ck_assert_int_eq(got_trust, i == 1 || i == 2);
        }
    }
    stop();
    offered_features &= ~(UINT64_C(1) << VIRTIO_NET_F_GUEST_CSUM);
    start_with(offered_features);
    arrive_flagged(letters, 30, 4000, VIRTIO_NET_HDR_F_DATA_VALID);
    interrupt(RECEIVE);
    ck_assert(!got_trust);
}
END_TEST

START_TEST(a_packet_may_fill_many_buffers)
{
    static char large[9014];
    for (size_t i = 0; i < sizeof large; ++i) {
        large[i] = (char)rand();
    }
    for (size_t size = 100; size <= 4000; size += 650) {
        arrive(letters, sizeof letters, 4000);
        arrive(large, sizeof large, size < 300 ? 300 : size);
        interrupt(RECEIVE);
        ck_assert_uint_eq(got_size, sizeof large);
        ck_assert_mem_eq(got, large, sizeof large);
        ck_assert_uint_eq(available(RECEIVE), VIRTQ_SIZE);
    }
    ck_assert_uint_eq(got_count, 14);
}
END_TEST

// One interrupt takes a ring full, the thread the rest; until it has, nothing interrupts.
START_TEST(a_flood_is_the_threads)
{
    for (int i = 0; i < VIRTQ_SIZE; ++i) {
        arrive(letters, 30, 4000);
    }
    end_count = 0;
    interrupt(RECEIVE);
    ck_assert_uint_eq(got_count, VIRTQ_SIZE);
    ck_assert_uint_eq(end_count, 1); // all of them came at once
    ck_assert_uint_eq(avail(RECEIVE)->flags, VRING_AVAIL_F_NO_INTERRUPT);
    for (int i = 0; i < VIRTQ_SIZE / 2; ++i) {
        arrive(letters, 30, 4000);
    }
    interrupt(RECEIVE); // on its way before the device saw the flag
    ck_assert_uint_eq(got_count, VIRTQ_SIZE);
    host_thread_run();
    ck_assert_uint_eq(got_count, VIRTQ_SIZE + VIRTQ_SIZE / 2);
    ck_assert_uint_eq(avail(RECEIVE)->flags, 0);
    arrive(letters, 30, 4000);
    interrupt(RECEIVE);
    ck_assert_uint_eq(got_count, VIRTQ_SIZE + VIRTQ_SIZE / 2 + 1);
}
END_TEST

START_TEST(without_memory_packets_are_dropped_and_later_ones_come)
{
    for (int i = 0; i < 3 * VIRTQ_SIZE; ++i) {
        arrive(letters, 30, i % 2 == 0 ? 4000 : 26);
        host_memory_fail_after(i % 3);
        interrupt(RECEIVE);
        host_memory_fail_after(-1);
        ck_assert_uint_eq(available(RECEIVE), VIRTQ_SIZE);
    }
    const struct net_counts counts = net_device_counts(device);
    ck_assert_uint_eq(counts.received, got_count);
    ck_assert_uint_gt(counts.dropped, VIRTQ_SIZE);
    ck_assert_uint_eq(counts.dropped, lost_count);
    ck_assert_uint_eq(counts.received + counts.dropped, 3 * VIRTQ_SIZE);
}
END_TEST

START_TEST(damaged_packets_are_counted)
{
    for (uint32_t length = 0; length < HEADER + 14; ++length) {
        finish(RECEIVE, take(RECEIVE), length);
        interrupt(RECEIVE);
    }
    arrive(letters, 13, HEADER); // a header alone in the first buffer
    interrupt(RECEIVE);
    ck_assert_uint_eq(got_count, 0);
    ck_assert_uint_eq(net_device_counts(device).damaged, HEADER + 15);
    ck_assert_uint_eq(lost_count, HEADER + 15);
    ck_assert_uint_eq(available(RECEIVE), VIRTQ_SIZE);
}
END_TEST

START_TEST(a_header_that_promises_more_buffers_than_there_are)
{
    const uint16_t head = take(RECEIVE);
    struct virtio_net_hdr_mrg_rxbuf *header =
        (struct virtio_net_hdr_mrg_rxbuf *)desc(RECEIVE)[head].addr;
    *header = (struct virtio_net_hdr_mrg_rxbuf){.num_buffers = _i == 0 ? UINT16_MAX : 0};
    finish(RECEIVE, head, 100);
    interrupt(RECEIVE);
    ck_assert_uint_eq(got_count, 1);
    ck_assert_uint_eq(got_size, 100 - HEADER);
    ck_assert_uint_eq(available(RECEIVE), VIRTQ_SIZE);
}
END_TEST

START_TEST(a_ring_that_lies_is_dead)
{
    const struct vring_used_elem lies[] = {{VIRTQ_SIZE, 100}, {UINT32_MAX, 100}, {0, 65536}};
    used(RECEIVE)->ring[0] = lies[_i];
    used(RECEIVE)->idx = 1;
    interrupt(RECEIVE);
    interrupt(RECEIVE);
    host_thread_run();
    ck_assert_uint_eq(got_count, 0);
    used(SEND)->ring[0] = lies[_i];
    used(SEND)->idx = 1;
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), -EIO);
    ck_assert(!is_running);
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), -EIO);
}
END_TEST

START_TEST(packets_are_sent_in_all_their_parts)
{
    const size_t before = host_frame_count();
    for (size_t parts = 1; parts <= NET_PARTS_MAX; ++parts) {
        struct packet *packet = NULL;
        for (size_t i = 0; i < parts; ++i) {
            struct packet *part = packet_of(letters + i, 20 + i);
            part->more = packet;
            packet = part;
        }
        ck_assert_int_eq(net_device_send(device, packet), 0);
        ck_assert_uint_eq(sent_count, parts);
        const char zeros[HEADER] = {0};
        ck_assert_mem_eq(sent, zeros, HEADER);
        size_t at = HEADER;
        for (size_t i = parts; i-- > 0; at += 20 + i) {
            ck_assert_mem_eq(sent + at, letters + i, 20 + i);
        }
        ck_assert_uint_eq(sent_size, at);
    }
    ck_assert_uint_eq(net_device_counts(device).sent, NET_PARTS_MAX);
    ck_assert_uint_le(host_frame_count() - before,
                      NET_PARTS_MAX); // only the last is not taken back
    struct packet *packet = NULL;
    for (size_t i = 0; i <= NET_PARTS_MAX; ++i) {
        struct packet *part = packet_of(letters, 1);
        part->more = packet;
        packet = part;
    }
    ck_assert_int_eq(net_device_send(device, packet), -EMSGSIZE);
}
END_TEST

static struct virtio_net_hdr sent_header(struct packet *packet)
{
    struct virtio_net_hdr header;
    ck_assert_int_eq(net_device_send(device, packet), 0);
    memcpy(&header, sent, sizeof header);
    return header;
}

// virtio 1.2, 5.1.6.2.
START_TEST(the_device_is_told_what_is_left_to_it)
{
    struct packet *packet = packet_of(letters, sizeof letters);
    packet->transport = 34;
    packet->checksum_place = 6;
    struct virtio_net_hdr header = sent_header(packet);
    ck_assert_uint_eq(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    ck_assert_uint_eq(header.csum_start, 34);
    ck_assert_uint_eq(header.csum_offset, 6);
    ck_assert_uint_eq(header.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    for (int is_v6 = 0; is_v6 < 2; ++is_v6) {
        packet = packet_of(letters, sizeof letters);
        memcpy(packet->data + 12, is_v6 ? "\x86\xdd" : "\x08\x00", 2);
        packet->transport = is_v6 ? 54 : 34;
        packet->data[packet->transport + 12] = (char)0x80; // words of header
        packet->checksum_place = 16;
        packet->segment_size = 1448;
        header = sent_header(packet);
        ck_assert_uint_eq(header.csum_start, is_v6 ? 54 : 34);
        ck_assert_uint_eq(header.gso_type,
                          is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
        ck_assert_uint_eq(header.gso_size, 1448);
        ck_assert_uint_eq(header.hdr_len, header.csum_start + 32);

        packet = packet_of(letters, sizeof letters);
        packet->transport = is_v6 ? 54 : 34;
        packet->checksum_place = 6;
        packet->segment_size = 1200;
        header = sent_header(packet);
        ck_assert_uint_eq(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
        ck_assert_uint_eq(header.gso_type, VIRTIO_NET_HDR_GSO_UDP_L4);
        ck_assert_uint_eq(header.gso_size, 1200);
        ck_assert_uint_eq(header.hdr_len, header.csum_start + 8);

        packet = packet_of(letters, sizeof letters);
        packet->transport = is_v6 ? 54 : 34;
        packet->checksum_place = 6;
        packet->segment_size = 1480;
        packet->is_fragmented = true;
        header = sent_header(packet);
        ck_assert_uint_eq(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
        ck_assert_uint_eq(header.gso_type, VIRTIO_NET_HDR_GSO_UDP);
        ck_assert_uint_eq(header.gso_size, 1480);
        ck_assert_uint_eq(header.hdr_len, header.csum_start + 8);
    }
}
END_TEST

// A device that says by events what it wants to hear of is kicked for that alone.
START_TEST(by_events_many_packets_are_one_kick)
{
    stop();
    start_with(all_features | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX);
    ck_assert_uint_ne(wanted_features & UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX, 0);
    sends_at_once = false;
    uint16_t *wanted = (uint16_t *)(void *)&used(SEND)->ring[rings[SEND].size];
    for (int i = 0; i < 10; ++i) {
        ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
        ck_assert_uint_eq(kicks[SEND], 1);
    }
    while (available(SEND) > 0) {
        send_one();
    }
    *wanted = taken[SEND];
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    ck_assert_uint_eq(kicks[SEND], 2);
}
END_TEST

static void device_sends_all(void)
{
    const uint16_t event = avail(SEND)->ring[rings[SEND].size], before = used(SEND)->idx;
    while (available(SEND) > 0 && !vring_need_event(event, used(SEND)->idx, before)) {
        send_one();
    }
    ck_assert(vring_need_event(event, used(SEND)->idx, before)); // the sender will be told
    interrupt(SEND);
}

START_TEST(by_events_a_full_ring_is_waited_for)
{
    stop();
    start_with(all_features | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX);
    sends_at_once = false;
    host_sleep_hook = device_sends_all;
    for (int i = 0; i < 5 * VIRTQ_SIZE; ++i) {
        struct packet *packet = packet_of(letters, 30);
        for (int more = i % 4; more > 0; --more) { // parts
            struct packet *part = packet_of(letters, 20);
            part->more = packet->more;
            packet->more = part;
        }
        ck_assert_int_eq(net_device_send(device, packet), 0);
    }
    ck_assert_uint_ge(sent_count, 4 * VIRTQ_SIZE);
    host_sleep_hook = NULL;
}
END_TEST

static void device_sends_some(void)
{
    ck_assert_uint_eq(avail(SEND)->flags, 0);
    for (int i = 0; i < 10; ++i) {
        send_one();
    }
    interrupt(SEND);
}

START_TEST(a_full_ring_is_waited_for)
{
    sends_at_once = false;
    host_sleep_hook = device_sends_some;
    for (int i = 0; i < 5 * VIRTQ_SIZE; ++i) {
        ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
        ck_assert_uint_eq(avail(SEND)->flags, VRING_AVAIL_F_NO_INTERRUPT);
    }
    ck_assert_uint_ge(sent_count, 4 * VIRTQ_SIZE);
    host_sleep_hook = NULL;
}
END_TEST

static struct packet *packet_with_more(void)
{
    struct packet *packet = packet_of(letters, 30);
    packet->has_more = true;
    return packet;
}

START_TEST(what_has_more_behind_it_is_heard_of_with_the_last)
{
    for (int i = 0; i < 5; ++i) {
        ck_assert_int_eq(net_device_send(device, packet_with_more()), 0);
    }
    ck_assert_uint_eq(kicks[SEND], 0);
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    ck_assert_uint_eq(kicks[SEND], 1);
    ck_assert_uint_eq(sent_count, 6);
    net_device_flush(device); // nothing is left
    ck_assert_uint_eq(kicks[SEND], 1);
    ck_assert(net_device_has_sent(device));
    ck_assert_int_eq(net_device_send(device, packet_with_more()), 0);
    ck_assert(!net_device_has_sent(device));
    net_device_flush(device);
    ck_assert(net_device_has_sent(device));
    ck_assert_uint_eq(kicks[SEND], 2);
    ck_assert_uint_eq(sent_count, 7);
    for (int i = 0; i < VIRTQ_SIZE + 1; ++i) { // nobody waits for what the device has not heard of
        ck_assert_int_eq(net_device_send(device, packet_with_more()), 0);
    }
    ck_assert_uint_eq(sent_count, 7 + VIRTQ_SIZE);
    net_device_flush(device);
}
END_TEST

// Who sends them may have gone from one CPU to another between them.
START_TEST(all_pairs_hear_of_what_they_hold)
{
    start_pairs(PAIRS);
    for (host_cpu_index = 0; host_cpu_index < PAIRS; ++host_cpu_index) {
        ck_assert_int_eq(net_device_send(device, packet_with_more()), 0);
        ck_assert_uint_eq(kicks[2 * host_cpu_index + SEND], 0);
    }
    host_cpu_index = 0;
    net_device_flush(device);
    for (uint32_t pair = 0; pair < PAIRS; ++pair) {
        ck_assert_uint_eq(kicks[2 * pair + SEND], 1);
    }
}
END_TEST

START_TEST(a_device_that_looks_by_itself_is_not_kicked)
{
    used(SEND)->flags = VRING_USED_F_NO_NOTIFY;
    used(RECEIVE)->flags = VRING_USED_F_NO_NOTIFY;
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    arrive(letters, 30, 4000);
    interrupt(RECEIVE);
    ck_assert_uint_eq(got_count, 1);
    ck_assert_uint_eq(kicks[SEND], 0);
    ck_assert_uint_eq(kicks[RECEIVE], 1);
    used(SEND)->flags = used(RECEIVE)->flags = 0;
    ck_assert_int_eq(net_device_send(device, packet_of(letters, 30)), 0);
    arrive(letters, 30, 4000);
    interrupt(RECEIVE);
    ck_assert_uint_eq(kicks[SEND], 1);
    ck_assert_uint_eq(kicks[RECEIVE], 2);
    ck_assert_uint_eq(sent_count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_device");
    TCase *driver = tcase_create("driver");
    tcase_add_checked_fixture(driver, start, stop);
    suite_add_tcase(suite, driver);
    tcase_add_test(driver, a_device_is_opened_as_it_offers);
    tcase_add_test(driver, a_device_that_offers_little_will_do);
    tcase_add_test(driver, a_device_without_merged_buffers_gives_no_large_packets);
    tcase_add_test(driver, the_device_says_when_its_link_or_its_place_changes);
    tcase_add_test(driver, without_a_control_queue_there_are_no_announcements);
    tcase_add_loop_test(driver, each_cpu_has_its_pair, 1, PAIRS + 3);
    tcase_add_test(driver, a_device_that_hashes_is_told_how);
    tcase_add_test(driver, a_device_of_too_many_pairs_is_used_with_one);
    tcase_add_test(driver, a_ring_is_touched_on_its_cpu_alone);
    tcase_add_test(driver, a_device_that_does_not_use_its_pairs_is_sent_to_by_one);
    tcase_add_test(driver, fewer_pairs_will_do);
    tcase_add_test(driver, no_memory_for_many_pairs_is_no_error_where_there_is_one);
    tcase_add_test(driver, what_the_device_has_checked_is_trusted);
    tcase_add_test(driver, the_device_is_told_what_is_left_to_it);
    tcase_add_test(driver, by_events_many_packets_are_one_kick);
    tcase_add_test(driver, by_events_a_full_ring_is_waited_for);
    tcase_add_loop_test(driver, a_device_that_cannot_be_driven_is_refused, 0, 3);
    tcase_add_test(driver, no_memory_is_an_error_wherever_it_ends);
    tcase_add_test(driver, packets_come_without_their_header);
    tcase_add_test(driver, a_packet_may_fill_many_buffers);
    tcase_add_test(driver, a_flood_is_the_threads);
    tcase_add_test(driver, without_memory_packets_are_dropped_and_later_ones_come);
    tcase_add_test(driver, damaged_packets_are_counted);
    tcase_add_loop_test(driver, a_header_that_promises_more_buffers_than_there_are, 0, 2);
    tcase_add_loop_test(driver, a_ring_that_lies_is_dead, 0, 3);
    tcase_add_test(driver, packets_are_sent_in_all_their_parts);
    tcase_add_test(driver, a_full_ring_is_waited_for);
    tcase_add_test(driver, what_has_more_behind_it_is_heard_of_with_the_last);
    tcase_add_test(driver, all_pairs_hear_of_what_they_hold);
    tcase_add_test(driver, a_device_that_looks_by_itself_is_not_kicked);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
