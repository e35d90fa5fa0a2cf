// SPDX-License-Identifier: BSD-3-Clause
// virtq.c: the driver's half of a virtio 1.x split ring (virtio 1.2, 2.7).
//
// The free descriptors are a list through next[]; a chain in flight keeps its order in the same
// array.
#include "core/dev/virtq.h"

#include <stdatomic.h>

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/mem/frame.h"
#include "core/mem/usage.h"

enum {
    DESC_NEXT = 1,
    DESC_WRITE = 2,
    AVAIL_NO_INTERRUPT = 1,
    USED_NO_NOTIFY = 1,
    NO_DESC = 0xffff
};

struct virtq_desc { // le64 le32 le16 le16; both machines are little-endian
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct virtq_used_entry {
    uint32_t id, length;
};

struct virtq_ring {
    struct virtq_desc desc[VIRTQ_SIZE];
    struct {
        _Atomic uint16_t flags, index;
        uint16_t ring[VIRTQ_SIZE];
        uint16_t event; // of a ring of that size; see used_event
    } available;
    struct {
        _Alignas(4) _Atomic uint16_t flags;
        _Atomic uint16_t index;
        struct virtq_used_entry ring[VIRTQ_SIZE];
        uint16_t event; // see available_event
    } used;
};

_Static_assert(sizeof(struct virtq_desc) == 16, "virtio 1.2, 2.7.5");
_Static_assert(sizeof(struct virtq_ring) <= HAL_PAGE_SIZE, "one frame");
_Static_assert((VIRTQ_SIZE & (VIRTQ_SIZE - 1)) == 0, "virtio 1.2, 2.7: a power of two");

// They lie behind the last entry that there is.
static _Atomic uint16_t *used_event(const struct virtq *queue)
{
    return (_Atomic uint16_t *)(queue->ring->available.ring + queue->place.size);
}

static const _Atomic uint16_t *available_event(const struct virtq *queue)
{
    return (const _Atomic uint16_t *)(queue->ring->used.ring + queue->place.size);
}

int virtq_init(struct virtq *queue, uint16_t size)
{
    ASSERT(size > 0 && size <= VIRTQ_SIZE && (size & (size - 1)) == 0);
    hal_phys frame;
    int error = frame_alloc(1, FRAME_ZERO, &frame);
    if (error != 0) {
        return error;
    }
    usage_add(USAGE_RINGS, 1);
    *queue = (struct virtq){.ring = (struct virtq_ring *)frame_address(frame)};
    queue->place = (struct hal_ring){
        .desc = frame + offsetof(struct virtq_ring, desc),
        .avail = frame + offsetof(struct virtq_ring, available),
        .used = frame + offsetof(struct virtq_ring, used),
        .size = size,
    };
    for (uint16_t i = 0; i < size; ++i) {
        queue->next[i] = i + 1 < size ? (uint16_t)(i + 1) : NO_DESC;
    }
    queue->free_count = size;
    virtq_interrupts_set(queue, false);
    return 0;
}

void virtq_free(struct virtq *queue)
{
    usage_take(USAGE_RINGS, 1);
    frame_free(frame_of(queue->ring), 1);
    queue->ring = NULL;
}

void virtq_events_use(struct virtq *queue)
{
    queue->has_events = true;
    atomic_store(&queue->ring->available.flags, 0); // it means nothing from here on
    virtq_interrupts_set(queue, false);
}

int virtq_add(struct virtq *queue, const struct virtq_part *parts, size_t count, void *token)
{
    ASSERT(count > 0);
    if (queue->is_broken) {
        return -EIO;
    }
    if (count > queue->free_count) {
        return -ENOSPC;
    }
    uint16_t head = queue->free_head;
    uint16_t at = head;
    queue->writable_size[head] = 0;
    for (size_t i = 0; i < count; ++i) {
        bool has_next = i + 1 < count;
        ASSERT(at != NO_DESC);
        ASSERT(i == 0 || parts[i].is_written || !parts[i - 1].is_written);
        queue->ring->desc[at] = (struct virtq_desc){
            .address = parts[i].address,
            .length = parts[i].size,
            .flags =
                (uint16_t)((has_next ? DESC_NEXT : 0) | (parts[i].is_written ? DESC_WRITE : 0)),
            .next = has_next ? queue->next[at] : 0,
        };
        queue->writable_size[head] += parts[i].is_written ? parts[i].size : 0;
        at = queue->next[at];
    }
    queue->free_head = at;
    queue->free_count = (uint16_t)(queue->free_count - count);
    queue->chain_length[head] = (uint16_t)count;
    queue->token[head] = token;
    queue->ring->available.ring[queue->available_index % queue->place.size] = head;
    ++queue->available_index;
    // Release: the device that sees the index sees the entry and its descriptors
    // (virtio 1.2, 2.7.13.3).
    atomic_store_explicit(&queue->ring->available.index, queue->available_index,
                          memory_order_release);
    return 0;
}

// Does event lie in [from, to)?
static bool is_passed(uint16_t event, uint16_t from, uint16_t to)
{
    return (uint16_t)(to - event - 1) < (uint16_t)(to - from);
}

bool virtq_kick_wanted(struct virtq *queue)
{
    const uint16_t from = queue->kicked_index;
    queue->kicked_index = queue->available_index;
    // The device looks for chains after it has taken the flag away, or written the event: one of
    // us two sees the other.
    atomic_thread_fence(memory_order_seq_cst);
    if (queue->has_events) {
        return is_passed(atomic_load(available_event(queue)), from, queue->available_index);
    }
    return (atomic_load(&queue->ring->used.flags) & USED_NO_NOTIFY) == 0;
}

static void chain_free(struct virtq *queue, uint16_t head)
{
    uint16_t length = queue->chain_length[head];
    uint16_t last = head;
    for (uint16_t i = 1; i < length; ++i) {
        last = queue->next[last];
    }
    queue->next[last] = queue->free_head;
    queue->free_head = head;
    queue->free_count = (uint16_t)(queue->free_count + length);
    queue->chain_length[head] = 0;
}

static int broken(struct virtq *queue)
{
    queue->is_broken = true;
    return -EIO;
}

int virtq_collect(struct virtq *queue, void **token, uint32_t *written)
{
    if (queue->is_broken) {
        return -EIO;
    }
    // Acquire pairs with the device's release: what it wrote is there (virtio 1.2, 2.7.14).
    uint16_t index = atomic_load_explicit(&queue->ring->used.index, memory_order_acquire);
    uint16_t count = (uint16_t)(index - queue->used_index);
    if (count == 0) {
        return 0;
    }
    if (count > queue->place.size) {
        return broken(queue);
    }
    struct virtq_used_entry entry = queue->ring->used.ring[queue->used_index % queue->place.size];
    if (entry.id >= queue->place.size || queue->chain_length[entry.id] == 0 ||
        entry.length > queue->writable_size[entry.id]) {
        return broken(queue);
    }
    ++queue->used_index;
    *token = queue->token[entry.id];
    *written = entry.length;
    chain_free(queue, (uint16_t)entry.id);
    return 1;
}

// On: the collection that follows must not be done before the device can see the flag, or the
// event. Off is a hint.
static void interrupts_set(struct virtq *queue, bool on, uint16_t event)
{
    if (queue->has_events) {
        atomic_store_explicit(used_event(queue), event, memory_order_relaxed);
    } else {
        atomic_store_explicit(&queue->ring->available.flags, on ? 0 : AVAIL_NO_INTERRUPT,
                              memory_order_relaxed);
    }
    if (on) {
        atomic_thread_fence(memory_order_seq_cst);
    }
}

void virtq_interrupts_set(struct virtq *queue, bool on)
{
    // Off: the one that was finished last, which comes again after 65535 others.
    interrupts_set(queue, on, on ? queue->used_index : (uint16_t)(queue->used_index - 1));
}

void virtq_interrupts_set_late(struct virtq *queue)
{
    const uint16_t under_way = (uint16_t)(queue->available_index - queue->used_index);
    interrupts_set(queue, true, (uint16_t)(queue->used_index + under_way / 2));
}
