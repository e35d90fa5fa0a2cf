// SPDX-License-Identifier: BSD-3-Clause
// fs.c: the driver of file-system devices: FUSE requests over virtio-fs queues (virtio 1.2, 5.11).
//
// A queue's mutex guards its ring and slots. A caller publishes its request, kicks and collects;
// what the far end completes within the kick is done then. A caller that has to wait sees to it
// that somebody is the queue's collector: the one thread that the interrupt wakes. The collector
// takes finished requests off the ring, wakes their owners, and passes its office on when its own
// request is done. Without a collector the device is told not to interrupt.
//
// Requests whose answer nobody wants (FORGET, RELEASE) are collected by whoever comes next. They
// may have half of the slots, so that among those who wait for a slot's end somebody always
// collects.
//
// Requests that may take for ever (waits for events) go to a queue of their own, whose collector is
// a thread that does nothing else.
#include "core/dev/fs.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "core/dev/device.h"
#include "core/dev/fs_device.h"
#include "core/dev/virtq.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

// ---- Collecting; the queue's lock is held ----

static void slot_put(struct fs_queue *queue, struct fs_slot *slot)
{
    slot->next = queue->free;
    queue->free = slot;
    (void)waitqueue_wake_one(&queue->slot_waiters);
}

static void slot_finish(struct fs_queue *queue, struct fs_slot *slot, int error, uint32_t written)
{
    slot->error = error;
    slot->written = written;
    slot->is_done = true;
    if (slot->is_unattended) {
        --queue->unattended_count;
        slot_put(queue, slot);
    } else if (slot->done != NULL) {
        slot->next = queue->completed;
        queue->completed = slot;
    } else if (slot->thread != NULL) {
        thread_wake(slot->thread);
    }
}

static bool slot_is_used(const struct fs_queue *queue, const struct fs_slot *slot)
{
    const struct fs_slot *free = queue->free;
    while (free != NULL && free != slot) {
        free = free->next;
    }
    return free == NULL;
}

// The device is stopped, so that it writes no buffer of a request that fails now.
void fs_queue_fail(struct fs_queue *queue)
{
    hal_dev_stop(queue->device->dev);
    queue->ring.is_broken = true;
    for (size_t i = 0; i < SLOT_COUNT; ++i) {
        struct fs_slot *slot = &queue->slots[i];
        if (!slot->is_done && slot_is_used(queue, slot)) {
            slot_finish(queue, slot, -EIO, 0);
        }
    }
    struct thread *collector = atomic_load(&queue->collector);
    if (collector != NULL) {
        thread_wake(collector);
    }
}

void fs_queue_collect(struct fs_queue *queue)
{
    void *token;
    uint32_t written;
    bool was_broken = queue->ring.is_broken;
    int result = virtq_collect(&queue->ring, &token, &written);
    for (int i = 0; result > 0 && i < 2 * SLOT_COUNT; ++i) {
        slot_finish(queue, token, 0, written);
        result = virtq_collect(&queue->ring, &token, &written);
    }
    if (result < 0 && !was_broken) {
        fs_queue_fail(queue); // it broke the rules
    }
}

static void collector_set(struct fs_queue *queue, struct thread *thread)
{
    atomic_store(&queue->collector, thread);
    virtq_interrupts_set(&queue->ring, thread != NULL);
}

// Somebody else who waits becomes the collector, and looks at the ring at once.
static void collector_resign(struct fs_queue *queue)
{
    for (size_t i = 0; i < SLOT_COUNT; ++i) {
        struct fs_slot *slot = &queue->slots[i];
        if (slot->thread != NULL && !slot->is_done) {
            atomic_store(&queue->collector, slot->thread);
            thread_wake(slot->thread);
            return;
        }
    }
    collector_set(queue, NULL);
}

// False: it is time to see whether the far end lives.
static bool slot_park(struct fs_queue *queue, hal_ns deadline)
{
    struct thread *self = thread_self();
    mutex_unlock(&queue->lock);
    thread_wait_note(self, THREAD_WAIT_DEVICE, queue);
    bool is_in_time = thread_park_until(deadline);
    thread_wait_note(self, THREAD_WAIT_NONE, NULL);
    mutex_lock(&queue->lock);
    return is_in_time;
}

