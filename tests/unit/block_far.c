// SPDX-License-Identifier: BSD-3-Clause
// block_far.c: a disk in memory behind the contract's device functions.
#include "block_far.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#include "core/dev/device.h"

enum { SECTOR = 512, QUEUES = 4, RING_MAX = 64 };

struct block_far far_disk;

static struct far_queue {
    struct hal_ring ring;
    uint16_t taken, used;
} queues[QUEUES];

static int the_device;

struct block_device *far_disk_open(char *bytes, uint64_t size)
{
    static struct hal_dev_info info;
    static struct hal_boot boot;
    far_disk.bytes = bytes;
    far_disk.config.capacity = size / SECTOR;
    info = (struct hal_dev_info){
        .dev = (struct hal_dev *)&the_device, .kind = HAL_BLOCK, .queue_count = 1, .name = "vda"};
    boot = (struct hal_boot){.devs = &info, .dev_count = 1, .cpu_count = 1};
    device_init(&boot);
    block_devices_open();
    struct block_device *last = NULL;
    for (uint32_t i = 0; block_device_at(i) != NULL; ++i) {
        last = block_device_at(i);
    }
    return last;
}

int hal_dev_open(struct hal_dev *dev, uint64_t *features)
{
    (void)dev;
    *features &= far_disk.refuses ? 0 : far_disk.features | UINT64_C(1) << 32;
    return 0;
}

int hal_dev_queue(struct hal_dev *dev, uint32_t index, const struct hal_ring *ring, uint32_t cpu)
{
    (void)dev;
    (void)cpu;
    if (index >= QUEUES || ring->size > (far_disk.ring_max != 0 ? far_disk.ring_max : RING_MAX)) {
        return -EINVAL;
    }
    queues[index] = (struct far_queue){.ring = *ring};
    return 0;
}

int hal_dev_go(struct hal_dev *dev)
{
    (void)dev;
    return 0;
}

void hal_dev_stop(struct hal_dev *dev)
{
    (void)dev;
    ++far_disk.stop_count;
}

void hal_dev_config(struct hal_dev *dev, uint32_t offset, void *out, size_t size)
{
    (void)dev;
    memcpy(out, (const char *)&far_disk.config + offset, size);
}

// ---- Requests ----

static int data_move(const struct virtio_blk_outhdr *header, uint64_t *at,
                     const struct vring_desc *part)
{
    char *data = (char *)part->addr;
    const uint64_t end = far_disk.config.capacity * SECTOR;
    const uint64_t bad = far_disk.bad_sector * SECTOR;
    if (header->type == VIRTIO_BLK_T_GET_ID) {
        memcpy(data, "a serial number", 16);
        return VIRTIO_BLK_S_OK;
    }
    if (header->type != VIRTIO_BLK_T_IN && header->type != VIRTIO_BLK_T_OUT) {
        return VIRTIO_BLK_S_OK; // a range
    }
    if (*at > end || part->len > end - *at || (bad != 0 && *at <= bad && bad < *at + part->len)) {
        return VIRTIO_BLK_S_IOERR;
    }
    memcpy(header->type == VIRTIO_BLK_T_IN ? data : far_disk.bytes + *at,
           header->type == VIRTIO_BLK_T_IN ? far_disk.bytes + *at : data, part->len);
    *at += part->len;
    return VIRTIO_BLK_S_OK;
}

static void chain_serve(struct far_queue *queue, uint16_t head)
{
    const struct vring_desc *ring = (const struct vring_desc *)queue->ring.desc,
                            *part = &ring[head];
    const struct virtio_blk_outhdr *header = (const struct virtio_blk_outhdr *)part->addr;
    uint64_t at = header->sector * SECTOR;
    uint32_t count = 0, written = 1;
    int status = VIRTIO_BLK_S_OK;
    for (part = &ring[part->next]; (part->flags & VRING_DESC_F_NEXT) != 0;
         part = &ring[part->next]) {
        const int now = data_move(header, &at, part);
        status = status == VIRTIO_BLK_S_OK ? now : status;
        written += (part->flags & VRING_DESC_F_WRITE) != 0 ? part->len : 0;
        far_disk.segment_size_max =
            part->len > far_disk.segment_size_max ? part->len : far_disk.segment_size_max;
        ++count;
    }
    status = far_disk.status != 0 ? far_disk.status : status;
    if (status >= 0) {
        *(uint8_t *)part->addr = (uint8_t)status;
    }
    far_disk.segment_count_max =
        count > far_disk.segment_count_max ? count : far_disk.segment_count_max;
    far_disk.last_type = header->type;
    ++far_disk.request_count;
    struct vring_used *used = (struct vring_used *)queue->ring.used;
    used->ring[queue->used++ % queue->ring.size] =
        (struct vring_used_elem){far_disk.lies ? 77u : head, written};
    used->idx = queue->used;
}

void hal_dev_kick(struct hal_dev *dev, uint32_t index)
{
    (void)dev;
    struct far_queue *queue = &queues[index];
    const struct vring_avail *avail = (const struct vring_avail *)queue->ring.avail;
    while (queue->taken != avail->idx) {
        chain_serve(queue, avail->ring[queue->taken++ % queue->ring.size]);
    }
}
