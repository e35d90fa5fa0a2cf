// SPDX-License-Identifier: BSD-3-Clause
// net_far.c: see net_far.h.
#include "net_far.h"

#include <check.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "core/dev/device.h"
#include "core/dev/virtq.h"
#include "hal/upcall.h"
#include "vfs_host.h"

// ---- The device ------------------------------------------------------------------

struct hal_ring rings[QUEUES];
uint16_t taken[QUEUES]; // chains that the device has seen
uint32_t kicks[QUEUES];
uint32_t control = 2; // its queue
uint32_t refused_queue = QUEUES;
uint32_t arrives_at = RECEIVE;
uint16_t pairs_set; // by a command; which pairs_refused says is not done
bool pairs_refused;
uint8_t spreading[512];
uint32_t spreading_size;
uint64_t offered_features, wanted_features;
struct virtio_net_config config;
bool is_running, sends_at_once;
int device_memory;
struct hal_dev *const dev = (struct hal_dev *)&device_memory;

const uint64_t all_features =
    VIRTIO_VERSION_1 | 1 << VIRTIO_NET_F_MAC | 1 << VIRTIO_NET_F_MTU | 1 << VIRTIO_NET_F_MRG_RXBUF |
    1 << VIRTIO_NET_F_STATUS | 1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_GUEST_CSUM |
    1 << VIRTIO_NET_F_HOST_TSO4 | 1 << VIRTIO_NET_F_HOST_TSO6 | 1 << VIRTIO_NET_F_GUEST_TSO4 |
    1 << VIRTIO_NET_F_GUEST_TSO6 | 1 << VIRTIO_NET_F_CTRL_VQ | 1 << VIRTIO_NET_F_GUEST_ANNOUNCE |
    1 << VIRTIO_NET_F_CTRL_RX | UINT64_C(1) << VIRTIO_NET_F_HOST_USO | 1 << VIRTIO_NET_F_HOST_UFO |
    1 << VIRTIO_NET_F_GUEST_UFO;
const uint64_t large_features =
    1 << VIRTIO_NET_F_GUEST_TSO4 | 1 << VIRTIO_NET_F_GUEST_TSO6 | 1 << VIRTIO_NET_F_GUEST_UFO;

int hal_dev_open(struct hal_dev *asked, uint64_t *features)
{
    ck_assert_ptr_eq(asked, dev);
    wanted_features = *features &= offered_features;
    return 0;
}

int hal_dev_queue(struct hal_dev *asked, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)asked;
    if (index == refused_queue) {
        return -ENOSPC;
    }
    ck_assert_uint_lt(index, QUEUES);
    ck_assert_uint_eq(cpu, index == control ? 0 : index / 2);
    rings[index] = *ring;
    taken[index] = 0;
    return 0;
}

int hal_dev_go(struct hal_dev *asked)
{
    (void)asked;
    is_running = true;
    return 0;
}

void hal_dev_stop(struct hal_dev *asked)
{
    (void)asked;
    is_running = false;
}

void hal_dev_config(struct hal_dev *asked, uint32_t offset, void *out, size_t size)
{
    (void)asked;
    ck_assert_uint_le(offset + size, sizeof config);
    memcpy(out, (const char *)&config + offset, size);
}

struct vring_desc *desc(int queue)
{
    return (struct vring_desc *)rings[queue].desc;
}

struct vring_avail *avail(int queue)
{
    return (struct vring_avail *)rings[queue].avail;
}

struct vring_used *used(int queue)
{
    return (struct vring_used *)rings[queue].used;
}

uint16_t available(int queue)
{
    return (uint16_t)(avail(queue)->idx - taken[queue]);
}

uint16_t take(int queue)
{
    ck_assert_uint_gt(available(queue), 0);
    return avail(queue)->ring[taken[queue]++ % rings[queue].size];
}

void finish(int queue, uint16_t head, uint32_t length)
{
    used(queue)->ring[used(queue)->idx % rings[queue].size] =
        (struct vring_used_elem){head, length};
    ++used(queue)->idx;
}

// What it has been given to send: bytes, parts in a row.
char sent[65536 + HEADER];
size_t sent_size, sent_count;

void send_one_by(int queue)
{
    const uint16_t head = take(queue);
    sent_size = 0;
    for (const struct vring_desc *part = &desc(queue)[head];; part = &desc(queue)[part->next]) {
        ck_assert_uint_eq(part->flags & VRING_DESC_F_WRITE, 0);
        memcpy(sent + sent_size, (const char *)part->addr, part->len);
        sent_size += part->len;
        if ((part->flags & VRING_DESC_F_NEXT) == 0) {
            break;
        }
    }
    ++sent_count;
    finish(queue, head, 0);
}

void send_one(void)
{
    send_one_by(SEND);
}