// Whoever looks whether the far end lives does not collect meanwhile.
static void slot_doubt(struct fs_queue *queue, struct fs_slot *slot)
{
    slot->thread = NULL;
    if (atomic_load(&queue->collector) == thread_self()) {
        collector_resign(queue);
    }
    mutex_unlock(&queue->lock);
    fs_pulse_check(queue->device);
    mutex_lock(&queue->lock);
    slot->thread = thread_self();
}

// The far end of hal-linux lives as long as we do.
static hal_ns slot_deadline(const struct fs_queue *queue)
{
    return queue->device->is_ours ? UINT64_MAX : hal_clock_ns() + FS_PATIENCE_NS;
}

static void slot_wait(struct fs_queue *queue, struct fs_slot *slot)
{
    struct thread *self = thread_self();
    hal_ns deadline = slot->is_done ? 0 : slot_deadline(queue);
    slot->thread = self;
    while (!slot->is_done) {
        if (atomic_load(&queue->collector) == NULL) {
            collector_set(queue, self);
        }
        if (atomic_load(&queue->collector) == self) {
            fs_queue_collect(queue);
        }
        if (!slot->is_done && !slot_park(queue, deadline)) {
            slot_doubt(queue, slot);
            deadline = slot_deadline(queue);
        }
    }
    slot->thread = NULL;
    if (atomic_load(&queue->collector) == self) {
        collector_resign(queue);
    }
}

static void queue_interrupt(void *state, uint32_t index)
{
    struct fs_device *device = state;
    for (size_t i = 0; i < QUEUE_COUNT; ++i) {
        struct fs_queue *queue = &device->queues[i];
        if (queue->device != NULL && queue->index == index) {
            // The thread may be gone by now: thread memory is type-stable, and this wake then only
            // spurious.
            struct thread *collector = atomic_load(&queue->collector);
            if (collector != NULL) {
                thread_wake(collector);
            }
        }
    }
}

// ---- Requests; the queue's lock is held ----

static struct fs_slot *slot_take(struct fs_queue *queue)
{
    struct fs_slot *slot = queue->free;
    if (slot != NULL) {
        queue->free = slot->next;
        slot->thread = NULL;
        slot->is_done = false;
        slot->is_unattended = false;
        slot->done = NULL;
    }
    return slot;
}

static _Atomic uint32_t owner_uid, owner_gid; // whom the far end acts for

void fs_owner_set(uint32_t uid, uint32_t gid)
{
    atomic_store_explicit(&owner_uid, uid, memory_order_relaxed);
    atomic_store_explicit(&owner_gid, gid, memory_order_relaxed);
}

static size_t append(char *to, size_t length, const void *from, size_t size)
{
    memcpy(to + length, from, size);
    return length + size;
}

static size_t request_write(struct fs_queue *queue, struct fs_slot *slot,
                            const struct fs_call *call)
{
    struct fuse_request header = {.operation = call->operation,
                                  .unique = ++queue->unique,
                                  .node = call->node,
                                  .uid = atomic_load_explicit(&owner_uid, memory_order_relaxed),
                                  .gid = atomic_load_explicit(&owner_gid, memory_order_relaxed),
                                  .pid = 1};
    size_t length = append(slot->request, sizeof header, call->arguments, call->arguments_size);
    if (call->name != NULL) {
        length = append(slot->request, length, call->name, strlen(call->name) + 1);
    }
    if (call->name2 != NULL) {
        length = append(slot->request, length, call->name2, strlen(call->name2) + 1);
    }
    header.size = (uint32_t)(length + call->data_size);
    memcpy(slot->request, &header, sizeof header);
    return length;
}

static struct virtq_part part_of(const char *data, size_t size, bool is_written)
{
    return (struct virtq_part){
        .address = frame_of(data), .size = (uint32_t)size, .is_written = is_written};
}

