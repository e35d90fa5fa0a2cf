// SPDX-License-Identifier: BSD-3-Clause
// ring.h: the driver's side of a split ring, as plain as it can be.
#ifndef TESTS_SYSTEM_HAL_LINUX_RING_H
#define TESTS_SYSTEM_HAL_LINUX_RING_H

#include <linux/virtio_ring.h>
#include <stdatomic.h>

#include "hal/hal.h"

enum { RING_SIZE = 16, RING_BUFFER = 4096 };

struct ring {
    struct hal_dev *dev;
    uint32_t queue;
    struct vring_desc *desc;
    volatile struct vring_avail *avail;
    volatile struct vring_used *used;
    uint16_t seen; // of used
    char *buffer;  // one page for each descriptor
    hal_phys buffer_pa;
};

// Opens dev, attaches a ring to its queue with interrupts to cpu, and starts it.
void ring_start(struct ring *ring, struct hal_dev *dev, uint32_t queue, uint32_t cpu);

// Fills descriptor index with a part of buffer page index.
void ring_desc(struct ring *ring, uint16_t index, uint32_t size, uint16_t flags, uint16_t next);

// Makes head available and kicks.
void ring_send(struct ring *ring, uint16_t head);

// The next used element, or false.
bool ring_take(struct ring *ring, uint32_t *head, uint32_t *written);

#endif