void control_one(void)
{
    const uint16_t head = take((int)control);
    const struct vring_desc *in = &desc((int)control)[head];
    const struct vring_desc *out = &desc((int)control)[in->next];
    const struct virtio_net_ctrl_hdr *command = (const struct virtio_net_ctrl_hdr *)in->addr;
    virtio_net_ctrl_ack *answer = (virtio_net_ctrl_ack *)out->addr;
    ck_assert_uint_eq(in->flags, VRING_DESC_F_NEXT);
    ck_assert_uint_eq(out->flags, VRING_DESC_F_WRITE);
    ck_assert_uint_eq(out->len, 1);
    *answer = VIRTIO_NET_OK;
    if (command->class == VIRTIO_NET_CTRL_MQ && command->cmd == VIRTIO_NET_CTRL_MQ_RSS_CONFIG) {
        spreading_size = in->len - (uint32_t)sizeof *command;
        ck_assert_uint_le(spreading_size, sizeof spreading);
        memcpy(spreading, command + 1, spreading_size);
        *answer = pairs_refused ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
    } else if (command->class == VIRTIO_NET_CTRL_MQ) {
        ck_assert_uint_eq(command->cmd, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET);
        ck_assert_uint_eq(in->len, sizeof *command + sizeof pairs_set);
        memcpy(&pairs_set, command + 1, sizeof pairs_set);
        *answer = pairs_refused ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
    } else {
        ck_assert_uint_eq(command->class, VIRTIO_NET_CTRL_ANNOUNCE);
        ck_assert_uint_eq(command->cmd, VIRTIO_NET_CTRL_ANNOUNCE_ACK);
        ck_assert_uint_eq(in->len, sizeof *command);
        config.status &= (uint16_t)~VIRTIO_NET_S_ANNOUNCE;
    }
    finish((int)control, head, 1);
}

void hal_dev_kick(struct hal_dev *asked, uint32_t index)
{
    ck_assert_ptr_eq(asked, dev);
    ck_assert(is_running);
    ++kicks[index];
    while (index == SEND && sends_at_once && available(SEND) > 0) {
        send_one();
    }
    while (index == control && available((int)control) > 0) {
        control_one();
    }
}

// Writes a packet into as many buffers as it needs, of which each takes size bytes.
void arrive_flagged(const char *bytes, size_t length, size_t size, uint8_t flags)
{
    static char whole[65536 + HEADER];
    struct virtio_net_hdr_mrg_rxbuf *header = (struct virtio_net_hdr_mrg_rxbuf *)whole;
    length += HEADER;
    memset(header, 0, HEADER);
    header->hdr.flags = flags;
    memcpy(whole + HEADER, bytes, length - HEADER);
    header->num_buffers = (uint16_t)((length + size - 1) / size);
    for (size_t at = 0; at < length; at += size) {
        const uint16_t head = take((int)arrives_at);
        const size_t part = length - at < size ? length - at : size;
        ck_assert_uint_eq(desc((int)arrives_at)[head].flags, VRING_DESC_F_WRITE);
        ck_assert_uint_ge(desc((int)arrives_at)[head].len, part);
        memcpy((char *)desc((int)arrives_at)[head].addr, whole + at, part);
        finish((int)arrives_at, head, (uint32_t)part);
    }
}

void arrive(const char *bytes, size_t length, size_t size)
{
    arrive_flagged(bytes, length, size, 0);
}

void interrupt(int queue)
{
    upcall_dev(dev, (uint32_t)queue, NULL);
}

// ---- The driver's user --------------------------------------------------------------

struct net_device *device;
const struct hal_dev_info info = {.dev = (struct hal_dev *)&device_memory,
                                  .kind = HAL_NET,
                                  .queue_count = QUEUES,
                                  .name = "eth0"};
char got[65536];
size_t got_size, got_count, lost_count, changed_count, end_count;
bool got_trust;
const char letters[] = "The quick brown fox jumps over the lazy dog, and the dog does not mind";

void receive(void *state, struct packet *packet)
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

void receive_end(void *state)
{
    ck_assert_ptr_eq(state, got);
    ++end_count;
}

void changed(void *state)
{
    ck_assert_ptr_eq(state, got);
    ++changed_count;
}

int open_device(void)
{
    const struct net_device_user user = {receive, receive_end, changed, got};
    return net_device_open(&info, &user, &device);
}

void start_with(uint64_t features)
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

void start(void)
{
    start_with(all_features);
}

void stop(void)
{
    net_device_close(device);
    ck_assert(!is_running);
    ck_assert_uint_eq(host_frame_count(), 0);
    ck_assert_uint_eq(host_block_count(), 0);
}

struct packet *packet_of(const char *bytes, size_t size)
{
    struct packet *packet = packet_alloc();
    ck_assert_ptr_nonnull(packet);
    ck_assert_uint_eq(packet_headroom(packet), PACKET_HEADROOM);
    memcpy(packet->data, bytes, size);
    packet->size = (uint32_t)size;
    return packet;
}