static int request_publish(struct fs_queue *queue, struct fs_slot *slot, const struct fs_call *call)
{
    struct virtq_part parts[SLOT_PARTS];
    size_t count = 0;
    size_t length = request_write(queue, slot, call);
    parts[count++] = part_of(slot->request, length, false);
    if (call->data_size > 0) {
        parts[count++] = part_of(call->data, call->data_size, false);
    }
    if (call->operation != FUSE_FORGET) {
        size_t answer_size = sizeof(struct fuse_answer) + call->result_size;
        parts[count++] = part_of(slot->answer, answer_size, true);
    }
    if (call->data_out_size > 0) {
        parts[count++] = part_of(call->data_out, call->data_out_size, true);
    }
    int error = virtq_add(&queue->ring, parts, count, slot);
    ASSERT(error != -ENOSPC);
    if (error == 0) {
        hal_dev_kick(queue->device->dev, queue->index);
    }
    return error;
}

// What the far end answered, believed only as far as it makes sense.
static int answer_read(const struct fs_queue *queue, const struct fs_slot *slot,
                       struct fs_call *call, uint64_t unique)
{
    (void)queue;
    if (slot->error != 0 || call->operation == FUSE_FORGET) {
        return slot->error;
    }
    struct fuse_answer answer;
    memcpy(&answer, slot->answer, sizeof answer);
    if (slot->written < sizeof answer || answer.size != slot->written || answer.unique != unique ||
        answer.error > 0 || answer.error < -4095) {
        return -EIO;
    }
    if (answer.error != 0) {
        return answer.error;
    }
    size_t fixed = sizeof answer + call->result_size;
    if (slot->written < fixed) {
        return -EIO;
    }
    memcpy(call->result, slot->answer + sizeof answer, call->result_size);
    call->data_out_done = slot->written - fixed;
    return 0;
}

static struct fs_queue *queue_pick(struct fs_device *device)
{
    return &device->queues[thread_cpu_index() % device->fast_count];
}

static bool is_sane(const struct fs_call *call)
{
    return call->arguments_size <= FS_ARGUMENTS_MAX && call->result_size <= FS_RESULT_MAX &&
           (call->name == NULL || strnlen(call->name, FS_NAME_MAX) < FS_NAME_MAX) &&
           (call->name2 == NULL || strnlen(call->name2, FS_NAME_MAX) < FS_NAME_MAX);
}

static int call_run(struct fs_queue *queue, struct fs_call *call)
{
    struct fs_slot *slot = slot_take(queue);
    while (slot == NULL) {
        waitqueue_wait(&queue->slot_waiters, &queue->lock);
        slot = slot_take(queue);
    }
    int error = request_publish(queue, slot, call);
    uint64_t unique = queue->unique;
    if (error == 0) {
        fs_queue_collect(queue);
        slot_wait(queue, slot);
        error = answer_read(queue, slot, call, unique);
    }
    slot_put(queue, slot);
    return error;
}

int fs_call(struct fs_device *device, struct fs_call *call)
{
    ASSERT(is_sane(call));
    call->data_out_done = 0;
    struct fs_queue *queue = queue_pick(device);
    mutex_lock(&queue->lock);
    int error = call_run(queue, call);
    mutex_unlock(&queue->lock);
    return error;
}

bool fs_queue_send(struct fs_queue *queue, const struct fs_call *call)
{
    fs_queue_collect(queue);
    struct fs_slot *slot = queue->unattended_count < UNATTENDED_MAX ? slot_take(queue) : NULL;
    if (slot == NULL) {
        return false;
    }
    slot->is_unattended = true;
    ++queue->unattended_count;
    if (request_publish(queue, slot, call) != 0) {
        slot_finish(queue, slot, -EIO, 0);
    } else {
        fs_queue_collect(queue);
    }
    return true;
}

void fs_send(struct fs_device *device, struct fs_call *call)
{
    ASSERT(is_sane(call) && call->data_out_size == 0);
    struct fs_queue *queue =
        call->operation == FUSE_FORGET ? &device->queues[URGENT_QUEUE] : queue_pick(device);
    mutex_lock(&queue->lock);
    if (!fs_queue_send(queue, call)) {
        int error = call_run(queue, call);
        (void)error; // nobody wants to know
    }
    mutex_unlock(&queue->lock);
}

