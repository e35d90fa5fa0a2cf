// SPDX-License-Identifier: BSD-3-Clause
// net_device_test.c: the driver of network devices against a model of one, and against one that
// lies.
#include "core/dev/net.h"

#include <check.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/device.h"
#include "core/dev/virtq.h"
#include "hal/upcall.h"
#include "vfs_host.h"

// ---- The device ------------------------------------------------------------------

enum {
    RECEIVE,
    SEND,
    CONTROL,
    QUEUES,
    HEADER = sizeof(struct virtio_net_hdr_mrg_rxbuf),
    SENT_MAX = 1024
};

static struct hal_ring rings[QUEUES];
static uint16_t taken[QUEUES]; // chains that the device has seen
static uint32_t kicks[QUEUES];
static uint64_t offered_features, wanted_features;
static struct virtio_net_config config;
static bool is_running, sends_at_once;
static int device_memory;
static struct hal_dev *const dev = (struct hal_dev *)&device_memory;

static const uint64_t all_features =
    VIRTIO_VERSION_1 | 1 << VIRTIO_NET_F_MAC | 1 << VIRTIO_NET_F_MTU | 1 << VIRTIO_NET_F_MRG_RXBUF |
    1 << VIRTIO_NET_F_STATUS | 1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_GUEST_CSUM |
    1 << VIRTIO_NET_F_HOST_TSO4 | 1 << VIRTIO_NET_F_HOST_TSO6 | 1 << VIRTIO_NET_F_GUEST_TSO4 |
    1 << VIRTIO_NET_F_GUEST_TSO6 | 1 << VIRTIO_NET_F_CTRL_VQ | 1 << VIRTIO_NET_F_GUEST_ANNOUNCE |
    1 << VIRTIO_NET_F_CTRL_RX;
static const uint64_t large_features = 1 << VIRTIO_NET_F_GUEST_TSO4 | 1 << VIRTIO_NET_F_GUEST_TSO6;

int hal_dev_open(struct hal_dev *device, uint64_t *features)
{
    ck_assert_ptr_eq(device, dev);
    wanted_features = *features &= offered_features;
    return 0;
}

int hal_dev_queue(struct hal_dev *device, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)device;
    ck_assert_uint_lt(index, QUEUES);
    ck_assert_uint_eq(cpu, 0);
    rings[index] = *ring;
    taken[index] = 0;
    return 0;
}

int hal_dev_go(struct hal_dev *device)
{
    (void)device;
    is_running = true;
    return 0;
}

void hal_dev_stop(struct hal_dev *device)
{
    (void)device;
    is_running = false;
}

void hal_dev_config(struct hal_dev *device, uint32_t offset, void *out, size_t size)
{
    (void)device;
    ck_assert_uint_le(offset + size, sizeof config);
    memcpy(out, (const char *)&config + offset, size);
}

static struct vring_desc *desc(int queue)
{
    return (struct vring_desc *)rings[queue].desc;
}

static struct vring_avail *avail(int queue)
{
    return (struct vring_avail *)rings[queue].avail;
}

static struct vring_used *used(int queue)
{
    return (struct vring_used *)rings[queue].used;
}

static uint16_t available(int queue)
{
    return (uint16_t)(avail(queue)->idx - taken[queue]);
}

static uint16_t take(int queue)
{
    ck_assert_uint_gt(available(queue), 0);
    return avail(queue)->ring[taken[queue]++ % rings[queue].size];
}

static void finish(int queue, uint16_t head, uint32_t length)
{
    used(queue)->ring[used(queue)->idx % rings[queue].size] =
        (struct vring_used_elem){head, length};
    ++used(queue)->idx;
}

// What it has been given to send: bytes, parts in a row.
static char sent[65536 + HEADER];
static size_t sent_size, sent_count;

static void send_one(void)
{
    const uint16_t head = take(SEND);
    sent_size = 0;
    for (const struct vring_desc *part = &desc(SEND)[head];; part = &desc(SEND)[part->next]) {
        ck_assert_uint_eq(part->flags & VRING_DESC_F_WRITE, 0);
        memcpy(sent + sent_size, (const char *)part->addr, part->len);
        sent_size += part->len;
        if ((part->flags & VRING_DESC_F_NEXT) == 0) {
            break;
        }
    }
    ++sent_count;
    finish(SEND, head, 0);
}

// A command; the one that there is ends what it is about.
static void control_one(void)
{
    const uint16_t head = take(CONTROL);
    const struct vring_desc *in = &desc(CONTROL)[head], *out = &desc(CONTROL)[in->next];
    const struct virtio_net_ctrl_hdr *command = (const struct virtio_net_ctrl_hdr *)in->addr;
    ck_assert_uint_eq(in->len, sizeof *command);
    ck_assert_uint_eq(in->flags, VRING_DESC_F_NEXT);
    ck_assert_uint_eq(command->class, VIRTIO_NET_CTRL_ANNOUNCE);
    ck_assert_uint_eq(command->cmd, VIRTIO_NET_CTRL_ANNOUNCE_ACK);
    ck_assert_uint_eq(out->flags, VRING_DESC_F_WRITE);
    ck_assert_uint_eq(out->len, 1);
    *(virtio_net_ctrl_ack *)out->addr = VIRTIO_NET_OK;
    config.status &= (uint16_t)~VIRTIO_NET_S_ANNOUNCE;
    finish(CONTROL, head, 1);
}

