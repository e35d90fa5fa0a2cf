// SPDX-License-Identifier: BSD-3-Clause
// fs_pulse.c: whether the far end of a file-system device lives.
//
// A request may take as long as it takes: the host's disk may be slow. But a far end that has
// ended, which no interrupt tells of, never answers. The queue of urgent requests is served by
// itself (virtio 1.2, 5.11.6.2), so when an ordinary request is late an urgent one that does
// nothing is sent. If none comes back of that queue for a while, the far end is dead: the device is
// stopped, and all requests fail.
#include "core/dev/fs_device.h"
#include "core/lib/format.h"
#include "core/sched/thread.h"

#define PULSE_NS ((hal_ns)7000000000)
#define LOOK_NS ((hal_ns)20000000)

// Its FORGET takes nothing from the root.
static bool has_pulse(struct fs_queue *queue)
{
    struct fuse_forget arguments = {.count = 0};
    const struct fs_call call = {.operation = FUSE_FORGET,
                                 .node = FUSE_ROOT,
                                 .arguments = &arguments,
                                 .arguments_size = sizeof arguments};
    const hal_ns end = hal_clock_ns() + PULSE_NS;
    mutex_lock(&queue->lock);
    const uint16_t before = queue->ring.used_index;
    const bool is_sent = fs_queue_send(queue, &call); // else there are others, unanswered
    (void)is_sent;
    while (queue->ring.used_index == before && !queue->ring.is_broken && hal_clock_ns() < end) {
        mutex_unlock(&queue->lock);
        const bool is_woken = thread_park_until(hal_clock_ns() + LOOK_NS);
        (void)is_woken;
        mutex_lock(&queue->lock);
        fs_queue_collect(queue);
    }
    const bool is_alive = queue->ring.used_index != before && !queue->ring.is_broken;
    mutex_unlock(&queue->lock);
    return is_alive;
}

static void device_fail(struct fs_device *device)
{
    console_print("osv: virtiofs:%s: the device does not answer (has its virtiofsd ended?); "
                  "its files are input/output errors from now on\n",
                  device->name);
    for (size_t i = 0; i < QUEUE_COUNT; ++i) {
        struct fs_queue *queue = &device->queues[i];
        if (queue->device != NULL) {
            mutex_lock(&queue->lock);
            fs_queue_fail(queue);
            mutex_unlock(&queue->lock);
        }
    }
}

void fs_pulse_check(struct fs_device *device)
{
    mutex_lock(&device->pulse_lock);
    if (!device->is_dead && hal_clock_ns() >= device->pulse_after) {
        device->is_dead = !has_pulse(&device->queues[URGENT_QUEUE]);
        device->pulse_after = hal_clock_ns() + FS_PATIENCE_NS;
        if (device->is_dead) {
            device_fail(device);
        }
    }
    mutex_unlock(&device->pulse_lock);
}