size_t fs_transfer_max(const struct fs_device *device)
{
    return device->transfer_max;
}

bool fs_truncates(const struct fs_device *device)
{
    return device->truncates;
}

bool fs_is_ours(const struct fs_device *device)
{
    return device->is_ours;
}

// ---- Waits for events ----

static uint32_t poll_events(const struct fs_slot *slot)
{
    struct {
        struct fuse_answer header;
        struct fuse_poll_answer poll;
    } answer;
    memcpy(&answer, slot->answer, sizeof answer);
    if (slot->error != 0 || slot->written < sizeof answer || answer.header.error != 0) {
        return UINT32_MAX; // whoever waits looks for himself and finds the error
    }
    return answer.poll.events;
}

static void slow_thread(void *argument)
{
    struct fs_queue *queue = argument;
    mutex_lock(&queue->lock);
    collector_set(queue, thread_self());
    for (;;) {
        fs_queue_collect(queue);
        struct fs_slot *slot = queue->completed;
        if (slot == NULL) {
            mutex_unlock(&queue->lock);
            thread_park();
            mutex_lock(&queue->lock);
            continue;
        }
        queue->completed = slot->next;
        void (*done)(void *argument, uint32_t events) = slot->done;
        void *done_argument = slot->argument;
        uint32_t events = poll_events(slot);
        slot_put(queue, slot);
        mutex_unlock(&queue->lock);
        done(done_argument, events);
        mutex_lock(&queue->lock);
    }
}

static int slow_thread_start(struct fs_device *device)
{
    if (device->slow_thread != NULL) {
        return 0;
    }
    struct thread_config config = {.name = "fs-events", .detached = true};
    int error = thread_create(&device->slow_thread, &config, slow_thread, device->slow);
    if (error == 0) {
        thread_start(device->slow_thread);
    }
    return error;
}

