// SPDX-License-Identifier: BSD-3-Clause
// virtio_mmio.h: virtio devices whose registers are a piece of memory of their own
// (virtio 1.2, 4.2), and where those are: the command line or ACPI says so, for no bus does.
#ifndef HAL_COMMON_VIRTIO_MMIO_H
#define HAL_COMMON_VIRTIO_MMIO_H

#include "virtio.h"

enum { VIRTIO_MMIO_MAX = 32 };

struct virtio_mmio_list {
    struct virtio_mmio_place places[VIRTIO_MMIO_MAX];
    size_t count;
};

// Adds a place, unless it is there already or there are too many.
void virtio_mmio_add(struct virtio_mmio_list *list, const struct virtio_mmio_place *place);

// Takes the words virtio_mmio.device=SIZE[K|M|G]@ADDRESS:LINE[:ID] that loaders add to a command
// line, before "--" or behind everything, and adds what they name. The other words, room of them at
// most and a NULL, go to rest.
void virtio_mmio_words_take(struct virtio_mmio_list *list, const char *const *words,
                            const char **rest, size_t room);

// All devices at the places of the list. Once, while the machine boots; what cannot be used is said
// on the console and left out.
void virtio_mmio_find(struct virtio_found *found, const struct virtio_mmio_list *list);

#endif
