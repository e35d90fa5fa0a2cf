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
    FAST_QUEUES = 2,
    QUEUE_FIRST = 1, // queue 0 is for urgent requests, of which we have none
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
    int error; // of the transport
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
    bool truncates, appends;
    struct fs_queue queues[FAST_QUEUES + 1];
    const char *window; // the shared memory, in the direct map; NULL: none
    uint32_t chunk_count;
    struct mutex chunk_lock;
    uint32_t chunk_first;                // no chunk below is free: chunk_lock
    uint64_t chunks[FS_CHUNKS_MAX / 64]; // taken ones: chunk_lock
};

// Before the device is started.
void fs_chunks_init(struct fs_device *device, const struct hal_dev_info *info);

#endif