int fs_poll_start(struct fs_device *device, uint64_t handle, uint32_t events,
                  void (*done)(void *argument, uint32_t events), void *argument)
{
    struct fs_queue *queue = device->slow;
    if (queue == NULL) {
        return -ENOSYS;
    }
    struct fuse_poll arguments = {.handle = handle, .flags = FUSE_POLL_WAIT, .events = events};
    struct fuse_poll_answer result;
    struct fs_call call = {.operation = FUSE_POLL,
                           .node = FUSE_ROOT,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    mutex_lock(&queue->lock);
    int error = slow_thread_start(device);
    struct fs_slot *slot = error == 0 ? slot_take(queue) : NULL;
    if (slot != NULL) {
        slot->done = done;
        slot->argument = argument;
        error = request_publish(queue, slot, &call);
        if (error != 0) {
            slot_put(queue, slot);
        } else {
            thread_wake(device->slow_thread); // it may be finished already
        }
    } else if (error == 0) {
        error = -EAGAIN;
    }
    mutex_unlock(&queue->lock);
    return error;
}

// ---- Opening ----

static int queue_init(struct fs_device *device, struct fs_queue *queue, uint32_t index,
                      uint32_t cpu)
{
    int error = virtq_init(&queue->ring, VIRTQ_SIZE);
    if (error != 0) {
        return error;
    }
    hal_phys frames;
    error = frame_alloc(SLOT_COUNT * SLOT_SIZE / HAL_PAGE_SIZE, 0, &frames);
    if (error != 0) {
        virtq_free(&queue->ring);
        return error;
    }
    char *memory = frame_address(frames);
    for (size_t i = 0; i < SLOT_COUNT; ++i) {
        queue->slots[i].request = memory + i * SLOT_SIZE;
        queue->slots[i].answer = memory + i * SLOT_SIZE + REQUEST_SIZE;
        queue->slots[i].next = queue->free;
        queue->free = &queue->slots[i];
    }
    queue->index = index;
    queue->device = device;
    return hal_dev_queue(device->dev, index, &queue->ring.place, cpu);
}

static void queue_free(struct fs_queue *queue)
{
    if (queue->device != NULL) {
        frame_free(frame_of(queue->slots[0].request), SLOT_COUNT * SLOT_SIZE / HAL_PAGE_SIZE);
        virtq_free(&queue->ring);
    }
}

static int queues_init(struct fs_device *device, const struct hal_dev_info *info)
{
    uint32_t requests = info->queue_count > QUEUE_FIRST ? info->queue_count - QUEUE_FIRST : 0;
    if (requests == 0) {
        return -ENODEV;
    }
    uint32_t fast = requests > 1 ? requests - 1 : 1;
    fast = fast < FAST_QUEUES ? fast : FAST_QUEUES;
    device->fast_count = fast < sched_cpu_count() ? fast : sched_cpu_count();
    int urgent = queue_init(device, &device->queues[URGENT_QUEUE], URGENT_INDEX, 0);
    if (urgent != 0) {
        return urgent;
    }
    for (uint32_t i = 0; i < device->fast_count; ++i) {
        int error = queue_init(device, &device->queues[i], QUEUE_FIRST + i, i);
        if (error != 0) {
            return error;
        }
    }
    if (requests < 2) {
        return 0;
    }
    device->slow = &device->queues[SLOW_QUEUE];
    return queue_init(device, device->slow, info->queue_count - 1, 0);
}

// The least of what the far end takes and what is worth a request.
static size_t transfer_size(const struct fuse_init_answer *answer)
{
    size_t pages = (answer->flags & FUSE_MAX_PAGES) != 0 ? answer->pages_max : 0;
    pages = pages != 0 ? pages : FUSE_PAGES_MAX_DEFAULT;
    size_t size = answer->write_max < TRANSFER_MAX ? answer->write_max : TRANSFER_MAX;
    return size < pages * HAL_PAGE_SIZE ? size : pages * HAL_PAGE_SIZE;
}

static int protocol_agree(struct fs_device *device)
{
    struct fuse_init arguments = {.major = FUSE_VERSION_MAJOR,
                                  .minor = FUSE_VERSION_MINOR,
                                  .read_ahead_max = TRANSFER_MAX,
                                  .flags = FUSE_ASYNC_READ | FUSE_ATOMIC_TRUNCATE |
                                           FUSE_BIG_WRITES | FUSE_PARALLEL_LOOKUPS |
                                           FUSE_MAX_PAGES};
    struct fuse_init_answer result;
    struct fs_call call = {.operation = FUSE_INIT,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(device, &call);
    if (error != 0) {
        return error;
    }
    // A newer far end answers with our version, or its own minor one, which includes ours.
    if (result.major != FUSE_VERSION_MAJOR || result.minor < FUSE_VERSION_MINOR_MIN ||
        result.write_max < TRANSFER_MIN) {
        return -EPROTO;
    }
    device->transfer_max = transfer_size(&result);
    device->truncates = (result.flags & FUSE_ATOMIC_TRUNCATE) != 0;
    device->is_ours = (result.flags2 & FUSE_OURS) != 0;
    return 0;
}

static int device_start(struct fs_device *device, const struct hal_dev_info *info)
{
    uint64_t features = VIRTIO_VERSION_1;
    int error = hal_dev_open(info->dev, &features);
    error = error != 0 ? error : queues_init(device, info);
    error = error != 0 ? error : device_attach(info->dev, queue_interrupt, device);
    error = error != 0 ? error : hal_dev_go(info->dev);
    return error != 0 ? error : protocol_agree(device);
}

int fs_device_open(const struct hal_dev_info *info, struct fs_device **result)
{
    if (device_is_attached(info->dev)) {
        return -EBUSY;
    }
    struct fs_device *device = heap_alloc_zeroed(sizeof *device);
    if (device == NULL) {
        return -ENOMEM;
    }
    device->dev = info->dev;
    device->name = info->name;
    fs_chunks_init(device, info);
    int error = device_start(device, info);
    if (error != 0) {
        hal_dev_stop(info->dev);
        device_detach(info->dev);
        for (size_t i = 0; i < QUEUE_COUNT; ++i) {
            queue_free(&device->queues[i]);
        }
        heap_free(device);
        return error;
    }
    *result = device;
    return 0;
}
