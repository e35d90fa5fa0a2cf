// SPDX-License-Identifier: BSD-3-Clause
// fs_device.h: the state of a file-system device, for the files of its driver alone.
#ifndef CORE_DEV_FS_DEVICE_H
#define CORE_DEV_FS_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/dev/fs.h"
#include "core/dev/virtq.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

enum {
    FS_CHUNKS_MAX = 8192, // 16 GiB
    SLOT_COUNT = 16,      // of a queue: as many requests may be under way
    SLOT_PARTS = 4,       // descriptors of one request
    REQUEST_SIZE = 768,
    ANSWER_SIZE = 256,
    SLOT_SIZE = REQUEST_SIZE + ANSWER_SIZE,
    UNATTENDED_MAX = SLOT_COUNT / 2, // the owners of the others collect
    FAST_QUEUES = 2,
    SLOW_QUEUE = FAST_QUEUES, // places in queues
    URGENT_QUEUE,
    QUEUE_COUNT,
    URGENT_INDEX = 0, // the device's number of the queue for FORGET
    QUEUE_FIRST = 1,  // and of the first for the rest
    TRANSFER_MIN = 4096,
    TRANSFER_MAX = 1048576,
};

_Static_assert(SLOT_COUNT *SLOT_PARTS <= VIRTQ_SIZE, "a slot always has its descriptors");
_Static_assert(sizeof(struct fuse_request) + FS_ARGUMENTS_MAX + 2 * FS_NAME_MAX <= REQUEST_SIZE,
               "");
_Static_assert(sizeof(struct fuse_answer) + FS_RESULT_MAX <= ANSWER_SIZE, "");

struct fs_slot {
    char *request, *answer; // REQUEST_SIZE and ANSWER_SIZE bytes of direct-map memory
    struct fs_slot *next;   // in the list of free or of completed slots
    struct thread *thread;  // who waits for it; NULL: nobody
    bool is_done;
    bool is_unattended; // nobody waits: free once it is done
    int error;          // of the transport
    uint32_t written;
    void (*done)(void *argument, uint32_t events); // of a wait for events; NULL: an ordinary call
    void *argument;
};

struct fs_queue { // guarded by lock, but collector
    struct mutex lock;
    struct waitqueue slot_waiters;
    struct fs_device *device;
    uint32_t index;
    struct virtq ring;
    uint64_t unique;
    uint32_t unattended_count;
    struct fs_slot *free;
    struct fs_slot *completed;          // waits for events that are over, for the queue's thread
    _Atomic(struct thread *) collector; // written under lock, read by the interrupt
    struct fs_slot slots[SLOT_COUNT];
};

struct fs_device {
    struct hal_dev *dev;
    uint32_t fast_count;        // queues[0 .. fast_count) are for ordinary calls
    struct fs_queue *slow;      // for waits; NULL: the device has too few queues
    struct thread *slow_thread; // guarded by slow->lock
    size_t transfer_max;
    bool truncates, is_ours;
    struct fs_queue queues[QUEUE_COUNT];
    const char *name; // hal_dev_info's
    struct mutex pulse_lock;
    hal_ns pulse_after; // when to look again: pulse_lock
    bool is_dead;       // pulse_lock
    const char *window; // the shared memory, in the direct map; NULL: none
    uint32_t chunk_count;
    struct mutex chunk_lock;
    uint32_t chunk_first;                // no chunk below is free: chunk_lock
    uint64_t chunks[FS_CHUNKS_MAX / 64]; // taken ones: chunk_lock
};

// Takes what the device has finished off the ring. The queue's lock is held, here and below.
void fs_queue_collect(struct fs_queue *queue);
// Hands over a request that nobody waits for. False: too many are under way.
bool fs_queue_send(struct fs_queue *queue, const struct fs_call *call);
// Nothing comes of this queue any more: what is under way fails, and so does what follows.
void fs_queue_fail(struct fs_queue *queue);

// fs_pulse.c: how long a request may take before somebody looks whether the far end lives. It may
// take longer.
#define FS_PATIENCE_NS ((hal_ns)3000000000)
// A request is late: if the far end does not take another one either, every request fails from now
// on. No lock is held.
void fs_pulse_check(struct fs_device *device);

// Before the device is started.
void fs_chunks_init(struct fs_device *device, const struct hal_dev_info *info);

#endif
