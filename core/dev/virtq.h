// SPDX-License-Identifier: BSD-3-Clause
// virtq.h: the driver's half of a virtio 1.x split ring (virtio 1.2, 2.7).
//
// The caller provides the lock. Nothing that the device writes into the ring can lead out of it:
// what breaks the rules is an error, and the ring is then dead.
#ifndef CORE_DEV_VIRTQ_H
#define CORE_DEV_VIRTQ_H

#include <stdbool.h>

#include "hal/hal.h"

enum { VIRTQ_SIZE = 64 }; // descriptors at most

#define VIRTIO_VERSION_1 (UINT64_C(1) << 32)
#define VIRTIO_EVENT_INDEX (UINT64_C(1) << 29)

struct virtq_ring; // the memory shared with the device

struct virtq_part {
    hal_phys address;
    uint32_t size;
    bool is_written; // by the device; such parts come after the others
};

struct virtq {
    struct hal_ring place; // for hal_dev_queue
    struct virtq_ring *ring;
    uint16_t free_head, free_count; // descriptors
    uint16_t available_index;       // of the next entry we publish
    uint16_t kicked_index;          // the same, when the device was last to hear of it
    uint16_t used_index;            // of the next entry we take
    bool is_broken, has_events;
    // Our own memory of each chain, by its first descriptor: the ring's is in reach of the device.
    uint16_t next[VIRTQ_SIZE];
    uint16_t chain_length[VIRTQ_SIZE]; // 0: not the first descriptor of a chain in flight
    uint32_t writable_size[VIRTQ_SIZE];
    void *token[VIRTQ_SIZE];
};

// size descriptors: a power of two, VIRTQ_SIZE or less. -ENOMEM.
HAL_MUST_CHECK int virtq_init(struct virtq *queue, uint16_t size);
void virtq_free(struct virtq *queue); // the device is stopped

// VIRTIO_EVENT_INDEX was agreed upon: both sides say from which chain on they want to hear of them
// (virtio 1.2, 2.7.10). Before the device runs.
void virtq_events_use(struct virtq *queue);

// Hands a chain to the device, which hears of it by hal_dev_kick. -ENOSPC: not so many descriptors
// are free.
HAL_MUST_CHECK int virtq_add(struct virtq *queue, const struct virtq_part *parts, size_t count,
                             void *token);

// Does the device want to hear of the chains added since this was last asked?
bool virtq_kick_wanted(struct virtq *queue);

// Takes back a finished chain: 1, its token and how many bytes the device says to have written
// (never more than there was room for). 0: none is finished. -EIO: the device broke the rules.
HAL_MUST_CHECK int virtq_collect(struct virtq *queue, void **token, uint32_t *written);

// Does the device interrupt when it finishes a chain? After turning that on the caller collects
// once more.
void virtq_interrupts_set(struct virtq *queue, bool on);

// On, but with events only when about half of what the device has now is finished. Once: whoever
// has collected something since asks anew.
void virtq_interrupts_set_late(struct virtq *queue);

#endif
