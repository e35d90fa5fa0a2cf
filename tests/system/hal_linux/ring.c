// SPDX-License-Identifier: BSD-3-Clause
// ring.c: the driver's side of a split ring, as plain as it can be.
#include "tests/system/hal_linux/ring.h"

#include "tests/system/hal_linux/sched.h"

void ring_start(struct ring *ring, struct hal_dev *dev, uint32_t queue, uint32_t cpu)
{
    hal_phys pa;
    char *page =
        page_alloc(2, &pa); // zeroed; descriptors and avail in the first, used in the second
    struct hal_ring facts = {.desc = pa,
                             .avail = pa + RING_SIZE * sizeof(struct vring_desc),
                             .used = pa + HAL_PAGE_SIZE,
                             .size = RING_SIZE};
    *ring = (struct ring){.dev = dev, .queue = queue};
    ring->desc = (struct vring_desc *)page;
    ring->avail = (volatile struct vring_avail *)(page + RING_SIZE * sizeof(struct vring_desc));
    ring->used = (volatile struct vring_used *)(page + HAL_PAGE_SIZE);
    ring->buffer = page_alloc(RING_SIZE, &ring->buffer_pa);
    uint64_t features = UINT64_MAX;
    ASSERT(hal_dev_open(dev, &features) == 0);
    ASSERT((features >> 32 & 1) != 0); // VIRTIO_F_VERSION_1
    ASSERT(hal_dev_queue(dev, queue, &facts, cpu) == 0);
    ASSERT(hal_dev_go(dev) == 0);
}

void ring_desc(struct ring *ring, uint16_t index, uint32_t size, uint16_t flags, uint16_t next)
{
    ring->desc[index] = (struct vring_desc){.addr = ring->buffer_pa + index * (uint64_t)RING_BUFFER,
                                            .len = size,
                                            .flags = flags,
                                            .next = next};
}

void ring_send(struct ring *ring, uint16_t head)
{
    uint16_t index = ring->avail->idx;
    ring->avail->ring[index % RING_SIZE] = head;
    atomic_thread_fence(memory_order_release);
    ring->avail->idx = (uint16_t)(index + 1);
    hal_dev_kick(ring->dev, ring->queue);
}

bool ring_take(struct ring *ring, uint32_t *head, uint32_t *written)
{
    if (ring->used->idx == ring->seen) {
        return false;
    }
    atomic_thread_fence(memory_order_acquire);
    *head = ring->used->ring[ring->seen % RING_SIZE].id;
    *written = ring->used->ring[ring->seen % RING_SIZE].len;
    ++ring->seen;
    return true;
}