void hal_dev_kick(struct hal_dev *device, uint32_t index)
{
    ck_assert_ptr_eq(device, dev);
    ck_assert(is_running);
    ++kicks[index];
    while (index == SEND && sends_at_once && available(SEND) > 0) {
        send_one();
    }
    while (index == CONTROL && available(CONTROL) > 0) {
        control_one();
    }
}

// Writes a packet into as many buffers as it needs, of which each takes size bytes.
static void arrive_flagged(const char *bytes, size_t length, size_t size, uint8_t flags)
{
    static char whole[65536 + HEADER];
    struct virtio_net_hdr_mrg_rxbuf *header = (struct virtio_net_hdr_mrg_rxbuf *)whole;
    length += HEADER;
    memset(header, 0, HEADER);
    header->hdr.flags = flags;
    memcpy(whole + HEADER, bytes, length - HEADER);
    header->num_buffers = (uint16_t)((length + size - 1) / size);
    for (size_t at = 0; at < length; at += size) {
        const uint16_t head = take(RECEIVE);
        const size_t part = length - at < size ? length - at : size;
        ck_assert_uint_eq(desc(RECEIVE)[head].flags, VRING_DESC_F_WRITE);
        ck_assert_uint_ge(desc(RECEIVE)[head].len, part);
        memcpy((char *)desc(RECEIVE)[head].addr, whole + at, part);
        finish(RECEIVE, head, (uint32_t)part);
    }
}

static void arrive(const char *bytes, size_t length, size_t size)
{
    arrive_flagged(bytes, length, size, 0);
}

static void interrupt(int queue)
{
    upcall_dev(dev, (uint32_t)queue, NULL);
}

// ---- The driver's user --------------------------------------------------------------

static struct net_device *device;
static const struct hal_dev_info info = {.dev = (struct hal_dev *)&device_memory,
                                         .kind = HAL_NET,
                                         .queue_count = QUEUES,
                                         .name = "eth0"};
static char got[65536];
static size_t got_size, got_count, lost_count, changed_count;
static bool got_trust;
static const char letters[] =
    "The quick brown fox jumps over the lazy dog, and the dog does not mind";

static void receive(void *state, struct packet *packet)
{
    ck_assert_ptr_eq(state, got);
    if (packet == NULL) {
        ++lost_count;
        return;
    }
    got_size = 0;
    got_trust = packet->is_trusted;
    for (const struct packet *part = packet; part != NULL; part = part->more) {
        memcpy(got + got_size, part->data, part->size);
        got_size += part->size;
    }
    ++got_count;
    packet_free(packet);
}

static void changed(void *state)
{
    ck_assert_ptr_eq(state, got);
    ++changed_count;
}

static int open_device(void)
{
    const struct net_device_user user = {receive, changed, got};
    return net_device_open(&info, &user, &device);
}

static void start_with(uint64_t features)
{
    offered_features = features;
    config = (struct virtio_net_config){
        .mac = {2, 3, 4, 5, 6, 7}, .mtu = 9000, .status = VIRTIO_NET_S_LINK_UP};
    memset(kicks, 0, sizeof kicks);
    got_count = sent_count = lost_count = changed_count = 0;
    sends_at_once = true;
    ck_assert_int_eq(open_device(), 0);
    host_thread_run();
}

static void start(void)
{
    start_with(all_features);
}

static void stop(void)
{
    net_device_close(device);
    ck_assert(!is_running);
    ck_assert_uint_eq(host_frame_count(), 0);
    ck_assert_uint_eq(host_block_count(), 0);
}

static struct packet *packet_of(const char *bytes, size_t size)
{
    struct packet *packet = packet_alloc();
    ck_assert_ptr_nonnull(packet);
    ck_assert_uint_eq(packet_headroom(packet), PACKET_HEADROOM);
    memcpy(packet->data, bytes, size);
    packet->size = (uint32_t)size;
    return packet;
}

// ---- Tests -------------------------------------------------------------------------

START_TEST(a_device_is_opened_as_it_offers)
{
    ck_assert_uint_eq(wanted_features, all_features & ~(UINT64_C(1) << VIRTIO_NET_F_CTRL_RX));
    ck_assert_uint_eq(net_device_offloads(device),
                      NET_CHECKSUMS | NET_SEGMENTS_V4 | NET_SEGMENTS_V6);
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
    static const struct {
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
    interrupt(RECEIVE);
    ck_assert_uint_eq(got_count, VIRTQ_SIZE);
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
    tcase_add_test(driver, a_device_that_looks_by_itself_is_not_kicked);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
